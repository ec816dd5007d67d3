"""How busy everything together was: one series of small counters for the charts, the rates and the totals.

Seconds for the last quarter of an hour, minutes for as long as `MINUTES_HELD` minutes with activity
last (more than a week without a pause), hours for `HOURS_HELD`. (Single providers and tools keep no
seconds: nothing asks them for anything finer than a minute.)
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from buddy_core.metrics.counting.rollup import AHEAD_MS, EARLIEST_AT, HOUR, MINUTE, SECOND, since_of
from buddy_core.metrics.counting.slices import Grid, tally, whole_grid, window_grid
from buddy_core.metrics.counting.stats import ProviderStats
from buddy_core.metrics.model import Activity, ActivityBucket, Window

if TYPE_CHECKING:
    from buddy_core.metrics.recording.batch import RequestRow

SECONDS_HELD = 16 * 60
"""Seconds kept: the 15 m chart has slices finer than a minute, and rates look back five minutes."""

MINUTES_HELD = 8 * 24 * 60
"""Minutes with activity kept: the 7 d window is whole even if no minute of it was quiet."""

HOURS_HELD = 5 * 365 * 24
"""Hours with activity kept for the chart of everything; older ones are in the totals only."""


class ActivityCounts:
    """What happened in one slice of time; sums only."""

    __slots__ = (
        "cost",
        "cost_count",
        "errors",
        "estimate",
        "estimates",
        "failed_requests",
        "failed_tools",
        "latency_count",
        "latency_sum_ms",
        "requests",
        "tokens",
        "tool_calls",
        "usages",
    )

    def __init__(self) -> None:
        self.tokens = self.requests = self.failed_requests = 0
        self.tool_calls = self.failed_tools = self.errors = self.usages = 0
        self.cost = self.latency_sum_ms = 0.0
        self.cost_count = self.latency_count = 0
        self.estimate = 0.0
        """What requests and totals that state no cost were priced at; not in `cost`."""
        self.estimates = 0

    def add_request(self, tokens: int, cost: float | None, latency_ms: float | None, success: bool) -> None:
        """Count one model request."""
        self.requests += 1
        self.tokens += tokens
        if cost is not None:
            self.cost += cost
            self.cost_count += 1
        if latency_ms is not None:
            self.latency_sum_ms += latency_ms
            self.latency_count += 1
        if not success:
            self.failed_requests += 1

    def add_summed(self, requests: ProviderStats) -> None:
        """Count what is summed up, and settled, already."""
        self.requests += requests.requests
        self.failed_requests += requests.failures
        self.tokens += requests.tokens
        self.cost += requests.cost
        self.cost_count += requests.cost_count
        self.latency_sum_ms += requests.sum_ms
        self.latency_count += requests.count

    def add_usage(self, tokens: int, cost: float | None) -> None:
        """Count tokens and cost that belong to no request."""
        self.usages += 1
        self.tokens += tokens
        if cost is not None:
            self.cost += cost
            self.cost_count += 1

    def add_tools(self, calls: int, failures: int) -> None:
        """Count tool calls."""
        self.tool_calls += calls
        self.failed_tools += failures

    def merge(self, other: ActivityCounts, /) -> None:
        """Add everything `other` counted."""
        self.tokens += other.tokens
        self.cost += other.cost
        self.cost_count += other.cost_count
        self.estimate += other.estimate
        self.estimates += other.estimates
        self.requests += other.requests
        self.failed_requests += other.failed_requests
        self.usages += other.usages
        self.tool_calls += other.tool_calls
        self.failed_tools += other.failed_tools
        self.errors += other.errors
        self.latency_sum_ms += other.latency_sum_ms
        self.latency_count += other.latency_count

    @property
    def known_cost(self) -> float | None:
        """Stated and estimated costs: 0.0 when nothing happened, None when something did and no cost is known."""
        unknown = self._anything and not (self.cost_count or self.estimates)
        return None if unknown else self.cost + self.estimate

    @property
    def estimated_cost(self) -> float | None:
        """The estimated part of the known cost; None without any."""
        return self.estimate if self.estimates else None

    @property
    def known_tokens(self) -> int | None:
        """Tokens used: 0 when nothing happened, None when there was work that takes some and none was logged."""
        worked = self.tool_calls or self.requests > self.failed_requests
        return None if worked and not self.tokens else self.tokens

    @property
    def _anything(self) -> bool:
        return bool(self.requests or self.usages or self.tool_calls)

    @property
    def failures(self) -> int:
        """Failed requests, failed tools and errors other than those of failed tools."""
        return self.failed_requests + self.failed_tools + self.errors

    def as_bucket(self, start_at: int) -> ActivityBucket:
        """The frozen value that charts read."""
        return ActivityBucket(
            start_at=start_at,
            tokens=self.tokens,
            cost=self.cost + self.estimate,
            requests=self.requests,
            tool_calls=self.tool_calls,
            errors=self.failed_tools + self.errors,
            failures=self.failures,
            latency_sum_ms=self.latency_sum_ms,
            latency_count=self.latency_count,
        )


class ActivityLog:
    """The activity of everything, by second, minute and hour. The collector's lock is held around every call."""

    def __init__(self) -> None:
        self.total = ActivityCounts()
        self.first_at: int | None = None
        """Time of the earliest dated sample, in milliseconds since the epoch, exact to the second."""
        self.last_at: int | None = None
        """Time of the latest, likewise."""
        self._seconds: dict[int, ActivityCounts] = {}
        self._minutes: dict[int, ActivityCounts] = {}
        self._hours: dict[int, ActivityCounts] = {}
        self._oldest_minute = 0
        """Minutes before this one have been given up; their hours are still there."""
        # A burst falls into one second: its counters are found once.
        self._newest_second = -1
        self._newest: tuple[ActivityCounts, ...] = ()

    def buckets(self, at_ms: int, now_ms: int) -> tuple[ActivityCounts, ...]:
        """The counters a sample of this moment is added to; the total is the first."""
        second = at_ms // SECOND
        if second == self._newest_second and at_ms <= now_ms + AHEAD_MS:
            return self._newest
        if not EARLIEST_AT <= at_ms <= now_ms + AHEAD_MS:
            return (self.total,)
        self._stretch(at_ms, at_ms)
        hour, minute = self.hour(at_ms // HOUR), self._minute(at_ms // MINUTE)
        if at_ms < now_ms - SECONDS_HELD * SECOND:
            return self.total, hour, minute
        self._newest = (self.total, hour, minute, self._second(second, now_ms))
        self._newest_second = second
        return self._newest

    def add_tools(self, at_ms: Sequence[int], failed_at_ms: Sequence[int], now_ms: int) -> None:
        """Count tool calls of the past in bulk: when each was, and again when each that failed was.

        All of them are dated. The total is not touched: it also has the calls that are not.
        """
        if not at_ms:
            return
        self._stretch(min(at_ms), max(at_ms))
        recent = now_ms - SECONDS_HELD * SECOND
        for moments, failed in ((sorted(at_ms), 0), (sorted(failed_at_ms), 1)):
            for hour, count in tally(moments, HOUR):
                self.hour(hour).add_tools(count * (1 - failed), count * failed)
            for minute, count in tally(moments, MINUTE):
                self._minute(minute).add_tools(count * (1 - failed), count * failed)
            for second, count in tally(moments[bisect_left(moments, recent) :], SECOND):
                self._second(second, now_ms).add_tools(count * (1 - failed), count * failed)

    def add_requests(self, rows: Sequence[RequestRow], now_ms: int) -> None:
        """Count model requests of the past in bulk by minute and second; they are dated, and in order of time.

        Their hours and the total are the caller's, who has summed them up.
        """
        if not rows:
            return
        self._stretch(rows[0][0], rows[-1][0])
        recent, minutes = now_ms - SECONDS_HELD * SECOND, self._minutes
        for at_ms, prompt, completion, read, written, cost, latency_ms, _, success in rows:
            tokens = prompt + completion + read + written
            minute = minutes.get(at_ms // MINUTE) or self._minute(at_ms // MINUTE)
            minute.add_request(tokens, cost, latency_ms, success)
            if at_ms >= recent:
                self._second(at_ms // SECOND, now_ms).add_request(tokens, cost, latency_ms, success)

    def _stretch(self, first: int, last: int) -> None:
        self.first_at = first if self.first_at is None else min(self.first_at, first)
        self.last_at = last if self.last_at is None else max(self.last_at, last)

    def _second(self, second: int, now_ms: int) -> ActivityCounts:
        if second not in self._seconds and len(self._seconds) > SECONDS_HELD + AHEAD_MS // SECOND:
            oldest = now_ms // SECOND - SECONDS_HELD
            self._seconds = {key: counts for key, counts in self._seconds.items() if key >= oldest}
        return self._seconds.setdefault(second, ActivityCounts())

    def _minute(self, minute: int) -> ActivityCounts:
        known = self._minutes.get(minute)
        if known is not None:
            return known
        if minute < self._oldest_minute:
            return ActivityCounts()
        if len(self._minutes) >= MINUTES_HELD + 60:
            self._newest_second = -1
            keys = sorted(self._minutes)
            self._oldest_minute = keys[60]
            for key in keys[:60]:
                del self._minutes[key]
            return self._minute(minute)
        return self._minutes.setdefault(minute, ActivityCounts())

    def hour(self, hour: int) -> ActivityCounts:
        """The counters of an hour since the epoch."""
        known = self._hours.get(hour)
        if known is not None:
            return known
        if len(self._hours) >= HOURS_HELD:
            self._newest_second = -1
            del self._hours[min(self._hours)]
        return self._hours.setdefault(hour, ActivityCounts())

    def hours(self) -> Mapping[int, ActivityCounts]:
        """The counters of every hour since the epoch in which something happened."""
        return self._hours

    def add_hour(self, hour: int | None, counts: ActivityCounts) -> None:
        """Add what is known of a whole hour only, or (None) of no time; from then on its minutes tell nothing."""
        self.total.merge(counts)
        if hour is None:
            return
        self.hour(hour).merge(counts)
        if self.first_at is not None and (hour + 1) * HOUR <= self.first_at:
            self._stretch(hour * HOUR, hour * HOUR)  # an hour that stands for its day
        self._newest_second = -1
        if (hour + 1) * 60 > self._oldest_minute:
            self._oldest_minute = (hour + 1) * 60
            for minute in [minute for minute in self._minutes if minute < self._oldest_minute]:
                del self._minutes[minute]

    def stretch(self, first_ms: int, last_ms: int) -> None:
        """Something dated happened at these moments."""
        self._stretch(first_ms, last_ms)

    def recent(self, since_ms: int, now_ms: int) -> ActivityCounts:
        """Everything from a moment at most a quarter of an hour ago until now, exact to the second.

        What is dated later (another clock, or ours before it was set back) counts when its time has come.
        """
        whole = ActivityCounts()
        for start, counts in self._from(self._seconds, SECOND, since_ms):
            if start <= now_ms:
                whole.merge(counts)
        return whole

    @property
    def span(self) -> tuple[int, int] | None:
        """Times of the earliest and the latest dated sample; None without any."""
        return None if self.first_at is None or self.last_at is None else (self.first_at, self.last_at)

    def cut(self, window: Window, slices: int, now_ms: int) -> Activity:
        """The window in about `slices` equal slices; see `MetricsCollector.activity`."""
        if window is Window.ALL:
            return self._cut_all(slices)
        length = window.ms or 0
        if length <= SECONDS_HELD * SECOND and length < slices * MINUTE:
            grid = window_grid(window, now_ms, slices, SECOND)
            return _filled(grid, self._from(self._seconds, SECOND, grid.start_at))
        grid = window_grid(window, now_ms, slices, MINUTE)
        return _filled(grid, self._coarsest(grid, since_of(window, now_ms) or 0))

    def _cut_all(self, slices: int) -> Activity:
        if self.span is None:
            return Activity(bucket_ms=MINUTE, buckets=())
        grid = whole_grid(*self.span, slices, HOUR if self._oldest_minute else MINUTE)
        return _filled(grid, self._coarsest(grid, grid.start_at))

    def _coarsest(self, grid: Grid, since_ms: int) -> Iterator[tuple[int, ActivityCounts]]:
        """The tier that is fine enough for the grid, from a moment on."""
        if grid.bucket_ms % HOUR == since_ms % HOUR == 0:
            return self._from(self._hours, HOUR, since_ms)
        return self._from(self._minutes, MINUTE, since_ms)

    def _from(
        self, tier: dict[int, ActivityCounts], grain: int, since_ms: int
    ) -> Iterator[tuple[int, ActivityCounts]]:
        """Beginning and counts of what a tier has from a moment on, by whichever way is shorter."""
        first, last = since_ms // grain, (self.last_at or 0) // grain
        if last - first < len(tier):
            keys = range(first, last + 1)
            return ((key * grain, tier[key]) for key in keys if key in tier)
        return ((key * grain, counts) for key, counts in tier.items() if key >= first)


def _filled(grid: Grid, parts: Iterable[tuple[int, ActivityCounts]]) -> Activity:
    slices: dict[int, ActivityCounts] = {}
    for start, counts in parts:
        index = grid.index_of(start)
        if index not in slices:
            slices[index] = ActivityCounts()
        slices[index].merge(counts)
    empty = ActivityCounts()
    buckets = tuple(slices.get(n, empty).as_bucket(start) for n, start in enumerate(grid.starts()))
    return Activity(bucket_ms=grid.bucket_ms, buckets=buckets)
