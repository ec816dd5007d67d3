"""Amounts in more slices of time than a chart has columns: every column stands for as many as every other."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from buddy_core.safety.text import Plain
from buddy_top.drawing.cells import text_of
from buddy_top.widgets.charts.data import ChartData, Series, joined_slices
from buddy_top.widgets.charts.plot import plot_lines

MINUTE = 60_000
QUARTER = 15 * MINUTE
NOON = 1_767_960_000_000


def calls(values: list[float | None], *, start: int = NOON, failures: tuple[int, ...] = ()) -> ChartData:
    return ChartData(
        (Series(tuple(values)),),
        start,
        QUARTER,
        failures=failures,
        unit=Plain("calls"),
        per_slice=True,
        how="sum",
    )


def test_the_largest_column_is_no_higher_than_the_axis() -> None:
    """Ninety-six slices of forty each on thirty columns: the axis must count what the columns show."""
    lines = [text_of(line) for line in plot_lines(calls([40.0] * 96), 40, 10)]
    top = int(re.match(r" *(\d+) ┤", lines[0]).group(1))  # type: ignore[union-attr]
    assert top >= 3 * 40
    assert "160" in "\n".join(lines) or "120" in "\n".join(lines)


def test_the_unit_says_how_long_a_column_is() -> None:
    wide = "\n".join(text_of(line) for line in plot_lines(calls([0.0] * 19 + [1.0]), 60, 8))
    narrow = "\n".join(text_of(line) for line in plot_lines(calls([0.0] * 95 + [1.0]), 40, 8))
    assert "calls / 15m" in wide
    assert "calls / 45m" in narrow or "calls / 1h" in narrow


@given(
    st.lists(st.none() | st.integers(0, 50).map(float), max_size=120),
    st.integers(2, 130),
    st.integers(0, 400),
)
def test_nothing_is_lost_and_it_fits(values: list[float | None], width: int, later: int) -> None:
    failures = tuple(index % 3 for index in range(len(values)))
    joined = joined_slices(calls(values, start=NOON + later * QUARTER, failures=failures), width)
    shown = joined.series[0].values
    assert len(shown) <= width
    assert sum(value or 0 for value in shown) == sum(value or 0 for value in values)
    assert sum(joined.failures) == sum(failures)
    assert (joined.start_ms - NOON) % QUARTER == 0


def test_a_column_keeps_what_is_in_it_while_time_goes_on() -> None:
    values: list[float | None] = [float(n) for n in range(96)]
    before = joined_slices(calls(values), 40)
    after = joined_slices(calls([*values[1:], 5.0], start=NOON + QUARTER), 40)
    assert before.bucket_ms == after.bucket_ms
    shared = dict(zip(_starts(before), before.series[0].values, strict=True))
    moved = dict(zip(_starts(after), after.series[0].values, strict=True))
    inner = sorted(shared.keys() & moved.keys())[1:-1]
    assert inner
    assert [shared[start] for start in inner] == [moved[start] for start in inner]


def _starts(data: ChartData) -> list[float]:
    return [data.start_ms + index * data.bucket_ms for index in range(len(data.series[0].values))]


def test_slices_that_fit_stay_as_they_are() -> None:
    data = calls([1.0] * 30)
    assert joined_slices(data, 30) is data
