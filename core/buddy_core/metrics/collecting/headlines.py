"""The headline numbers of a collector: over everything it counted, with what the last five minutes cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from buddy_core.metrics.collecting.books import Books
from buddy_core.metrics.counting.grains import HOUR, MINUTE
from buddy_core.metrics.model import ErrorRecord, SessionMetrics

if TYPE_CHECKING:
    from buddy_core.metrics.looking.model import DashboardState
    from buddy_core.metrics.looking.named import MetricPoint

RATE_MS = 5 * MINUTE
"""How far the rates of the dashboard state look back."""


class HeadlineReader(Books):
    """What can be asked without naming a window; a number that is asked for takes no more than reading it."""

    def get_dashboard_state(self) -> DashboardState:
        """The headline numbers over everything recorded, and two rates over the last five minutes."""
        from buddy_core.metrics.looking.model import (
            DashboardState,  # a program that only records asks for none
        )

        with self._lock:
            total = self._ledger.activity.total
            tokens_rate, cost_rate, estimated_rate = self._rates()
            return DashboardState(
                uptime_ms=self._uptime_ms(),
                active_session=self._sessions.active_id,
                total_sessions=self._sessions.started,
                total_tokens=total.known_tokens,
                total_cost=total.known_cost,
                total_tool_calls=total.tool_calls,
                avg_response_time_ms=total.latency_sum_ms / total.latency_count
                if total.latency_count
                else None,
                error_rate=100.0 * total.failed_requests / total.requests if total.requests else None,
                tokens_per_minute=tokens_rate,
                cost_per_hour=cost_rate,
                estimated_cost=total.estimated_cost,
                estimated_cost_per_hour=estimated_rate,
            )

    def _uptime_ms(self) -> int:
        return int(self._clock.monotonic_ms() - self._started_monotonic)

    def _rates(self) -> tuple[float | None, float | None, float | None]:
        """Tokens a minute, dollars an hour, and how many of these are estimated, over the last five minutes.

        A shorter life counts as what it is, but as a minute at least: two seconds of work are no burn rate.
        Where samples are older than the collector, a monitor that has just read a run's last five minutes knows
        all of them. Where nobody ever logged any, quiet minutes
        are no rate of nought.
        """
        now, first = self._clock.now_ms(), self._ledger.activity.first_at
        life = self._uptime_ms()
        if first is not None:
            life = max(life, now - first)
        length = min(RATE_MS, max(life, MINUTE))
        recent = self._ledger.activity.recent(now - length, now)
        whole, estimated = self._ledger.activity.total, recent.estimated_cost
        cost = None if whole.known_cost is None else recent.known_cost
        tokens = None if whole.known_tokens is None else recent.known_tokens
        return (
            None if tokens is None else tokens * MINUTE / length,
            None if cost is None else cost * HOUR / length,
            None if estimated is None else estimated * HOUR / length,
        )

    def get_total_tokens(self) -> int:
        """Tokens of all requests and all usage."""
        with self._lock:
            return self._ledger.activity.total.tokens

    def get_total_cost(self) -> float:
        """Sum of all stated and estimated costs in US dollars; 0.0 where none is known."""
        with self._lock:
            return self._ledger.activity.total.known_cost or 0.0

    def get_total_tool_calls(self) -> int:
        """Finished tool calls, whatever came of them."""
        with self._lock:
            return self._ledger.activity.total.tool_calls

    def get_average_response_time(self) -> float:
        """Milliseconds, over every request that has a latency; 0.0 when none has."""
        with self._lock:
            total = self._ledger.activity.total
            return total.latency_sum_ms / total.latency_count if total.latency_count else 0.0

    def get_error_rate(self) -> float:
        """Percent of API requests that failed, 0 to 100; 0.0 without requests."""
        with self._lock:
            total = self._ledger.activity.total
            return 100.0 * total.failed_requests / total.requests if total.requests else 0.0

    def get_recent_errors(self, limit: int = 10) -> list[ErrorRecord]:
        """The newest `limit` errors by their own time, oldest of them first."""
        with self._lock:
            return self._ledger.error_log.newest(limit)

    def get_metric_history(self, name: str, since_ms: int | None = None) -> list[MetricPoint]:
        """Points of one metric, oldest first, at most `max_history_points`; empty for a name nobody knows.

        Absorbed history adds to every total, and no points.
        """
        from buddy_core.metrics.looking.named import points_of

        with self._lock:
            metric = self._registry.metrics.get(name)
            return points_of(metric, since_ms) if metric else []

    def get_session_metrics(self) -> SessionMetrics | None:
        """The running session as it stands; None without one."""
        with self._lock:
            return self._sessions.metrics(self._ledger.activity.total)

    @property
    def refused(self) -> int:
        """How many values made no sense and were not counted; `export().rejected` says why."""
        return sum(tuple(self._refusals.by_reason.values()))
