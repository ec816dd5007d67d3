"""The one table of the monitor: any number of rows, drawn line by line, repainting only lines that changed.

The table holds no data: it is given the keys of its rows and a function that renders the cells of a row by index,
and asks for the rows in sight only. The cursor is a key, so it stays on its row when rows come, go or are sorted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar, Literal, NamedTuple

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip

from buddy_core.safety.text import Plain
from buddy_top.drawing.cells import Cell, Span, cut, text_of
from buddy_top.drawing.ink import Ground
from buddy_top.widgets.scroller import LineScroller, scroll_sign
from buddy_top.widgets.table.columns import Column, Placed, place_columns
from buddy_top.widgets.table.drawn import DrawnLines
from buddy_top.widgets.table.keys import find_key
from buddy_top.widgets.table.rowcells import header_spans, match_pattern, row_spans

__all__ = ["Column", "Table"]

Render = Callable[[int], Sequence[Cell]]
"""Row index to one cell for each column, in the order of the columns."""

_MARK, _CURSOR, _BLANK = Plain("•"), Plain("▌"), Plain(" ")


class TableMessage(Message):
    """Something that happened to a table."""

    def __init__(self, table: Table) -> None:
        super().__init__()
        self.table = table

    @property
    def control(self) -> Table:
        """The table, for `@on` selectors."""
        return self.table


class Shown(NamedTuple):
    """Everything that decides how one line looks: two equal values need no repaint."""

    cells: tuple[Cell, ...] | None
    ground: Ground
    marked: bool
    thumb: bool


class Table(LineScroller, can_focus=True):
    """Rows by key, with a cursor, marks, a sort arrow and columns that give way when room is short."""

    HEADER_LINES = 1
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
        super().__init__(id=id, classes=classes)
        self.columns: tuple[Column, ...] = columns
        self.newest = newest
        self._keys: Sequence[str] = ()
        self._render_row: Render = _no_cells
        self._empty: Cell = () if empty is None else (Span(empty, "dim"),)
        self._cursor = 0
        self._cursor_key: str | None = None
        self._marks: frozenset[str] = frozenset()
        self._sort: tuple[str | None, bool] = (None, False)
        self._match: re.Pattern[str] | None = None
        self._follow = False
        self._cells: dict[int, tuple[Cell, ...]] = {}
        self._shown: list[Shown] = []
        self._placed: tuple[Placed, ...] | None = None
        self._drawn = DrawnLines[Shown]()

    # What is shown

    def set_columns(self, columns: Iterable[Column]) -> None:
        """Show these columns from now on."""
        self.columns = tuple(columns)
        self._placed = None
        self.refresh()

    def width_of(self, key: str) -> int:
        """Columns of the screen that a column has now; 0 where it is not shown. Rows may be rendered by it."""
        return next((placed.width for placed in self.placed if placed.column.key == key), 0)

    def row_words(self) -> str:
        """What stands in the row under the cursor, whole; empty without rows."""
        if not self._keys:
            return ""
        cells = (text_of(cell).strip() for cell in self._row(self._cursor))
        return "  ".join(words for words in cells if words)

    def set_source(self, keys: Sequence[str], render: Render) -> None:
        """Show these rows; the cursor stays on its key, and only lines in sight that changed are repainted.

        The keys are kept, not copied, and must not change afterwards: give a new sequence instead.
        """
        seen = self._keys[self._top] if self._top < len(self._keys) else None
        self._keys, self._render_row = keys, render
        self.line_count = len(keys)
        self._cells.clear()
        if self._follow and keys:
            self._cursor = self._newest_index()
        else:
            self._keep_place(seen)
        self._settle()

    def rerender(self) -> None:
        """Ask again for the rows in sight (their cells changed, not their keys)."""
        self._cells.clear()
        self._repaint_changed()

    def set_sort(self, key: str | None, reverse: bool = False) -> None:
        """Show the sort arrow on this column; ordering the keys is the source's work."""
        if (key, reverse) != self._sort:
            self._sort = (key, reverse)
            self.refresh_row(0)

    def set_empty(self, words: Plain) -> None:
        """The sentence shown in place of rows when there are none."""
        empty: Cell = (Span(words, "dim"),)
        if empty != self._empty:
            self._empty = empty
            if not self._keys:
                self.refresh_row(self.HEADER_LINES)

    def highlight_matches(self, text: str, *, each_word: bool = False) -> None:
        """Mark every occurrence of `text`, or of its words, in either case; an empty text marks nothing."""
        self._match = match_pattern(text, each_word=each_word)
        self.refresh()

    # Cursor, marks and follow

    @property
    def keys(self) -> Sequence[str]:
        """The keys of the rows, as given."""
        return self._keys

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
        index = find_key(self._keys, where, self._cursor) if isinstance(where, str) else where
        if index is None or not self._keys:
            return False
        self._cursor = min(max(index, 0), len(self._keys) - 1)
        self._settle()
        return True

    @property
    def marks(self) -> frozenset[str]:
        """Keys of the marked rows; assign a new set to change them."""
        return self._marks

    @marks.setter
    def marks(self, keys: Iterable[str]) -> None:
        self._marks = frozenset(keys)
        self._repaint_changed()

    def toggle_mark(self) -> None:
        """Mark the row under the cursor, or take its mark away."""
        if self._cursor_key is not None:
            self.marks = self._marks ^ {self._cursor_key}

    @property
    def follow(self) -> bool:
        """True while the cursor sticks to the newest row as rows arrive."""
        return self._follow

    @follow.setter
    def follow(self, follow: bool) -> None:
        self._follow = follow
        if follow and self._keys:
            self.move_to(self._newest_index())

    def _newest_index(self) -> int:
        return 0 if self.newest == "first" else len(self._keys) - 1

    def _keep_place(self, seen: str | None) -> None:
        """Find the cursor's row again, and scroll so that what was in sight stays where it was."""
        before, in_sight = self._cursor, self._top <= self._cursor < self._top + self.page
        if self._cursor_key is not None:
            found = find_key(self._keys, self._cursor_key, before)
            self._cursor = min(before, max(len(self._keys) - 1, 0)) if found is None else found
        if self._top == 0 and self._cursor < self.page:
            return  # At the very top new rows come into sight; nobody wants them hidden above.
        if in_sight:
            self._scroll_quietly(self._top + self._cursor - before)
        elif seen is not None:
            found = find_key(self._keys, seen, self._top)
            self._scroll_quietly(self._top if found is None else found)

    def _scroll_quietly(self, top: int) -> None:
        """Scroll without repainting everything: the lines that differ are found afterwards."""
        self._top = min(max(top, 0), self.max_top)

    def _settle(self) -> None:
        """After any change of rows or cursor: clamp, say where the cursor is, repaint what differs."""
        self._top = min(max(self._top, 0), self.max_top)
        if self._keys and self.page and (self._moved() or self._follow):
            self._bring_into_sight()
        key = self._keys[self._cursor] if self._keys else None
        if key != self._cursor_key:
            self._cursor_key = key
            self.post_message(self.Highlighted(self, key))
        self._repaint_changed()

    def _moved(self) -> bool:
        return self._keys[self._cursor] != self._cursor_key or self._cursor >= self.line_count

    def _bring_into_sight(self) -> None:
        if self._cursor < self._top:
            self._scroll_quietly(self._cursor)
        elif self._cursor >= self._top + self.page:
            self._scroll_quietly(self._cursor - self.page + 1)

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
        self._go(len(self._keys) - 1)

    def action_open(self) -> None:
        """Open the row under the cursor."""
        if self._cursor_key is not None:
            self.post_message(self.Opened(self, self._cursor_key))

    def _step(self, rows: int) -> None:
        self._go(self._cursor + rows)

    def _go(self, index: int) -> None:
        """Move by hand: leaving the newest row ends following it."""
        if not self._keys:
            return
        self.move_to(index)
        self._bring_into_sight()
        self._repaint_changed()
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
        elif (index := self._top + offset.y - self.HEADER_LINES) < len(self._keys):
            self._go(index)
            if event.chain == 2:
                self.action_open()

    def _click_header(self, x: int) -> None:
        for _, column, start, width in self.placed:
            if start <= x <= start + width and column.sortable:
                self.post_message(self.HeaderClicked(self, column.key))
                return

    # Drawing

    @property
    def placed(self) -> tuple[Placed, ...]:
        """The columns that have room, with their places."""
        if self._placed is None:
            # One column on either side: the mark or cursor sign, and the scroll mark.
            self._placed = place_columns(self.columns, max(self.size.width - 2, 0))
        return self._placed

    def on_resize(self) -> None:
        """Lay the columns out anew and keep the cursor in sight."""
        self._placed = None
        self._cells.clear()
        self._top = min(self._top, self.max_top)
        if self._keys and self.page:
            self._bring_into_sight()
        self._shown = []
        self.refresh()

    def on_focus(self) -> None:
        """The cursor bar becomes bright."""
        self._repaint_changed()

    def on_blur(self) -> None:
        """The cursor bar becomes faint."""
        self._repaint_changed()

    def top_changed(self) -> None:
        """After scrolling by wheel or mark: the picture is painted whole, so the record starts anew."""
        self._shown = self._looks(self.page)
        self.post_message(self.Scrolled(self))

    def _repaint_changed(self) -> None:
        """Refresh the lines that look different from what was last asked for."""
        page = self.page
        if not page or not self.is_mounted:
            return
        looks = self._looks(page)
        if len(looks) != len(self._shown):
            self.refresh()
        else:
            pairs = enumerate(zip(looks, self._shown, strict=True))
            changed = [y for y, (look, before) in pairs if look != before]
            if changed:
                width = self.size.width
                self.refresh(*(Region(0, y + self.HEADER_LINES, width, 1) for y in changed))
        self._shown = looks

    def _looks(self, page: int) -> list[Shown]:
        """How every row in sight should look now."""
        self._drawn.fit(page)
        first, size = self._thumb()
        return [self._look(y, first <= y < first + size) for y in range(page)]

    def _look(self, y: int, thumb: bool) -> Shown:
        """How the row on line `y` should look now; `thumb`: the scroll mark stands there."""
        index = self._top + y
        if index >= len(self._keys):
            return Shown(None, "plain", False, thumb)
        return Shown(self._row(index), self._ground(index), self._keys[index] in self._marks, thumb)

    def _ground(self, index: int) -> Ground:
        if index != self._cursor:
            return "plain"
        return "cursor" if self.has_focus else "resting"

    def _row(self, index: int) -> tuple[Cell, ...]:
        cells = self._cells.get(index)
        if cells is None:
            if len(self._cells) > 4 * self.page + 100:
                self._cells.clear()
            cells = self._cells[index] = tuple(self._render_row(index))
        return cells

    def render_line(self, y: int) -> Strip:
        """Draw one line: the header, a row, or blank."""
        width = self.size.width
        if y < self.HEADER_LINES:
            return self.strip(header_spans(self.placed, *self._sort), width)
        index = self._top + y - self.HEADER_LINES
        if index >= len(self._keys):
            return self._blank_line(y, width)
        first, size = self._thumb()
        line = y - self.HEADER_LINES
        look = self._look(line, first <= line < first + size)
        return self._drawn.line(look, (self.palette, self.placed, self._match, width), self._draw)

    def _draw(self, look: Shown) -> Strip:
        """Draw a row from nothing but its look."""
        ground, width = look.ground, self.size.width
        bar = Span(_CURSOR if ground != "plain" else _BLANK, "accent")
        sign = Span(_MARK, "warn") if look.marked else bar
        line = self.strip([sign, *row_spans(look.cells or (), self.placed, self._match)], width - 1, ground)
        return Strip([*line, *self.segments([scroll_sign(look.thumb)], ground)], width)

    def _blank_line(self, y: int, width: int) -> Strip:
        if self._keys or y != self.HEADER_LINES:
            return self.strip((), width)
        return self.strip([Span(_BLANK), *cut(self._empty, width - 2)], width)


def _no_cells(_index: int) -> Sequence[Cell]:
    return ()
