"""Plain-text tables: aligned by cells, cut where they must be, and narrow enough for the terminal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buddy_core.safety.columns import Column, cells, cut, lay_out

NAMES = Column("name", grows=True)
SIZES = Column("size", right=True)


def test_columns_are_as_wide_as_what_they_hold() -> None:
    assert lay_out([NAMES, SIZES], [("a", "1"), ("long one", "1,000")]) == [
        "name       size",
        "a             1",
        "long one  1,000",
    ]


def test_wide_characters_take_two_cells_and_marks_none() -> None:
    assert cells("日本e\u0301") == 5
    assert lay_out([NAMES, SIZES], [("日本", "1"), ("abcd", "2")], heading=False) == ["日本  1", "abcd  2"]


def test_the_growing_column_is_cut_to_fit_the_terminal() -> None:
    lines = lay_out([NAMES, SIZES], [("x" * 50, "1")], width=40)
    assert lines[1] == "x" * 33 + "…" + "     1"
    assert max(map(cells, lines)) == 40


def test_the_least_important_columns_are_given_up_first() -> None:
    columns = [Column("a"), Column("second", priority=1), Column("third", priority=2), NAMES]
    row = ("a", "second", "third", "n" * 40)
    assert "third" not in lay_out(columns, [row], width=40)[0]
    assert "second" in lay_out(columns, [row], width=40)[0]
    assert lay_out(columns, [row], width=30)[0].split() == ["a", "name"]


def test_columns_that_matter_stay_when_nothing_fits() -> None:
    assert lay_out([Column("a"), Column("b")], [("aaaa", "bbbb")], width=3)[1] == "aaaa  bbbb"


@pytest.mark.parametrize(
    ("text", "limit", "shown"), [("abc", 3, "abc"), ("abcd", 3, "ab…"), ("日本語", 5, "日本…")]
)
def test_cutting_counts_cells(text: str, limit: int, shown: str) -> None:
    assert cut(text, limit) == shown


@given(st.text(max_size=40), st.integers(1, 20))
def test_a_cut_text_never_exceeds_its_cells(text: str, limit: int) -> None:
    assert cells(cut(text, limit)) <= limit


@given(st.lists(st.tuples(st.text(max_size=30), st.integers(0, 10**9)), max_size=6), st.integers(20, 60))
def test_no_line_is_wider_than_the_terminal(rows: list[tuple[str, int]], width: int) -> None:
    lines = lay_out([NAMES, SIZES], [(name, str(size)) for name, size in rows], width=width)
    assert all(cells(line) <= width for line in lines)


def test_without_columns_heads_or_rows_there_is_nothing() -> None:
    assert lay_out([NAMES], [], heading=False) == []
    assert lay_out([NAMES], []) == ["name"]


def test_what_fits_exactly_loses_nothing() -> None:
    extra = Column("extra", priority=1)
    row = ("n" * 10, "12345")
    assert lay_out([NAMES, extra], [row], width=17) == ["name        extra", "nnnnnnnnnn  12345"]
    assert lay_out([NAMES, extra], [row], width=16) == ["name", "nnnnnnnnnn"]


def test_only_the_growing_column_counts_for_less_than_it_holds() -> None:
    wide = Column("wide", priority=1)
    assert lay_out([NAMES, wide], [("n", "w" * 30)], width=32)[1] == "n"
    assert lay_out([NAMES, wide], [("n" * 40, "w")], width=30)[1] == "n" * 23 + "…  w"


def test_the_growing_column_gives_up_no_more_than_it_must_and_keeps_four_cells() -> None:
    first = Column("x", grows=True)
    assert lay_out([first, SIZES], [("abc", "1")], width=9) == ["x    size", "abc     1"]
    assert lay_out([first, SIZES], [("abcdefgh", "1")], width=13) == ["x        size", "abcdef…     1"]
    assert lay_out([first, SIZES], [("abcdefgh", "1")], width=4)[1] == "abc…     1"


def test_a_line_ends_with_its_last_letter_and_begins_where_its_column_does() -> None:
    assert lay_out([SIZES, NAMES], [("1", "a")]) == ["size  name", "   1  a"]
