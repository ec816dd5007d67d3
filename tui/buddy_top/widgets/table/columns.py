"""Which columns of a table are shown at a given width, and where: pure functions, no widget."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from buddy_core.safety.text import Plain
from buddy_top.drawing.cells import Align, Cut

WIDE_GAP, NARROW_GAP = 2, 1
"""Columns of the screen between two columns of a table, and when two would cost a column."""


class Column(msgspec.Struct, frozen=True):
    """One column of a table; `width` is its least width, `grow` its part of what is left over."""

    key: str
    title: Plain
    width: int
    grow: int = 0
    align: Align = "left"
    priority: int = 0
    """0 is never dropped; when room is short the largest goes first (of equals, the rightmost)."""
    cut: Cut = "right"
    """Where the `…` stands in text that is too long."""
    sortable: bool = True


class Placed(NamedTuple):
    """A column with its place: `x` counts from the left edge of the row."""

    source: int
    """Where the column stood before others were dropped: its cell in what the source renders."""
    column: Column
    x: int
    width: int


def place_columns(columns: Sequence[Column], width: int) -> tuple[Placed, ...]:
    """Lay the columns into `width`: drop by priority, then share what is left over among those that grow."""
    kept = list(enumerate(columns))
    while len(kept) > 1 and _needed(kept, NARROW_GAP) > width:
        victim = max(kept, key=lambda entry: (entry[1].priority, entry[0]))
        if victim[1].priority == 0:
            break
        kept.remove(victim)
    gap = WIDE_GAP if _needed(kept, WIDE_GAP) <= width else NARROW_GAP
    widths = _widths([column for _, column in kept], width - gap * (len(kept) - 1))
    placed: list[Placed] = []
    x = 0
    for (index, column), size in zip(kept, widths, strict=True):
        placed.append(Placed(index, column, x, size))
        x += size + gap
    return tuple(placed)


def _needed(kept: Sequence[tuple[int, Column]], gap: int) -> int:
    return sum(column.width for _, column in kept) + gap * (len(kept) - 1)


def _widths(columns: Sequence[Column], room: int) -> list[int]:
    """Widths that fill `room` where a column grows; where even the least widths do not fit, growers give way."""
    widths = [column.width for column in columns]
    spare = room - sum(widths)
    total = sum(column.grow for column in columns)
    if spare < 0:
        return _squeezed(columns, widths, -spare)
    given = 0
    for index, column in enumerate(columns):
        if column.grow:
            part = spare * column.grow // total
            widths[index] += part
            given += part
    growers = [index for index, column in enumerate(columns) if column.grow]
    if growers:
        widths[growers[-1]] += spare - given
    return widths


def _squeezed(columns: Sequence[Column], widths: list[int], missing: int) -> list[int]:
    order = sorted(range(len(columns)), key=lambda index: (columns[index].grow == 0, -index))
    for index in order:
        given = min(missing, widths[index])
        widths[index] -= given
        missing -= given
    return widths
