"""Durations counted by upper bounds, exactly: what a Prometheus histogram is made of."""

from __future__ import annotations

from bisect import bisect_right

from buddy_core.metrics.counting.sketch import BOUNDS_MS

MOST_WAITING = 512
"""Durations that wait before they are counted together, at a third of what counting each by itself costs."""


class BoundCounts:
    """How many durations are at most as long as each of `BOUNDS_MS`, how many there are, and their sum.

    Cheaper than a sketch where nobody asks for quantiles. Append to `waiting`, and call `settle` when it is
    longer than `MOST_WAITING` and before reading a field.
    """

    __slots__ = ("count", "sum_ms", "up_to", "waiting")

    def __init__(self) -> None:
        self.up_to = [0] * len(BOUNDS_MS)
        """Parallel to the bounds."""
        self.count = 0
        self.sum_ms = 0.0
        self.waiting: list[float] = []

    def merge(self, other: BoundCounts) -> None:
        """Add everything `other` counted; both are settled."""
        self.count += other.count
        self.sum_ms += other.sum_ms
        self.up_to = [mine + more for mine, more in zip(self.up_to, other.up_to, strict=True)]

    def settle(self) -> None:
        """Count what waits; after this the fields are true."""
        waiting = self.waiting
        if not waiting:
            return
        self.waiting = []
        waiting.sort()
        self.count += len(waiting)
        self.sum_ms += sum(waiting)
        self.up_to = [
            before + bisect_right(waiting, bound) for before, bound in zip(self.up_to, BOUNDS_MS, strict=True)
        ]
