"""Quantiles of durations from fixed log buckets: mergeable, and at most 1 % off the exact value.

A duration falls into the bucket `ceil(log_gamma(duration))`. Every series uses the same gamma, so two
sketches merge by adding counts, and a bucket's middle is never further than `RELATIVE_ERROR` from
anything in it. A sketch is a plain dict of bucket index to count.

A bucket that one of `CUTS` lies in is cut there, so that the number of values up to each cut is exact, and
costs nothing while recording: bucket `n` has the index `2 n`, and the lower part of a cut one `2 n - 1`.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate

RELATIVE_ERROR = 0.0099
"""Half width of a bucket against its middle; a shade under 1 % so that rounding never reaches 1 %."""

SMALLEST_MS = 1e-3
"""A duration below a microsecond counts as zero."""

ZERO = -(10**6)
"""Index of the bucket of zero durations; sorts before every other."""

BOUNDS_MS = (5, 10, 25, 50, 100, 250, 500, 1e3, 2.5e3, 5e3, 1e4, 3e4, 6e4, 1.2e5, 3e5, 6e5)
"""Bounds of a histogram of durations: from a quick tool to a slow agent."""

ANY_BOUNDS = tuple(float(f"{digits}e{power}") for power in range(-3, 7) for digits in (1, 2.5, 5))
"""Bounds of a histogram of anything else."""

CUTS = tuple(sorted({*BOUNDS_MS, *ANY_BOUNDS}))
"""Values up to each of these are counted exactly, see `counts_up_to`."""

_GAMMA = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR)
_SCALE = 1 / math.log(_GAMMA)
_MIDDLE = 2 / (_GAMMA + 1)
_REMEMBERED = 32_768
_ceil, _log = math.ceil, math.log


_CUT_BUCKETS = {math.ceil(math.log(cut) * _SCALE): cut for cut in CUTS}
_LAST_INDEX = {cut: 2 * number - 1 for number, cut in _CUT_BUCKETS.items()}
"""Index of the last bucket at or below each cut."""


class _Doubled(dict[int, int]):
    """Twice a number, the same object each time: the keys of thousands of sketches are some hundred integers."""

    def __missing__(self, number: int) -> int:
        self[number] = doubled = 2 * number
        return doubled


_doubled = _Doubled().__getitem__


class _Indexes(dict[float, int]):
    """Bucket by duration, remembered: most durations are whole milliseconds and come again."""

    def __missing__(self, value: float) -> int:
        if value < SMALLEST_MS:
            index = ZERO
        else:
            number = _ceil(_log(value) * _SCALE)
            cut = _CUT_BUCKETS.get(number)
            index = _doubled(number) if cut is None or value > cut else 2 * number - 1
        if len(self) < _REMEMBERED:
            self[value] = index
        return index


bucket_of = _Indexes().__getitem__
"""Bucket index of a duration in milliseconds; the duration must be finite and not negative."""


def tally(values: Sequence[float]) -> Mapping[int, int]:
    """How many of the durations (at least one) are in each bucket: `bucket_of` of all of them, by the quicker way.

    Whole milliseconds come again and are remembered; times measured to the nanosecond never do.
    """
    if values[0] % 1 == 0 or min(values) < SMALLEST_MS:
        return Counter(map(bucket_of, values))
    numbers = [_ceil(_log(value) * _SCALE) for value in values]
    counts = Counter(numbers)
    cut = _CUT_BUCKETS.keys() & counts.keys()
    tallied = {_doubled(number): count for number, count in counts.items()}
    if cut:
        for number, value in zip(numbers, values, strict=True):
            if number in cut and value <= _CUT_BUCKETS[number]:
                tallied[2 * number - 1] = tallied.get(2 * number - 1, 0) + 1
                tallied[2 * number] -= 1
        for number in cut:
            if not tallied[2 * number]:
                del tallied[2 * number]
    return tallied


def packed(sketch: dict[int, int]) -> bytes | dict[int, int]:
    """The sketch as a twentieth of its memory, see `unpacked`; itself where a number is too large for that.

    Three bytes a bucket, mostly: two bytes of index and one of count, behind a letter for each that says so.
    """
    try:
        indexes = array("h" if ZERO not in sketch else "i", sketch)
        most = max(sketch.values(), default=0)
        counts = array("B" if most < 1 << 8 else "H" if most < 1 << 16 else "Q", sketch.values())
    except OverflowError:
        return sketch
    return f"{indexes.typecode}{counts.typecode}".encode() + indexes.tobytes() + counts.tobytes()


def unpacked(data: bytes) -> dict[int, int]:
    """The sketch that was packed, as a new dict."""
    indexes, counts = array(chr(data[0])), array(chr(data[1]))
    end = 2 + (len(data) - 2) // (indexes.itemsize + counts.itemsize) * indexes.itemsize
    indexes.frombytes(data[2:end])
    counts.frombytes(data[end:])
    return dict(zip(indexes, counts, strict=True))


def middle_of(index: int) -> float:
    """The duration in milliseconds that stands for everything in a bucket."""
    return 0.0 if index == ZERO else _MIDDLE * math.exp((index + 1) // 2 / _SCALE)


def counts_up_to(bounds: Sequence[float], sketch: Mapping[int, int]) -> tuple[int, ...]:
    """How many values are at most as large as each of `bounds`, which ascend and are among `CUTS`; exact."""
    last = [_LAST_INDEX[bound] for bound in bounds]
    counts = [0] * (len(last) + 1)
    for index, count in sketch.items():
        counts[bisect_left(last, index)] += count
    return tuple(accumulate(counts[:-1]))


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


def histogram(sketch: Mapping[int, int], edges: Sequence[float], high: float) -> list[int]:
    """Counts between each pair of ascending `edges`; none of the values is above `high`, or below the first edge."""
    counts = [0] * (len(edges) - 1)
    for index, count in sketch.items():
        counts[_bin_of(min(middle_of(index), high), edges)] += count
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
