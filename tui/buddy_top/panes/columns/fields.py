"""How a pane's table turns rows into cells and an order: one `Field` a column, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

import msgspec

from buddy_top.drawing.cells import Cell
from buddy_top.widgets.table.table import Column

Row = TypeVar("Row")


class Field(msgspec.Struct, Generic[Row], frozen=True):
    """One column of a pane: where it stands, what it shows and what it sorts by."""

    column: Column
    cell: Callable[[Row, int], Cell]
    """The cell of a row, given the wall time of the picture (for ages)."""
    sort: Callable[[Row], Any]
    """The value to order by; None is unknown and always comes last, whichever way one sorts."""
    descending: bool = True
    """Which way one wants it first: numbers from the top, names from A."""
    moving: Callable[[Row, int], Any] | None = None
    """Stands in for `sort` where the value shown grows with the wall time of the picture."""
    still: bool = False
    """The cell depends on nothing but the row, so that it is made once for each."""

    def value(self, row: Row, now_ms: int) -> Any:  # noqa: ANN401 - whatever can be compared
        """What the row is ordered by in a picture of that time."""
        return self.sort(row) if self.moving is None else self.moving(row, now_ms)

    @property
    def key(self) -> str:
        """The column's key."""
        return self.column.key


class Order(msgspec.Struct, frozen=True):
    """The column a table is sorted by, and whether it runs from the largest down."""

    key: str
    descending: bool


def sort_rows(rows: Sequence[Row], fields: Sequence[Field[Row]], order: Order, now_ms: int = 0) -> list[Row]:
    """`rows` in `order`; stable, with unknown values last. An order nobody has leaves them as they are."""
    field = next((field for field in fields if field.key == order.key), None)
    if field is None:
        return list(rows)
    keyed = [(field.value(row, now_ms), row) for row in rows]
    known = [pair for pair in keyed if pair[0] is not None]
    known.sort(key=lambda pair: pair[0], reverse=order.descending)
    return [row for _, row in known] + [row for value, row in keyed if value is None]


def matching(rows: Sequence[Row], needle: str, text_of: Callable[[Row], str]) -> list[Row]:
    """The rows whose text contains every word of `needle`, whatever the case."""
    words = needle.casefold().split()
    if not words:
        return list(rows)
    return [row for row in rows if all(word in text_of(row).casefold() for word in words)]


def step_order(fields: Sequence[Field[Row]], order: Order, step: int) -> Order:
    """The order by the column `step` columns to the right of the present one, wrapping around."""
    keys = [field.key for field in fields if field.column.sortable]
    at = keys.index(order.key) if order.key in keys else 0
    return order_by(fields, keys[(at + step) % len(keys)])


def order_by(fields: Sequence[Field[Row]], key: str) -> Order:
    """The natural first order by a column."""
    field = next(field for field in fields if field.key == key)
    return Order(key, field.descending)
