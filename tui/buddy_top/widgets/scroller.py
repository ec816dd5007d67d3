"""A widget whose lines scroll vertically, drawn line by line, with a thin scroll mark at its right edge.

Textual's `ScrollView` lays out the whole screen each time its number of lines changes, and its scrollbar is
a widget of its own. A list that grows four times a second needs neither: here the number of lines is just
asked for, and what changed is said by line.
"""

from __future__ import annotations

from textual import events
from textual.geometry import Region

from buddy_core.safety.text import Plain
from buddy_top.drawing.cells import Span
from buddy_top.drawing.inkwidget import InkWidget

WHEEL_LINES = 3
"""Lines one notch of the mouse wheel moves."""

_THUMB, _TRACK = Plain("┃"), Plain(" ")


def scroll_sign(thumb: bool) -> Span:
    """What the scroll mark's column shows on a line, with the mark or without."""
    return Span(_THUMB, "rule") if thumb else Span(_TRACK)


class LineScroller(InkWidget):
    """Base of the table and the text view: which line is on top, the wheel, and the scroll mark."""

    HEADER_LINES = 0
    """Lines at the top that do not scroll."""

    line_count = 0
    """Lines there are in all, shown or not; kept by the subclass."""

    _top = 0
    _drag_from: tuple[int, int] | None = None

    @property
    def page(self) -> int:
        """Lines that fit on the widget at once, without the header."""
        return max(self.size.height - self.HEADER_LINES, 0)

    @property
    def top(self) -> int:
        """Index of the first line that is shown."""
        return self._top

    @property
    def max_top(self) -> int:
        """The largest `top` that leaves no blank below the last line."""
        return max(self.line_count - self.page, 0)

    def set_top(self, top: int) -> bool:
        """Scroll so that line `top` is first, as far as there are lines; True if anything moved."""
        top = min(max(top, 0), self.max_top)
        if top == self._top:
            return False
        self._top = top
        self.top_changed()
        self.refresh(Region(0, self.HEADER_LINES, self.size.width, self.page))
        return True

    def top_changed(self) -> None:
        """Called after the picture has scrolled."""

    def reveal(self, line: int) -> bool:
        """Scroll as little as needed to show `line`; True if anything moved."""
        if line < self._top:
            return self.set_top(line)
        return self.set_top(line - self.page + 1) if line >= self._top + self.page else False

    def refresh_row(self, y: int) -> None:
        """Repaint the one line `y` of the widget."""
        self.refresh(Region(0, y, self.size.width, 1))

    def scroll_mark(self, y: int) -> Span:
        """What stands in the last column of line `y` (0 is the first line under the header)."""
        first, size = self._thumb()
        return scroll_sign(first <= y < first + size)

    def _thumb(self) -> tuple[int, int]:
        """Line and height of the scroll mark; height 0 when everything is in sight."""
        page, total = self.page, self.line_count
        if page <= 0 or total <= page:
            return 0, 0
        size = max(page * page // total, 1)
        return round(self._top * (page - size) / (total - page)), size

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Three lines down; at the end the wheel is left to whatever is around."""
        if self.set_top(self._top + WHEEL_LINES):
            event.stop()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Three lines up."""
        if self.set_top(self._top - WHEEL_LINES):
            event.stop()

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Take hold of the scroll mark, or jump to where the bar was pressed."""
        first, size = self._thumb()
        y = event.y - self.HEADER_LINES
        if not size or event.x != self.size.width - 1 or y < 0:
            return
        if not first <= y < first + size:
            self.set_top(round(y / max(self.page - 1, 1) * self.max_top))
        self._drag_from = (y, self._top)
        self.capture_mouse()
        event.stop()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Scroll along with the mark that is held."""
        if self._drag_from is None:
            return
        y, top = self._drag_from
        _, size = self._thumb()
        moved = event.y - self.HEADER_LINES - y
        self.set_top(top + round(moved * self.max_top / max(self.page - size, 1)))
        event.stop()

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """Let go of the scroll mark."""
        if self._drag_from is not None:
            self._drag_from = None
            self.release_mouse()
            event.stop()
