"""What was told in the last moments: checked, in a list, and counted together when somebody looks or it is long.

Counting a hundred requests at once costs a third of counting them one by one, and the agent that records
waits for less. Tool calls, of which there are more, are only summed up when the list is long, and reach their
buckets with the next look or minute. Nobody can tell the difference: the ledger and the metrics are reached
through `settle`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from buddy_core.metrics.counting.activity_counts import ActivityCounts
from buddy_core.metrics.counting.grains import MINUTE
from buddy_core.metrics.counting.ledger import Ledger
from buddy_core.metrics.counting.series import ProviderSeries, ToolSeries
from buddy_core.metrics.counting.stats import ProviderStats, RequestSample, ToolStats
from buddy_core.metrics.recording.custom import Registry

if TYPE_CHECKING:
    from buddy_core.metrics.recording.batch import RequestRow

MOST_WAITING = 256
"""Records that wait at most; counting them takes a fraction of a millisecond."""

CallRow = tuple[ToolSeries, int, float | None, bool, str | None]
"""Tool, time, duration, success and run of a call."""


class Live:
    """Requests and tool calls that happen now, on their way into a ledger. The collector's lock is held throughout."""

    def __init__(self, ledger: Ledger, registry: Registry) -> None:
        self.ledger = ledger
        self.requests: list[tuple[ProviderSeries, RequestRow]] = []
        self.calls: list[CallRow] = []
        self._summed: dict[ToolSeries, ToolStats] = {}
        """Calls of `_minute` that were summed up, and are in no bucket yet."""
        self._minute = -1
        self._settling = False
        metrics = registry.metrics
        self._tokens = metrics["tokens_total"].points
        self._cost = metrics["cost_total"].points
        self._latency = metrics["response_time"].points
        self._durations = metrics["tool_execution_time"].points

    @property
    def version(self) -> int:
        """The ledger's version as it will be when everything that waits is counted."""
        return self.ledger.version + len(self.requests) + len(self.calls)

    def settle(self) -> None:
        """Count what waits. Does nothing within itself: a signal handler's records wait until the next time."""
        if self.requests or self.calls or self._summed:
            self._once(self._count_all)

    def shorten(self) -> None:
        """Count what waits only as far as it takes room, for whoever records and looks at nothing."""
        self._once(self._count_waiting)

    def _once(self, count: Callable[[], None]) -> None:
        if self._settling:
            return
        self._settling = True
        try:
            count()
        finally:
            self._settling = False

    def _count_all(self) -> None:
        self._count_waiting()
        if self._summed:
            self._add_calls()

    def _count_waiting(self) -> None:
        requests, calls = self.requests, self.calls
        self.ledger.version += len(requests) + len(calls)
        self.requests, self.calls = [], []
        if requests:
            self._count_requests(requests)
        if calls:
            self._count_calls(calls)

    def add_past_request(self, series: ProviderSeries, row: RequestRow, now_ms: int) -> None:
        """Count a request of another moment than now, after everything that was told before it."""
        self.settle()
        self._add_request_points([(series, row)])
        self.ledger.add_request(series, RequestSample(*row), now_ms)

    def add_past_call(self, row: CallRow, now_ms: int) -> None:
        """Count a tool call of another moment than now, after everything that was told before it."""
        self.settle()
        series, at, duration, success, run_id = row
        series.calls.add_past((at, duration, success, run_id, None), now_ms)
        if duration is not None:
            self._durations.append((at, duration, series.labels))
        self.ledger.add_tool(series, at, duration, success, now_ms)

    def after_fork(self) -> None:
        """In a child process: nobody is settling."""
        self._settling = False

    def _count_requests(self, waiting: list[tuple[ProviderSeries, RequestRow]]) -> None:
        self._add_request_points(waiting)
        groups: dict[ProviderSeries, list[RequestRow]] = {}
        last, minute, counts = -1, -1, None
        for series, row in waiting:
            at, prompt, completion, read, written, cost, latency, _, success = row
            if at != last:
                last, counts = at, self._second_of(at)
                if at // MINUTE != minute:
                    minute = at // MINUTE
                    if groups:
                        self._add_requests(groups)
            rows = groups.get(series)
            if rows is None:
                rows = groups[series] = []
            rows.append(row)
            if counts is not None:
                counts.add_request(prompt + completion + read + written, cost, latency, success)
        self._add_requests(groups)

    def _second_of(self, at_ms: int) -> ActivityCounts | None:
        """The activity of a moment's second; None for a moment that no clock can mean."""
        buckets = self.ledger.activity.buckets(at_ms, at_ms)
        return buckets[3] if len(buckets) > 3 else None

    def _add_requests(self, groups: dict[ProviderSeries, list[RequestRow]]) -> None:
        """Count the requests of one minute: summed up once a series, then added to each bucket they belong to."""
        for series, rows in groups.items():
            summed, at = ProviderStats(), rows[-1][0]
            summed.add_rows(rows)
            summed.settle()
            series.version += 1
            for stats in series.tiers.buckets(at, at):
                stats.merge(summed)
            first_tokens = [row[7] for row in rows if row[7] is not None]
            if first_tokens:
                series.first_tokens.waiting += first_tokens
                series.first_tokens.settle()
            for counts in self.ledger.activity.buckets(at, at)[:3]:
                counts.add_summed(summed)
        groups.clear()

    def _add_request_points(self, waiting: list[tuple[ProviderSeries, RequestRow]]) -> None:
        """Points of the metrics that are always there: running totals of tokens and cost, and latencies."""
        totals: dict[ProviderSeries, list[float]] = {}
        for series, (at, prompt, completion, read, written, cost, latency, _, _) in waiting:
            labels, total = series.labels, totals.get(series)
            if total is None:
                stats = series.tiers.total
                total = totals[series] = [stats.tokens, stats.cost]
            total[0] += prompt + completion + read + written
            self._tokens.append((at, total[0], labels))
            if cost is not None:
                total[1] += cost
                self._cost.append((at, total[1], labels))
            if latency is not None:
                self._latency.append((at, latency, labels))

    def _count_calls(self, waiting: list[CallRow]) -> None:
        groups: dict[ToolSeries, list[CallRow]] = {}
        last, counts, points = -1, None, self._durations
        for row in waiting:
            series, at, duration, success, _ = row
            if at != last:
                last, counts = at, self._second_of(at)
                if at // MINUTE != self._minute:
                    self._sum_calls(groups)
                    if self._summed:
                        self._add_calls()
                    self._minute = at // MINUTE
            rows = groups.get(series)
            if rows is None:
                rows = groups[series] = []
            rows.append(row)
            if duration is not None:
                points.append((at, duration, series.labels))
            if counts is not None:
                counts.tool_calls += 1
                if not success:
                    counts.failed_tools += 1
        self._sum_calls(groups)

    def _sum_calls(self, groups: dict[ToolSeries, list[CallRow]]) -> None:
        """Sum up calls of one minute."""
        for series, rows in groups.items():
            summed = self._summed.get(series)
            if summed is None:
                summed = self._summed[series] = ToolStats()
            _, times, durations, successes, run_ids = zip(*rows, strict=True)
            series.calls.add(times, durations, successes, run_ids)
            summed.calls += len(rows)
            summed.failures += successes.count(False)
            summed.last_at = max(summed.last_at, max(times))
            summed.add_durations([duration for duration in durations if duration is not None])
        groups.clear()

    def _add_calls(self) -> None:
        """Add the calls of one minute to each bucket they belong to; whatever interrupts this, none is added twice."""
        while self._summed:
            series, summed = self._summed.popitem()
            at = summed.last_at
            summed.settle()
            series.version += 1
            for stats in series.tiers.buckets(at, at):
                stats.merge(summed)
            for counts in self.ledger.activity.buckets(at, at)[:3]:
                counts.add_tools(summed.calls, summed.failures)
