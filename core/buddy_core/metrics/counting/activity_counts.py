"""What happened in one slice of time, of everything together: sums that say what is known and what is not."""

from __future__ import annotations

from buddy_core.metrics.counting.stats import ProviderStats


class ActivityCounts:
    """One slice's sums; they add up."""

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
