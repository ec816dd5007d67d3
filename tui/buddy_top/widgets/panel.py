"""A panel: a thin rounded border with a title at the left of its top edge and a summary at the right.

Textual draws one label to an edge. The top edge is drawn here instead, so that a summary that changes every
second repaints one line, not the panel.
"""

from __future__ import annotations

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.containers import Container
from textual.geometry import Region
from textual.strip import Strip

from buddy_core.safety.text import Plain
from buddy_top.drawing.cells import Cell, Span, cut, width_of
from buddy_top.drawing.inkwidget import InkWidget
from buddy_top.drawing.states import PAST

LEAST_SUMMARY = 8
"""Columns below which a shortened summary says nothing any more."""


class Panel(Container, InkWidget):
    """A container with a border; what is inside brings its own margin of one column."""

    DEFAULT_CSS = """
    Panel {
        width: 1fr;
        height: 1fr;
        border: round $foreground 25%;
    }
    Panel:ansi {
        border: round ansi_bright_black;
    }
    Panel:focus-within {
        border: round $accent;
    }
    """

    def __init__(
        self,
        *children: InkWidget,
        title: Plain | None = None,
        summary: Plain | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(*children, id=id, classes=classes)
        self._title: Cell = () if title is None else (Span(title, "strong"),)
        self._summary: Cell = () if summary is None else (Span(summary, "dim"),)
        self._edge: tuple[tuple[Cell, Cell, bool, int, Color, Color], Strip] | None = None

    def set_title(self, title: Plain | Cell) -> None:
        """Words at the left of the top edge; a name is drawn `strong`, a cell brings its own inks."""
        cell: Cell = title if isinstance(title, tuple) else (Span(title, "strong"),)
        if cell != self._title:
            self._title = cell
            self._refresh_top()

    def set_summary(self, summary: Plain | Cell) -> None:
        """One phrase at the right of the top edge; an empty one leaves the edge plain."""
        cell: Cell = summary if isinstance(summary, tuple) else (Span(summary, "dim"),) if summary else ()
        if cell != self._summary:
            self._summary = cell
            self._refresh_top()

    def notify_style_update(self) -> None:
        """Draw the edge anew in the new inks."""
        self._edge = None
        super().notify_style_update()

    def _refresh_top(self) -> None:
        gutter = self.styles.gutter
        self.refresh(Region(-gutter.left, -gutter.top, self.outer_size.width, 1))

    def render_lines(self, crop: Region) -> list[Strip]:
        """The border and background as Textual draws them, with our own top edge."""
        strips = super().render_lines(crop)
        if crop.y == 0 and strips and self.styles.border_top[0]:
            strips[0] = self._top_edge().crop(crop.x, crop.right)
        return strips

    def _top_edge(self) -> Strip:
        """The edge as it was drawn last, unless anything it is made of has changed."""
        base, background = self.background_colors
        made_of = (
            self._title,
            self._summary,
            self.styles.border_top[0] == "dashed",
            self.outer_size.width,
            base + self.styles.border_top[1],
            background,
        )
        if self._edge is None or self._edge[0] != made_of:
            self._edge = (made_of, self._draw_edge(*made_of[2:]))
        strip = self._edge[1]
        for line_filter in self.get_line_filters():
            strip = strip.apply_filter(line_filter, background)
        return strip

    def _draw_edge(self, past: bool, width: int, color: Color, background: Color) -> Strip:
        line = Style(color=color.rich_color, bgcolor=background.rich_color)
        left, dash, right = ("┏", "╍", "┓") if past else ("╭", "─", "╮")
        mark = (Span(Plain(f"{PAST} "), "warn"),) if past else ()
        title, summary = edge_labels((*mark, *self._title), self._summary, width - 3)
        used = sum(width_of(label) + 2 for label in (title, summary) if label)
        tail = f"{dash}{right}" if summary else right
        stroke = dash * max(width - 2 - len(tail) - used, 0)
        segments = [Segment(f"{left}{dash}", line), *self._label(title), Segment(stroke, line)]
        segments += [*self._label(summary), Segment(tail, line)]
        return Strip(segments).adjust_cell_length(width, line)

    def _label(self, spans: Cell) -> list[Segment]:
        if not spans:
            return []
        blank = Segment(" ", self.ink("value"))
        return [blank, *(Segment(text, self.ink(ink)) for text, ink in spans), blank]


def edge_labels(title: Cell, summary: Cell, room: int) -> tuple[Cell, Cell]:
    """Title and summary cut to `room` columns, with a blank on each side of both and strokes after each.

    The summary gives way down to nothing; the title is only cut once the summary is gone.
    """
    left = room - width_of(title) - 2 - 2 - 2
    summary = cut(summary, left) if left >= min(width_of(summary), LEAST_SUMMARY) else ()
    return cut(title, max(room - 2, 0)), summary
