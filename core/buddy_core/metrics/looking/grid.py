"""Cutting a stretch of time into the equal slices a chart draws."""

from __future__ import annotations

from typing import NamedTuple

from buddy_core.metrics.counting.grains import HOUR, MINUTE, SECOND
from buddy_core.metrics.window import Window


class Grid(NamedTuple):
    """Equal slices without holes: slice `n` begins at `start_at + n * bucket_ms`."""

    start_at: int
    bucket_ms: int
    slices: int

    def index_of(self, at_ms: int) -> int:
        """The slice of a moment; the few milliseconds before the first or after the last are drawn in them."""
        return min(max((at_ms - self.start_at) // self.bucket_ms, 0), self.slices - 1)

    def starts(self) -> range:
        """Beginning of every slice, oldest first."""
        return range(self.start_at, self.start_at + self.slices * self.bucket_ms, self.bucket_ms)


_DAY = 24 * HOUR
_ROUND_MS = (
    *(n * SECOND for n in (1, 2, 5, 10, 15, 30)),
    *(n * MINUTE for n in (1, 2, 3, 5, 10, 15, 20, 30)),
    *(n * HOUR for n in (1, 2, 3, 4, 6, 8, 12)),
    *(n * _DAY for n in (1, 2, 3, 7, 14, 30, 90, 365)),
)
"""Lengths people have a word for, so that an axis can say what a bar stands for."""


def _round_up(ms: float) -> int:
    return next(
        (length for length in _ROUND_MS if length >= ms), _ROUND_MS[-1] * -(-int(ms) // _ROUND_MS[-1])
    )


def grid_of(first_ms: int, last_ms: int, slices: int, grain_ms: int) -> Grid:
    """At most about `slices` slices from `first_ms` to `last_ms`; one more where the ends cut a slice in two.

    A slice has a round length, at least a grain, and begins on a multiple of itself: so the picture of a
    moving window moves by whole slices and no bar changes its height by being cut differently.
    """
    length = max(last_ms - first_ms, 1)
    bucket = max(_round_up(length / max(slices, 1)), grain_ms)
    start = first_ms // bucket * bucket
    return Grid(start, bucket, (last_ms - start) // bucket + 1)


LEAST_SLICES = 30
"""Slices the picture of everything has at least: one lonely sample is a bar, not a wall."""


def whole_grid(first_ms: int, last_ms: int, slices: int, grain_ms: int) -> Grid:
    """Slices from the first sample of all to the last one, begun earlier when there are very few."""
    grid = grid_of(first_ms, last_ms, slices, grain_ms)
    missing = max(min(LEAST_SLICES, slices) - grid.slices, 0)
    return Grid(grid.start_at - missing * grid.bucket_ms, grid.bucket_ms, grid.slices + missing)


def window_grid(window: Window, now_ms: int, slices: int, grain_ms: int) -> Grid:
    """Slices over a window that has a beginning, the last one holding `now_ms`."""
    return grid_of(now_ms - (window.ms or 0), now_ms, slices, grain_ms)
