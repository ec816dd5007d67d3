"""A tile: one big number, its rate, and a sparkline of how it came about."""

from __future__ import annotations

import msgspec
from textual.geometry import Region
from textual.strip import Strip

from buddy_core.safety.text import Plain
from buddy_top.drawing.cells import Cell, Span, cut, fit, spread, width_of
from buddy_top.drawing.inkwidget import InkWidget
from buddy_top.widgets.charts.sparkline import How, Values, columns, resample, top_of
from buddy_top.widgets.panel import Panel

_SHORTEST, _SHORT = 3, 6
"""Columns of a sparkline beside the value."""

BESIDE = 20
"""Inner width from which the note stands beside the value."""


class TileFacts(msgspec.Struct, frozen=True):
    """Everything a tile shows."""

    value: Plain
    note: Cell = ()
    """The rate or other context: on a line of its own, or beside the value where there is room for both."""
    values: tuple[float | None, ...] = ()
    """The sparkline, oldest first."""
    scale: float | None = None
    """Value of a full bar, shared by tiles of one unit; None: the largest value."""
    ink: str = "accent"
    value_ink: str = "strong"
    """Ink of the value, which is bold in any case."""
    how: How = "max"
    short: Plain | None = None
    """The value in fewer columns, for where it would take the note's or be cut itself."""


class TileBody(InkWidget):
    """The inside of a tile: value, note, sparkline in what height is left."""

    DEFAULT_CSS = "TileBody { padding: 0 1; height: 1fr; }"

    def __init__(self) -> None:
        super().__init__()
        self._facts = TileFacts(Plain("–"))
        self._lines: list[Cell] = []

    def show(self, facts: TileFacts) -> None:
        """Show these facts; only lines that look different are repainted."""
        self._facts = facts
        self._layout_lines(repaint=True)

    def on_resize(self) -> None:
        """Lay the lines out for the new size."""
        self._layout_lines(repaint=False)
        self.refresh()

    def _layout_lines(self, *, repaint: bool) -> None:
        before, self._lines = self._lines, tile_lines(self._facts, *self.size)
        for y, line in enumerate(self._lines):
            if repaint and (y >= len(before) or line != before[y]):
                self.refresh_line(y)

    def refresh_line(self, y: int) -> None:
        """Repaint one line."""
        self.refresh(Region(0, y, self.size.width, 1))

    def render_line(self, y: int) -> Strip:
        """Draw one of the lines laid out."""
        return self.strip(self._lines[y] if y < len(self._lines) else (), self.size.width)


class Tile(Panel):
    """A tile with its border; `title` is a short lower-case word."""

    DEFAULT_CSS = "Tile { height: 5; }"

    def __init__(self, title: Plain, *, id: str | None = None, classes: str | None = None) -> None:
        self.body = TileBody()
        super().__init__(self.body, title=None, id=id, classes=classes)
        self._title = (Span(title, "label"),)

    def show(self, facts: TileFacts) -> None:
        """Show these facts."""
        self.body.show(facts)


def tile_lines(facts: TileFacts, width: int, height: int) -> list[Cell]:
    """The lines of a tile of this inner size: value, note, and bars as high as is left, else beside the value.

    Whether the note stands beside the value or below it follows from the width alone, so that all tiles of a
    row agree.
    """
    ink = facts.value_ink if facts.value_ink.startswith("strong") else f"strong-{facts.value_ink}"
    least = len(facts.value) + (2 + width_of(facts.note) if width >= BESIDE else 0)
    text = facts.short if facts.short is not None and least > width else facts.value
    value: Cell = (Span(text, ink),)
    if width >= BESIDE:
        lines = [spread(value, cut(facts.note, max(width - width_of(value) - 2, 0)), width)]
    else:
        beside = _beside(facts, width - width_of(value) - 1) if height == len((value, facts.note)) else ()
        lines = [spread(value, beside, width) if beside else cut(value, width), cut(facts.note, width)]
    return [*lines, *_bars(facts, width, height - len(lines))][: max(height, 0)]


def _beside(facts: TileFacts, room: int) -> Cell:
    """A short sparkline, where there is no height for bars below; nothing where it would say nothing."""
    if room < _SHORTEST or not facts.values:
        return ()
    return _bars(facts, min(room, _SHORT), 1)[0]


def _bars(facts: TileFacts, width: int, height: int) -> list[Cell]:
    if height <= 0:
        return []
    shown: Values = resample(facts.values, width, facts.how)
    scale = top_of(shown) if facts.scale is None else facts.scale
    return [fit((Span(Plain(line), facts.ink),), width) for line in columns(shown, height, scale)]
