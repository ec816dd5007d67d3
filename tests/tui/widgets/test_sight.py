"""The rows that are listed, their keys, and the bars that say when they were: no list of a million of anything."""

from __future__ import annotations

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buddy_top.drawing.cells import text_of
from buddy_top.run_view.timeline.sight import AllRows, RowKeys, SomeRows
from buddy_top.widgets.table.bars import moment_bar
from buddy_top.widgets.table.keys import find_key


def test_a_million_keys_are_found_without_being_made() -> None:
    keys = RowKeys(AllRows(1_000_000))
    assert len(keys) == 1_000_000
    assert (keys[0], keys[-1], keys[5:7]) == ("0", "999999", ["5", "6"])
    assert find_key(keys, "765432", near=3) == 765_432
    assert find_key(keys, "1000000", near=3) is None
    assert find_key(keys, "@17", near=3) is None
    with pytest.raises(IndexError):
        keys[1_000_000]


@given(st.sets(st.integers(0, 60), max_size=20), st.integers(0, 25), st.integers(0, 70))
def test_rows_that_match_are_found_by_number_also_while_more_are_found(
    numbers: set[int], count: int, row: int
) -> None:
    found = array("I", sorted(numbers))
    sight = SomeRows(found, count)
    listed = sorted(numbers)[:count]
    assert [sight.row(place) for place in range(len(sight))] == listed
    assert find_key(RowKeys(sight), str(row), 0) == (listed.index(row) if row in listed else None)
    before = [number for number in listed if number <= row]
    assert sight.place(row) == max(len(before) - 1, 0)


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        (0.0, 1.0, "━━━━"),
        (0.0, 0.1, "╸"),
        (0.13, 0.24, "╺"),
        (0.13, 0.5, "╺━"),
        (0.25, 0.6, " ━╸"),
        (0.5, 0.5, "  ·"),
        (0.99, 7.0, "   ╺"),
        (-1.0, 0.2, "━"),
        (float("nan"), 1.0, ""),
    ],
)
def test_a_bar_stands_where_something_was_to_half_a_column(start: float, end: float, words: str) -> None:
    assert text_of(moment_bar(start, end, 4)) == words
