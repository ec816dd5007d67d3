"""One session of an agent: what the totals gained since it began."""

from __future__ import annotations

from typing import NamedTuple

from buddy_core.clock import Clock
from buddy_core.metrics.counting.activity_counts import ActivityCounts
from buddy_core.metrics.model import SessionMetrics


class _Start(NamedTuple):
    """Where the clocks and the totals stood when the session began."""

    session_id: str
    wall_ms: int
    monotonic_ms: float
    totals: ActivityCounts


class Sessions:
    """The session that runs now, and how many there have been. The collector's lock is held around every call."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._start: _Start | None = None
        self._roles: dict[str, int] = {}
        self.started = 0

    @property
    def active_id(self) -> str | None:
        """Id of the session that runs now."""
        return self._start.session_id if self._start else None

    def begin(self, session_id: str, totals: ActivityCounts) -> None:
        """A session begins; its numbers are differences to `totals` as they stand now."""
        baseline = ActivityCounts()
        baseline.merge(totals)
        self._start = _Start(session_id, self._clock.now_ms(), self._clock.monotonic_ms(), baseline)
        self._roles = {}
        self.started += 1

    def message(self, role: str) -> None:
        """Count one message in the session, if one runs."""
        if self._start:
            self._roles[role] = self._roles.get(role, 0) + 1

    def end(self) -> None:
        """The session is over."""
        self._start = None

    def metrics(self, totals: ActivityCounts) -> SessionMetrics | None:
        """The running session's numbers; None without one."""
        start = self._start
        if start is None:
            return None
        return SessionMetrics(
            session_id=start.session_id,
            started_at=start.wall_ms,
            duration_ms=int(self._clock.monotonic_ms() - start.monotonic_ms),
            message_count=sum(self._roles.values()),
            user_messages=self._roles.get("user", 0),
            assistant_messages=self._roles.get("assistant", 0),
            tool_calls=totals.tool_calls - start.totals.tool_calls,
            total_tokens=totals.tokens - start.totals.tokens,
            total_cost=_cost_since(start.totals, totals),
            error_count=totals.failures - start.totals.failures,
            estimated_cost=_estimated_since(start.totals, totals),
        )


def _cost_since(before: ActivityCounts, now: ActivityCounts) -> float | None:
    spent_on = now.requests + now.usages - before.requests - before.usages
    if spent_on and now.cost_count == before.cost_count and now.estimates == before.estimates:
        return None
    return now.cost + now.estimate - before.cost - before.estimate


def _estimated_since(before: ActivityCounts, now: ActivityCounts) -> float | None:
    return None if now.estimates == before.estimates else now.estimate - before.estimate
