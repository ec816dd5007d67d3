"""The cells of one line of a timeline: from its row, or from what the index knows before the row was read."""

from __future__ import annotations

from math import isnan
from typing import NamedTuple

from buddy_core.runs.timeline.index.eventindex import (
    CALL,
    METRIC,
    RESULT,
    STATES,
    STEP_END,
    STEP_START,
    EventIndex,
)
from buddy_core.runs.timeline.timeline import TimelineRow
from buddy_core.safety.shown import shown
from buddy_core.safety.text import Plain
from buddy_core.signs import STATE_SIGNS
from buddy_top.drawing import format as fmt
from buddy_top.drawing.cells import Cell, Span, cut_right
from buddy_top.drawing.states import STATE_INKS
from buddy_top.widgets.table.bars import moment_bar
from buddy_top.widgets.table.table import Column

BAR = 12
"""Columns of the bar that says when something was."""

COLUMNS = (
    Column("at", Plain("time"), 9, align="right", sortable=False),
    Column("gap", Plain("gap"), 7, align="right", priority=3, sortable=False),
    Column("mark", Plain(""), 1, sortable=False),
    Column("what", Plain("what"), 14, grow=1, sortable=False),
    Column("detail", Plain("detail"), 20, grow=4, sortable=False),
    Column("took", Plain("took"), 7, align="right", priority=1, sortable=False),
    Column("out", Plain("output"), 7, align="right", priority=2, sortable=False),
    Column("when", Plain("when"), BAR, priority=4, sortable=False),
)

_ASKED = 12
"""Columns a failed row has at least for what was asked; half of the room is for what went wrong."""

_QUIET_GAP_MS = 1_000
"""Shorter gaps say nothing and are left blank."""

_FAILURES = ("failed", "error")
_OPEN, _FOLDED = Plain(" ▾"), Plain(" ▸")


class Look(NamedTuple):
    """What decides how rows are written, beside the rows themselves."""

    absolute: bool = False
    """Times of the day, not since the start of the run."""
    base: str = ""
    """Paths are told from this directory."""
    room: int = 0
    """Columns of the detail."""
    now_ms: int | None = None
    """Of a live run, up to when what runs has taken its time."""
    end_ms: int = 0
    """When the run ended, or its newest event was, as far as that is known before it is indexed."""


class Fold(NamedTuple):
    """Of a row that begins a step: what it hides."""

    hidden: int
    """Rows; 0 while the step is open."""


def row_cells(row: TimelineRow, look: Look, fold: Fold | None = None, bar: Cell = ()) -> tuple[Cell, ...]:
    """Time, gap, sign, what, detail, duration, output and bar of an event."""
    return (
        _time(row.at_ms, row.since_start_ms, look),
        (Span(_gap(row.gap_ms), "dim"),),
        (Span(Plain(STATE_SIGNS[row.state]), STATE_INKS[row.state]),),
        _what(row.depth, fold, Span(shown(row.title), _title_ink(row))),
        (*_folded_words(fold), *_detail(row, look)),
        _took(row.duration_ms, row.state == "running", row.at_ms, look),
        (Span(Plain("") if row.output_bytes is None else fmt.bytes_(row.output_bytes), "dim"),),
        bar,
    )


def outline_cells(index: EventIndex, row: int, look: Look, fold: Fold | None, bar: Cell) -> tuple[Cell, ...]:
    """The same as far as the index knows it; the detail comes when it has been read."""
    event = index.events[row]
    at_ms, state = index.times[event], STATES[index.states[row]]
    kind = index.kinds[event]
    name = index.tool_names.name(index.tools[row]) if kind in (CALL, RESULT) else index.kind_names.name(kind)
    title = shown((name or "…") if kind in (CALL, RESULT) else (name or "…").replace("_", " "))
    gap = max(0, at_ms - index.times[event - 1]) if event else None
    took = index.durations[row]
    return (
        _time(at_ms, max(0, at_ms - (index.first_at or at_ms)), look),
        (Span(_gap(gap), "dim"),),
        (Span(Plain(STATE_SIGNS[state]), STATE_INKS[state]),),
        _what(index.depth(row), fold, Span(title, "bad" if state in _FAILURES else "label")),
        (*_folded_words(fold), Span(Plain("…"), "dim")),
        _took(None if isnan(took) else took, state == "running", at_ms, look),
        (),
        bar,
    )


def when_bar(index: EventIndex, row: int, look: Look) -> Cell:
    """When a row was, and for how long: a bar, or a dot. Every row is drawn to the scale of the whole run."""
    event = index.events[row]
    begin, end = index.first_at or index.times[0], max(look.now_ms or look.end_ms, index.times[-1])
    if end <= begin:
        return ()
    at_ms, took = index.times[event], index.durations[row]
    state, kind = STATES[index.states[row]], index.kinds[event]
    if kind == METRIC and not isnan(took):
        at_ms -= round(took)  # a request is recorded when it has ended
    elif kind == STEP_END:
        took = float("nan")  # the line of its beginning has the bar
    if isnan(took):
        runs = state == "running" and look.now_ms is not None
        took = max((look.now_ms or 0) - at_ms, 0) if runs else 0.0
    start = (at_ms - begin) / (end - begin)
    ink = "bad" if state in _FAILURES else "label" if kind == STEP_START else "accent"
    return moment_bar(start, start + took / (end - begin), BAR, ink=ink)


def _time(at_ms: int, since_ms: int, look: Look) -> Cell:
    return (Span(fmt.clock(at_ms) if look.absolute else fmt.relative(since_ms), "label"),)


def _what(depth: int, fold: Fold | None, title: Span) -> Cell:
    indent = Span(Plain("  " * min(depth, 3)))
    if fold is None:
        return (indent, title)
    return (indent, title, Span(_FOLDED if fold.hidden else _OPEN, "accent" if fold.hidden else "dim"))


def _folded_words(fold: Fold | None) -> Cell:
    if fold is None or not fold.hidden:
        return ()
    return (Span(Plain(f"{fmt.plural(fold.hidden, 'line')} folded  "), "accent"),)


def _took(took: float | None, running: bool, at_ms: int, look: Look) -> Cell:
    if took is not None:
        return (Span(fmt.duration(took), "value"),)
    if not running or look.now_ms is None:
        return (Span(Plain("")),)
    return (Span(fmt.duration(max(look.now_ms - at_ms, 0)), "accent"),)


def _gap(gap_ms: int | None) -> Plain:
    return Plain("") if gap_ms is None or gap_ms < _QUIET_GAP_MS else fmt.duration(gap_ms)


def _title_ink(row: TimelineRow) -> str:
    return "bad" if row.state in _FAILURES else "value" if row.state != "info" else "label"


def _detail(row: TimelineRow, look: Look) -> Cell:
    text = row.detail.removeprefix(look.base) if look.base else row.detail
    words = shown(text)
    if not row.error:
        return (Span(words, "label"),)
    error = Span(shown(row.error, limit=300), "bad")
    if not words:
        return (error,)
    return (
        Span(Plain(cut_right(words, max(_ASKED, look.room // 2))), "label"),
        Span(Plain("  "), "dim"),
        error,
    )
