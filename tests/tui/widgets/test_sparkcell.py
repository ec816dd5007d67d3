"""The line of bars in a table's cell: one column a slice, never more, never less, and calm."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from buddy_core.safety.ascii import to_ascii
from buddy_top.drawing.cells import text_of, width_of
from buddy_top.widgets.table.sparkcell import spark_cell

numbers = st.lists(st.none() | st.floats(allow_nan=True, allow_infinity=True, min_value=None), max_size=40)


@given(numbers, numbers, st.integers(1, 30))
def test_a_cell_has_its_width_whatever_the_values(
    values: list[float | None], failures: list[float | None], width: int
) -> None:
    assert width_of(spark_cell(values, width, failures=failures)) == width


def test_the_newest_value_stands_at_the_right_edge_and_each_has_a_column() -> None:
    assert text_of(spark_cell([0, 1, 7, None], 6)) == "  _▁▇ "


def test_a_full_bar_leaves_room_below_the_row_above() -> None:
    assert text_of(spark_cell([5.0], 1)) == "▇"
    assert text_of(spark_cell([50.0], 1, scale=5.0)) == "▇"


def test_rows_may_share_a_scale() -> None:
    assert text_of(spark_cell([1.0, 8.0], 2, scale=80.0)) == "▁▁"


def test_more_values_than_columns_are_added_up() -> None:
    assert text_of(spark_cell([1, 1, 3, 4, 0, 0], 3)) == "▂▇_"


def test_only_bars_of_which_a_tenth_failed_are_coloured() -> None:
    cell = spark_cell([100, 100, 1, 0], 4, failures=[9, 10, 1, 0])
    assert [(span.text, span.ink) for span in cell] == [
        ("▇", "accent"),
        ("▇▁", "bad"),
        ("_", "track"),
    ]
    assert {span.ink for span in spark_cell([3, 4], 2, ink="bad")} == {"bad"}


def test_without_utf8_nothing_still_differs_from_a_little() -> None:
    assert to_ascii(text_of(spark_cell([0, 1, 100], 3))) == "_.%"
