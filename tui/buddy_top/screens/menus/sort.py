"""A menu of the columns one can sort by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from buddy_core.safety.text import Plain, plain
from buddy_top.panes.columns.fields import Field, Order
from buddy_top.screens.menus.menu import Choice, Menu


class SortMenu(Menu):
    """Answers with the key of the chosen column, or None."""

    def __init__(self, fields: Sequence[Field[Any]], order: Order) -> None:
        way = Plain("descending ▾" if order.descending else "ascending ▴")
        super().__init__(
            Plain("Sort by"),
            [
                Choice(
                    field.key,
                    field.column.title or plain(field.key),
                    way if field.key == order.key else Plain(""),
                    field.key == order.key,
                )
                for field in fields
                if field.column.sortable
            ],
        )
