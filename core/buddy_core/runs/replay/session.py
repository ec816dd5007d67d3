"""`replay_run`: list the test commands of a run, and run those again that somebody approves one by one.

Between showing a command and running it the files are read again: what runs is what was approved, byte for byte,
or nothing; a command that became another one in the meantime is shown and asked for anew (case 93).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from buddy_core.runs.replay.commands import Conditions, Findings, find_tests
from buddy_core.runs.replay.model import Command, RecordedTest, Replayed, ReplayReport, Rerun
from buddy_core.runs.replay.report import approval_lines, listing_lines, outcome_lines, rerun_lines
from buddy_core.runs.replay.runner import Interrupted, execute
from buddy_core.runs.viewing.viewer import RunsPlace, run_of
from buddy_core.safety.output import LineWriter, Writable, line_writer

TIMEOUT_S = 600.0
"""How long one command may take unless told otherwise."""

MAX_CHANGES = 3
"""How often a command may change under the eyes of whoever approves it; then there is no more asking."""

Approve = Callable[[Command], bool]
"""Says True to exactly this command; anything else, also something merely true, is a no."""

_DECLINED = "it was not approved"
_NOT_ASKED = "nobody was asked"
_MOVED = "the command changed while it was to be approved: it was not run"
_CHANGED = "it kept changing while it was to be approved"


class ReplayCancelled(KeyboardInterrupt):
    """Ctrl-C arrived during a replay; the command and all it started have ended. `report` says how far it came."""

    def __init__(self, report: ReplayReport) -> None:
        super().__init__("the replay was cancelled")
        self.report = report


def replay_run(
    run_id: str,
    *,
    rerun: bool = False,
    approve: Approve | None = None,
    store: RunsPlace | Path | None = None,
    out: Writable | LineWriter | None = None,
    timeout_s: float = TIMEOUT_S,
    cwd: Path | str | None = None,
    env: Mapping[str, str] | None = None,
    width: int | None = None,
) -> ReplayReport:
    """List the test commands of a run; with `rerun`, run those that `approve` says yes to.

    Nothing is executed unless `rerun` is true and `approve(command)` returns True for exactly the arguments,
    directory and environment that were written to `out` just before. Nothing ever goes through a shell.

    Args:
        run_id: An id, the beginning of one, or `last`.
        rerun: Ask and run, instead of only listing.
        approve: Asked once for each command; None approves nothing.
        store: Where the runs are.
        out: Where the text goes: a file, a function that takes a line, or (None) standard output.
        timeout_s: Seconds one command may take.
        cwd: The directory to run in, instead of the one that was recorded.
        env: The environment from which a few harmless variables are taken (the process's own by default).
        width: Cells of a line of the table at the end; None cuts nothing.

    Raises:
        RunNotFound, StoreUnavailable: There is no such run, or no runs directory.
        ReplayCancelled: Ctrl-C.
    """
    runs_dir, found = run_of(store, run_id)
    directory = None if cwd is None else os.path.abspath(cwd)  # noqa: PTH100 - links must stay visible
    conditions = Conditions(timeout_s, os.environ if env is None else env, directory)
    session = _Session(runs_dir, found, conditions, line_writer(out), width)
    return session.rerun(approve) if rerun else session.listed()


class _Session:
    """One replay of one run."""

    def __init__(
        self, runs_dir: Path, run_id: str, conditions: Conditions, write: LineWriter, width: int | None
    ) -> None:
        self._runs_dir = runs_dir
        self._run_id = run_id
        self._conditions = conditions
        self._write = write
        self._width = width
        self._reruns: dict[Command, Rerun] = {}
        self._left_out: dict[Command, str] = {}
        self._tests: list[RecordedTest] = []
        self._notes: list[str] = []

    def listed(self) -> ReplayReport:
        """Everything that was found; nothing is run."""
        findings = self._look()
        self._tests = list(findings.tests)
        report = self._report(findings.cwd)
        self._say(listing_lines(report))
        return report

    def rerun(self, approve: Approve | None) -> ReplayReport:
        """Ask for each command in turn and run what is approved."""
        findings = self._look()
        self._tests = list(findings.tests)
        self._say(listing_lines(self._report(findings.cwd), asked=True))
        try:
            for position, test in enumerate(findings.tests):
                if test.command is not None:
                    self._settle(position, test.command, approve)
        except Interrupted as cut:
            self._reruns[cut.rerun.command] = cut.rerun
            self._stop(findings.cwd, cut.cause)
        except KeyboardInterrupt as cause:
            self._stop(findings.cwd, cause)
        report = self._report(findings.cwd)
        self._say(outcome_lines(report, width=self._width))
        return report

    def _settle(self, position: int, command: Command, approve: Approve | None) -> None:
        """Ask for the command at `position` until it holds still; then run it or leave it out."""
        if approve is None:
            self._left_out[command] = _NOT_ASKED
            return
        for _ in range(MAX_CHANGES):
            self._say(approval_lines(command))
            if approve(command) is not True:
                self._left_out[command] = _DECLINED
                return
            now = self._at(position)
            if now == command:
                self._run(command)
                return
            self._notes.append(_MOVED)
            self._write(_MOVED)
            if now is None:
                break
            command = self._replace(position, now)
        self._left_out[command] = _CHANGED

    def _run(self, command: Command) -> None:
        self._write(f"running, at most {command.timeout_s:g} s; Ctrl-C ends it")
        self._reruns[command] = execute(command)
        self._say(rerun_lines(self._reruns[command]))

    def _at(self, position: int) -> Command | None:
        """What the files say now of the command at `position`."""
        tests = self._look().tests
        return tests[position].command if position < len(tests) else None

    def _replace(self, position: int, command: Command) -> Command:
        self._tests[position] = self._look().tests[position]
        return command

    def _look(self) -> Findings:
        return find_tests(self._runs_dir, self._run_id, self._conditions)

    def _stop(self, cwd: str | None, cause: BaseException) -> None:
        """Leave with what is known: as `ReplayCancelled` for Ctrl-C, else as what arrived."""
        report = self._report(cwd, cancelled=True)
        self._say(outcome_lines(report, width=self._width))
        if isinstance(cause, KeyboardInterrupt):
            raise ReplayCancelled(report) from cause
        raise cause

    def _report(self, cwd: str | None, *, cancelled: bool = False) -> ReplayReport:
        items = tuple(self._item(test) for test in self._tests)
        return ReplayReport(self._run_id, cwd, items, cancelled, tuple(self._notes))

    def _item(self, test: RecordedTest) -> Replayed:
        if test.command is None:
            return Replayed(test)
        return Replayed(test, self._reruns.get(test.command), self._left_out.get(test.command, None))

    def _say(self, lines: Iterator[str]) -> None:
        for line in lines:
            self._write(line)
