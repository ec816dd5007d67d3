"""Ticks at round values and round local times."""

from __future__ import annotations

from datetime import UTC
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buddy_core.safety.text import Plain
from buddy_top.drawing import format as fmt
from buddy_top.widgets.charts.axes import Scale, shortened, time_ticks, value_scale, value_ticks

NOON = 1_767_873_600_000
"""Thursday 8 January 2026, 12:00 UTC."""
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000


@given(st.floats(1e-6, 1e15), st.integers(1, 40))
def test_the_axis_ends_above_the_largest_value_and_wastes_at_most_half(largest: float, rows: int) -> None:
    scale = value_scale(largest, rows)
    assert scale.top >= largest * (1 - 1e-6)
    assert scale.top <= largest * 2.0001
    assert scale.top / scale.step == pytest.approx(round(scale.top / scale.step))


@given(st.floats(1e-6, 1e15), st.integers(1, 40))
def test_ticks_have_rows_and_words_of_their_own(largest: float, rows: int) -> None:
    ticks = value_ticks(value_scale(largest, rows), rows, fmt.tokens)
    assert len({tick.at for tick in ticks}) == len({tick.label for tick in ticks}) == len(ticks)
    assert all(0 <= tick.at < rows for tick in ticks)
    assert all(after.at - before.at >= 2 for before, after in pairwise(ticks))


@pytest.mark.parametrize("largest", [0.0, -1.0, float("nan"), float("inf"), 1e308, 5e-324])
def test_an_axis_for_nothing_or_for_nonsense_still_stands(largest: float) -> None:
    scale = value_scale(largest, 10)
    assert scale.top > 0
    assert scale.step > 0


def test_counts_get_no_tick_between_nought_and_one() -> None:
    assert [tick.label for tick in value_ticks(Scale(1.0, 0.5), 8, fmt.tokens)] == ["1"]


@pytest.mark.parametrize("largest", range(1, 40))
@pytest.mark.parametrize("rows", [3, 8, 20])
def test_the_ticks_of_counts_stand_at_whole_numbers(largest: int, rows: int) -> None:
    scale = value_scale(largest, rows, fmt.tokens)
    assert scale.step >= 1
    assert scale.step == int(scale.step)


@pytest.mark.parametrize(
    ("words", "short"),
    [
        ("40.0k", "40k"),
        ("1.00M", "1M"),
        ("1.28M", "1.28M"),
        ("5.0 s", "5 s"),
        ("$12.00", "$12"),
        ("$0.50", "$0.50"),
        ("$1.0042", "$1.0042"),
        ("10m00s", "10m"),
        ("2h00m", "2h"),
        ("6m41s", "6m41s"),
    ],
)
def test_a_tick_says_its_value_without_empty_parts(words: str, short: str) -> None:
    assert shortened(Plain(words)) == short


@pytest.mark.parametrize(
    ("span", "width", "labels"),
    [
        (15 * MINUTE, 60, ["11:45", "11:50", "11:55"]),
        (HOUR, 70, ["11:00", "11:10", "11:20", "11:30", "11:40", "11:50"]),
        (24 * HOUR, 60, ["12:00", "18:00", "Thu 8 Jan", "06:00"]),
        (7 * DAY, 80, ["2 Jan", "3 Jan", "4 Jan", "5 Jan", "6 Jan", "7 Jan", "8 Jan"]),
    ],
)
def test_each_window_has_ticks_people_think_in(span: int, width: int, labels: list[str]) -> None:
    assert [tick.label for tick in time_ticks(NOON - span, NOON, width, UTC)] == labels


@given(st.integers(0, 4_000_000_000_000), st.integers(1, 400 * DAY), st.integers(0, 200))
def test_time_ticks_stand_in_order_inside_and_apart(start: int, span: int, width: int) -> None:
    ticks = time_ticks(start, start + span, width, UTC)
    assert all(0 <= tick.at < width for tick in ticks)
    assert all(after.at - before.at >= 8 for before, after in pairwise(ticks))


def test_ticks_stay_on_the_hour_through_the_night_the_clocks_change() -> None:
    """Case 24: daylight saving; Berlin skips 02:00 to 03:00 on 29 March 2026."""
    berlin = ZoneInfo("Europe/Berlin")
    before = 1_774_735_200_000  # 28 March 2026, 23:00 in Berlin
    labels = [tick.label for tick in time_ticks(before, before + 12 * HOUR, 80, berlin)]
    assert labels == ["Sun 29 Mar", "04:00", "06:00", "08:00", "10:00"]


@pytest.mark.parametrize("start", [-1e18, 1e18, float("nan"), 253_402_300_790_000])
def test_times_outside_the_calendar_draw_no_ticks(start: float) -> None:
    assert time_ticks(start, start + HOUR, 60, UTC) == []


def test_a_zone_half_an_hour_off_has_its_own_round_hours() -> None:
    kolkata = ZoneInfo("Asia/Kolkata")
    labels = [tick.label for tick in time_ticks(NOON - 6 * HOUR, NOON, 60, kolkata)]
    assert labels == ["12:00", "13:00", "14:00", "15:00", "16:00", "17:00"]
