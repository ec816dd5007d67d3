"""Durations, summed up: how many, how long together, the extremes, and a sketch for the quantiles."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Self

from buddy_core.metrics.counting.sketch import bucket_of, packed, quantiles, tally, unpacked

MOST_WAITING = 64
"""Durations a bucket holds before it sums them up."""

FEW_DURATIONS = 16
"""Up to so many durations of whole milliseconds are put into the sketch one by one."""


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
