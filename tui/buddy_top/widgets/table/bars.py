"""Horizontal bars of one line, for a share or a stretch of time inside a table. Pure functions."""

from __future__ import annotations

import math

from buddy_core.safety.text import Plain
from buddy_top.drawing.cells import Cell, Span

FULL, HALF, LATER_HALF, TRACK, DOT = "━", "╸", "╺", "─", "·"
"""Strokes rather than blocks: bars in neighbouring rows of a table must not run into one another."""


def bar(share: float | None, width: int) -> str:
    """A stroke of at most `width` columns for a share from 0 to 1; anything above nought shows at least half of one."""
    if share is None or not math.isfinite(share) or share <= 0 or width <= 0:
        return ""
    halves = max(round(min(share, 1.0) * width * 2), 1)
    return FULL * (halves // 2) + HALF * (halves % 2)


def share_bar(share: float | None, width: int, *, ink: str = "accent") -> Cell:
    """A bar on its track: what is not filled is a faint line, so that the whole can be seen."""
    filled = bar(share, width)
    track = Span(Plain(TRACK * max(width - len(filled), 0)), "track")
    return (Span(Plain(filled), ink), track) if filled else (track,)


def slice_bar(start: float, end: float, width: int, *, ink: str = "accent") -> Cell:
    """The part [start, end] of a whole of length 1 in `width` columns: where in a run a tool was at work.

    Always at least one column, and never past the end.
    """
    if width <= 0 or not (math.isfinite(start) and math.isfinite(end)):
        return ()
    first = min(max(int(start * width), 0), width - 1)
    last = min(max(math.ceil(end * width), first + 1), width)
    return (
        Span(Plain(" " * first)),
        Span(Plain("━" * (last - first)), ink),
        Span(Plain(" " * (width - last))),
    )


def moment_bar(start: float, end: float, width: int, *, ink: str = "accent") -> Cell:
    """The part [start, end] of a whole of length 1, to half a column; a dot for what took no time that can be seen."""
    if width <= 0 or not (math.isfinite(start) and math.isfinite(end)):
        return ()
    halves = 2 * width
    first = min(max(int(start * halves), 0), halves - 1)
    if end <= start:
        return (Span(Plain(" " * (first // 2))), Span(Plain(DOT), "dim"))
    last = min(max(math.ceil(end * halves), first + 1), halves)
    stroke = LATER_HALF * (first % 2) + FULL * (last // 2 - (first + 1) // 2) + HALF * (last % 2)
    if last // 2 < (first + 1) // 2:  # within one column, and its later half at that
        stroke = LATER_HALF
    return (Span(Plain(" " * (first // 2))), Span(Plain(stroke), ink))
