"""The comparison of two runs as plain text: who they are, what differs in all, and their calls side by side.

Every text out of the runs' files is made printable here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from buddy_core import format as fmt
from buddy_core.runs.comparing.model import RunDiff, Side
from buddy_core.runs.comparing.steptable import step_table
from buddy_core.runs.comparing.words import WORDS, difference, headline
from buddy_core.safety.columns import Column, cells, cut, lay_out
from buddy_core.safety.shown import shown
from buddy_core.signs import STATE_SIGNS

_HEAD = (
    Column(""),
    Column(""),
    Column("", priority=2),
    Column("", limit=24),
    Column("", right=True, priority=1),
    Column("", limit=120, grows=True),
)
_TOTALS = (
    Column("", limit=20),
    Column("A", right=True),
    Column("B", right=True),
    Column("B − A", right=True),
)
_Cells = tuple[str, ...]


def diff_lines(diff: RunDiff, *, now_ms: int, width: int | None = None, whole: bool = False) -> Iterator[str]:
    """The comparison in lines of at most `width` cells, if that can be done; `whole`: with every call."""
    yield from lay_out(
        _HEAD, [_who("A", diff.a, now_ms), _who("B", diff.b, now_ms)], width=width, heading=False
    )
    yield from (_fitted(note, width) for note in _notes(diff))
    yield ""
    yield from lay_out(_TOTALS, [*_totals(diff)], width=width)
    yield ""
    yield from (_fitted(line, width) for line in _verdict(diff))
    if diff.steps:
        yield ""
        yield from step_table(diff, width, whole=whole)


def summary_lines(diff: RunDiff, *, width: int) -> Iterator[str]:
    """Both runs, their totals side by side, and where they part, for a screen; empty lines stand between the three."""
    for name, side in (("A", diff.a), ("B", diff.b)):
        facts = side.facts
        sign, objective = STATE_SIGNS[facts.status], shown(facts.objective, limit=200)
        yield _fitted(f"{name}  {sign} {facts.run_id}  {objective}", width)
    yield from (_fitted(note, width) for note in _notes(diff))
    yield ""
    names = ("A", "B", "B − A")
    columns = [Column(label, right=True, priority=at) for at, (label, _, _) in enumerate(_QUANTITIES)]
    quantities = list(_totals(diff))
    rows = [(name, *(row[at] for row in quantities)) for at, name in enumerate(names, 1)]
    yield from lay_out([Column(""), *columns], rows, width=width)
    yield ""
    yield from (_fitted(line, width) for line in _verdict(diff))


def _who(name: str, side: Side, now_ms: int) -> _Cells:
    facts = side.facts
    return (
        name,
        STATE_SIGNS[facts.status],
        facts.status,
        facts.run_id,
        fmt.date_time(facts.started_at or None, now_ms),
        shown(facts.objective, limit=200),
    )


def _notes(diff: RunDiff) -> Iterator[str]:
    fork = {"fork": diff.b, "parent": diff.a}.get(diff.relation or "")
    if fork is not None:
        names = ("B", "A") if diff.relation == "fork" else ("A", "B")
        reason = f": {shown(fork.facts.fork_reason, limit=60)}" if fork.facts.fork_reason else ""
        yield f"{names[0]} is a fork of {names[1]}{reason}"
    elif diff.relation == "siblings":
        yield f"both are forks of {shown(diff.a.facts.parent_run_id, limit=40)}"
    for name, side in (("A", diff.a), ("B", diff.b)):
        if side.left_out:
            yield f"{fmt.plural(side.left_out, 'call')} at the end of {name} are not compared"
        if side.facts.live:
            yield f"{name} has not ended; this is how it stands now"


def _totals(diff: RunDiff) -> Iterator[_Cells]:
    totals = diff.totals
    for label, name, words in _QUANTITIES:
        change = totals[name]
        told = [words(change.a), words(change.b)]
        if name == "total_cost":
            told = [fmt.cost_of(side.facts) for side in (diff.a, diff.b)]
        yield label, *told, difference(words, change)


def _whole(value: float | None) -> str:
    return fmt.count(None if value is None else round(value))


_QUANTITIES: tuple[tuple[str, str, Callable[[float | None], str]], ...] = (
    ("took", "duration_ms", fmt.duration),
    ("in tools", "tools_ms", fmt.duration),
    ("tokens", "total_tokens", fmt.tokens),
    ("cost", "total_cost", fmt.cost),
    ("tool calls", "tool_calls", _whole),
    ("failed calls", "tool_failures", _whole),
    ("error events", "errors", _whole),
)


def _verdict(diff: RunDiff) -> Iterator[str]:
    counts = Counter(step.kind for step in diff.steps)
    told = ", ".join(f"{counts[kind]:,} {words}" for kind, (words, _) in WORDS.items() if counts[kind])
    yield f"calls: {told or 'none'}"
    if diff.divergence is not None:
        yield f"they part at {headline(diff.steps[diff.divergence])}"
    elif diff.same:
        yield "both made the same calls, with the same outcomes"
    else:
        yield f"the calls are the same; A is {diff.a.facts.status}, B is {diff.b.facts.status}"


def _fitted(line: str, width: int | None) -> str:
    return line if width is None or cells(line) <= width else cut(line, width)
