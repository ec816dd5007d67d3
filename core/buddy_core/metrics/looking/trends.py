"""The little bars beside each row of a table: everything of one kind, in the same few slices of a window."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias

from buddy_core.metrics.counting.ledger import Ledger
from buddy_core.metrics.counting.rollup import HOUR, MINUTE, MINUTES_KEPT
from buddy_core.metrics.counting.series import ErrorSeries, ProviderSeries, ToolSeries
from buddy_core.metrics.counting.slices import Grid, whole_grid, window_grid
from buddy_core.metrics.model import Trend, Window

SLICES = 12
"""Slices a trend is cut into; one more where the ends of the window cut one in two, fewer for round lengths."""

AnySeries: TypeAlias = ProviderSeries | ToolSeries | ErrorSeries


class TrendGrid(NamedTuple):
    """The slices, and the grain of the buckets that fill them."""

    grid: Grid
    grain_ms: int


def trend_grid(ledger: Ledger, window: Window, now_ms: int) -> TrendGrid | None:
    """The slices of a window as it ends at `now_ms`; None when `ALL` has nothing with a time."""
    if window is not Window.ALL:
        grid = window_grid(window, now_ms, SLICES, MINUTE)
        return TrendGrid(grid, HOUR if grid.bucket_ms >= HOUR else MINUTE)
    span = ledger.activity.span
    if span is None:
        return None
    by_minute = span[0] >= (now_ms // MINUTE - MINUTES_KEPT) * MINUTE
    grid = whole_grid(*span, SLICES, MINUTE if by_minute else HOUR)
    return TrendGrid(grid, HOUR if grid.bucket_ms >= HOUR else MINUTE)


def trends_in(slices: TrendGrid, window: Window, series: Iterable[AnySeries]) -> Iterator[tuple[str, Trend]]:
    """Key and trend of each series that has anything in these slices; the collector's lock is held."""
    for one in series:
        trend = one.trend(window, slices.grid, slices.grain_ms)
        if trend is not None:
            yield one.key, trend


def unchanged(
    slices: TrendGrid, window: Window, series: Mapping[Any, AnySeries]
) -> tuple[dict[str, Trend], dict[Any, AnySeries]]:
    """The trends that are known from before, by key, and the series whose trends must be made anew.

    Nearly all of thousands of series are such as nothing was added to: this is all that they cost.
    """
    grid = slices.grid
    found: dict[str, Trend] = {}
    changed: dict[Any, AnySeries] = {}
    for name, one in series.items():
        known = one.trends.get(window)
        if known is None or known.version != one.version or known.grid != grid:
            changed[name] = one
        elif known.trend is not None:
            found[one.key] = known.trend
    return found, changed
