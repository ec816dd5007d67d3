"""Quantiles of durations from fixed log buckets: mergeable, and at most 1 % off the exact value.

A duration falls into the bucket `ceil(log_gamma(duration))`. Every series uses the same gamma, so two
sketches merge by adding counts, and a bucket's middle is never further than `RELATIVE_ERROR` from
anything in it. A sketch is a plain dict of bucket index to count.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

RELATIVE_ERROR = 0.0099
"""Half width of a bucket against its middle; a shade under 1 % so that rounding never reaches 1 %."""

SMALLEST_MS = 1e-3
"""A duration below a microsecond counts as zero."""

ZERO = -(10**6)
"""Index of the bucket of zero durations; sorts before every other."""

_GAMMA = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR)
_SCALE = 1 / math.log(_GAMMA)
_MIDDLE = 2 / (_GAMMA + 1)
_REMEMBERED = 32_768


class _Indexes(dict[float, int]):
    """Bucket by duration, remembered: most durations are whole milliseconds and come again."""

    def __missing__(self, value: float) -> int:
        index = ZERO if value < SMALLEST_MS else math.ceil(math.log(value) * _SCALE)
        if len(self) < _REMEMBERED:
            self[value] = index
        return index


bucket_of = _Indexes().__getitem__
"""Bucket index of a duration in milliseconds; the duration must be finite and not negative."""


def middle_of(index: int) -> float:
    """The duration in milliseconds that stands for everything in a bucket."""
    return 0.0 if index == ZERO else _MIDDLE * math.exp(index / _SCALE)


def quantiles(sketch: Mapping[int, int], wanted: Sequence[float]) -> Iterator[float]:
    """The duration at each of `wanted` (ascending, 0 to 1) by nearest rank; the sketch must not be empty.

    Nearest rank is the smallest sample with at least that share of all samples at or below it: with
    one sample every quantile is that sample, and none is ever a value between two samples.
    """
    total = sum(sketch.values())
    seen, index, buckets = 0, ZERO, iter(sorted(sketch.items()))
    for share in wanted:
        rank = max(1, math.ceil(share * total - 1e-9))
        while seen < rank:
            index, count = next(buckets)
            seen += count
        yield middle_of(index)


def histogram(sketch: Mapping[int, int], edges: Sequence[float]) -> list[int]:
    """Counts between each pair of ascending `edges`; what lies outside goes into the first or last bin."""
    counts = [0] * (len(edges) - 1)
    for index, count in sketch.items():
        counts[_bin_of(middle_of(index), edges)] += count
    return counts


def log_edges(low: float, high: float, bins: int) -> list[float]:
    """`bins + 1` edges from `low` to `high`, each the same factor above the last; zero starts at 1 µs."""
    low = max(low, SMALLEST_MS)
    high = max(high, low * _GAMMA)
    step = math.log(high / low) / bins
    return [low * math.exp(step * number) for number in range(bins)] + [high]


def _bin_of(value: float, edges: Sequence[float]) -> int:
    low, high = edges[0], edges[-1]
    if value <= low:
        return 0
    share = math.log(value / low) / math.log(high / low)
    return min(int(share * (len(edges) - 1)), len(edges) - 2)
