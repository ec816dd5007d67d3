"""How durations spread: a column for each range, on a logarithmic axis, with the quantiles marked."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec
from rich.cells import cell_len
from textual.geometry import Region
from textual.strip import Strip

from buddy_core.safety.text import Plain
from buddy_top.drawing.cells import Cell, Span, cut, fit, width_of
from buddy_top.drawing.format import duration, tokens
from buddy_top.drawing.inkwidget import InkWidget
from buddy_top.widgets.charts.axes import Tick, shortened, value_scale, value_ticks
from buddy_top.widgets.charts.sparkline import columns, resample, top_of

NOTHING_YET = Plain("no durations yet")


class Bin(Protocol):
    """A range [low_ms, high_ms) and how many durations lie in it."""

    @property
    def low_ms(self) -> float:
        """Lower bound, included."""
        ...

    @property
    def high_ms(self) -> float:
        """Upper bound, not included."""
        ...

    @property
    def count(self) -> int:
        """How many."""
        ...


class HistogramData(msgspec.Struct, frozen=True):
    """Everything a histogram shows; the bins follow one another and grow by one factor."""

    bins: Sequence[Bin] = ()
    marks: tuple[tuple[Plain, float | None], ...] = ()
    """Name and value of each quantile: `p50`, 840.0; a value that is not known is left out."""
    words: Callable[[float], Plain] = duration
    empty: Plain = NOTHING_YET


class Histogram(InkWidget):
    """Draws a `HistogramData`; only lines that look different are repainted."""

    DEFAULT_CSS = "Histogram { height: 1fr; min-height: 3; padding: 0 1; }"

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._data = HistogramData()
        self._lines: list[Cell] = []

    def show(self, data: HistogramData) -> None:
        """Show this from now on."""
        self._data = data
        before, self._lines = self._lines, histogram_lines(data, *self.size)
        for y, line in enumerate(self._lines):
            if y >= len(before) or line != before[y]:
                self.refresh(Region(0, y, self.size.width, 1))

    def on_resize(self) -> None:
        """Draw for the new size."""
        self._lines = histogram_lines(self._data, *self.size)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """One of the lines laid out before."""
        return self.strip(self._lines[y] if y < len(self._lines) else (), self.size.width)


def histogram_lines(data: HistogramData, width: int, height: int) -> list[Cell]:
    """The quantiles in words, the columns, the axis with the quantiles on it, and round durations below."""
    bins = [bin_ for bin_ in data.bins if bin_.high_ms > bin_.low_ms >= 0]
    total = sum(bin_.count for bin_ in bins)
    if not total or width < 12 or height < 3:
        return _sentence(data.empty if not total else Plain("no room"), width, height)
    heading = [_marks_in_words(data, width)] if height >= 5 else []
    rows = height - 2 - len(heading)
    counts = [float(bin_.count) for bin_ in bins]
    # How high the columns are depends on how many there are, which depends on the width of the words.
    guess = _ticks(counts, width - 5, rows)
    gutter = max([cell_len(tick.label) for tick in guess], default=1) + 1
    plot = width - gutter - 1
    ticks = _ticks(counts, plot, rows)
    shown = resample(counts, plot, "sum")
    bars = columns(shown, rows, value_scale(top_of(shown), rows, tokens).top)
    lines = [_row(bars[y], y, ticks, gutter) for y in range(rows)]
    return [*heading, *lines, _axis(data, bins, plot, gutter), _labels(data, bins, plot, gutter)]


def _ticks(counts: Sequence[float], width: int, rows: int) -> list[Tick]:
    """Ticks for bins joined into `width` columns."""
    return value_ticks(value_scale(top_of(resample(counts, width, "sum")), rows, tokens), rows, tokens)


def _sentence(words: Plain, width: int, height: int) -> list[Cell]:
    blank: Cell = ()
    line = cut((Span(Plain(" " * max((width - cell_len(words)) // 2, 0))), Span(words, "dim")), width)
    return [line if y == height // 2 else blank for y in range(height)]


def _marks_in_words(data: HistogramData, width: int) -> Cell:
    line: Cell = ()
    for name, value in data.marks:
        if value is not None:
            mark = (Span(Plain(f"{'   ' if line else ''}{name} "), "label"), Span(data.words(value), "value"))
            if width_of((*line, *mark)) > width:
                break
            line = (*line, *mark)
    return line


def _row(bars: str, y: int, ticks: Sequence[Tick], gutter: int) -> Cell:
    tick = next((tick for tick in ticks if tick.at == y), None)
    label = fit((Span(tick.label if tick else Plain(""), "dim"),), gutter - 1, "right")
    return (*label, Span(Plain(" ┤" if tick else " │"), "rule"), Span(Plain(bars), "accent"))


def place(value: float, bins: Sequence[Bin], width: int) -> int | None:
    """Column of a duration on the axis; None when it lies outside."""
    for index, bin_ in enumerate(bins):
        if bin_.low_ms <= value < bin_.high_ms or (index == len(bins) - 1 and value == bin_.high_ms):
            inside = _share(value, bin_.low_ms, bin_.high_ms)
            return min(int((index + inside) / len(bins) * width), width - 1)
    return None


def _share(value: float, low: float, high: float) -> float:
    """How far a value lies in its range, reckoned as the axis is: by factors, where the range has a lower end."""
    if low <= 0 or value <= 0:
        return (value - low) / (high - low)
    return math.log(value / low) / math.log(high / low)


def _axis(data: HistogramData, bins: Sequence[Bin], width: int, gutter: int) -> Cell:
    cells = [Span(Plain("─"), "rule")] * width
    for _, value in data.marks:
        at = place(value, bins, width) if value is not None else None
        if at is not None:
            cells[at] = Span(Plain("▲"), "value")
    zero = fit((Span(Plain("0"), "dim"),), gutter - 1, "right")
    return (*zero, Span(Plain(" └"), "rule"), *cells)


def _labels(data: HistogramData, bins: Sequence[Bin], width: int, gutter: int) -> Cell:
    """Round durations under their columns: powers of ten, as far as the words have room."""
    spans: list[Span] = []
    x = 0
    total = gutter + 1 + width
    for value in round_values(bins[0].low_ms, bins[-1].high_ms):
        at = place(value, bins, width)
        if at is None:
            continue
        words = shortened(data.words(value))
        size = cell_len(words)
        start = min(max(gutter + 1 + at - size // 2, 0), total - size)
        if start >= x + bool(x) * 2:
            spans += [Span(Plain(" " * (start - x))), Span(words, "dim")]
            x = start + size
    return tuple(spans)


def round_values(low: float, high: float) -> list[float]:
    """Durations people think in, within [low, high]: milliseconds by tens, then 1 s, 10 s, 1 m, 10 m, 1 h."""
    known = (0.1, 1, 10, 100, 1_000, 10_000, 60_000, 600_000, 3_600_000, 36_000_000)
    return [float(value) for value in known if low <= value <= high]
