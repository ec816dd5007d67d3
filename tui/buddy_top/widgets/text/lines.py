"""A fixed number of lines of inked text: headings, names of views, cards."""

from __future__ import annotations

from collections.abc import Sequence

from textual.strip import Strip

from buddy_top.drawing.cells import Cell, cut
from buddy_top.drawing.inkwidget import InkWidget


class Lines(InkWidget):
    """As many lines as it was made for; only those that changed are repainted."""

    DEFAULT_CSS = "Lines { width: 1fr; }"

    def __init__(self, height: int, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.styles.height = height
        self._lines: tuple[Cell, ...] = ()

    def set_lines(self, lines: Sequence[Cell]) -> None:
        """Show these lines; missing ones are blank."""
        new = tuple(lines)
        if new != self._lines:
            self._lines = new
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """One line, cut to the width."""
        width = self.size.width
        line = self._lines[y] if y < len(self._lines) else ()
        return self.strip(cut(line, width), width)
