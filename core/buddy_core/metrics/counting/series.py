"""The series behind the tables: tools, providers and error groups, each with its buckets and its row."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

from buddy_core.metrics.counting.bounds import BoundCounts
from buddy_core.metrics.counting.calls import CallList
from buddy_core.metrics.counting.rollup import AHEAD_MS, HOUR, Room, S, Tiers
from buddy_core.metrics.counting.slices import Grid
from buddy_core.metrics.counting.stats import ErrorStats, ProviderStats, ToolStats
from buddy_core.metrics.looking.late import late_row
from buddy_core.metrics.model import (
    ErrorGroup,
    ErrorRecord,
    ProviderMetrics,
    SeriesPoint,
    ToolMetrics,
    Trend,
    Window,
)

R = TypeVar("R", ToolMetrics, ProviderMetrics, ErrorGroup)
L = TypeVar("L", ToolMetrics, ProviderMetrics)
"""Rows whose quantiles are worked out late."""

PER_LOOK = 4
"""What a row costs beside the merges of its buckets, in such merges."""

RUNS_NAMED = 20
"""Runs an error group remembers."""


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


class Series(ABC, Generic[S, R]):
    """One name's buckets, with the row of each window kept until something new arrives."""

    def __init__(self, make: Callable[[], S], room: Room) -> None:
        self.tiers: Tiers[S] = Tiers(make, room)
        self.version = 0
        """Bumped by whoever adds to the buckets."""
        self.looks: dict[Window, tuple[int, int | None, S, R | None, int]] = {}
        """What `look` gave last for each window: of which version, since when, the bucket, the row, and when."""
        self.trends: dict[Window, KnownTrend] = {}
        """What `trend` gave last for each window."""

    @property
    @abstractmethod
    def key(self) -> str:
        """What the series is asked for by."""

    def look(self, window: Window, since_ms: int | None, now_ms: int = 0) -> tuple[S, R | None, int]:
        """The window as a bucket that grows with what comes, and as a table row; no row where nothing happened in it.

        The third is what it took, in merges of one bucket. `now_ms` is when that is, for `KnownLooks`.
        """
        known = self.looks.get(window)
        if known is not None and known[:2] == (self.version, since_ms):
            return known[2], known[3], 1
        work = PER_LOOK + self.tiers.parts(window, since_ms)
        stats = self.tiers.look(window, since_ms)
        row = self._row(stats, since_ms)
        self.looks[window] = (self.version, since_ms, stats, row, now_ms)
        return stats, row, work

    def trend(self, window: Window, grid: Grid, grain_ms: int) -> Trend | None:
        """Counts in the slices of `grid`, from buckets of `grain_ms`; None when there is nothing in any.

        The same object until one of them changes.
        """
        known = self.trends.get(window)
        if known and known.version == self.version and known.grid == grid:
            return known.trend
        base = self._base(known, grid, grain_ms)
        counts, failures = list(base.counts), list(base.failures)
        past_the_end = (grid.start_at + grid.slices * grid.bucket_ms + AHEAD_MS) // grain_ms + 1
        self._count_in(counts, failures, grid, grain_ms, self.tiers.since(base.end, grain_ms, past_the_end))
        trend = Trend(grid.bucket_ms, tuple(counts), tuple(failures) if self.FAILS else ())
        if known and known.trend is not None and known.trend == trend:
            trend = known.trend
        found = trend if any(counts) else None
        self.trends[window] = KnownTrend(self.version, grid, found, base)
        return found

    def _base(self, known: KnownTrend | None, grid: Grid, grain_ms: int) -> TrendBase:
        """The counts of all but the bucket that grows: those of before, if nothing else was touched."""
        if grain_ms < HOUR:
            self.tiers.make_minutes(grid.start_at)
        if known and known.grid == grid and known.base.holds(self.tiers, grain_ms):
            return known.base
        first = grid.start_at // grain_ms
        end = max(self.tiers.mark(grain_ms), first)
        counts, failures = [0] * grid.slices, [0] * grid.slices
        settled = [part for part in self.tiers.since(first, grain_ms) if part[0] < end]
        self._count_in(counts, failures, grid, grain_ms, settled)
        return TrendBase(counts, failures, end, self.tiers.marked)

    def _count_in(
        self,
        counts: list[int],
        failures: list[int],
        grid: Grid,
        grain_ms: int,
        parts: list[tuple[int, S]],
    ) -> None:
        first, per_slice = grid.start_at // grain_ms, grid.bucket_ms // grain_ms
        for key, stats in parts:
            place = min((key - first) // per_slice, grid.slices - 1)
            count, failed = self._counted(stats)
            counts[place] += count
            failures[place] += failed

    FAILS: ClassVar[bool] = True
    """Some of what is counted is a failure, and some is not."""

    @abstractmethod
    def _counted(self, stats: S) -> tuple[int, int]:
        """How often it happened, and how often it failed."""

    @abstractmethod
    def _row(self, stats: S, since_ms: int | None) -> R | None:
        """The table row of a merged window; None where nothing happened in it."""


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

    def take(self, some: Iterable[Series[S, L]]) -> list[Series[S, L]]:
        """Take what will do; gives the series that have to be looked at."""
        window, since, (earliest, latest) = self._window, self._since, self._young
        stats, rows = self.stats, self.rows
        others: list[Series[S, L]] = []
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


class ToolSeries(Series[ToolStats, ToolMetrics]):
    """One tool."""

    def __init__(self, name: str, room: Room) -> None:
        super().__init__(ToolStats, room)
        self.name = name
        self.labels = {"tool": name}
        self.calls = CallList(room)

    @property
    def key(self) -> str:
        """The tool's name."""
        return self.name

    def _counted(self, stats: ToolStats) -> tuple[int, int]:
        return stats.calls, stats.failures

    def _row(self, stats: ToolStats, since_ms: int | None) -> ToolMetrics | None:
        if not stats.calls:
            return None
        return late_row(
            ToolMetrics,
            stats,
            name=self.name,
            total_calls=stats.calls,
            success_count=stats.calls - stats.failures,
            error_count=stats.failures,
            total_duration_ms=stats.sum_ms,
            min_duration_ms=stats.low,
            max_duration_ms=stats.high,
            last_executed_at=stats.last_at or None,
            duration_count=stats.count,
        )


class ProviderSeries(Series[ProviderStats, ProviderMetrics]):
    """One provider and model."""

    def __init__(self, provider: str, model: str, room: Room) -> None:
        super().__init__(ProviderStats, room)
        self.provider = provider
        self.model = model
        self.labels = {"provider": provider, "model": model}
        self.first_tokens = BoundCounts()
        """Milliseconds to the first token, since the beginning; the buckets of time have only their sums."""

    @property
    def key(self) -> str:
        """Provider and model, as `provider_of` takes them apart."""
        return f"{self.provider}/{self.model}"

    def _counted(self, stats: ProviderStats) -> tuple[int, int]:
        return stats.requests, stats.failures

    def _row(self, stats: ProviderStats, since_ms: int | None) -> ProviderMetrics | None:
        if not stats.requests:
            return None
        return late_row(
            ProviderMetrics,
            stats,
            provider=self.provider,
            model=self.model,
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


class ErrorSeries(Series[ErrorStats, ErrorGroup]):
    """One group of errors that are the same but for numbers, paths and ids."""

    FAILS = False

    def __init__(self, key: str, type_: str, first: ErrorRecord, room: Room) -> None:
        super().__init__(ErrorStats, room)
        self._key = key
        self.type = type_
        self.latest = first
        self._runs: dict[str, int] = {}
        self._oldest = (0, "")  # a run that was forgotten: whatever is older would be at once, too

    @property
    def key(self) -> str:
        """The fingerprint."""
        return self._key

    def _counted(self, stats: ErrorStats) -> tuple[int, int]:
        return stats.count, 0

    def note(self, record: ErrorRecord) -> None:
        """Remember which run it was seen in, and the record itself if none is newer."""
        if record.timestamp >= self.latest.timestamp:
            self.latest = record
        run, at = record.run_id, record.timestamp
        if run is None or (at, run) < self._oldest:
            return
        if at > self._runs.get(run, -1):
            self._runs[run] = at
        if len(self._runs) > RUNS_NAMED:
            at, run = min((at, run) for run, at in self._runs.items())
            del self._runs[run]
            self._oldest = at, run

    @property
    def seen_in(self) -> Mapping[str, int]:
        """The newest runs it was seen in, each with the time of the last."""
        return self._runs

    def note_runs(self, runs: Mapping[str, int]) -> None:
        """Remember more runs, if they are among the newest."""
        for run, at in runs.items():
            self._runs[run] = max(at, self._runs.get(run, 0))
        for run in sorted(self._runs, key=lambda known: (self._runs[known], known))[:-RUNS_NAMED]:
            del self._runs[run]

    def _row(self, stats: ErrorStats, since_ms: int | None) -> ErrorGroup | None:
        if not stats.count:
            return None
        return ErrorGroup(
            fingerprint=self.key,
            type=self.type,
            count=stats.count,
            first_at=stats.first_at,
            last_at=stats.last_at,
            run_ids=self._runs_since(since_ms or 0),
            latest=self.latest,
        )

    def _runs_since(self, since_ms: int) -> tuple[str, ...]:
        newest = sorted(self._runs.items(), key=lambda seen: (-seen[1], seen[0]))
        return tuple(run for run, at in newest if at >= since_ms)


def tool_point(start_at: int, stats: ToolStats) -> SeriesPoint:
    """A slice of a tool's chart."""
    return SeriesPoint(
        start_at=start_at,
        count=stats.calls,
        failures=stats.failures,
        duration_sum_ms=stats.sum_ms,
        duration_count=stats.count,
    )


def provider_point(start_at: int, stats: ProviderStats) -> SeriesPoint:
    """A slice of a provider's chart."""
    return SeriesPoint(
        start_at=start_at,
        count=stats.requests,
        failures=stats.failures,
        tokens=stats.tokens,
        duration_sum_ms=stats.sum_ms,
        duration_count=stats.count,
        p95_ms=stats.at(0.95)[0],
    )


def error_point(start_at: int, stats: ErrorStats) -> SeriesPoint:
    """A slice of an error group's chart: every one is a failure."""
    return SeriesPoint(start_at=start_at, count=stats.count, failures=stats.count)
