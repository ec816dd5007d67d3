"""A menu of the columns one can sort by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from buddy_core.safety.text import Plain, plain
from buddy_top.cells import Cell, Span
from buddy_top.panes.fields import Field, Order
from buddy_top.widgets.panel import Panel
from buddy_top.widgets.table import Column, Table


class SortMenu(ModalScreen[str | None]):
    """Answers with the key of the chosen column, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,s", "dismiss(None)", "back", show=False)]

    def __init__(self, fields: Sequence[Field[Any]], order: Order) -> None:
        super().__init__()
        self._fields = [field for field in fields if field.column.sortable]
        self._order = order

    def compose(self) -> ComposeResult:
        """One row for each column, the present one under the cursor."""
        with Panel(classes="menu") as panel:
            panel.set_title(Plain("Sort by"))
            self.table = Table(
                Column("name", Plain(""), 20, grow=1),
                Column("order", Plain(""), 12, align="right", sortable=False),
            )
            yield self.table

    def on_mount(self) -> None:
        """Fill it and put the cursor on the column in force."""
        self.table.styles.height = len(self._fields) + 1
        self.table.set_source([field.key for field in self._fields], self._render_row)
        self.table.move_to(self._order.key)
        self.table.focus()

    def _render_row(self, index: int) -> tuple[Cell, ...]:
        field = self._fields[index]
        present = field.key == self._order.key
        way = ("descending ▾" if self._order.descending else "ascending ▴") if present else ""
        return (Span(field.column.title or plain(field.key), "strong" if present else "value"),), (
            Span(Plain(way), "dim"),
        )

    def on_table_opened(self, event: Table.Opened) -> None:
        """Choose."""
        event.stop()
        self.dismiss(event.key)
