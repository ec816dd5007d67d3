"""A cell of a table with a line of bars: how something went, in as little room as a number. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import groupby

from buddy_core.safety.text import Plain
from buddy_top.drawing.cells import Cell, Span
from buddy_top.widgets.charts.sparkline import EIGHTHS, Values, level, resample, top_of

NOTHING = "_"
"""A slice in which nothing happened: lower than the lowest bar, and the same in ASCII."""

LOUD = 0.1
"""Share of failures that colours a bar: one in a hundred is told by numbers, or all bars would shout."""

_ROOM = 8 / 7
"""A full bar leaves an eighth of its cell, so that it does not run into the bar of the row above."""

UNKNOWN = " "
"""A slice of which nothing is known."""


def spark_cell(
    values: Sequence[float | None],
    width: int,
    *,
    failures: Sequence[float | None] = (),
    scale: float | None = None,
    ink: str = "accent",
    bad: str = "bad",
) -> Cell:
    """One bar of eighths for each value, oldest first, the newest at the right edge of `width` columns.

    More values than columns are added up in groups as even as they can be. `scale` is the value of a full
    bar; by default the largest of these values, so that a row shows its own course and not how it compares to
    others. A bar of whose values at least `LOUD` are among the `failures` (parallel to `values`) has the ink
    `bad`. A terminal without UTF-8 shows `.:-=+*%`.
    """
    return _bars(tuple(values), width, tuple(failures), scale, ink, bad)


@lru_cache(maxsize=1024)
def _bars(values: Values, width: int, failures: Values, scale: float | None, ink: str, bad: str) -> Cell:
    if len(values) > width:
        values, failures = resample(values, width, "sum"), resample(failures, width, "sum")
    full = _ROOM * (top_of(values) if scale is None else scale)
    failed = (*failures, *(None for _ in values[len(failures) :]))
    signs = [
        (_sign(value, full), bad if value and (wrong or 0) >= LOUD * value else ink if value else "track")
        for value, wrong in zip(values, failed, strict=False)
    ]
    runs = groupby(signs, key=lambda sign: sign[1])
    bars = tuple(Span(Plain("".join(char for char, _ in run)), its_ink) for its_ink, run in runs)
    missing = width - len(values)
    return (Span(Plain(UNKNOWN * missing)), *bars) if missing > 0 else bars


def _sign(value: float | None, full: float) -> str:
    if value is None:
        return UNKNOWN
    return EIGHTHS[min(level(value, 1, full), 7)] if level(value, 1, full) else NOTHING
