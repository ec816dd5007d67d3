"""What is recorded: frozen values that the collector sends to whoever listens, and hands out as they came.

What is made of them for whoever looks is in `looking.model`, which a program that only records never loads.
Durations are milliseconds, money is US dollars, `*_at` is wall time in milliseconds since the epoch.
None means "not known": a latency nobody measured, a cost nobody stated. It is never written as 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

MetricType = Literal["counter", "gauge", "histogram"]

METRIC_TYPES: tuple[MetricType, ...] = get_args(MetricType)
"""Every type there is."""

OTHER = "other"
"""Where names and label sets go that came after the limit was reached."""


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """One model request; the payload of `api:request`."""

    provider: str
    model: str
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cost: float | None = None
    latency_ms: float | None = None
    ttft_ms: float | None = None
    """Time to first token."""
    success: bool = True
    run_id: str | None = None
    at_ms: int = 0

    @property
    def total_tokens(self) -> int:
        """Sum of the four kinds."""
        return self.prompt_tokens + self.completion_tokens + self.cache_read_tokens + self.cache_write_tokens


@dataclass(frozen=True, slots=True)
class ToolExecution:
    """One finished tool call; the payload of `tool:executed`."""

    name: str
    duration_ms: float | None = None
    success: bool = True
    error: str | None = None
    run_id: str | None = None
    at_ms: int = 0


@dataclass(frozen=True, slots=True)
class ErrorRecord:
    """One error; the payload of `error`."""

    timestamp: int
    type: str
    message: str
    stack: str | None = None
    context: Mapping[str, Any] | None = None
    run_id: str | None = None


@dataclass(frozen=True, slots=True)
class SessionMetrics:
    """One session of an agent; every number moves while it runs."""

    session_id: str
    started_at: int
    duration_ms: int
    message_count: int = 0
    user_messages: int = 0
    assistant_messages: int = 0
    tool_calls: int = 0
    total_tokens: int = 0
    total_cost: float | None = 0.0
    error_count: int = 0
    estimated_cost: float | None = None
    """Part of `total_cost` that was priced from tokens; None: nothing was."""
