"""What rows of a timeline are asked for: words that all occur in one, and conditions.

    make -tool:bash type:tool,metric is:failed took>5s

Words are looked for in the type, the tool, the detail and the error, in either case. `type:` and `tool:` take
the beginnings of names, `is:` one of the words of `STATES_MEANT`; several are set apart by commas, of which one
must fit. `took>` and `took<` compare what a call, a request or a step took. A `-` before a condition turns it
round. Whatever is no condition is a word.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from math import isnan
from typing import Literal

from buddy_core.runs.query.values import duration_ms
from buddy_core.runs.timeline.event_words import State
from buddy_core.runs.timeline.index.eventindex import STATES, EventIndex
from buddy_core.runs.timeline.timeline import TimelineRow

STATES_MEANT: dict[str, tuple[State, ...]] = {
    "failed": ("failed", "error"),
    "error": ("failed", "error"),
    "running": ("running",),
    "refused": ("refused",),
    "ok": ("ok",),
}
"""What may stand behind `is:`, and the states of rows it means."""

_NAMED = re.compile(r"(-?)(type|tool|is):([^\s,]+(?:,[^\s,]+)*),?", re.IGNORECASE)
_TOOK = re.compile(r"(-?)took([<>])(=?)(\S+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Named:
    """`type:`, `tool:` or `is:`."""

    field: Literal["type", "tool", "is"]
    values: tuple[str, ...]
    negated: bool


@dataclass(frozen=True, slots=True)
class Took:
    """`took>`: how long something lasted, in ms. What has no duration never fits."""

    least: float
    most: float
    negated: bool


@dataclass(frozen=True, slots=True)
class RowFilter:
    """What is asked for; an empty one lets every row through."""

    words: tuple[str, ...] = ()
    """Folded."""
    named: tuple[Named, ...] = ()
    took: tuple[Took, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.words or self.named or self.took)

    def fits(self, row: TimelineRow) -> bool:
        """True for a row that is meant."""
        return (
            all(_fits_name(test, row.kind, _tool_of(row), row.state) for test in self.named)
            and all(_lasts(test, row.duration_ms) for test in self.took)
            and (not self.words or self._says(row))
        )

    def _says(self, row: TimelineRow) -> bool:
        said = row_text(row)
        return all(word in said for word in self.words)


def parse_row_filter(text: str) -> RowFilter:
    """Read a filter as a person types it; there is nothing it could not mean."""
    words: list[str] = []
    named: list[Named] = []
    took: list[Took] = []
    for part in text.split():
        if (found := _NAMED.fullmatch(part)) and (test := _named(*found.groups())) is not None:
            named.append(test)
        elif (found := _TOOK.fullmatch(part)) and (limit := duration_ms(found.group(4))) is not None:
            took.append(_took(found, limit))
        else:
            words.append(part.casefold())
    return RowFilter(tuple(words), tuple(named), tuple(took))


def row_text(row: TimelineRow) -> str:
    """What words are looked for in, folded."""
    return f"{row.kind} {row.title} {row.detail} {row.error or ''}".casefold()


def column_test(wanted: RowFilter, index: EventIndex) -> Callable[[int], bool] | None:
    """Whether a row may fit by what the index knows of it: False is certain; None where it knows nothing to ask.

    True is certain too, but for the words and for names that have no number of their own.
    """
    if not wanted.named and not wanted.took:
        return None
    kinds: dict[int, str | None] = {}
    tools: dict[int, str | None] = {}

    def test(row: int) -> bool:
        kind = index.kinds[index.events[row]]
        tool = index.tools[row]
        if kind not in kinds:
            kinds[kind] = index.kind_names.name(kind)
        if tool not in tools:
            tools[tool] = index.tool_names.name(tool)
        state, took = STATES[index.states[row]], index.durations[row]
        return all(
            _fits_name(one, kinds[kind], tools[tool], state, unsure=True) for one in wanted.named
        ) and all(_lasts(one, None if isnan(took) else took) for one in wanted.took)

    return test


def _named(minus: str, field: str, values: str) -> Named | None:
    asked = tuple(value.casefold() for value in values.split(","))
    if field.lower() == "is":
        if not all(value in STATES_MEANT for value in asked):
            return None
        return Named("is", asked, bool(minus))
    return Named("type" if field.lower() == "type" else "tool", asked, bool(minus))


def _took(found: re.Match[str], limit: float) -> Took:
    minus, sign, equal, _ = found.groups()
    edge = 0.0 if equal else 1e-6
    if sign == ">":
        return Took(limit + edge, float("inf"), bool(minus))
    return Took(0.0, limit - edge, bool(minus))


def _fits_name(
    test: Named, kind: str | None, tool: str | None, state: State, *, unsure: bool = False
) -> bool:
    """`unsure`: a name that is None is not known, and may be any."""
    if test.field == "is":
        fits = any(state in STATES_MEANT[value] for value in test.values)
        return fits is not test.negated
    name = kind if test.field == "type" else tool
    if name is None and unsure:
        return True
    fits = bool(name) and (name or "").casefold().startswith(test.values)
    return fits is not test.negated


def _lasts(test: Took, took: float | None) -> bool:
    return took is not None and (test.least <= took <= test.most) is not test.negated


def _tool_of(row: TimelineRow) -> str | None:
    return row.title if row.kind in ("tool_call", "tool_result") else None
