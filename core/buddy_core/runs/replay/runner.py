"""Execute one approved command and keep what it printed, within bounds.

The work is done by a keeper process (`keeper.py`); here its output is taken and its report awaited. However this
function is left, also by Ctrl-C or the death of this process, the keeper's input closes and with that the command
and everything it started end within two seconds (case 97).
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from buddy_core.runs.replay.live import Live, Output
from buddy_core.runs.replay.model import Command, Ending, Rerun
from buddy_core.runs.replay.outcome import count_tests

END_S = 4.0
"""After the keeper was told to stop it has this long before it is killed itself."""

_CHUNK = 64 * 1024
_KEEPER = Path(__file__).with_name("keeper.py")


class Interrupted(Exception):
    """The run was cut short by an exception, which is `cause`; `rerun` says how far it came."""

    def __init__(self, rerun: Rerun, cause: BaseException) -> None:
        super().__init__(str(cause))
        self.rerun = rerun
        self.cause = cause


class _Cancelled(Exception):
    """Somebody else wants it to end."""


def execute(command: Command, live: Live | None = None) -> Rerun:
    """Run `command` and wait for its end, or until somebody cancels it through `live`, which takes its output.

    Raises:
        Interrupted: An exception (Ctrl-C, a signal handler's) arrived meanwhile; nothing of the command is left.
    """
    output = Output() if live is None else live.output
    report_read, report_write = os.pipe()
    try:
        keeper = _start_keeper(command, report_write)
    except OSError as error:
        os.close(report_read)
        return Rerun(command, "not started", problem=error.strerror or str(error))
    finally:
        os.close(report_write)
    session = _Session(keeper, report_read, output)
    try:
        session.send(command.document)
        session.take(
            deadline=time.monotonic() + command.timeout_s + END_S, ears=None if live is None else live.ears
        )
    except _Cancelled:
        session.finish()
        return _rerun(command, session.report(), output, cancelled=True)
    except BaseException as cause:  # whatever it is, first the command has to end
        with suppress(KeyboardInterrupt):
            session.finish()
        raise Interrupted(_rerun(command, session.report(), output, cancelled=True), cause) from cause
    session.finish()
    return _rerun(command, session.report(), output)


def _start_keeper(command: Command, report_fd: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-I", "-S", "-B", str(_KEEPER), command.digest, str(report_fd)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        pass_fds=(report_fd,),
        cwd="/",
        env={"LC_ALL": "C.UTF-8"},
        start_new_session=True,  # the terminal's Ctrl-C is for us; the keeper ends when we say so
        bufsize=0,
    )


class _Session:
    """The keeper while it works: its output, and its report in the end."""

    def __init__(self, keeper: subprocess.Popen[bytes], report_fd: int, output: Output) -> None:
        assert keeper.stdin is not None and keeper.stdout is not None
        self._keeper = keeper
        self._stdin, self._stdout = keeper.stdin, keeper.stdout
        self._open = {self._stdout.fileno(), report_fd}
        self._report_fd = report_fd
        self._output = output
        self._report = b""

    def send(self, document: bytes) -> None:
        """Hand over what was approved; a keeper that is gone already says so by its missing report."""
        with suppress(BrokenPipeError):
            self._stdin.write(len(document).to_bytes(8, "big") + document)

    def take(self, *, deadline: float, ears: int | None = None) -> None:
        """Read until both ends are closed or the deadline comes; `_Cancelled` when something comes to `ears`."""
        more = [] if ears is None else [ears]
        while self._open and (left := deadline - time.monotonic()) > 0:
            for fd in select.select([*self._open, *more], [], [], left)[0]:
                if fd == ears:
                    raise _Cancelled
                data = os.read(fd, _CHUNK)
                if not data:
                    self._open.discard(fd)
                elif fd == self._report_fd:
                    self._report += data
                else:
                    self._output.take(data)

    def finish(self) -> None:
        """Tell the keeper to end everything, take what is left, and leave nothing behind."""
        try:
            self._close_input()
            self.take(deadline=time.monotonic() + END_S)
        finally:
            self._let_go()

    def report(self) -> dict[str, Any]:
        """What the keeper said; empty when it could not say anything."""
        with suppress(ValueError):
            fields = json.loads(self._report)
            return fields if isinstance(fields, dict) else {}
        return {}

    def _let_go(self) -> None:
        """Wait for the keeper, which ends what it keeps by itself; killed early it could not do so any more."""
        deadline = time.monotonic() + END_S
        while self._keeper.poll() is None:
            with suppress(KeyboardInterrupt):  # it is being ended already, and takes two seconds at most
                self._close_input()
                try:
                    self._keeper.wait(timeout=max(0.0, deadline - time.monotonic()))
                except subprocess.TimeoutExpired:
                    self._keeper.kill()
                    deadline = time.monotonic() + END_S
        self._stdout.close()
        with suppress(OSError):
            os.close(self._report_fd)

    def _close_input(self) -> None:
        with suppress(OSError):
            self._stdin.close()


def _rerun(command: Command, report: dict[str, Any], output: Output, *, cancelled: bool = False) -> Rerun:
    if "status" not in report:
        problem = str(report.get("problem") or "its keeper ended without a word")
        return Rerun(command, "cancelled" if cancelled else "not started", problem=problem)
    status = int(report["status"])
    printed = output.printed()
    head, tail = printed.head.decode("utf-8", "replace"), printed.tail.decode("utf-8", "replace")
    return Rerun(
        command=command,
        ending=_ending(status, report.get("why"), cancelled),
        exit_code=status if status >= 0 else None,
        signal=-status if status < 0 else None,
        duration_ms=float(report["took_ms"]),
        head=head,
        tail=tail,
        output_bytes=printed.size,
        output_omitted=printed.omitted,
        left_behind=int(report["left_behind"]),
        counts=count_tests(head + tail),
    )


def _ending(status: int, why: object, cancelled: bool) -> Ending:
    if cancelled or why == "cancelled":
        return "cancelled"
    if why == "timed out":
        return "timed out"
    return "passed" if status == 0 else "failed"
