"""The little bars beside each row of a table: everything of one kind, in the same few slices of a window."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple, TypeAlias

from buddy_core.metrics.ledger import Ledger
from buddy_core.metrics.model import Trend, Window
from buddy_core.metrics.rollup import HOUR, MINUTE, MINUTES_KEPT
from buddy_core.metrics.series import ErrorSeries, ProviderSeries, ToolSeries
from buddy_core.metrics.slices import Grid, whole_grid, window_grid

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


def trends_in(
    slices: TrendGrid | None, window: Window, series: Iterable[AnySeries]
) -> Iterator[tuple[str, Trend]]:
    """Key and trend of each series that has anything in these slices; the collector's lock is held."""
    if slices is None:
        return
    for one in series:
        trend = one.trend(window, slices.grid, slices.grain_ms)
        if any(trend.counts):
            yield one.key, trend
