"""The calls of two compared runs side by side: those that differ, and some on either side of them.

Calls that are the same in both are left out where many of them follow each other, unless all are asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from buddy_core import format as fmt
from buddy_core.runs.comparing.model import Change, DiffStep, RunDiff
from buddy_core.runs.comparing.words import SIGNS, call_words, difference, remark
from buddy_core.safety.columns import Column, lay_out

CONTEXT = 3
"""Calls without a difference that are told around one with a difference."""

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


def step_table(diff: RunDiff, width: int | None, *, whole: bool) -> Sequence[str]:
    """The calls in lines, without the columns of which no row knows anything; `whole`: with every call."""
    rows = [*_rows(diff, whole=whole)]
    kept = [
        index
        for index, column in enumerate(_STEPS)
        if not column.priority or any(row[index] not in ("", fmt.UNKNOWN) for row in rows)
    ]
    return lay_out([_STEPS[index] for index in kept], [[row[i] for i in kept] for row in rows], width=width)


def _rows(diff: RunDiff, *, whole: bool) -> Iterator[_Cells]:
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
