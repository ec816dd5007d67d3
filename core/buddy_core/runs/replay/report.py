"""A replay in words: what was found, what is to be approved, what came of it.

Recorded text is made printable here; what is to be approved is shown as the exact list of arguments.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from buddy_core import format as fmt
from buddy_core.runs.replay.model import Command, Recorded, Replayed, ReplayReport, Rerun, TestCounts
from buddy_core.safety.columns import Column, lay_out
from buddy_core.safety.text import plain, plain_lines
from buddy_core.signs import STATE_SIGNS

SIGNS = {
    "passed": STATE_SIGNS["ok"],
    "failed": STATE_SIGNS["failed"],
    "timed out": STATE_SIGNS["failed"],
    "refused": STATE_SIGNS["refused"],
    "cancelled": STATE_SIGNS["cancelled"],
    "not started": STATE_SIGNS["refused"],
    "unknown": STATE_SIGNS["info"],
}
_COLUMNS = (
    Column("", right=True),
    Column("replay"),
    Column("recorded", priority=1),
    Column("now", limit=60),
    Column("command", limit=500, grows=True),
)
_TAIL_LINES = 12
_LABEL = 12


def listing_lines(report: ReplayReport, *, asked: bool = False) -> Iterator[str]:
    """Every test command with its recorded outcome; `asked`: somebody will be asked about them next."""
    can = sum(item.test.command is not None for item in report.items)
    yield f"{report.run_id}: {_found(len(report.items), can)}"
    if report.cwd:
        yield f"recorded in {plain(report.cwd, limit=500)}"
    for number, item in enumerate(report.items, start=1):
        yield ""
        yield from _listed(number, item)
    if can and not asked:
        yield ""
        yield f"Nothing was run. “buddy-top run replay {report.run_id} --rerun” asks for each and runs it."


def approval_lines(command: Command) -> Iterator[str]:
    """Exactly what would be executed: everything that the approval is bound to."""
    yield ""
    yield "This would be executed, without a shell:"
    yield _label("arguments", json.dumps(command.argv, ensure_ascii=False))
    yield _label("program", command.program)
    yield _label("directory", command.cwd)
    environment = (f"{name}={value}" for name, value in sorted(command.environment.items()))
    for index, assignment in enumerate(environment):
        yield _label("" if index else "environment", assignment)
    yield _label("limits", f"{command.timeout_s:g} s, no input, no terminal; what it leaves behind is ended")
    for notice in command.notices:
        yield _label("note", f"! {notice}")
    yield _label("approval", command.digest)


def rerun_lines(rerun: Rerun) -> Iterator[str]:
    """How a command ended just now, with the end of its output where it did not pass."""
    yield f"{SIGNS[rerun.ending]} {ending_words(rerun)}"
    if rerun.ending == "passed":
        return
    shown = plain_lines(rerun.tail or rerun.head, limit_width=500)[-_TAIL_LINES:]
    if shown:
        yield f"the end of its output ({fmt.bytes_(rerun.output_bytes)} in all):"
        yield from (f"  {line}" for line in shown)


def outcome_lines(report: ReplayReport, *, width: int | None = None) -> Iterator[str]:
    """The recorded outcome of each command beside the new one, in `width` cells a line if that can be done."""
    rows = [_outcome(number, item) for number, item in enumerate(report.items, start=1) if _settled(item)]
    yield ""
    yield from lay_out(_COLUMNS, rows, width=width)
    yield from ([""] if rows else [])
    ran = fmt.plural(report.executed, "command")
    yield f"cancelled: {ran} had been started" if report.cancelled else f"{ran} run"


def _settled(item: Replayed) -> bool:
    return item.rerun is not None or item.left_out is not None


def _outcome(number: int, item: Replayed) -> tuple[str, ...]:
    recorded = recorded_words(item.test.recorded)
    if item.rerun is None:
        return str(number), "not run", recorded, item.left_out or "", _title(item)
    now = f"{SIGNS[item.rerun.ending]} {ending_words(item.rerun)}"
    return str(number), item.change or "", recorded, now, _title(item)


def _found(tests: int, can: int) -> str:
    if not tests:
        return "no test commands were recorded"
    return f"{fmt.plural(tests, 'test command')} recorded, {can if can else 'none'} can be replayed"


def _listed(number: int, item: Replayed) -> Iterator[str]:
    test = item.test
    times = f"  ({test.times} times)" if test.times > 1 else ""
    yield f"{number}  {recorded_words(test.recorded)}  {_title(item)}{times}"
    if test.command is None:
        yield f"   not replayable: {plain(test.obstacle, limit=300)}"
    else:
        yield f"   in {test.command.cwd}"
        yield from (f"   ! {notice}" for notice in test.command.notices)
    if test.recorded.error:
        yield f"   said: {plain(test.recorded.error, limit=200)}"


def _title(item: Replayed) -> str:
    return plain(item.test.line, limit=500)


def recorded_words(recorded: Recorded) -> str:
    """How it ended when the run was recorded: `✗ failed in 12 s (1 failed)`."""
    took = "" if recorded.duration_ms is None else f" in {fmt.duration(recorded.duration_ms)}"
    word = "no result" if recorded.verdict == "unknown" else recorded.verdict
    counts = f" ({_counts(recorded.counts)})" if recorded.counts.known else ""
    return f"{SIGNS[recorded.verdict]} {word}{took}{counts}"


def ending_words(rerun: Rerun) -> str:
    """How it ended just now, with its exit code and what it left behind; without a sign."""
    words: list[str] = [rerun.ending]
    if rerun.duration_ms is not None:
        words.append(
            f"{'after' if rerun.ending in ('timed out', 'cancelled') else 'in'} {fmt.duration(rerun.duration_ms)}"
        )
    details = [
        f"exit {rerun.exit_code}" if rerun.exit_code else "",
        f"signal {rerun.signal}" if rerun.signal else "",
        _counts(rerun.counts),
        f"{fmt.plural(rerun.left_behind, 'process', 'processes')} left behind and ended"
        if rerun.left_behind
        else "",
        plain(rerun.problem, limit=200) if rerun.problem else "",
    ]
    told = ", ".join(detail for detail in details if detail)
    return " ".join(words) + (f" ({told})" if told else "")


def _counts(counts: TestCounts) -> str:
    pairs = ((counts.passed, "passed"), (counts.failed, "failed"), (counts.skipped, "skipped"))
    return ", ".join(f"{number:,} {word}" for number, word in pairs if number)


def _label(name: str, text: str) -> str:
    return f"  {name:<{_LABEL}}{text}"
