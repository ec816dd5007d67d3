"""How numbers, durations and moments are written."""

from __future__ import annotations

from datetime import UTC, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buddy_top.drawing import format as fmt

NOON = 1_767_873_600_000
"""Thursday 8 January 2026, 12:00 UTC."""


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "–"),
        (0, "0"),
        (842, "842"),
        (999.4, "999"),
        (999.6, "1.00k"),
        (1_284, "1.28k"),
        (61_200, "61.2k"),
        (182_000, "182k"),
        (999_499, "999k"),
        (999_500, "1.00M"),
        (1_284_093, "1.28M"),
        (12_840_000, "12.8M"),
        (3_400_000_000, "3.40G"),
        (5e21, "5e+21"),
        (float("nan"), "–"),
        (float("inf"), "–"),
    ],
)
def test_tokens_take_three_digits(value: float | None, words: str) -> None:
    assert fmt.tokens(value) == words


@given(st.integers(0, 10**15 - 10**13))
def test_tokens_never_need_more_than_five_columns(value: int) -> None:
    assert len(fmt.tokens(value)) <= 5


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "–"),
        (0, "$0.00"),
        (0.0, "$0.00"),
        (0.00001, "<$0.0001"),
        (0.0042, "$0.0042"),
        (0.00994, "$0.0099"),
        (0.00999, "$0.01"),
        (0.61, "$0.61"),
        (12.4, "$12.40"),
        (999.99, "$999.99"),
        (999.996, "$1,000"),
        (1204, "$1,204"),
        (-3, "-$3.00"),
    ],
)
def test_costs_show_cents_and_below_a_cent_more(value: float | None, words: str) -> None:
    assert fmt.cost(value) == words


def test_an_estimated_cost_says_so() -> None:
    assert fmt.cost(0.61, estimated=True) == "≈$0.61"
    assert fmt.cost(None, estimated=True) == "–"
    assert fmt.cost_rate(0.82) == "$0.82/h"
    assert fmt.cost_rate(None) == "–"


@pytest.mark.parametrize(
    ("ms", "words"),
    [
        (None, "–"),
        (0, "0 ms"),
        (0.4, "0.4 ms"),
        (840, "840 ms"),
        (999.6, "1.0 s"),
        (1_800, "1.8 s"),
        (59_940, "59.9 s"),
        (59_960, "1m00s"),
        (401_000, "6m41s"),
        (3_599_600, "1h00m"),
        (7_380_000, "2h03m"),
        (86_400_000 * 3 + 3_600_000 * 4, "3d04h"),
        (-1_800, "-1.8 s"),
    ],
)
def test_durations_have_one_unit_or_two(ms: float | None, words: str) -> None:
    assert fmt.duration(ms) == words


@pytest.mark.parametrize(
    ("ms", "words"),
    [
        (None, "–"),
        (-5, "0s"),
        (12_999, "12s"),
        (4 * 60_000, "4m"),
        (3 * 3_600_000, "3h"),
        (86_400_000 * 400, "400d"),
    ],
)
def test_ages_have_one_unit(ms: float | None, words: str) -> None:
    assert fmt.age(ms) == words


@pytest.mark.parametrize(
    ("ms", "words"),
    [
        (None, "–"),
        (0, "+0.00"),
        (12_400, "+12.4"),
        (9_996, "+10.0"),
        (187_000, "+3m07s"),
        (7_380_000, "+2h03m"),
        (-50, "-0.05"),
    ],
)
def test_times_since_the_start_are_relative(ms: float | None, words: str) -> None:
    assert fmt.relative(ms) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "–"),
        (0, "0 %"),
        (0.01, "<0.1 %"),
        (0.4, "0.4 %"),
        (12.3, "12 %"),
        (99.4, "99 %"),
        (99.97, "99.9 %"),
        (100, "100 %"),
    ],
)
def test_a_percentage_never_rounds_to_all_or_nothing(value: float | None, words: str) -> None:
    assert fmt.percent(value) == words


def test_a_share_of_nothing_is_not_known() -> None:
    assert fmt.share(1, 4) == "25 %"
    assert fmt.share(0, 0) == "–"
    assert fmt.share(None, 3) == "–"


@pytest.mark.parametrize(
    ("value", "words"), [(0, "0 B"), (842, "842 B"), (61_200, "61.2 kB"), (1_280_000, "1.28 MB")]
)
def test_sizes_take_three_digits(value: float, words: str) -> None:
    assert fmt.bytes_(value) == words


def test_the_clock_shows_local_time() -> None:
    assert fmt.clock(NOON + 7_000, UTC) == "12:00:07"
    assert fmt.clock(NOON, timezone(timedelta(hours=2)), seconds=False) == "14:00"
    assert fmt.clock(NOON, ZoneInfo("America/New_York"), seconds=False) == "07:00"


@pytest.mark.parametrize("ms", [1e18, -1e18, float("nan"), None])
def test_a_moment_outside_every_calendar_is_unknown_not_a_crash(ms: float | None) -> None:
    """Case 24: hostile times."""
    assert fmt.clock(ms, UTC) == fmt.day(ms, UTC) == fmt.moment(ms, NOON, UTC) == fmt.UNKNOWN


def test_a_moment_is_a_time_today_else_a_date_else_a_year() -> None:
    assert fmt.moment(NOON - 3_600_000, NOON, UTC) == "11:00"
    assert fmt.moment(NOON - 3 * 86_400_000, NOON, UTC) == "5 Jan"
    assert fmt.moment(NOON - 400 * 86_400_000, NOON, UTC) == "2024"
    assert fmt.day(NOON, UTC) == "Thu 8 Jan"


def test_rates_and_counts() -> None:
    assert fmt.rate(612, "min") == "612/min"
    assert fmt.rate(0.43, "min") == "0.4/min"
    assert fmt.rate(0, "min") == "0/min"
    assert fmt.rate(None, "min") == "–"
    assert fmt.count(1_284) == "1,284"
    assert fmt.tokens_full(1_284_093) == "1,284,093"
    assert fmt.plural(1, "tool") == "1 tool"
    assert fmt.plural(12, "tool") == "12 tools"
    assert fmt.plural(0, "tool") == "no tools"
    assert fmt.plural(2, "query", "queries") == "2 queries"


NUMBERS = st.one_of(st.none(), st.integers(-(10**20), 10**20), st.floats(allow_nan=True, allow_infinity=True))


@given(NUMBERS)
def test_no_number_at_all_breaks_a_format(value: float | None) -> None:
    for write in (
        fmt.tokens,
        fmt.tokens_full,
        fmt.cost,
        fmt.duration,
        fmt.age,
        fmt.relative,
        fmt.percent,
        fmt.bytes_,
    ):
        words = write(value)
        assert words and words.isprintable()
