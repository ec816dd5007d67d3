"""How rows are filtered and ordered: pure functions that every table shares."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buddy_core.safety.text import Plain
from buddy_top.drawing.cells import literal
from buddy_top.panes.columns.fields import Field, Order, matching, order_by, sort_rows, step_order
from buddy_top.widgets.table.table import Column

Pair = tuple[str, int | None]

FIELDS: tuple[Field[Pair], ...] = (
    Field(Column("name", Plain("name"), 8), lambda r, _: literal(r[0]), lambda r: r[0].casefold(), False),
    Field(Column("mark", Plain(""), 1, sortable=False), lambda r, _: (), lambda r: 0),
    Field(Column("cost", Plain("cost"), 8), lambda r, _: (), lambda r: r[1]),
)
ROWS: list[Pair] = [("b", 2), ("a", None), ("C", 10), ("d", 2)]


def names(rows: list[Pair]) -> str:
    return "".join(name for name, _ in rows)


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (Order("cost", True), "Cbda"),
        (Order("cost", False), "bdCa"),
        (Order("name", False), "abCd"),
        (Order("name", True), "dCba"),
        (Order("nobody has this", True), "baCd"),
    ],
)
def test_rows_are_ordered_with_unknown_values_last_whichever_way(order: Order, expected: str) -> None:
    assert names(sort_rows(ROWS, FIELDS, order)) == expected


@given(st.lists(st.tuples(st.text(max_size=2), st.none() | st.integers(0, 3))), st.booleans())
def test_ordering_is_stable_and_loses_nothing(rows: list[Pair], descending: bool) -> None:
    ordered = sort_rows(rows, FIELDS, Order("cost", descending))
    assert sorted(map(repr, ordered)) == sorted(map(repr, rows))
    for value in (None, 0, 1, 2, 3):
        assert [row for row in ordered if row[1] == value] == [row for row in rows if row[1] == value]


def test_every_word_must_occur_in_any_order_and_case() -> None:
    texts = ["Fix the Flaky login", "login page", "flaky test"]
    assert matching(texts, "LOGIN flaky", str) == ["Fix the Flaky login"]
    assert matching(texts, "  ", str) == texts
    assert matching(texts, "nothing", str) == []
    assert matching(["straße"], "STRASSE", str) == ["straße"]


def test_the_neighbouring_column_skips_those_that_cannot_be_sorted_and_goes_round() -> None:
    assert step_order(FIELDS, Order("name", False), 1) == Order("cost", True)
    assert step_order(FIELDS, Order("cost", True), 1) == Order("name", False)
    assert step_order(FIELDS, Order("name", True), -1) == Order("cost", True)


def test_a_column_begins_with_the_order_one_wants_first() -> None:
    assert order_by(FIELDS, "name") == Order("name", False)
    assert order_by(FIELDS, "cost") == Order("cost", True)
