"""The row that a table has of each tool, model and group of errors, kept until something new arrives."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeAlias, TypeVar

from buddy_core.metrics.counting.rollup import S
from buddy_core.metrics.counting.series import ErrorSeries, ProviderSeries, R, Series, ToolSeries
from buddy_core.metrics.counting.stats import ErrorStats, ProviderStats, ToolStats
from buddy_core.metrics.looking.late import late_row
from buddy_core.metrics.looking.model import ErrorGroup, ProviderMetrics, ToolMetrics
from buddy_core.metrics.window import Window

L = TypeVar("L", ToolMetrics, ProviderMetrics)
"""Rows whose quantiles are worked out late."""

X = TypeVar("X", bound=Series[Any, Any])

PER_LOOK = 4
"""What a row costs beside the merges of its buckets, in such merges."""

Look: TypeAlias = tuple[int, int | None, S, R | None, int]
"""Of which version of the series, since when, the window as one bucket, its row, and when somebody looked."""

Found: TypeAlias = tuple[S, R | None, int]
"""The window as a bucket that grows with what comes; its row, none where nothing happened in it; and what it took
to find out, in merges of one bucket."""


def look_at_tool(
    series: ToolSeries, window: Window, since_ms: int | None, now_ms: int = 0
) -> Found[ToolStats, ToolMetrics]:
    """One tool through a window; `now_ms` is when that is, for `KnownLooks`."""
    return _look(series, _tool_row, window, since_ms, now_ms)


def look_at_provider(
    series: ProviderSeries, window: Window, since_ms: int | None, now_ms: int = 0
) -> Found[ProviderStats, ProviderMetrics]:
    """One provider and model through a window; see `look_at_tool`."""
    return _look(series, _provider_row, window, since_ms, now_ms)


def look_at_errors(
    series: ErrorSeries, window: Window, since_ms: int | None
) -> Found[ErrorStats, ErrorGroup]:
    """One group of errors through a window."""
    return _look(series, _error_row, window, since_ms, 0)


def _look(
    series: Series[S, R],
    row_of: Callable[[Any, S, int | None], R | None],
    window: Window,
    since_ms: int | None,
    now_ms: int,
) -> Found[S, R]:
    known = series.looks.get(window)
    if known is not None and known[:2] == (series.version, since_ms):
        return known[2], known[3], 1
    work = PER_LOOK + series.tiers.parts(window, since_ms)
    stats = series.tiers.look(window, since_ms)
    row = row_of(series, stats, since_ms)
    series.looks[window] = (series.version, since_ms, stats, row, now_ms)
    return stats, row, work


class KnownLooks(Generic[S, L]):
    """Of very many series those whose last look will do, found without calling each of them.

    It does where nothing has come since, and with patience also where it is less than `patience_ms` old and nobody
    has read its row: the row is then older than its bucket, which has grown with what came.
    """

    def __init__(self, window: Window, since_ms: int | None, now_ms: int, patience_ms: int) -> None:
        self._window, self._since = window, since_ms
        self._young = now_ms - patience_ms, now_ms + patience_ms
        self.exact = True
        """False when a row is older than its bucket."""
        self.stats: list[S] = []
        self.rows: list[L] = []
        """Parallel to the buckets."""

    def take(self, some: Iterable[X]) -> list[X]:
        """Take what will do; gives the series that have to be looked at."""
        window, since, (earliest, latest) = self._window, self._since, self._young
        stats, rows = self.stats, self.rows
        others: list[X] = []
        for one in some:
            known = one.looks.get(window)
            if known is not None:
                version, since_ms, bucket, row, made_at = known
                if since_ms == since and row is not None:
                    if version == one.version:
                        stats.append(bucket)
                        rows.append(row)
                        continue
                    if earliest < made_at < latest and row.counted is not None:
                        self.exact = False
                        stats.append(bucket)
                        rows.append(row)
                        continue
            others.append(one)
        return others


def _tool_row(series: ToolSeries, stats: ToolStats, _: int | None) -> ToolMetrics | None:
    if not stats.calls:
        return None
    return late_row(
        ToolMetrics,
        stats,
        name=series.name,
        total_calls=stats.calls,
        success_count=stats.calls - stats.failures,
        error_count=stats.failures,
        total_duration_ms=stats.sum_ms,
        min_duration_ms=stats.low,
        max_duration_ms=stats.high,
        last_executed_at=stats.last_at or None,
        duration_count=stats.count,
    )


def _provider_row(series: ProviderSeries, stats: ProviderStats, _: int | None) -> ProviderMetrics | None:
    if not stats.requests:
        return None
    return late_row(
        ProviderMetrics,
        stats,
        provider=series.provider,
        model=series.model,
        total_requests=stats.requests,
        total_tokens=stats.tokens,
        prompt_tokens=stats.prompt_tokens,
        completion_tokens=stats.completion_tokens,
        cache_read_tokens=stats.cache_read_tokens,
        cache_write_tokens=stats.cache_write_tokens,
        total_cost=stats.cost + stats.estimate if stats.cost_count or stats.estimates else None,
        avg_ttft_ms=stats.ttft_sum_ms / stats.ttft_count if stats.ttft_count else None,
        error_count=stats.failures,
        last_request_at=stats.last_at or None,
        latency_count=stats.count,
        cost_count=stats.cost_count,
        last_failed_at=stats.last_failed_at or None,
        estimated_cost=stats.estimate if stats.estimates else None,
        estimated_count=stats.estimates,
    )


def _error_row(series: ErrorSeries, stats: ErrorStats, since_ms: int | None) -> ErrorGroup | None:
    if not stats.count:
        return None
    return ErrorGroup(
        fingerprint=series.key,
        type=series.type,
        count=stats.count,
        first_at=stats.first_at,
        last_at=stats.last_at,
        run_ids=series.runs_since(since_ms or 0),
        latest=series.latest,
    )
