"""What a chart shows, and the same in fewer slices of time where there is no room for all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import tzinfo
from typing import Literal

import msgspec
from msgspec.structs import replace

from buddy_core.safety.text import Plain
from buddy_top.drawing.format import tokens
from buddy_top.widgets.charts.sparkline import How, resample, top_of

NO_WORDS, NOTHING_YET = Plain(""), Plain("nothing recorded yet")


class Series(msgspec.Struct, frozen=True):
    """One row of values, a value for each slice of time; None where nothing is known."""

    values: tuple[float | None, ...]
    ink: str = "accent"
    label: Plain = NO_WORDS
    """Its name in the legend; needed only where there is more than one."""


class ChartData(msgspec.Struct, frozen=True):
    """Everything a chart shows: series that share slices of time and one scale."""

    series: tuple[Series, ...] = ()
    start_ms: float = 0
    bucket_ms: float = 0
    """Length of one slice; 0 draws no time axis."""
    failures: tuple[int, ...] = ()
    """Failures in each slice, marked on the time axis."""
    unit: Plain = NO_WORDS
    """Said once, above the axis: `tokens/min`."""
    per_slice: bool = False
    """The unit is an amount in one column's time, which is said after it: `calls / 15m`."""
    style: Literal["columns", "lines", "layers"] = "columns"
    """`layers` are columns of two series, the second behind the first."""
    how: How = "max"
    """How slices are joined where there are more than columns."""
    words: Callable[[float], Plain] = tokens
    """Writes a value, on the axis and at the largest one."""
    empty: Plain = NOTHING_YET
    """Said in the middle when no value is above nought."""
    tz: tzinfo | None = None

    @property
    def is_empty(self) -> bool:
        """True when no value is above nought and nothing failed."""
        return top_of(*(series.values for series in self.series)) <= 0 and not any(self.failures)


def joined_slices(data: ChartData, width: int) -> ChartData:
    """The same amounts in at most `width` slices: each the sum of as many as every other.

    They are joined where a clock would part them, so that a column keeps what is in it while time goes on.
    """
    count = max((len(series.values) for series in data.series), default=0)
    if data.style != "columns" or data.how != "sum" or data.bucket_ms <= 0 or count <= max(width, 1):
        return data
    first = int(data.start_ms // data.bucket_ms)
    each = next(
        each for each in range(2, count + 2) if _slices(first, count, each) <= max(width, 1) or each > count
    )
    before = first % each
    series = tuple(replace(one, values=_sums(one.values, each, before)) for one in data.series)
    failures = tuple(int(total or 0) for total in _sums(data.failures, each, before))
    start = data.start_ms - before * data.bucket_ms
    return replace(data, series=series, failures=failures, start_ms=start, bucket_ms=data.bucket_ms * each)


def _slices(first: int, count: int, each: int) -> int:
    """How many slices are left when `each` are made one."""
    return -(-(first % each + count) // each)


def _sums(values: Sequence[float | None], each: int, before: int) -> tuple[float | None, ...]:
    """Sums of `each` values, the first of `before` fewer; None where nothing is known."""
    if not values:
        return ()
    padded = [*[None] * before, *values]
    groups = (padded[start : start + each] for start in range(0, len(padded), each))
    return tuple(resample(group, 1, "sum")[0] for group in groups)
