"""The little bars beside each row of a table: everything of one kind, in the same few slices of a window."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias

from buddy_core.metrics.counting.grains import AHEAD_MS, HOUR, MINUTE, MINUTES_KEPT
from buddy_core.metrics.counting.ledger import Ledger
from buddy_core.metrics.counting.rollup import Tiers
from buddy_core.metrics.counting.series import ErrorSeries, ProviderSeries, Series, ToolSeries
from buddy_core.metrics.looking.grid import Grid, whole_grid, window_grid
from buddy_core.metrics.looking.model import Trend
from buddy_core.metrics.window import Window

SLICES = 12
"""Slices a trend is cut into; one more where the ends of the window cut one in two, fewer for round lengths."""

AnySeries: TypeAlias = ProviderSeries | ToolSeries | ErrorSeries


class TrendGrid(NamedTuple):
    """The slices, and the grain of the buckets that fill them."""

    grid: Grid
    grain_ms: int


class TrendBase(NamedTuple):
    """What was counted in the buckets before number `end`, and the mark since when they were not touched."""

    counts: list[int]
    failures: list[int]
    end: int
    mark: int

    def holds(self, tiers: Tiers[Any], grain_ms: int) -> bool:
        """Nobody else asked what was touched, and none of these buckets was."""
        return self.mark == tiers.marked and tiers.touched(grain_ms) >= self.end


class KnownTrend(NamedTuple):
    """A trend with what it was made of; None where there was nothing in any slice."""

    version: int
    grid: Grid
    trend: Trend | None
    base: TrendBase


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
        trend = _trend(one, window, slices.grid, slices.grain_ms)
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


def _trend(series: Series[Any, Any], window: Window, grid: Grid, grain_ms: int) -> Trend | None:
    """Counts in the slices of `grid`, from buckets of `grain_ms`; None when there is nothing in any.

    The same object until one of them changes.
    """
    known = series.trends.get(window)
    if known and known.version == series.version and known.grid == grid:
        return known.trend
    base = _base(series, known, grid, grain_ms)
    counts, failures = list(base.counts), list(base.failures)
    past_the_end = (grid.start_at + grid.slices * grid.bucket_ms + AHEAD_MS) // grain_ms + 1
    growing = series.tiers.since(base.end, grain_ms, past_the_end)
    _count_in(counts, failures, series, grid, grain_ms, growing)
    trend = Trend(grid.bucket_ms, tuple(counts), tuple(failures) if series.FAILS else ())
    if known and known.trend is not None and known.trend == trend:
        trend = known.trend
    found = trend if any(counts) else None
    series.trends[window] = KnownTrend(series.version, grid, found, base)
    return found


def _base(series: Series[Any, Any], known: KnownTrend | None, grid: Grid, grain_ms: int) -> TrendBase:
    """The counts of all but the bucket that grows: those of before, if nothing else was touched."""
    tiers = series.tiers
    if grain_ms < HOUR:
        tiers.make_minutes(grid.start_at)
    if known and known.grid == grid and known.base.holds(tiers, grain_ms):
        return known.base
    first = grid.start_at // grain_ms
    end = max(tiers.mark(grain_ms), first)
    counts, failures = [0] * grid.slices, [0] * grid.slices
    settled = [part for part in tiers.since(first, grain_ms) if part[0] < end]
    _count_in(counts, failures, series, grid, grain_ms, settled)
    return TrendBase(counts, failures, end, tiers.marked)


def _count_in(
    counts: list[int],
    failures: list[int],
    series: Series[Any, Any],
    grid: Grid,
    grain_ms: int,
    parts: list[tuple[int, Any]],
) -> None:
    first, per_slice = grid.start_at // grain_ms, grid.bucket_ms // grain_ms
    for key, stats in parts:
        place = min((key - first) // per_slice, grid.slices - 1)
        count, failed = series.counted(stats)
        counts[place] += count
        failures[place] += failed
