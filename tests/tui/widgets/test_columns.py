"""Which columns of a table are shown, and where."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from buddy_core.safety.text import Plain
from buddy_top.widgets.table.columns import Column, place_columns


def column(key: str, width: int, **options: int) -> Column:
    return Column(key, Plain(key), width, **options)  # type: ignore[arg-type]


COLUMNS = st.lists(
    st.builds(
        lambda width, grow, priority: column("c", width, grow=grow, priority=priority),
        st.integers(1, 20),
        st.integers(0, 3),
        st.integers(0, 4),
    ),
    min_size=1,
    max_size=12,
)


@given(COLUMNS, st.integers(0, 200))
def test_columns_stand_in_order_with_a_gap_and_inside_the_row(columns: list[Column], width: int) -> None:
    placed = place_columns(columns, width)
    assert [place.source for place in placed] == sorted(place.source for place in placed)
    for before, after in itertools.pairwise(placed):
        assert after.x - (before.x + before.width) in (1, 2)
    if width >= 2 * len(columns):
        assert placed[-1].x + placed[-1].width <= width


@given(COLUMNS, st.integers(0, 200))
def test_a_column_of_priority_nought_is_never_dropped(columns: list[Column], width: int) -> None:
    shown = {place.source for place in place_columns(columns, width)}
    kept = {index for index, each in enumerate(columns) if each.priority == 0}
    assert kept <= shown


def test_the_largest_priority_goes_first_and_of_equals_the_rightmost() -> None:
    columns = [
        column("a", 10),
        column("b", 5, priority=2),
        column("c", 5, priority=1),
        column("d", 5, priority=2),
    ]
    shown = [[place.column.key for place in place_columns(columns, width)] for width in (40, 27, 21, 15)]
    assert shown == [["a", "b", "c", "d"], ["a", "b", "c"], ["a", "c"], ["a"]]


def test_what_is_left_over_goes_to_those_that_grow_in_their_proportion() -> None:
    columns = [column("a", 10), column("b", 10, grow=1), column("c", 10, grow=3)]
    assert [place.width for place in place_columns(columns, 74)] == [10, 20, 40]


def test_the_gap_narrows_before_a_column_goes() -> None:
    columns = [column("a", 5), column("b", 5, priority=1)]
    assert [place.x for place in place_columns(columns, 12)] == [0, 7]
    assert [place.x for place in place_columns(columns, 11)] == [0, 6]
    assert len(place_columns(columns, 10)) == 1


def test_when_even_the_least_widths_do_not_fit_those_that_grow_give_way_first() -> None:
    columns = [column("a", 10), column("b", 10, grow=1)]
    assert [place.width for place in place_columns(columns, 15)] == [10, 4]
