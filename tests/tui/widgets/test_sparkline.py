"""Bars made of eighths of a cell."""

from __future__ import annotations

import math
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buddy_core.safety.ascii import to_ascii
from buddy_top.widgets.charts.sparkline import EIGHTHS, columns, level, resample, sparkline, top_of
from buddy_top.widgets.table.bars import bar, share_bar, slice_bar

VALUES = st.lists(
    st.one_of(st.none(), st.floats(0, 1e12), st.sampled_from([math.nan, math.inf])), max_size=60
)


@given(VALUES, st.integers(0, 80), st.sampled_from(["max", "sum", "mean"]))
def test_a_series_is_brought_to_exactly_the_width(values: list[float | None], width: int, how: str) -> None:
    assert len(resample(values, width, how)) == width  # type: ignore[arg-type]


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=200), st.integers(1, 80))
def test_no_peak_and_no_amount_is_lost_when_values_are_joined(values: list[float], width: int) -> None:
    assert max(v for v in resample(values, width) if v is not None) == max(values)
    if len(values) >= width:
        assert math.fsum(v or 0 for v in resample(values, width, "sum")) == pytest.approx(math.fsum(values))


@given(VALUES, st.integers(1, 6), st.integers(0, 80))
def test_a_line_of_bars_has_its_width_whatever_the_values(
    values: list[float | None], height: int, width: int
) -> None:
    shown = resample(values, width)
    lines = columns(shown, height, top_of(shown))
    assert [len(line) for line in lines] == [width] * height
    assert set("".join(lines)) <= set(EIGHTHS)


def test_a_sum_beyond_all_numbers_is_the_largest_there_is() -> None:
    assert resample([1e308] * 4, 1, "sum") == [sys.float_info.max]
    assert resample([-1e308] * 4, 1, "sum") == [-sys.float_info.max]
    assert resample([1.5e308, 1.5e308, -1.5e308, -1.5e308], 1, "sum") == [0.0]
    assert resample([1e308] * 4, 2, "mean") == [pytest.approx(sys.float_info.max / 2)] * 2


def test_bars_grow_by_eighths_and_fill_lower_lines_first() -> None:
    assert columns([0, 1, 8, 9, 16], 2, 16) == ["   ▁█", " ▁███"]
    assert sparkline([1, 2, 4, 8], 4) == "▁▂▄█"


def test_a_value_above_nought_is_never_invisible_and_nothing_is_drawn_for_nought_or_the_unknown() -> None:
    assert level(0.0001, 1, 1e9) == 1
    assert level(0, 1, 1) == level(None, 1, 1) == level(-3, 1, 1) == level(math.nan, 1, 1) == 0
    assert level(5, 2, 1) == 16


def test_two_sparklines_share_a_scale() -> None:
    assert sparkline([1], 1, scale=top_of([1], [8])) == "▁"
    assert sparkline([8], 1, scale=top_of([1], [8])) == "█"


@given(st.one_of(st.none(), st.floats()), st.integers(0, 30))
def test_a_share_bar_fills_its_column_exactly(share: float | None, width: int) -> None:
    assert sum(len(span.text) for span in share_bar(share, width)) == width


def test_without_unicode_a_bar_still_differs_from_its_track() -> None:
    assert to_ascii("".join(span.text for span in share_bar(0.5, 4))) == "==--"


def test_a_bar_shows_halves_and_at_least_a_trace() -> None:
    assert bar(0.5, 4) == "━━"
    assert bar(0.6, 4) == "━━╸"
    assert bar(1e-9, 4) == "╸"
    assert bar(0, 4) == bar(None, 4) == ""
    assert bar(7, 4) == "━━━━"


@given(st.floats(-2, 3), st.floats(-2, 3), st.integers(0, 30))
def test_a_slice_is_at_least_one_column_and_never_past_the_end(start: float, end: float, width: int) -> None:
    spans = slice_bar(start, end, width)
    text = "".join(span.text for span in spans)
    assert len(text) == width
    assert ("━" in text) == (width > 0)
