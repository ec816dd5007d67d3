"""Everything about one window as one value: its sums, and the rows of its tables in order."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any, TypeVar

from buddy_core.metrics.counting.grains import since_of
from buddy_core.metrics.counting.stats import ProviderStats, UsageStats
from buddy_core.metrics.looking.model import (
    ErrorGroup,
    ProviderMetrics,
    ToolMetrics,
    WindowView,
)
from buddy_core.metrics.window import Window

R = TypeVar("R")


def build_view(
    providers: list[ProviderMetrics],
    tools: list[ToolMetrics],
    errors: list[ErrorGroup],
    *,
    requests: ProviderStats,
    usage: UsageStats,
    calls: int,
    failed_calls: int,
    other_errors: int,
    window: Window,
    now_ms: int,
) -> WindowView:
    """Everything about one window, from every series in which something happened; see `Gathering`.

    `requests` and `calls` are those of all providers and tools, `other_errors` counts the errors that are no
    failed call's.
    """
    requests.settle()
    p50, p95 = requests.at(0.5, 0.95)
    return WindowView(
        window=window,
        taken_at=now_ms,
        since_ms=since_of(window, now_ms),
        total_requests=requests.requests,
        failed_requests=requests.failures,
        total_tokens=_tokens(requests, usage, calls),
        prompt_tokens=requests.prompt_tokens + usage.prompt_tokens,
        completion_tokens=requests.completion_tokens + usage.completion_tokens,
        cache_tokens=_cached(requests),
        total_cost=_cost(requests, usage, calls),
        unattributed_cost=usage.cost + usage.estimate,
        unattributed_tokens=usage.tokens,
        total_tool_calls=calls,
        failed_tool_calls=failed_calls,
        total_errors=failed_calls + other_errors,
        avg_latency_ms=requests.mean,
        p50_latency_ms=p50,
        p95_latency_ms=p95,
        latency_count=requests.count,
        error_rate=100.0 * requests.failures / requests.requests if requests.requests else None,
        providers=_sorted(providers, lambda row: (-row.total_requests, row.provider, row.model)),
        tools=_most_first(tools),
        errors=_sorted(errors, lambda group: (-group.last_at, group.fingerprint)),
        estimated_cost=requests.estimate + usage.estimate if requests.estimates or usage.estimates else None,
        unattributed_estimated_cost=usage.estimate if usage.estimates else None,
    )


def _sorted(rows: list[R], key: Callable[[R], Any]) -> tuple[R, ...]:
    return tuple(sorted(rows, key=key))


def _cost(requests: ProviderStats, usage: UsageStats, calls: int) -> float | None:
    """What was stated or estimated; None when something was at work and no cost of anything is known."""
    at_work = requests.requests + usage.count + calls
    known = requests.cost_count + requests.estimates + usage.cost_count + usage.estimates
    return None if at_work and not known else requests.cost + requests.estimate + usage.cost + usage.estimate


def _tokens(requests: ProviderStats, usage: UsageStats, calls: int) -> int | None:
    """Tokens of requests and totals; None when there was work that takes some and none was logged."""
    total = requests.tokens + usage.tokens
    return None if not total and (calls or requests.requests > requests.failures) else total


def _cached(requests: ProviderStats) -> int | None:
    """As `ProviderMetrics.cache_tokens`, of all models together."""
    cached = requests.cache_read_tokens + requests.cache_write_tokens
    return None if not cached and requests.requests > requests.failures else cached


def _most_first(tools: list[ToolMetrics]) -> tuple[ToolMetrics, ...]:
    """Most calls first, of equals by name: two sorts without a function of ours, for there may be very many."""
    return tuple(sorted(sorted(tools, key=attrgetter("name")), key=attrgetter("total_calls"), reverse=True))
