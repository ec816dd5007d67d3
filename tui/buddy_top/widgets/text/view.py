"""A scrolling view of inked lines, wrapped to the width: details, errors, artifacts, help."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.selection import Selection
from textual.strip import Strip

from buddy_top.drawing.cells import Cell, cut, text_of
from buddy_top.widgets.scroller import LineScroller
from buddy_top.widgets.text.matches import marked, match_pattern
from buddy_top.widgets.text.wrap import wrap

MARGINS = 2
"""Columns of a text beside its lines: a blank before them, the bar behind them."""


class TextView(LineScroller, can_focus=True):
    """Lines of spans. New lines that equal the old ones repaint nothing, and the place read is kept."""

    ALLOW_SELECT = True
    DEFAULT_CSS = "TextView { height: 1fr; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "line_up", "up", id="text.up", show=False),
        Binding("down,j", "line_down", "down", id="text.down", show=False),
        Binding("pageup", "page_up", "page up", id="text.page-up", show=False),
        Binding("pagedown,space", "page_down", "page down", id="text.page-down", show=False),
        Binding("home,g", "first", "first", id="text.first", show=False),
        Binding("end,G", "last", "last", id="text.last", show=False),
    ]

    def __init__(self, *, wrapped: bool = True, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._wrapped = wrapped
        self._source: Sequence[Cell] = ()
        self._lines: list[Cell] = []
        self._starts: list[int] = []
        self._match: re.Pattern[str] | None = None

    def set_lines(self, lines: Iterable[Cell], *, keep_scroll: bool = True) -> None:
        """Show these lines; `keep_scroll` stays at the line that was on top, else the view begins anew."""
        new = list(lines)
        if new == self._source and keep_scroll:
            return
        self._source = new
        before = self._visible()
        self._wrap()
        self._top = min(self._top, self.max_top) if keep_scroll else 0
        for y, (line, old) in enumerate(zip(self._visible(), before, strict=True)):
            if line != old:
                self.refresh_row(y)

    def words(self) -> str:
        """The whole text, line by line as it was given."""
        return "\n".join(text_of(line) for line in self._source)

    @property
    def wrapped(self) -> bool:
        """True when long lines go on below; False when they are cut."""
        return self._wrapped

    @wrapped.setter
    def wrapped(self, wrapped: bool) -> None:
        self._wrapped = wrapped
        self._wrap()
        self._top = min(self._top, self.max_top)
        self.refresh()

    def highlight_matches(self, text: str, *, each_word: bool = False) -> int:
        """Mark `text`, or its words, in either case wherever it occurs; answers in how many source lines."""
        self._match = match_pattern(text, each_word=each_word)
        self.refresh()
        return len(self.matching_lines())

    def next_match(self, step: int = 1) -> bool:
        """Scroll to the next (-1: the previous) line with a match, going round at the end; False without any."""
        found = [self._starts[index] for index in self.matching_lines()]
        if not found:
            return False
        later = [line for line in found if line > self.top]
        earlier = [line for line in found if line < self.top]
        self.set_top((later or found)[0] if step > 0 else (earlier or found)[-1])
        return True

    def matching_lines(self) -> list[int]:
        """The source lines in which what is marked occurs."""
        match = self._match
        if match is None:
            return []
        return [index for index, line in enumerate(self._source) if match.search(text_of(line))]

    def _visible(self) -> list[tuple[Cell, str]]:
        """What stands on each line of the widget now."""
        return [(self._line(y), self.scroll_mark(y).text) for y in range(self.page)]

    def _line(self, y: int) -> Cell:
        index = self._top + y
        return self._lines[index] if index < len(self._lines) else ()

    def _wrap(self) -> None:
        """Wrap all lines to the width, and remember on which line each source line begins."""
        width = max(self.size.width - MARGINS, 1)
        self._lines, self._starts = [], []
        for line in self._source:
            self._starts.append(len(self._lines))
            self._lines += wrap(line, width) if self._wrapped else [cut(line, width)]
        self.line_count = len(self._lines)

    def on_resize(self) -> None:
        """Wrap to the new width; the source line on top stays on top."""
        first = max((i for i, start in enumerate(self._starts) if start <= self._top), default=0)
        self._wrap()
        start = self._starts[first] if self._top and first < len(self._starts) else 0
        self._top = min(start, self.max_top)
        self.refresh()

    def action_line_up(self) -> None:
        """One line up."""
        self.set_top(self.top - 1)

    def action_line_down(self) -> None:
        """One line down."""
        self.set_top(self.top + 1)

    def action_page_up(self) -> None:
        """A screenful up."""
        self.set_top(self.top - max(self.page - 1, 1))

    def action_page_down(self) -> None:
        """A screenful down."""
        self.set_top(self.top + max(self.page - 1, 1))

    def action_first(self) -> None:
        """To the beginning."""
        self.set_top(0)

    def action_last(self) -> None:
        """To the end."""
        self.set_top(self.max_top)

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The words between two places, line by line as they are shown."""
        try:
            return selection.extract("\n".join(text_of(line) for line in self._lines)), "\n"
        except IndexError:
            return None  # The lines have become fewer since they were selected.

    def render_line(self, y: int) -> Strip:
        """Draw one line with a margin on the left and the scroll mark on the right."""
        index, width = self._top + y, self.size.width
        line = self._line(y)
        if self._match is not None:
            line = tuple(marked(line, self._match))
        body = self._with_selection(self.strip(line, width - 2), index).apply_offsets(0, index)
        return Strip.join([self.strip((), 1), body, self.strip([self.scroll_mark(y)], 1)])

    def _with_selection(self, strip: Strip, index: int) -> Strip:
        """The line with the part that is selected with the mouse in the selection's colours."""
        span = self.text_selection.get_span(index) if self.text_selection is not None else None
        if span is None or index >= len(self._lines):
            return strip
        text = text_of(self._lines[index])
        start, end = (cell_len(text[: offset if offset >= 0 else None]) for offset in span)
        if start >= end:
            return strip
        style = self.screen.get_component_rich_style("screen--selection")
        before, inside, after = (strip.crop(*part) for part in ((0, start), (start, end), (end, None)))
        selected = [Segment(text, (old or style) + style) for text, old, _ in inside]
        return Strip.join([before, Strip(selected, inside.cell_length), after])
