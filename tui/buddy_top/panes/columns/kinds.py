"""The kinds of columns most tables are made of: names, numbers that may be unknown, ages, and trends."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from buddy_core.safety.text import Plain
from buddy_top.drawing import format as fmt
from buddy_top.drawing.cells import Cell, Cut
from buddy_top.panes.columns.cells import age_cell, name_cell, number_cell
from buddy_top.panes.columns.fields import Field, Row
from buddy_top.widgets.table.sparkcell import spark_cell
from buddy_top.widgets.table.table import Column

if TYPE_CHECKING:
    from buddy_core.metrics.looking.model import Trend

Number = TypeVar("Number", int, float)


def name_field(
    key: str,
    width: int,
    value: Callable[[Row], str],
    *,
    grow: int = 0,
    ink: str = "value",
    cut: Cut = "right",
) -> Field[Row]:
    """Observed text, from A to Z whatever the case; `cut` is where it is shortened."""
    return Field(
        Column(key, Plain(key), width, grow=grow, cut=cut),
        lambda row, _: name_cell(value(row), ink),
        lambda row: value(row).casefold(),
        descending=False,
        still=True,
    )


def number_field(
    key: str,
    width: int,
    value: Callable[[Row], Number | None],
    words: Callable[[Number | None], Plain],
    *,
    title: str | None = None,
    priority: int = 0,
    ink: str = "value",
) -> Field[Row]:
    """A number at the right edge, the largest first; `words` writes it, and writes None as unknown."""
    return Field(
        Column(key, Plain(title or key), width, align="right", priority=priority),
        lambda row, _: number_cell(words(value(row)), ink),
        value,
        still=True,
    )


def count_field(
    key: str, width: int, value: Callable[[Row], int], *, priority: int = 0, ink: str = "value"
) -> Field[Row]:
    """A whole number that is always known, as exactly as the column has room."""
    return number_field(key, width, value, partial(fmt.count_within, width), priority=priority, ink=ink)


def age_field(key: str, width: int, value: Callable[[Row], int | None], *, priority: int = 0) -> Field[Row]:
    """How long ago something happened, the latest first."""
    return Field(
        Column(key, Plain(key), width, align="right", priority=priority),
        lambda row, now: age_cell(value(row), now),
        value,
    )


TREND_WIDTH = 13
"""A column for each slice of a trend, which has at most this many (`MetricsCollector.trends`)."""


def trend_field(
    trend: Callable[[Row], Trend | None], *, priority: int = 0, ink: str = "accent"
) -> Field[Row]:
    """How often it happened over the window, as a line of bars; what rises most comes first.

    `trend` is a pane's `trend_of`, whose `wants` must ask for `trends`. Slices with many failures have their ink.
    """

    def cell(row: Row, _now: int) -> Cell:
        known = trend(row)
        if known is None:
            return number_cell(fmt.UNKNOWN)
        return spark_cell(known.counts, TREND_WIDTH, failures=known.failures, ink=ink)

    def rise(row: Row) -> int | None:
        known = trend(row)
        return None if known is None else known.rise

    return Field(Column("trend", Plain("trend"), TREND_WIDTH, align="right", priority=priority), cell, rise)
