"""A table of Markdown in a width: columns as wide as their words where there is room, else words wrapped in them."""

from __future__ import annotations

from collections.abc import Sequence

from buddy_core.safety.text import Plain
from buddy_top.drawing.cells import Cell, Span, fit, width_of
from buddy_top.widgets.text.wrap import wrap

_GAP = "  "
_LEAST = 4
"""Columns below which a column of words says nothing."""


def table_lines(rows: Sequence[Sequence[Cell]], right: Sequence[bool], width: int) -> list[Cell]:
    """The rows, the first of them the titles with a rule below; `right` says which columns are set to the right.

    With more columns than there is room for each row becomes a few lines, `title  value` each.
    """
    columns = max((len(row) for row in rows), default=0)
    if not columns:
        return []
    if columns * _LEAST + (columns - 1) * len(_GAP) > width:
        return _one_below_another(rows, width)
    widths = _widths(rows, columns, width - (columns - 1) * len(_GAP))
    lines: list[Cell] = []
    for index, row in enumerate(rows):
        lines += _row(row, widths, right)
        if index == 0:
            lines.append((Span(Plain(_GAP.join("─" * one for one in widths)), "rule"),))
    return lines


def _widths(rows: Sequence[Sequence[Cell]], columns: int, room: int) -> list[int]:
    """As wide as the widest cell; when that is too much, the widest columns give way first."""
    widths = [
        max(max((width_of(row[i]) for row in rows if i < len(row)), default=0), 1) for i in range(columns)
    ]
    low, high = 1, max(widths)
    while low < high:  # the largest cap under which all of them fit
        middle = (low + high + 1) // 2
        if sum(min(one, middle) for one in widths) <= room:
            low = middle
        else:
            high = middle - 1
    return [min(one, low) for one in widths]


def _row(row: Sequence[Cell], widths: Sequence[int], right: Sequence[bool]) -> list[Cell]:
    """One row, as high as its highest cell."""
    cells = [wrap(row[i], one, hang=0) if i < len(row) else [()] for i, one in enumerate(widths)]
    height = max(map(len, cells))
    lines: list[Cell] = []
    for y in range(height):
        spans: list[Span] = []
        for i, one in enumerate(widths):
            if i:
                spans.append(Span(Plain(_GAP)))
            piece = cells[i][y] if y < len(cells[i]) else ()
            spans += fit(piece, one, "right" if i < len(right) and right[i] else "left")
        lines.append(tuple(spans))
    return lines


def _one_below_another(rows: Sequence[Sequence[Cell]], width: int) -> list[Cell]:
    titles, *others = rows
    lines: list[Cell] = []
    for row in others:
        for index, cell in enumerate(row):
            title = titles[index] if index < len(titles) else ()
            lines += wrap((*title, Span(Plain("  ")), *cell), max(width, 2))
        lines.append(())
    return lines
