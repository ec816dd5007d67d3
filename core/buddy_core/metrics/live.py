"""What was told in the last moments: checked, in a list, and counted together when somebody looks or it is long.

Counting a hundred requests at once costs a third of counting them one by one, and the agent that records
waits for less. Nobody can tell the difference: the ledger and the metrics are reached through `settled`.
"""

from __future__ import annotations

from buddy_core.metrics.activity import ActivityCounts
from buddy_core.metrics.batch import RequestRow
from buddy_core.metrics.custom import Registry
from buddy_core.metrics.ledger import Ledger
from buddy_core.metrics.rollup import MINUTE
from buddy_core.metrics.series import ProviderSeries, ToolSeries
from buddy_core.metrics.stats import ProviderStats, RequestSample, ToolStats

MOST_WAITING = 256
"""Records that wait at most; counting them takes a fraction of a millisecond."""

CallRow = tuple[int, float | None, bool]
"""Time, duration and success of a tool call."""


class Live:
    """Requests and tool calls that happen now, on their way into a ledger. The collector's lock is held throughout."""

    def __init__(self, ledger: Ledger, registry: Registry) -> None:
        self.ledger = ledger
        self.requests: list[tuple[ProviderSeries, RequestRow]] = []
        self.calls: list[tuple[ToolSeries, CallRow]] = []
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
        if self._settling or not (self.requests or self.calls):
            return
        self._settling = True
        try:
            requests, calls = self.requests, self.calls
            self.ledger.version += len(requests) + len(calls)
            self.requests, self.calls = [], []
            if requests:
                self._count_requests(requests)
            if calls:
                self._count_calls(calls)
        finally:
            self._settling = False

    def add_past_request(self, series: ProviderSeries, row: RequestRow, now_ms: int) -> None:
        """Count a request of another moment than now, after everything that was told before it."""
        self.settle()
        self._add_request_points([(series, row)])
        self.ledger.add_request(series, RequestSample(*row), now_ms)

    def add_past_call(self, series: ToolSeries, row: CallRow, now_ms: int) -> None:
        """Count a tool call of another moment than now, after everything that was told before it."""
        self.settle()
        at, duration, success = row
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

    def _count_calls(self, waiting: list[tuple[ToolSeries, CallRow]]) -> None:
        groups: dict[ToolSeries, list[CallRow]] = {}
        last, minute, counts = -1, -1, None
        for series, row in waiting:
            at, duration, success = row
            if at != last:
                last, counts = at, self._second_of(at)
                if at // MINUTE != minute:
                    minute = at // MINUTE
                    if groups:
                        self._add_calls(groups)
            rows = groups.get(series)
            if rows is None:
                rows = groups[series] = []
            rows.append(row)
            if duration is not None:
                self._durations.append((at, duration, series.labels))
            if counts is not None:
                counts.tool_calls += 1
                if not success:
                    counts.failed_tools += 1
        self._add_calls(groups)

    def _add_calls(self, groups: dict[ToolSeries, list[CallRow]]) -> None:
        """Count the calls of one minute, as `_add_requests` does."""
        for series, rows in groups.items():
            summed, at = ToolStats(), rows[-1][0]
            summed.calls, summed.last_at = len(rows), max(row[0] for row in rows)
            summed.failures = [row[2] for row in rows].count(False)
            summed.add_durations([row[1] for row in rows if row[1] is not None])
            summed.settle()
            series.version += 1
            for stats in series.tiers.buckets(at, at):
                stats.merge(summed)
            for counts in self.ledger.activity.buckets(at, at)[:3]:
                counts.add_tools(summed.calls, summed.failures)
        groups.clear()
