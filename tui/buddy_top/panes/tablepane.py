"""A pane around one table: its rows filtered, ordered and handed over, with a cursor that stays on its row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Generic

from textual import on
from textual.widget import Widget

from buddy_core.safety.text import Plain
from buddy_top.drawing.cells import Cell, text_of
from buddy_top.messages import WantsChanged
from buddy_top.panes.base import Pane
from buddy_top.panes.columns.fields import Field, Order, Row, matching, order_by, sort_rows, step_order
from buddy_top.panes.columns.still import RowCells
from buddy_top.panes.room import fit_panel
from buddy_top.panes.words import no_match
from buddy_top.state import Snapshot
from buddy_top.widgets.panel import Panel
from buddy_top.widgets.table.table import Table
from buddy_top.widgets.text.view import TextView

if TYPE_CHECKING:
    from buddy_core.metrics.looking.model import Trend
    from buddy_core.origins.model import Origin
    from buddy_top.commands import Need
    from buddy_top.export.documents import Document
    from buddy_top.export.sheet import Sheet


class TablePane(Pane, Generic[Row]):
    """A pane around one table: filter, order and cursor in one place for all of them."""

    FIELDS: ClassVar[Sequence[Field]]  # type: ignore[type-arg]  # each pane knows its own row type
    ORDER: ClassVar[Order]
    DETAIL_BELOW: ClassVar[bool] = True
    """The list takes the lines it needs and leaves the others to the detail below it."""
    LIST_PART: ClassVar[float] = 0.5
    """Of the lines of the pane the list takes at most so many."""

    panel: Panel
    """Around the table; made when the pane is composed."""

    def __init__(self) -> None:
        super().__init__(id=self.TAB.value)
        self.fields: Sequence[Field] = self.FIELDS  # type: ignore[type-arg]
        self.order = self.ORDER
        self.table = Table(id=f"{self.TAB.value}-table")
        self._filter = ""
        self._snapshot: Snapshot | None = None
        self._rows: list[Row] = []
        self._cells = RowCells[Row]()
        self._total = 0

    def rows_of(self, snapshot: Snapshot) -> Sequence[Row]:
        """The rows of the snapshot this pane lists."""
        raise TypeError(f"{type(self).__name__} must say which rows it lists")

    def key_of(self, row: Row) -> str:
        """What identifies a row from one snapshot to the next."""
        raise TypeError(f"{type(self).__name__} must say what identifies a row")

    def text_of(self, row: Row) -> str:
        """The text a filter looks at."""
        return self.key_of(row)

    def name_of(self, row: Row) -> str:
        """What is copied of a row: what one would paste into a search."""
        return self.key_of(row)

    def trend_of(self, row: Row) -> Trend | None:
        """How it went over the window; None unless the snapshot has it, which `wants` must ask for."""
        return self._snapshot.trends.get(self.key_of(row)) if self._snapshot is not None else None

    def origin_of(self, row: Row, snapshot: Snapshot) -> Origin:
        """Where the numbers of a row come from."""
        raise TypeError(f"{type(self).__name__} must say where its numbers come from")

    def origins(self, snapshot: Snapshot, focused: Widget | None) -> list[Origin]:
        """Those of the row under the cursor, and those of everything."""
        row, rest = self.selected, super().origins(snapshot, focused)
        return rest if row is None else [self.origin_of(row, snapshot), *rest]

    def record_of(self, row: Row) -> Document:
        """A row under the names of the library's types."""
        from buddy_core.runs.viewing.entries import fields_of

        return fields_of(row)

    def empty_words(self, snapshot: Snapshot) -> Plain:
        """The sentence shown where there is no row."""
        return Plain("nothing here")

    def failing(self, row: Row) -> bool:
        """True for a row that tells of something that failed."""
        return False

    def reorder(self, rows: list[Row]) -> list[Row]:
        """Last say over the order, after sorting: a tree, for example."""
        return rows

    def show_more(self, snapshot: Snapshot) -> None:
        """Draw what stands beside or below the table."""

    def on_mount(self) -> None:
        """Tell the table its columns."""
        self.table.set_columns([field.column for field in self.fields])
        self.table.set_sort(self.order.key, self.order.descending)

    def on_resize(self) -> None:
        """Share the new height."""
        self.fit_height(len(self._rows))

    def show(self, snapshot: Snapshot) -> None:
        """Filter, order and hand over the rows; the table repaints only what differs."""
        self._snapshot = snapshot
        self._total = len(self.rows_of(snapshot))
        self._rows = self.arranged(snapshot)
        hidden = bool(self._total) and bool(self._filter)
        self.table.set_empty(no_match(self._filter) if hidden else self.empty_words(snapshot))
        self.table.set_source([self.key_of(row) for row in self._rows], self._render_row)
        self.fit_height(len(self._rows))
        self.show_more(snapshot)

    def arranged(self, snapshot: Snapshot) -> list[Row]:
        """The rows as they are listed: those that match, in their order."""
        found = matching(self.rows_of(snapshot), self._filter, self.text_of)
        return self.reorder(sort_rows(found, self.fields, self.order, snapshot.taken_at))

    def fit_height(self, rows: int) -> None:
        """A short list leaves its room to what stands below it."""
        if self.DETAIL_BELOW:
            fit_panel(self.panel, rows, self.size.height, self.LIST_PART)

    def _render_row(self, index: int) -> list[Cell]:
        return self._row_cells(self._rows[index])

    def _row_cells(self, row: Row) -> list[Cell]:
        """One cell for each field."""
        now = self._snapshot.taken_at if self._snapshot is not None else 0
        return self._cells.of(row, self.key_of(row), self.fields, now)

    def sheet(self) -> Sheet | None:
        """The rows as they are listed."""
        return self.sheet_of(self._rows)

    def sheet_of(self, rows: Sequence[Row]) -> Sheet:
        """These rows under the titles of the columns, and whole under the names of the library's types."""
        from buddy_top.export.sheet import Sheet

        now = self._snapshot.taken_at if self._snapshot is not None else 0
        return Sheet(
            title=self.TAB.value,
            columns=[field.column.title or field.key for field in self.fields],
            lines=[[text_of(field.cell(row, now)) for field in self.fields] for row in rows],
            records=[self.record_of(row) for row in rows],
        )

    def copied(self, focused: Widget | None, *, whole: bool) -> str:
        """The name, or the record as JSON, of the row under the cursor; elsewhere what has the keyboard."""
        row = self.selected
        if focused is not self.table or row is None:
            return super().copied(focused, whole=whole)
        if not whole:
            return self.name_of(row)
        from buddy_top.export.sheet import one_record

        return one_record(self.record_of(row))

    @property
    def selected(self) -> Row | None:
        """The row under the cursor."""
        key = self.table.cursor_key
        return next((row for row in self._rows if self.key_of(row) == key), None)

    @property
    def filter_text(self) -> str:
        """What the rows are filtered by."""
        return self._filter

    def set_filter(self, text: str) -> None:
        """Filter, at once; what is left shows why."""
        self._filter = text
        self.table.highlight_matches(text, each_word=True)
        self.redraw()

    def set_order(self, order: Order) -> None:
        """Sort by another column or the other way round; the cursor stays on its row."""
        if order != self.order:
            self.table.follow = False  # the newest row may be anywhere now
        self.order = order
        self.table.set_sort(order.key, order.descending)
        self.redraw()

    def chosen_order(self) -> tuple[str, bool] | None:
        """The order, where it is not the natural one."""
        return (self.order.key, self.order.descending) if self.order != self.ORDER else None

    def restore_order(self, order: tuple[str, bool] | None) -> None:
        """Before the table is made: take the order, if the column still is one to sort by."""
        keys = {field.key for field in self.fields if field.column.sortable}
        if order is not None and order[0] in keys:
            self.order = Order(*order)

    def sort_by(self, key: str) -> None:
        """Sort by a column; the same one again reverses."""
        if key == self.order.key:
            self.sort_reverse()
        else:
            self.set_order(order_by(self.fields, key))

    def sort_step(self, step: int) -> None:
        """Sort by the column `step` to the right."""
        self.set_order(step_order(self.fields, self.order, step))

    def sort_reverse(self) -> None:
        """The same column, the other way round."""
        self.set_order(Order(self.order.key, not self.order.descending))

    def redraw(self) -> None:
        """Show the last snapshot again, after a change of filter or order."""
        if self._snapshot is not None:
            self.show(self._snapshot)

    def focus_main(self) -> None:
        """Focus the table, at once: asked for, it would take the keyboard from a filter that is opened meanwhile."""
        self.screen.set_focus(self.table)

    @property
    def there(self) -> frozenset[Need]:
        """A filter, rows that failed, numbers as soon as there is a run."""
        there: set[Need] = {"failures"} if any(map(self.failing, self._rows)) else set()
        if self._snapshot is not None and self._snapshot.runs:
            there.add("numbers")
        return super().there | there

    def jump_error(self, step: int) -> bool:
        """From the row under the cursor, wherever the keyboard is: so that one can read on and on."""
        at = self.table.cursor_index
        order = range(at + 1, len(self._rows)) if step > 0 else range(at - 1, -1, -1)
        found = next((index for index in order if self.failing(self._rows[index])), None)
        return found is not None and self._go_to(found)

    def jump_match(self, focused: Widget | None, step: int) -> bool:
        """In a text to its next match; else to the next row, for only rows that match are listed."""
        if isinstance(focused, TextView):
            return super().jump_match(focused, step)
        rows = len(self.table.keys)
        return rows > 0 and self._go_to((self.table.cursor_index + step) % rows)

    def _go_to(self, index: int) -> bool:
        self.table.follow = False
        return self.table.move_to(index)

    def toggle_follow(self) -> bool:
        """Keep the cursor on the newest row, which is the first in the natural order."""
        if not self.table.follow:
            self.set_order(self.ORDER)
        self.table.follow = not self.table.follow
        return self.table.follow

    def reveal(self, key: str) -> None:
        """Put the cursor on a row, dropping a filter that hides it."""
        if self._filter and key not in {self.key_of(row) for row in self._rows}:
            self.set_filter("")
        self.table.follow = False
        self.table.move_to(key)

    @on(Table.Highlighted)
    def _follow_cursor(self, event: Table.Highlighted) -> None:
        if event.table is self.table:
            self.post_message(WantsChanged())

    @on(Table.HeaderClicked)
    def _sort_by_click(self, event: Table.HeaderClicked) -> None:
        if event.table is self.table:
            self.sort_by(event.column)
