"""What may be counted: the collector's door. A value that may not is replaced by "unknown" and counted."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from buddy_core.metrics.counting.stats import RequestSample

if TYPE_CHECKING:
    from buddy_core.metrics.recording.batch import RequestRow

LONGEST_NAME = 256
"""Characters of a provider, model, tool, metric or label; a longer name is no name."""

LARGEST_COUNT = 2**53
"""From here on a count is a mistake (and JavaScript could not have written it)."""

LARGEST_AMOUNT = 1e15
"""Upper bound of durations (31,000 years in ms) and costs; keeps every sum finite."""

LATEST_AT = 4_102_444_800_000
"""The year 2100: a later time is a unit mixed up, not a moment."""

MOST_LABELS = 16
"""Labels of one point of a custom metric."""


class Refusals:
    """Checks values and counts, by reason, the ones it refuses; it never raises."""

    def __init__(self) -> None:
        self.by_reason: Counter[str] = Counter()

    def refuse(self, reason: str) -> None:
        """Count one refused value."""
        self.by_reason[reason] += 1

    def count(self, value: object) -> int:
        """`value` as a count (tokens, calls), or 0 when it is none."""
        if type(value) is float and value.is_integer():
            value = int(value)
        if type(value) is not int:
            self.refuse(_number_problem(value))
            return 0
        if 0 <= value < LARGEST_COUNT:
            return value
        self.refuse("negative" if value < 0 else "too large")
        return 0

    def amount(self, value: object) -> float | None:
        """`value` as a duration or cost, or None when it is none (None itself is "unknown", not refused)."""
        if value is None:
            return None
        number = self.number(value)
        if number is None or number >= 0:
            return number
        self.refuse("negative")
        return None

    def number(self, value: object) -> float | None:
        """`value` as a finite number of either sign, or None when it is none."""
        if type(value) is not float and type(value) is not int:
            self.refuse(_number_problem(value))
            return None
        if -LARGEST_AMOUNT <= value <= LARGEST_AMOUNT:
            return value
        finite = type(value) is int or math.isfinite(value)
        self.refuse("too large" if finite else "not finite")
        return None

    def name(self, value: object) -> str | None:
        """`value` as a name, or None when it is empty, over-long or no text."""
        if not isinstance(value, str):
            self.refuse("no text")
        elif len(value) > LONGEST_NAME:
            self.refuse("name too long")
        elif not value:
            self.refuse("name empty")
        else:
            return value
        return None

    def names(self, *values: object) -> bool:
        """True when every one of `values` is a name."""
        return all(self.name(value) is not None for value in values)

    def run_id(self, value: object) -> str | None:
        """`value` as the id of a run, or None when it is none (None itself is "no run", not refused)."""
        return None if value is None else self.name(value)

    def moment(self, value: object, now_ms: int) -> int:
        """`value` as a wall time in milliseconds; None means now, and 0 is a time nobody can believe."""
        if value is None:
            return now_ms
        number = self.number(value)
        if number is not None and 0 <= number <= LATEST_AT:
            return int(number)
        if number is not None:
            self.refuse("no time")
        return 0

    def labels(self, value: Mapping[str, str] | None) -> dict[str, str] | None:
        """`value` as labels (numbers and booleans become text), or None when one of them may not be."""
        if not value:
            return {}
        if len(value) > MOST_LABELS:
            self.refuse("too many labels")
            return None
        labels = {str(key): str(text) for key, text in value.items()}
        if any(len(key) > LONGEST_NAME or len(text) > LONGEST_NAME for key, text in labels.items()):
            self.refuse("name too long")
            return None
        return labels


def _number_problem(value: object) -> str:
    return "not finite" if isinstance(value, float) else "no number"


def request_row(
    refusals: Refusals,
    at_ms: int,
    tokens: tuple[int, int, int, int],
    cost: float | None,
    latency_ms: float | None,
    ttft_ms: float | None,
    success: bool,
) -> RequestRow:
    """One model request with every value checked; a bad count becomes 0, another bad value unknown."""
    prompt, completion, cache_read, cache_write = tokens
    # Counts or-ed together are below a power of two, and not negative, just when each of them is.
    if not (
        type(prompt) is type(completion) is type(cache_read) is type(cache_write) is int
        and 0 <= prompt | completion | cache_read | cache_write < LARGEST_COUNT
    ):
        prompt, completion, cache_read, cache_write = map(refusals.count, tokens)
    if latency_ms is not None and not (type(latency_ms) is float and 0.0 <= latency_ms <= LARGEST_AMOUNT):
        latency_ms = refusals.amount(latency_ms)
    if cost is not None and not (type(cost) is float and 0.0 <= cost <= LARGEST_AMOUNT):
        cost = refusals.amount(cost)
    if ttft_ms is not None and not (type(ttft_ms) is float and 0.0 <= ttft_ms <= LARGEST_AMOUNT):
        ttft_ms = refusals.amount(ttft_ms)
    return (at_ms, prompt, completion, cache_read, cache_write, cost, latency_ms, ttft_ms, bool(success))


def request_sample(
    refusals: Refusals,
    at_ms: int,
    tokens: tuple[int, int, int, int],
    cost: float | None,
    latency_ms: float | None,
    ttft_ms: float | None,
    success: bool,
) -> RequestSample:
    """`request_row` with names to its values."""
    return RequestSample(*request_row(refusals, at_ms, tokens, cost, latency_ms, ttft_ms, success))
