"""The grains that time is counted in: which times are believed, where a window begins, and where grains change."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from buddy_core.metrics.window import Window

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE

MINUTES_KEPT = 25 * 60
"""Minutes a series keeps: a day, and one hour more so that the edge of the 24 h window is exact."""

AHEAD_MS = 5 * MINUTE
"""How far a sample's time may lie in the future (clocks differ a little) and still be believed."""

EARLIEST_AT = 946_684_800_000
"""The year 2000: a time before it is a writer's default or a unit mixed up, not a moment."""


def since_of(window: Window, now_ms: int) -> int | None:
    """First millisecond that belongs to `window` at `now_ms`; None for `ALL`.

    15 m, 1 h and 24 h begin on the whole minute at or before their length ago, 7 d on the whole hour:
    a window holds everything in its name and at most one minute (one hour) more. It has no end:
    samples stamped up to five minutes ahead by another clock are in it.
    """
    if window.ms is None:
        return None
    grain = HOUR if window is Window.D7 else MINUTE
    return (now_ms - window.ms) // grain * grain


class Span(NamedTuple):
    """Where an ascending column of times is cut: dated from `first` up to `end`, kept by the minute from `recent`."""

    first: int
    recent: int
    end: int

    @classmethod
    def of(cls, at_ms: Sequence[int], now_ms: int) -> Span:
        """Times before the year 2000 or too far ahead are no dates."""
        first = bisect_left(at_ms, EARLIEST_AT)
        end = bisect_right(at_ms, now_ms + AHEAD_MS, first)
        return cls(first, bisect_left(at_ms, (now_ms // MINUTE - MINUTES_KEPT) * MINUTE, first, end), end)


def stretches(at_ms: Sequence[int], grain_ms: int, first: int, end: int) -> Iterator[tuple[int, int]]:
    """Cut the ascending `at_ms[first:end]` where the grain (a second, a minute, an hour) changes: from, up to."""
    while first < end:
        following = (at_ms[first] // grain_ms + 1) * grain_ms
        there = end if at_ms[end - 1] < following else bisect_left(at_ms, following, first + 1, end)
        yield first, there
        first = there


def tally(at_ms: Sequence[int], grain_ms: int) -> Iterable[tuple[int, int]]:
    """How many of the ascending moments fall into each grain: (grain number, count), by the quicker way."""
    if not at_ms:
        return ()
    if len(at_ms) > 8 * ((at_ms[-1] - at_ms[0]) // grain_ms + 1):
        return [(at_ms[a] // grain_ms, b - a) for a, b in stretches(at_ms, grain_ms, 0, len(at_ms))]
    return Counter([moment // grain_ms for moment in at_ms]).items()
