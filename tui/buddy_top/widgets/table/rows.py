"""Rows in columns, drawn line by line: any number of them, of which only lines that look different are repainted.

The rows are not held here: there are their keys, and a function that renders the cells of a row by index, which is
asked for the rows in sight only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from textual.geometry import Region
from textual.strip import Strip

from buddy_core.safety.text import Plain
from buddy_top.drawing.cells import Cell, Span, cut
from buddy_top.drawing.ink import Ground
from buddy_top.widgets.scroller import LineScroller, scroll_sign
from buddy_top.widgets.table.columns import Column, Placed, place_columns
from buddy_top.widgets.table.drawn import DrawnLines
from buddy_top.widgets.table.rowcells import header_spans, row_spans
from buddy_top.widgets.text.matches import match_pattern

Render = Callable[[int], Sequence[Cell]]
"""Row index to one cell for each column, in the order of the columns."""

_MARK, _CURSOR, _BLANK = Plain("•"), Plain("▌"), Plain(" ")


class Shown(NamedTuple):
    """Everything that decides how one line looks: two equal values need no repaint."""

    cells: tuple[Cell, ...] | None
    ground: Ground
    marked: bool
    thumb: bool


class DrawnRows(LineScroller):
    """Rows by key, with marks, a sort arrow and columns that give way when room is short."""

    HEADER_LINES = 1

    def __init__(
        self,
        *columns: Column,
        empty: Plain | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.columns: tuple[Column, ...] = columns
        self._keys: Sequence[str] = ()
        self._render_row: Render = _no_cells
        self._empty: Cell = () if empty is None else (Span(empty, "dim"),)
        self._marks: frozenset[str] = frozenset()
        self._sort: tuple[str | None, bool] = (None, False)
        self._match: re.Pattern[str] | None = None
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

    @property
    def keys(self) -> Sequence[str]:
        """The keys of the rows, as given."""
        return self._keys

    def take_rows(self, keys: Sequence[str], render: Render) -> None:
        """These are the rows from now on; `repaint_changed` shows them."""
        self._keys, self._render_row = keys, render
        self.line_count = len(keys)
        self._cells.clear()

    def cells_of(self, index: int) -> tuple[Cell, ...]:
        """The cells of a row, rendered if they are not known."""
        cells = self._cells.get(index)
        if cells is None:
            if len(self._cells) > 4 * self.page + 100:
                self._cells.clear()
            cells = self._cells[index] = tuple(self._render_row(index))
        return cells

    def rerender(self) -> None:
        """Ask again for the rows in sight (their cells changed, not their keys)."""
        self._cells.clear()
        self.repaint_changed()

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

    @property
    def marks(self) -> frozenset[str]:
        """Keys of the marked rows; assign a new set to change them."""
        return self._marks

    @marks.setter
    def marks(self, keys: Iterable[str]) -> None:
        self._marks = frozenset(keys)
        self.repaint_changed()

    def ground_of(self, index: int) -> Ground:
        """What a row lies on: a cursor bar, where there is one."""
        return "plain"

    # Room

    @property
    def placed(self) -> tuple[Placed, ...]:
        """The columns that have room, with their places."""
        if self._placed is None:
            # One column on either side: the mark or cursor sign, and the scroll mark.
            self._placed = place_columns(self.columns, max(self.size.width - 2, 0))
        return self._placed

    def on_resize(self) -> None:
        """Lay the columns out anew."""
        self._placed = None
        self._cells.clear()
        self.scroll_quietly(self._top)
        self.room_changed()
        self._shown = []
        self.refresh()

    def room_changed(self) -> None:
        """Called when there are more lines or fewer, before they are drawn."""

    def top_changed(self) -> None:
        """After scrolling by wheel or mark: the picture is painted whole, so the record starts anew."""
        self._shown = self._looks(self.page)

    def scroll_quietly(self, top: int) -> None:
        """Scroll without repainting everything: the lines that differ are found afterwards."""
        self._top = min(max(top, 0), self.max_top)

    # Drawing

    def repaint_changed(self) -> None:
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
        return Shown(self.cells_of(index), self.ground_of(index), self._keys[index] in self._marks, thumb)

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
