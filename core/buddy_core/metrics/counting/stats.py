"""What one bucket of time holds: plain sums that add up, so that any window is a merge of buckets."""

# Comparing before assigning costs half of what min() and max() cost, and this runs for every sample.
# ruff: noqa: PLR1730

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol, Self

from buddy_core.metrics.counting.timing import MOST_WAITING, Timing

if TYPE_CHECKING:
    from buddy_core.metrics.recording.batch import RequestRow

FEW_ROWS = 3
"""Up to so many requests are counted one by one."""


class RequestSample(NamedTuple):
    """One checked model request, ready to be added to any number of buckets."""

    at_ms: int
    prompt_tokens: int
    completion_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    cost: float | None
    latency_ms: float | None
    ttft_ms: float | None
    success: bool


class UsageSample(NamedTuple):
    """One checked statement of usage that belongs to no request."""

    at_ms: int
    tokens: int
    prompt_tokens: int
    completion_tokens: int
    cost: float | None


class Stats(Protocol):
    """What the rollup asks of a bucket."""

    def merge(self, other: Self, /) -> None:
        """Add everything `other` counted; `other` stays as it is."""
        ...

    def settle(self) -> None:
        """Make every field true to what was added."""
        ...

    def pack(self) -> None:
        """Take little memory, as likely nothing more is added; whatever is asked or added comes out the same."""
        ...


class ToolStats(Timing):
    """Calls of one tool."""

    __slots__ = ("calls", "failures", "last_at")

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0
        self.failures = 0
        self.last_at = 0

    def add(self, at_ms: int, duration_ms: float | None, success: bool) -> None:
        """Count one call."""
        self.calls += 1
        if not success:
            self.failures += 1
        if at_ms > self.last_at:
            self.last_at = at_ms
        if duration_ms is not None:
            self.waiting.append(duration_ms)
            if len(self.waiting) > MOST_WAITING:
                self.settle()

    def merge(self, other: ToolStats, /) -> None:
        """Add everything `other` counted."""
        self.calls += other.calls
        self.failures += other.failures
        self.last_at = max(self.last_at, other.last_at)
        self.merge_timing(other)


class ProviderStats(Timing):
    """Requests to one provider and model; the timing is their latency."""

    __slots__ = (
        "cache_read_tokens",
        "cache_write_tokens",
        "completion_tokens",
        "cost",
        "cost_count",
        "estimate",
        "estimates",
        "failures",
        "last_at",
        "last_failed_at",
        "prompt_tokens",
        "requests",
        "ttft_count",
        "ttft_sum_ms",
    )

    def __init__(self) -> None:
        super().__init__()
        self.requests = self.failures = self.last_at = self.last_failed_at = 0
        self.prompt_tokens = self.completion_tokens = 0
        self.cache_read_tokens = self.cache_write_tokens = 0
        self.cost = self.ttft_sum_ms = 0.0
        self.cost_count = self.ttft_count = 0
        self.estimate = 0.0
        """What requests that state no cost were priced at; not in `cost`."""
        self.estimates = 0
        """How many were."""

    def add(self, sample: RequestRow) -> None:
        """Count one request."""
        at_ms, prompt, completion, cache_read, cache_write, cost, latency, ttft, success = sample
        self.requests += 1
        self.prompt_tokens += prompt
        self.completion_tokens += completion
        if cache_read or cache_write:
            self.cache_read_tokens += cache_read
            self.cache_write_tokens += cache_write
        if not success:
            self.failures += 1
            if at_ms > self.last_failed_at:
                self.last_failed_at = at_ms
        if at_ms > self.last_at:
            self.last_at = at_ms
        if cost is not None:
            self.cost += cost
            self.cost_count += 1
        if ttft is not None:
            self.ttft_sum_ms += ttft
            self.ttft_count += 1
        if latency is not None:
            self.waiting.append(latency)
            if len(self.waiting) > MOST_WAITING:
                self.settle()

    def add_rows(self, rows: Sequence[RequestRow]) -> None:
        """Count any number of requests."""
        if len(rows) <= FEW_ROWS:
            for row in rows:
                self.add(row)
            return
        at_ms, prompt, completion, cache_read, cache_write, cost, latency, ttft, success = zip(
            *rows, strict=True
        )
        self.requests += len(rows)
        self.prompt_tokens += sum(prompt)
        self.completion_tokens += sum(completion)
        self.cache_read_tokens += sum(cache_read)
        self.cache_write_tokens += sum(cache_write)
        if failures := success.count(False):
            self.failures += failures
            failed = (at for at, good in zip(at_ms, success, strict=True) if not good)
            self.last_failed_at = max(self.last_failed_at, *failed)
        self.last_at = max(self.last_at, max(at_ms))
        known = [value for value in cost if value is not None]
        self.cost += sum(known)
        self.cost_count += len(known)
        known = [value for value in ttft if value is not None]
        self.ttft_sum_ms += sum(known)
        self.ttft_count += len(known)
        self.add_durations([value for value in latency if value is not None])

    def merge(self, other: ProviderStats, /) -> None:
        """Add everything `other` counted."""
        self.requests += other.requests
        self.failures += other.failures
        self.last_at = max(self.last_at, other.last_at)
        self.last_failed_at = max(self.last_failed_at, other.last_failed_at)
        self.prompt_tokens += other.prompt_tokens
        self.completion_tokens += other.completion_tokens
        self.cache_read_tokens += other.cache_read_tokens
        self.cache_write_tokens += other.cache_write_tokens
        self.cost += other.cost
        self.cost_count += other.cost_count
        self.ttft_sum_ms += other.ttft_sum_ms
        self.ttft_count += other.ttft_count
        self.estimate += other.estimate
        self.estimates += other.estimates
        self.merge_timing(other)

    @property
    def tokens(self) -> int:
        """Sum of the four kinds."""
        return self.prompt_tokens + self.completion_tokens + self.cache_read_tokens + self.cache_write_tokens


class _Plain:
    """Counters that are always true."""

    __slots__ = ()

    def settle(self) -> None:
        """Nothing waits here."""

    def pack(self) -> None:
        """There is nothing to pack."""


class ErrorStats(_Plain):
    """Errors of one group."""

    __slots__ = ("count", "first_at", "last_at", "of_tools")

    def __init__(self) -> None:
        self.count = 0
        self.of_tools = 0
        """Those that repeat a failed tool call, which the tool's own series counts too."""
        self.first_at = 0
        self.last_at = 0

    def add(self, at_ms: int, of_tool: bool) -> None:
        """Count one error."""
        if at_ms < self.first_at or not self.count:
            self.first_at = at_ms
        if at_ms > self.last_at:
            self.last_at = at_ms
        self.count += 1
        self.of_tools += of_tool

    def merge(self, other: ErrorStats, /) -> None:
        """Add everything `other` counted."""
        if not other.count:
            return
        self.first_at = min(self.first_at, other.first_at) if self.count else other.first_at
        self.last_at = max(self.last_at, other.last_at)
        self.count += other.count
        self.of_tools += other.of_tools


class UsageStats(_Plain):
    """Tokens and cost that are known only as run totals."""

    __slots__ = (
        "completion_tokens",
        "cost",
        "cost_count",
        "count",
        "estimate",
        "estimates",
        "last_at",
        "prompt_tokens",
        "tokens",
    )

    def __init__(self) -> None:
        self.count = self.last_at = 0
        self.tokens = self.prompt_tokens = self.completion_tokens = 0
        self.cost = self.estimate = 0.0
        self.cost_count = self.estimates = 0

    def add(self, sample: UsageSample) -> None:
        """Count one statement of usage."""
        at_ms, tokens, prompt, completion, cost = sample
        self.count += 1
        self.last_at = max(self.last_at, at_ms)
        self.tokens += tokens
        self.prompt_tokens += prompt
        self.completion_tokens += completion
        if cost is not None:
            self.cost += cost
            self.cost_count += 1

    def merge(self, other: UsageStats, /) -> None:
        """Add everything `other` counted."""
        self.count += other.count
        self.last_at = max(self.last_at, other.last_at)
        self.tokens += other.tokens
        self.prompt_tokens += other.prompt_tokens
        self.completion_tokens += other.completion_tokens
        self.cost += other.cost
        self.cost_count += other.cost_count
        self.estimate += other.estimate
        self.estimates += other.estimates
