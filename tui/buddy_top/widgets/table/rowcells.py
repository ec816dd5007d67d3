"""The spans of one line of a table: cells fitted to their columns, gaps between, matches marked. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Sequence

from buddy_core.safety.text import Plain
from buddy_top.drawing.cells import Cell, Span, fit
from buddy_top.widgets.table.columns import Placed
from buddy_top.widgets.text.matches import marked

ARROW_DOWN, ARROW_UP = "▾", "▴"


def row_spans(cells: Sequence[Cell], placed: Sequence[Placed], match: re.Pattern[str] | None) -> list[Span]:
    """One row; a cell that the source left out is blank."""
    spans: list[Span] = []
    x = 0
    for index, column, start, width in placed:
        if start > x:
            spans.append(Span(Plain(" " * (start - x))))
        cell = fit(cells[index] if index < len(cells) else (), width, column.align, column.cut)
        spans.extend(cell if match is None else marked(cell, match))
        x = start + width
    return spans


def header_spans(placed: Sequence[Placed], sort: str | None, reverse: bool) -> list[Span]:
    """The titles; the sort arrow stands in the gap beside its title, so that nothing moves for it."""
    spans: list[Span] = []
    x = -1  # The gutter before the first column is part of the header line.
    for _, column, start, width in placed:
        arrow = (ARROW_DOWN if reverse else ARROW_UP) if column.key == sort else ""
        before = 1 if arrow and column.align == "right" else 0
        after = 1 if arrow and column.align == "left" else 0
        title = Span(column.title, "label")
        mark = Span(Plain(arrow), "accent")
        cell = (mark, title) if before else (title, mark)
        spans.append(Span(Plain(" " * (start - before - x))))
        spans.extend(fit(cell, width + before + after, column.align))
        x = start + width + after
    return spans
