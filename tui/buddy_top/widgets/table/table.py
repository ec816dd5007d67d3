"""The one table of the monitor: rows with a cursor that is moved by keys and the mouse, or follows the newest row.

The cursor is a key, so it stays on its row when rows come, go or are sorted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from buddy_core.safety.text import Plain
from buddy_top.drawing.cells import text_of
from buddy_top.drawing.ink import Ground
from buddy_top.widgets.table.columns import Column
from buddy_top.widgets.table.keys import find_key
from buddy_top.widgets.table.rows import DrawnRows, Render

__all__ = ["Column", "Table"]


class TableMessage(Message):
    """Something that happened to a table."""

    def __init__(self, table: Table) -> None:
        super().__init__()
        self.table = table

    @property
    def control(self) -> Table:
        """The table, for `@on` selectors."""
        return self.table


class Table(DrawnRows, can_focus=True):
    """Rows by key, with a cursor and marks."""

    DEFAULT_CSS = "Table { height: 1fr; min-height: 2; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "cursor_up", "up", id="table.up", show=False),
        Binding("down,j", "cursor_down", "down", id="table.down", show=False),
        Binding("pageup", "page_up", "page up", id="table.page-up", show=False),
        Binding("pagedown", "page_down", "page down", id="table.page-down", show=False),
        Binding("home,g", "first", "first", id="table.first", show=False),
        Binding("end,G", "last", "last", id="table.last", show=False),
        Binding("enter", "open", "open", id="table.open", show=False),
    ]

    class Highlighted(TableMessage):
        """The cursor came to lie on another row; `key` is None when there are no rows."""

        def __init__(self, table: Table, key: str | None) -> None:
            super().__init__(table)
            self.key = key

        def can_replace(self, message: Message) -> bool:
            """Only where the cursor is now matters, not where it has been."""
            return isinstance(message, Table.Highlighted) and message.table is self.table

    class Opened(TableMessage):
        """Enter was pressed on the row `key`, or it was double-clicked."""

        def __init__(self, table: Table, key: str) -> None:
            super().__init__(table)
            self.key = key

    class HeaderClicked(TableMessage):
        """The title of a sortable column was clicked; `column` is its key."""

        def __init__(self, table: Table, column: str) -> None:
            super().__init__(table)
            self.column = column

    class Scrolled(TableMessage):
        """The wheel or the scroll mark moved the picture; the cursor stayed where it was."""

    class MovedByHand(TableMessage):
        """The cursor was moved by a key or the mouse, and not because rows came or somebody asked for a row."""

    class FollowEnded(TableMessage):
        """The cursor was moved away from the newest row, so the table no longer follows it."""

    def __init__(
        self,
        *columns: Column,
        empty: Plain | None = None,
        newest: Literal["first", "last"] = "first",
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(*columns, empty=empty, id=id, classes=classes)
        self.newest = newest
        self._cursor = 0
        self._cursor_key: str | None = None
        self._follow = False

    # What is shown

    def row_words(self) -> str:
        """What stands in the row under the cursor, whole; empty without rows."""
        if not self.keys:
            return ""
        cells = (text_of(cell).strip() for cell in self.cells_of(self._cursor))
        return "  ".join(words for words in cells if words)

    def set_source(self, keys: Sequence[str], render: Render) -> None:
        """Show these rows; the cursor stays on its key, and only lines in sight that changed are repainted.

        The keys are kept, not copied, and must not change afterwards: give a new sequence instead.
        """
        seen = self.keys[self.top] if self.top < len(self.keys) else None
        self.take_rows(keys, render)
        if self._follow and keys:
            self._cursor = self._newest_index()
        else:
            self._keep_place(seen)
        self._settle()

    # Cursor, marks and follow

    @property
    def cursor_key(self) -> str | None:
        """Key of the row under the cursor; None when there are no rows."""
        return self._cursor_key

    @property
    def cursor_index(self) -> int:
        """Index of the row under the cursor; 0 when there are no rows."""
        return self._cursor

    def move_to(self, where: str | int) -> bool:
        """Put the cursor on a row by key or index (clamped); False when there is no such row."""
        index = find_key(self.keys, where, self._cursor) if isinstance(where, str) else where
        if index is None or not self.keys:
            return False
        self._cursor = min(max(index, 0), len(self.keys) - 1)
        self._settle()
        return True

    def toggle_mark(self) -> None:
        """Mark the row under the cursor, or take its mark away."""
        if self._cursor_key is not None:
            self.marks = self.marks ^ {self._cursor_key}

    @property
    def follow(self) -> bool:
        """True while the cursor sticks to the newest row as rows arrive."""
        return self._follow

    @follow.setter
    def follow(self, follow: bool) -> None:
        self._follow = follow
        if follow and self.keys:
            self.move_to(self._newest_index())

    def _newest_index(self) -> int:
        return 0 if self.newest == "first" else len(self.keys) - 1

    def _keep_place(self, seen: str | None) -> None:
        """Find the cursor's row again, and scroll so that what was in sight stays where it was."""
        before, in_sight = self._cursor, self.top <= self._cursor < self.top + self.page
        if self._cursor_key is not None:
            found = find_key(self.keys, self._cursor_key, before)
            self._cursor = min(before, max(len(self.keys) - 1, 0)) if found is None else found
        if self.top == 0 and self._cursor < self.page:
            return  # At the very top new rows come into sight; nobody wants them hidden above.
        if in_sight:
            self.scroll_quietly(self.top + self._cursor - before)
        elif seen is not None:
            found = find_key(self.keys, seen, self.top)
            self.scroll_quietly(self.top if found is None else found)

    def _settle(self) -> None:
        """After any change of rows or cursor: clamp, say where the cursor is, repaint what differs."""
        self.scroll_quietly(self.top)
        if self.keys and self.page and (self._moved() or self._follow):
            self._bring_into_sight()
        key = self.keys[self._cursor] if self.keys else None
        if key != self._cursor_key:
            self._cursor_key = key
            self.post_message(self.Highlighted(self, key))
        self.repaint_changed()

    def _moved(self) -> bool:
        return self.keys[self._cursor] != self._cursor_key or self._cursor >= self.line_count

    def _bring_into_sight(self) -> None:
        if self._cursor < self.top:
            self.scroll_quietly(self._cursor)
        elif self._cursor >= self.top + self.page:
            self.scroll_quietly(self._cursor - self.page + 1)

    # Moving by hand

    def action_cursor_up(self) -> None:
        """One row up."""
        self._step(-1)

    def action_cursor_down(self) -> None:
        """One row down."""
        self._step(1)

    def action_page_up(self) -> None:
        """A screenful up."""
        self._step(-max(self.page - 1, 1))

    def action_page_down(self) -> None:
        """A screenful down."""
        self._step(max(self.page - 1, 1))

    def action_first(self) -> None:
        """To the first row."""
        self._go(0)

    def action_last(self) -> None:
        """To the last row."""
        self._go(len(self.keys) - 1)

    def action_open(self) -> None:
        """Open the row under the cursor."""
        if self._cursor_key is not None:
            self.post_message(self.Opened(self, self._cursor_key))

    def _step(self, rows: int) -> None:
        self._go(self._cursor + rows)

    def _go(self, index: int) -> None:
        """Move by hand: leaving the newest row ends following it."""
        if not self.keys:
            return
        self.move_to(index)
        self._bring_into_sight()
        self.repaint_changed()
        self.post_message(self.MovedByHand(self))
        if self._follow and self._cursor != self._newest_index():
            self._follow = False
            self.post_message(self.FollowEnded(self))

    def on_click(self, event: events.Click) -> None:
        """Select the clicked row, open it on a double click, or say which title was clicked."""
        offset = event.get_content_offset(self)
        if offset is None or offset.x >= self.size.width - 1:
            return
        if offset.y < self.HEADER_LINES:
            self._click_header(offset.x - 1)
        elif (index := self.top + offset.y - self.HEADER_LINES) < len(self.keys):
            self._go(index)
            if event.chain == 2:
                self.action_open()

    def _click_header(self, x: int) -> None:
        for _, column, start, width in self.placed:
            if start <= x <= start + width and column.sortable:
                self.post_message(self.HeaderClicked(self, column.key))
                return

    # How the cursor looks

    def room_changed(self) -> None:
        """Keep the cursor in sight."""
        if self.keys and self.page:
            self._bring_into_sight()

    def on_focus(self) -> None:
        """The cursor bar becomes bright."""
        self.repaint_changed()

    def on_blur(self) -> None:
        """The cursor bar becomes faint."""
        self.repaint_changed()

    def top_changed(self) -> None:
        """After scrolling by wheel or mark."""
        super().top_changed()
        self.post_message(self.Scrolled(self))

    def ground_of(self, index: int) -> Ground:
        """The cursor bar under its row."""
        if index != self._cursor:
            return "plain"
        return "cursor" if self.has_focus else "resting"
