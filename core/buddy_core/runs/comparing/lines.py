"""The comparison of two runs as plain text: who they are, what differs in all, and their calls side by side.

Every text out of the runs' files is made printable here. Calls that are the same in both are left out where many of
them follow each other, unless all are asked for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from buddy_core import format as fmt
from buddy_core.runs.comparing.model import Call, Change, DiffStep, RunDiff, Side, StepKind
from buddy_core.runs.viewing.show import beneath
from buddy_core.safety.columns import Column, cells, cut, lay_out
from buddy_core.safety.shown import shown
from buddy_core.signs import STATE_SIGNS

CONTEXT = 3
"""Calls without a difference that are told around one with a difference."""

SIGNS: dict[StepKind, str] = {
    "same": "=",
    "outcome": "!",
    "changed": "~",
    "only_a": "<",
    "only_b": ">",
    "before": "·",
}
"""One column each, as in `diff --side-by-side`: `<` stands only in A, `>` only in B."""

_WORDS: dict[StepKind, tuple[str, str]] = {
    "same": ("same", "the same"),
    "outcome": ("with another outcome", "went another way"),
    "changed": ("with other arguments", "has other arguments"),
    "only_a": ("only in A", "is only in A"),
    "only_b": ("only in B", "is only in B"),
    "before": ("before the fork", "was before the fork"),
}
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
_STEPS = (
    Column(""),
    Column("A", right=True),
    Column("B", right=True),
    Column("call", limit=200, grows=True),
    Column("took A", right=True, priority=1),
    Column("took B", right=True, priority=1),
    Column("B − A", right=True, priority=2),
    Column("tokens", right=True, priority=4),
    Column("cost", right=True, priority=3),
    Column("output", right=True, priority=5),
)
_Cells = tuple[str, ...]
_NO_NUMBERS = ("",) * 6


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
        yield from _table([*_steps(diff, whole=whole)], width)


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


def difference(words: Callable[[float | None], str], change: Change) -> str:
    """How much more B has, with its sign; `=` for none at all, `–` where it is not known, `≈` before an estimate."""
    value = change.delta
    if value is None:
        return fmt.UNKNOWN
    if value == 0:
        return "="
    return f"{fmt.ESTIMATE if change.estimated else ''}{'+' if value > 0 else ''}{words(value)}"


def headline(step: DiffStep) -> str:
    """Which call a step is about, and what is different, in one sentence."""
    call = step.a or step.b
    if call is None:
        return ""
    where = [f"call {one.number:,} of {name}" for one, name in ((step.a, "A"), (step.b, "B")) if one]
    said = f"{_WORDS[step.kind][1]}"
    if step.kind == "outcome" and step.a is not None and step.b is not None:
        said = f"{step.a.row.state} in A, {step.b.row.state} in B"
        said = "failed for another reason" if step.a.row.state == step.b.row.state else said
    elif step.kind == "changed":
        said = f"other {_names(step)}"
    return f"{', '.join(where)}: {shown(call.row.title, limit=40)}: {said}"


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
    told = ", ".join(f"{counts[kind]:,} {words}" for kind, (words, _) in _WORDS.items() if counts[kind])
    yield f"calls: {told or 'none'}"
    if diff.divergence is not None:
        yield f"they part at {headline(diff.steps[diff.divergence])}"
    elif diff.same:
        yield "both made the same calls, with the same outcomes"
    else:
        yield f"the calls are the same; A is {diff.a.facts.status}, B is {diff.b.facts.status}"


def _steps(diff: RunDiff, *, whole: bool) -> Iterator[_Cells]:
    told = [True] * len(diff.steps) if whole else near_differences(diff.steps)
    hidden = 0
    for step, is_told in zip(diff.steps, told, strict=True):
        if not is_told:
            hidden += 1
            continue
        yield from _gap(hidden)
        hidden = 0
        yield from _step(step, diff)
    yield from _gap(hidden)


def _table(rows: Sequence[_Cells], width: int | None) -> Sequence[str]:
    """The rows without the columns of which no row knows anything."""
    kept = [
        index
        for index, column in enumerate(_STEPS)
        if not column.priority or any(row[index] not in ("", fmt.UNKNOWN) for row in rows)
    ]
    return lay_out([_STEPS[index] for index in kept], [[row[i] for i in kept] for row in rows], width=width)


def near_differences(steps: Sequence[DiffStep]) -> list[bool]:
    """Which steps are told: those that differ, and some on either side."""
    told = [False] * len(steps)
    for index, step in enumerate(steps):
        if step.kind not in ("same", "before"):
            near = range(max(0, index - CONTEXT), min(len(steps), index + CONTEXT + 1))
            for place in near:
                told[place] = True
    return told


def _gap(hidden: int) -> Iterator[_Cells]:
    if hidden:
        yield "…", "", "", f"{fmt.plural(hidden, 'call')} without a difference", *_NO_NUMBERS


def _step(step: DiffStep, diff: RunDiff) -> Iterator[_Cells]:
    """One row; of a call with other arguments a second one tells what it is in B."""
    told = [call for call in (step.a, step.b) if call is not None]
    took, tokens, cost, output = step.took_ms, step.tokens, step.cost, step.output_bytes
    yield (
        SIGNS[step.kind],
        fmt.count(step.a.number) if step.a else "",
        fmt.count(step.b.number) if step.b else "",
        call_words(told[0], diff) + remark(step),
        fmt.duration(took.a) if step.a else "",
        fmt.duration(took.b) if step.b else "",
        *(
            _either(step, change, words)
            for change, words in (
                (took, fmt.duration),
                (tokens, fmt.tokens),
                (cost, fmt.cost),
                (output, fmt.bytes_),
            )
        ),
    )
    if step.kind == "changed" and step.b is not None:
        yield "", "", "", f"→ {call_words(step.b, diff)}", *_NO_NUMBERS


def _either(step: DiffStep, change: Change, words: Callable[[float | None], str]) -> str:
    """The difference of a call that both have, else nothing: the number of one run is no difference."""
    return difference(words, change) if step.a is not None and step.b is not None else ""


def call_words(call: Call, diff: RunDiff) -> str:
    """A call as it was made: how it ended, its tool, and its telling argument."""
    side = diff.a if call in diff.a.calls[call.number - 1 : call.number] else diff.b
    detail = shown(beneath(side.facts.cwd, call.row.detail), limit=300)
    return f"{STATE_SIGNS[call.row.state]} {shown(call.row.title, limit=40)} {detail}".rstrip()


def remark(step: DiffStep) -> str:
    """What the call itself does not show: why it failed, how it went in either run, which argument differs."""
    if step.kind in ("only_a", "only_b"):
        call = step.a or step.b
        return f" — {shown(call.row.error, limit=200)}" if call is not None and call.row.error else ""
    if step.a is None or step.b is None:
        return ""
    if step.kind == "changed":
        return f" ({_names(step)})" if step.a.row.detail == step.b.row.detail else ""
    return f" — A {_ended(step.a)}, B {_ended(step.b)}" if step.kind == "outcome" else ""


def _ended(call: Call) -> str:
    return f"{call.row.state}: {shown(call.row.error, limit=160)}" if call.row.error else call.row.state


def _names(step: DiffStep) -> str:
    names = [shown(name, limit=24) or "arguments" for name in step.differs[:3]]
    return ", ".join(names) + (", …" if len(step.differs) > len(names) else "")


def _fitted(line: str, width: int | None) -> str:
    return line if width is None or cells(line) <= width else cut(line, width)
