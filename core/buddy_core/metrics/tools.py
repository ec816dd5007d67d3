"""How reliable each tool is lately: a small tracker an agent can ask before it calls one.

It stands by itself: the collector keeps history for screens, this one answers "which tool works" from the
last hundred calls.
"""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from buddy_core import format as fmt
from buddy_core.clock import Clock, SystemClock
from buddy_core.metrics.model import OTHER
from buddy_core.metrics.recording.checks import Refusals
from buddy_core.metrics.recording.forks import OnePerProcess, renew_after_fork
from buddy_core.safety.columns import Column, lay_out
from buddy_core.safety.text import plain

WINDOW = 100
"""Latencies remembered of each tool."""

UNKNOWN_SCORE = 0.5
"""Reliability of a tool nobody has called."""

SLOW_MS = 30_000
"""An average latency from which on speed adds nothing to a tool's reliability."""

_COLUMNS = (
    Column("tool", limit=40),
    Column("calls", right=True),
    Column("failed", right=True),
    Column("success", right=True),
    Column("avg", right=True),
    Column("p50", right=True),
    Column("p95", right=True),
    Column("max", right=True),
    Column("score", right=True),
)


@dataclass(frozen=True, slots=True)
class ToolMetric:
    """One tool: calls since the beginning, latencies over the last hundred that were measured."""

    name: str
    total_calls: int
    success_count: int
    failure_count: int
    success_rate: float
    """Share of all calls that succeeded, 0 to 1."""
    avg_latency_ms: float | None
    """This and the following are None while no latency is known."""
    p50_latency_ms: float | None
    p95_latency_ms: float | None
    min_latency_ms: float | None
    max_latency_ms: float | None
    last_invoked_at: int
    """Wall time in milliseconds since the epoch."""


def reliability_score(successes: int, calls: int, avg_latency_ms: float | None) -> float:
    """0 to 1: 0.8 × share of successes + 0.2 × max(0, 1 − average latency / 30 s); 0.5 without a call.

    Without a latency, speed is neither good nor bad.
    """
    if calls <= 0:
        return UNKNOWN_SCORE
    speed = 0.5 if avg_latency_ms is None else max(0.0, 1 - avg_latency_ms / SLOW_MS)
    return 0.8 * successes / calls + 0.2 * speed


class _Calls:
    """What is remembered of one tool."""

    __slots__ = ("failures", "last_at", "latencies", "total")

    def __init__(self) -> None:
        self.total = self.failures = self.last_at = 0
        self.latencies: deque[float] = deque(maxlen=WINDOW)

    @property
    def score(self) -> float:
        """As `reliability_score`, over the latencies remembered."""
        average = math.fsum(self.latencies) / len(self.latencies) if self.latencies else None
        return reliability_score(self.total - self.failures, self.total, average)

    def as_metric(self, name: str) -> ToolMetric:
        """The frozen value; latencies over those remembered, counts over all calls."""
        ordered = sorted(self.latencies)
        return ToolMetric(
            name=name,
            total_calls=self.total,
            success_count=self.total - self.failures,
            failure_count=self.failures,
            success_rate=(self.total - self.failures) / self.total,
            avg_latency_ms=math.fsum(ordered) / len(ordered) if ordered else None,
            p50_latency_ms=_nearest_rank(ordered, 50),
            p95_latency_ms=_nearest_rank(ordered, 95),
            min_latency_ms=ordered[0] if ordered else None,
            max_latency_ms=ordered[-1] if ordered else None,
            last_invoked_at=self.last_at,
        )


def _nearest_rank(ordered: list[float], percent: int) -> float | None:
    """The smallest value with at least `percent` of all values at or below it; None of nothing."""
    return ordered[-(-percent * len(ordered) // 100) - 1] if ordered else None


class ToolMetricsTracker:
    """Success and latency of each tool over a rolling window; any thread may record and read.

    At most `max_tools` tools are told apart, later ones count as `other`. A name that is none is refused,
    and so is a latency that is none (the call still counts); `rejected` says how many, by reason.
    """

    def __init__(self, *, clock: Clock | None = None, max_tools: int = 2000) -> None:
        self._clock: Clock = clock or SystemClock()
        self._most = max(1, max_tools)
        self._lock = threading.RLock()
        self._tools: dict[str, _Calls] = {}
        self._refusals = Refusals()
        renew_after_fork(self)

    def record(self, tool_name: str, success: bool, latency_ms: float | None) -> None:
        """Count one call that took `latency_ms` milliseconds (None: nobody measured); never raises."""
        try:
            with self._lock:
                if self._refusals.name(tool_name) is None:
                    return
                succeeded, latency = bool(success), self._refusals.amount(latency_ms)
                calls = self._calls(tool_name)
                calls.total += 1
                calls.failures += not succeeded
                calls.last_at = self._clock.now_ms()
                if latency is not None:
                    calls.latencies.append(latency)
        except Exception:  # noqa: BLE001 - nothing may be raised into the host
            with self._lock:
                self._refusals.refuse("arguments make no sense")

    def _calls(self, name: str) -> _Calls:
        known = self._tools.get(name)
        if known is None:
            if len(self._tools) >= self._most:
                name = OTHER
            known = self._tools.setdefault(name, _Calls())
        return known

    @property
    def rejected(self) -> Mapping[str, int]:
        """Values refused, by reason."""
        with self._lock:
            return dict(self._refusals.by_reason)

    def get_metric(self, tool_name: str) -> ToolMetric | None:
        """One tool as it stands; None when it was never called."""
        with self._lock:
            calls = self._tools.get(tool_name)
            return calls.as_metric(tool_name) if calls else None

    def get_all_metrics(self) -> list[ToolMetric]:
        """Every tool, most calls first."""
        with self._lock:
            metrics = [calls.as_metric(name) for name, calls in self._tools.items()]
        return sorted(metrics, key=lambda metric: (-metric.total_calls, metric.name))

    def get_reliability_score(self, tool_name: str) -> float:
        """0 to 1: 0.8 × success rate + 0.2 × max(0, 1 − average latency / 30 s); 0.5 for an unknown tool.

        A tool whose latency nobody measured gets half of the latter part.
        """
        with self._lock:
            calls = self._tools.get(tool_name)
            return calls.score if calls else UNKNOWN_SCORE

    def format_summary(self) -> str:
        """A table of all tools as plain text: aligned, safe to print whatever the tools are called."""
        metrics = self.get_all_metrics()
        if not metrics:
            return "no tool calls yet"
        rows = [_row(metric, self.get_reliability_score(metric.name)) for metric in metrics]
        return "\n".join(lay_out(_COLUMNS, rows))

    def reset(self) -> None:
        """Forget every call."""
        with self._lock:
            self._tools = {}
            self._refusals = Refusals()

    def after_fork(self) -> None:
        """In a child process: the lock is free again. Called by itself."""
        self._lock = threading.RLock()


def _row(metric: ToolMetric, score: float) -> tuple[str, ...]:
    return (
        plain(metric.name, limit=256),
        fmt.count(metric.total_calls),
        fmt.count(metric.failure_count),
        fmt.share(metric.success_count, metric.total_calls),
        fmt.duration(metric.avg_latency_ms),
        fmt.duration(metric.p50_latency_ms),
        fmt.duration(metric.p95_latency_ms),
        fmt.duration(metric.max_latency_ms),
        f"{score:.2f}",
    )


_trackers = OnePerProcess(ToolMetricsTracker)


def get_tool_metrics_tracker() -> ToolMetricsTracker:
    """The tracker of this process, made at the first call."""
    return _trackers.get()


def reset_tool_metrics_tracker() -> None:
    """Forget the process's tracker and its calls; the next `get_tool_metrics_tracker` makes a new one."""
    gone = _trackers.take()
    if gone is not None:
        gone.reset()
