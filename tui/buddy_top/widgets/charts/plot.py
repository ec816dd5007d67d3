"""The lines of a chart as inked spans: axes, columns or braille lines, error marks. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from rich.cells import cell_len

from buddy_core.safety.text import Plain
from buddy_top.drawing.cells import Cell, Span, cut, cut_right, fit, take
from buddy_top.drawing.format import duration
from buddy_top.widgets.charts.axes import Tick, shortened, time_ticks, value_scale, value_ticks
from buddy_top.widgets.charts.braille import BRAILLE, line_cells
from buddy_top.widgets.charts.data import ChartData, Series, joined_slices
from buddy_top.widgets.charts.sparkline import EIGHTHS, columns, finite, resample, top_of

ERROR_MARK = "✗"
"""Stands on the time axis where something failed."""

WIDEST_GUTTER = 8
"""Columns that the labels of the value axis take at most, with the axis itself."""

LEAST_WIDTH = 16
"""Columns below which a chart has no axes."""

BEHIND = "░"
"""What a column behind another one is made of, so that the two differ without colour."""

_BEHIND = str.maketrans(EIGHTHS, "   " + BEHIND * 6)

Grid = list[list[tuple[str, str]]]
"""Rows of cells, each a character and its ink."""


def plot_lines(data: ChartData, width: int, height: int) -> list[Cell]:
    """The lines of a chart, `height` of them; a single one where there is no room for axes."""
    if width < LEAST_WIDTH or height < 3:
        return [cut((Span(data.empty, "dim"),), width) if data.is_empty else _tiny(data, width)][:height]
    data = joined_slices(data, width - WIDEST_GUTTER)
    rows = height - 2
    scale = value_scale(top_of(*(series.values for series in data.series)), rows, data.words)
    ticks = [] if data.is_empty else value_ticks(scale, rows, data.words)
    gutter = min(max([cell_len(tick.label) for tick in ticks], default=1) + 1, width // 2)
    plot_width = width - gutter - 1
    grid = _grid(data, plot_width, rows, scale.top)
    if data.is_empty:
        words = cut_right(data.empty, plot_width - 2)
        _write(grid, rows // 2, max((plot_width - cell_len(words)) // 2, 1), words, "dim")
    else:
        _label_peak(grid, data, scale.top)
        _write_legend(grid, data)
    lines = [_row(grid[y], y, ticks, gutter) for y in range(rows)]
    time = _time_ticks(data, plot_width)
    return [*lines, _axis(data, plot_width, gutter, time), _time_labels(time, gutter, width)]


def _tiny(data: ChartData, width: int) -> Cell:
    """What is left of a chart without room for axes: bars of its first series."""
    series = data.series[0] if data.series else Series(())
    shown = resample(series.values, width, data.how)
    return (Span(Plain(columns(shown, 1, top_of(shown))[0]), series.ink),)


def _grid(data: ChartData, width: int, rows: int, top: float) -> Grid:
    grid: Grid = [[(" ", "value")] * width for _ in range(rows)]
    if data.style != "lines":
        if data.style == "layers":
            _draw_columns(grid, data, data.series[1:2], top, _BEHIND)
        _draw_columns(grid, data, data.series[:1], top)
        return grid
    for series in data.series:
        known = [finite(value) for value in series.values]
        values = resample(known, width * 2, data.how) if len(known) > width * 2 else known
        for (x, y), bits in line_cells(values, width, rows, top).items():
            under = ord(grid[y][x][0]) - BRAILLE
            grid[y][x] = (chr(BRAILLE | bits | (under if 0 < under < 256 else 0)), series.ink)
    return grid


def _draw_columns(
    grid: Grid, data: ChartData, series: Sequence[Series], top: float, made_of: dict[int, int] | None = None
) -> None:
    """Columns over what is drawn already, which is seen where they are not."""
    for one in series:
        shown = resample(one.values, len(grid[0]), data.how)
        for y, line in enumerate(columns(shown, len(grid), top)):
            grid[y] = [
                (sign, one.ink) if sign != " " or behind[0] == " " else behind
                for sign, behind in zip(line.translate(made_of or {}), grid[y], strict=True)
            ]


def _row(cells: Sequence[tuple[str, str]], y: int, ticks: Sequence[Tick], gutter: int) -> Cell:
    """One line of the plot with what stands left of it."""
    tick = next((tick for tick in ticks if tick.at == y), None)
    label = fit((Span(tick.label if tick else Plain(""), "dim"),), gutter - 1, "right")
    return (*label, Span(Plain(" ┤" if tick else " │"), "rule"), *_spans(cells))


def _spans(cells: Sequence[tuple[str, str]]) -> Cell:
    return tuple(
        Span(Plain("".join(character for character, _ in run)), ink)
        for ink, run in ((ink, list(run)) for ink, run in groupby(cells, key=lambda cell: cell[1]))
    )


def _write(grid: Grid, y: int, x: int, text: str, ink: str) -> None:
    """Put words on the grid, as far as they fit."""
    row = grid[y]
    for offset, character in enumerate(take(text, max(len(row) - x, 0))):
        row[x + offset] = (character, ink)


def _label_peak(grid: Grid, data: ChartData, top: float) -> None:
    """Write the largest value beside the place where it is reached, on blank cells only."""
    width, rows = len(grid[0]), len(grid)
    place = _peak(data, width)
    if place is None:
        return
    x, value = place
    words = data.words(value)
    size = cell_len(words)
    y = min(max(rows - 1 - int(value / top * rows - 1e-9), 0), rows - 1)
    beside = [x + 1 + away for away in (0, 1, 2)] + [x - size - 1 - away for away in (0, 1, 2)]
    for row in (y, y - 1, y + 1):
        for start in (*beside, x - size // 2):
            if 0 <= row < rows and _has_room(grid[row], start, size):
                _write(grid, row, start + (start > x), words, "value")
                return


def _has_room(row: Sequence[tuple[str, str]], start: int, size: int) -> bool:
    """True where the words and a blank before or after them fall on blank cells inside the plot."""
    return (
        start >= 0
        and start + size + 1 <= len(row)
        and all(cell[0] == " " for cell in row[start : start + size + 1])
    )


def _peak(data: ChartData, width: int) -> tuple[int, float] | None:
    """Column and value of the largest value of all series."""
    best: tuple[int, float] | None = None
    for series in data.series:
        for x, value in enumerate(resample(series.values, width, data.how)):
            if value is not None and value > 0 and (best is None or value > best[1]):
                best = (x, value)
    return best


def _write_legend(grid: Grid, data: ChartData) -> None:
    """The unit beside the value axis, and at the right the names of the series where there are several."""
    if data.unit:
        length = f" / {shortened(duration(data.bucket_ms))}" if data.per_slice else ""
        _write_where_blank(grid, [(f"{data.unit}{length}", "dim")], right=False)
    signs = ("■", BEHIND) if data.style == "layers" else ("━",) * len(data.series)
    names = [
        (f"{sign} {series.label}", series.ink)
        for sign, series in zip(signs, data.series, strict=False)
        if series.label
    ]
    if len(names) > 1:
        _write_where_blank(grid, names, right=True)


def _write_where_blank(grid: Grid, words: Sequence[tuple[str, str]], *, right: bool) -> None:
    """Put words on the first line that has room for them, as far to one side as can be."""
    size = sum(cell_len(text) for text, _ in words) + 2 * (len(words) - 1)
    for y, row in enumerate(grid):
        x = _blank_run(row, size, right=right)
        if x is not None:
            for text, ink in words:
                _write(grid, y, x, text, ink)
                x += cell_len(text) + 2
            return


def _blank_run(row: Sequence[tuple[str, str]], size: int, *, right: bool) -> int | None:
    """Where `size` blank cells begin with one more on either side; the edge of the plot counts as one."""
    line = f" {''.join(character for character, _ in row)} "
    found = (line.rfind if right else line.find)(" " * (size + 2))
    return found if found >= 0 else None


def _time_ticks(data: ChartData, width: int) -> list[Tick]:
    slices = max((len(series.values) for series in data.series), default=0)
    if not slices or data.bucket_ms <= 0:
        return []
    return time_ticks(data.start_ms, data.start_ms + slices * data.bucket_ms, width, data.tz)


def _axis(data: ChartData, width: int, gutter: int, ticks: Sequence[Tick]) -> Cell:
    """The line under the plot: 0, ticks, and a mark wherever something failed."""
    cells = [("─", "rule")] * width
    for tick in ticks:
        cells[tick.at] = ("┬", "rule")
    for x, failures in enumerate(resample(data.failures, width, "sum") if data.failures else ()):
        if failures:
            cells[x] = (ERROR_MARK, "bad")
    zero = fit((Span(Plain("0"), "dim"),), gutter - 1, "right")
    return (*zero, Span(Plain(" └"), "rule"), *_spans(cells))


def _time_labels(ticks: Sequence[Tick], gutter: int, width: int) -> Cell:
    """Words centred under their ticks, as far as they fit; none is moved off its tick by more than that."""
    spans: list[Span] = []
    x = 0
    for tick in ticks:
        size = cell_len(tick.label)
        start = min(max(gutter + 1 + tick.at - size // 2, x + bool(x)), width - size)
        if start < x + bool(x):
            continue
        spans += [Span(Plain(" " * (start - x))), Span(tick.label, "dim")]
        x = start + size
    return tuple(spans)
