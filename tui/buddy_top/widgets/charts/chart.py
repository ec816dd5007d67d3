"""A chart of values over time with real axes: columns or lines, round ticks, the largest value labelled."""

from __future__ import annotations

from textual.geometry import Region
from textual.strip import Strip

from buddy_top.drawing.cells import Cell
from buddy_top.drawing.inkwidget import InkWidget
from buddy_top.widgets.charts.data import ChartData, Series
from buddy_top.widgets.charts.plot import plot_lines

__all__ = ["Chart", "ChartData", "Series"]


class Chart(InkWidget):
    """Draws a `ChartData`; only lines that look different are repainted."""

    DEFAULT_CSS = "Chart { height: 1fr; min-height: 3; padding: 0 1; }"

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._data = ChartData()
        self._lines: list[Cell] = []

    @property
    def data(self) -> ChartData:
        """What is shown."""
        return self._data

    def show(self, data: ChartData) -> None:
        """Show this from now on."""
        if data == self._data:
            return
        self._data = data
        before, self._lines = self._lines, plot_lines(data, *self.size)
        for y, line in enumerate(self._lines):
            if y >= len(before) or line != before[y]:
                self.refresh(Region(0, y, self.size.width, 1))

    def on_resize(self) -> None:
        """Draw for the new size."""
        self._lines = plot_lines(self._data, *self.size)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """One of the lines laid out before."""
        return self.strip(self._lines[y] if y < len(self._lines) else (), self.size.width)
