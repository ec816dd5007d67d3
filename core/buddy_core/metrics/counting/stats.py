"""What one bucket of time holds: plain sums that add up, so that any window is a merge of buckets."""

# Comparing before assigning costs half of what min() and max() cost, and this runs for every sample.
# ruff: noqa: PLR1730

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol, Self

from buddy_core.metrics.counting.sketch import bucket_of, packed, quantiles, tally, unpacked

if TYPE_CHECKING:
    from buddy_core.metrics.recording.batch import RequestRow

MOST_WAITING = 64
"""Durations a bucket holds before it sums them up."""


FEW_DURATIONS = 16
"""Up to so many durations of whole milliseconds are put into the sketch one by one."""

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


class Timing:
    """Count, sum, extremes and quantile sketch of durations in milliseconds.

    New durations wait in a short list and are summed up together, which costs a fifth of counting them one
    by one: call `settle` before reading a field.
    """

    __slots__ = ("_sketch", "count", "high_ms", "low_ms", "sum_ms", "waiting")

    def __init__(self) -> None:
        self.count = 0
        self.sum_ms = 0.0
        self.low_ms = math.inf
        self.high_ms = -math.inf
        self._sketch: dict[int, int] | bytes = {}
        self.waiting: list[float] = []

    @classmethod
    def of(cls, values: Sequence[float]) -> Self:
        """The durations given, summed up."""
        timing = cls()
        timing.waiting += values
        timing.settle()
        return timing

    @property
    def sketch(self) -> dict[int, int]:
        """How many durations are in each bucket, to be read only: of a packed one it is a new dict each time."""
        sketch = self._sketch
        return unpacked(sketch) if isinstance(sketch, bytes) else sketch

    @sketch.setter
    def sketch(self, sketch: dict[int, int]) -> None:
        self._sketch = sketch

    def pack(self) -> None:
        """Keep the sketch as bytes until something is added; a long one is nearly all that a bucket weighs."""
        self.settle()
        if isinstance(self._sketch, dict):
            self._sketch = packed(self._sketch)

    def _growing(self) -> dict[int, int]:
        """The sketch, to be added to."""
        if isinstance(self._sketch, bytes):
            self._sketch = unpacked(self._sketch)
        return self._sketch

    def add_durations(self, values: Sequence[float]) -> None:
        """Count durations."""
        self.waiting += values
        if len(self.waiting) > MOST_WAITING:
            self.settle()

    def settle(self) -> None:
        """Sum up what waits; after this the fields are true."""
        waiting = self.waiting
        if not waiting:
            return
        self.waiting = []
        self.count += len(waiting)
        self.sum_ms += sum(waiting)
        self.low_ms = min(self.low_ms, min(waiting))
        self.high_ms = max(self.high_ms, max(waiting))
        if len(waiting) > FEW_DURATIONS or waiting[0] % 1:
            self._add_sketch(tally(waiting))
            return
        sketch = self._growing()
        have = sketch.get
        for value in waiting:
            index = bucket_of(value)
            sketch[index] = have(index, 0) + 1

    def merge_timing(self, other: Timing) -> None:
        """Add the durations that `other` counted; `other` stays as it is."""
        if other.waiting:
            self.add_durations(other.waiting)
        if not other.count:
            return
        self.count += other.count
        self.sum_ms += other.sum_ms
        self.low_ms = min(self.low_ms, other.low_ms)
        self.high_ms = max(self.high_ms, other.high_ms)
        self._add_sketch(other.sketch)

    def _add_sketch(self, added: Mapping[int, int]) -> None:
        sketch = self._growing()
        if not sketch:
            sketch.update(added)
            return
        have = sketch.get
        for index, count in added.items():
            sketch[index] = have(index, 0) + count

    @property
    def mean(self) -> float | None:
        """Average duration; None without durations."""
        return self.sum_ms / self.count if self.count else None

    @property
    def low(self) -> float | None:
        """Shortest duration; None without durations."""
        return self.low_ms if self.count else None

    @property
    def high(self) -> float | None:
        """Longest duration; None without durations."""
        return self.high_ms if self.count else None

    def at(self, *shares: float) -> list[float | None]:
        """The quantiles asked for, ascending, never outside the exact extremes; Nones without durations."""
        if not self.count:
            return [None] * len(shares)
        return [*quantiles_within(self.sketch, self.low_ms, self.high_ms, shares)]


def quantiles_within(
    sketch: Mapping[int, int], low_ms: float, high_ms: float, shares: Sequence[float]
) -> list[float]:
    """The quantiles at `shares`, ascending, of a sketch that is not empty and has these exact extremes."""
    return [min(max(value, low_ms), high_ms) for value in quantiles(sketch, shares)]


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
