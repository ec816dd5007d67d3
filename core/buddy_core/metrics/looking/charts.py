"""Charts: the activity of everything, one series over time, and how its durations are spread."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Literal

from buddy_core.metrics.counting.activity import SECONDS_HELD, ActivityLog
from buddy_core.metrics.counting.activity_counts import ActivityCounts
from buddy_core.metrics.counting.grains import HOUR, MINUTE, SECOND, since_of
from buddy_core.metrics.counting.ledger import Kind, Ledger
from buddy_core.metrics.counting.rollup import S, Tiers
from buddy_core.metrics.counting.sketch import histogram, log_edges
from buddy_core.metrics.counting.stats import ErrorStats, ProviderStats, ToolStats
from buddy_core.metrics.counting.timing import Timing
from buddy_core.metrics.looking.grid import Grid, whole_grid, window_grid
from buddy_core.metrics.looking.model import Activity, ActivityBucket, HistogramBin, SeriesPoint
from buddy_core.metrics.window import Window


def build_activity(log: ActivityLog, window: Window, slices: int, now_ms: int) -> Activity:
    """The window in about `slices` equal slices; see `MetricsCollector.activity`."""
    if window is Window.ALL:
        return _all_activity(log, slices)
    length = window.ms or 0
    if length <= SECONDS_HELD * SECOND and length < slices * MINUTE:
        grid = window_grid(window, now_ms, slices, SECOND)
        return _filled(grid, log.since(grid.start_at, SECOND))
    grid = window_grid(window, now_ms, slices, MINUTE)
    return _filled(grid, _coarsest(log, grid, since_of(window, now_ms) or 0))


def _all_activity(log: ActivityLog, slices: int) -> Activity:
    if log.span is None:
        return Activity(bucket_ms=MINUTE, buckets=())
    grid = whole_grid(*log.span, slices, MINUTE if log.has_all_minutes else HOUR)
    return _filled(grid, _coarsest(log, grid, grid.start_at))


def _coarsest(log: ActivityLog, grid: Grid, since_ms: int) -> Iterator[tuple[int, ActivityCounts]]:
    """The counts that are fine enough for the grid, from a moment on."""
    return log.since(since_ms, HOUR if grid.bucket_ms % HOUR == since_ms % HOUR == 0 else MINUTE)


def _filled(grid: Grid, parts: Iterable[tuple[int, ActivityCounts]]) -> Activity:
    slices: dict[int, ActivityCounts] = {}
    for start, counts in parts:
        index = grid.index_of(start)
        if index not in slices:
            slices[index] = ActivityCounts()
        slices[index].merge(counts)
    empty = ActivityCounts()
    buckets = tuple(_bucket(start, slices.get(n, empty)) for n, start in enumerate(grid.starts()))
    return Activity(bucket_ms=grid.bucket_ms, buckets=buckets)


def _bucket(start_at: int, counts: ActivityCounts) -> ActivityBucket:
    return ActivityBucket(
        start_at=start_at,
        tokens=counts.tokens,
        cost=counts.cost + counts.estimate,
        requests=counts.requests,
        tool_calls=counts.tool_calls,
        errors=counts.failed_tools + counts.errors,
        failures=counts.failures,
        latency_sum_ms=counts.latency_sum_ms,
        latency_count=counts.latency_count,
    )


def build_history(
    ledger: Ledger, kind: Kind, key: str, window: Window, slices: int, now_ms: int
) -> tuple[SeriesPoint, ...]:
    """One series over the window in about `slices` equal slices; empty when there is no such series."""
    span = ledger.activity.span  # all series share the axis of the whole, so that their charts compare
    if kind == "tool":
        tool = ledger.tools.get(key)
        return _points(tool.tiers, ToolStats, _tool_point, window, slices, now_ms, span) if tool else ()
    if kind == "error":
        group = ledger.errors.get(key)
        return _points(group.tiers, ErrorStats, _error_point, window, slices, now_ms, span) if group else ()
    provider = ledger.provider_of(key)
    return (
        _points(provider.tiers, ProviderStats, _provider_point, window, slices, now_ms, span)
        if provider
        else ()
    )


def _points(
    tiers: Tiers[S],
    make: Callable[[], S],
    point: Callable[[int, S], SeriesPoint],
    window: Window,
    slices: int,
    now_ms: int,
    everything: tuple[int, int] | None,
) -> tuple[SeriesPoint, ...]:
    grain, parts = tiers.finest(window, since_of(window, now_ms), now_ms)
    if window is not Window.ALL:
        grid = window_grid(window, now_ms, slices, grain)
    elif parts and everything is not None:
        grid = whole_grid(*everything, slices, grain)
    else:
        return ()
    merged: dict[int, S] = {}
    for start, stats in parts:
        merged.setdefault(grid.index_of(start), make()).merge(stats)
    for stats in merged.values():
        stats.settle()
    empty = make()
    return tuple(point(start, merged.get(number, empty)) for number, start in enumerate(grid.starts()))


def build_histogram(
    ledger: Ledger, kind: Literal["provider", "tool"], key: str, window: Window, bins: int, now_ms: int
) -> tuple[HistogramBin, ...]:
    """Durations of one series in `bins` bins of equal ratio from the shortest to the longest; empty without any."""
    since = since_of(window, now_ms)
    timing: Timing | None = None
    if kind == "tool":
        tool = ledger.tools.get(key)
        timing = tool.tiers.look(window, since) if tool else None
    else:
        provider = ledger.provider_of(key)
        timing = provider.tiers.look(window, since) if provider else None
    if timing is None or not timing.count:
        return ()
    edges = log_edges(timing.low_ms, timing.high_ms, max(1, bins))
    counts = histogram(timing.sketch, edges, timing.high_ms)
    return tuple(
        HistogramBin(low, high, count) for low, high, count in zip(edges, edges[1:], counts, strict=False)
    )


def _tool_point(start_at: int, stats: ToolStats) -> SeriesPoint:
    return SeriesPoint(
        start_at=start_at,
        count=stats.calls,
        failures=stats.failures,
        duration_sum_ms=stats.sum_ms,
        duration_count=stats.count,
    )


def _provider_point(start_at: int, stats: ProviderStats) -> SeriesPoint:
    return SeriesPoint(
        start_at=start_at,
        count=stats.requests,
        failures=stats.failures,
        tokens=stats.tokens,
        duration_sum_ms=stats.sum_ms,
        duration_count=stats.count,
        p95_ms=stats.at(0.95)[0],
    )


def _error_point(start_at: int, stats: ErrorStats) -> SeriesPoint:
    return SeriesPoint(start_at=start_at, count=stats.count, failures=stats.count)
