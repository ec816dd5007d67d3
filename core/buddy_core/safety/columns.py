"""Tables of plain text: columns as wide as what they hold, measured in cells, not in characters."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate, takewhile
from typing import NamedTuple

from buddy_core.safety.text import Plain

_GAP = 2
_LEAST = 24
"""Cells that the growing column keeps before another column is given up for it."""


class Column(NamedTuple):
    """One column: its heading, on which side its texts stand, and what happens when room is short."""

    title: str
    right: bool = False
    limit: int = 40
    """Cells at most; longer texts are cut."""
    grows: bool = False
    """Takes the room that is left, and is the one that is cut."""
    priority: int = 0
    """0 is always shown; of the others the largest goes first."""


def lay_out(
    columns: Sequence[Column],
    rows: Sequence[Sequence[str]],
    *,
    width: int | None = None,
    heading: bool = True,
) -> list[Plain]:
    """Heading and rows as lines, two spaces between columns, in at most `width` cells if that can be done."""
    titles = [column.title for column in columns]
    lines = [titles, *rows] if heading else list(rows)
    widths = [
        min(column.limit, max((cells(line[index]) for line in lines), default=0))
        for index, column in enumerate(columns)
    ]
    shown = list(range(len(columns)))
    if width is not None:
        shown = _fitting(columns, widths, width)
        _shrink(columns, widths, shown, width)
    return [_line(columns, widths, shown, line) for line in lines]


def cells(text: str) -> int:
    """How many columns of a terminal `text` takes, as far as Unicode says."""
    if text.isascii():
        return len(text)
    return sum(_width(char) for char in text)


def cut(text: str, limit: int) -> str:
    """`text` in at most `limit` cells, with `…` at the end when something is missing."""
    if cells(text) <= limit:
        return text
    ends = takewhile(lambda end: end < limit, accumulate(map(_width, text)))
    return text[: sum(1 for _ in ends)] + "…"


@lru_cache(maxsize=4096)
def _width(char: str) -> int:
    if unicodedata.category(char).startswith("M"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _fitting(columns: Sequence[Column], widths: Sequence[int], width: int) -> list[int]:
    """Which columns are shown: the least important are given up until the rest fits."""
    shown = list(range(len(columns)))
    while _least_room(columns, widths, shown) > width:
        victim = max(shown, key=lambda index: columns[index].priority)
        if columns[victim].priority == 0:
            break
        shown.remove(victim)
    return shown


def _least_room(columns: Sequence[Column], widths: Sequence[int], shown: Sequence[int]) -> int:
    needed = (min(widths[i], _LEAST) if columns[i].grows else widths[i] for i in shown)
    return sum(needed) + _GAP * (len(shown) - 1)


def _shrink(columns: Sequence[Column], widths: list[int], shown: Sequence[int], width: int) -> None:
    growing = [index for index in shown if columns[index].grows]
    excess = sum(widths[index] for index in shown) + _GAP * (len(shown) - 1) - width
    if growing and excess > 0:
        widths[growing[0]] = max(4, widths[growing[0]] - excess)


def _line(
    columns: Sequence[Column], widths: Sequence[int], shown: Sequence[int], texts: Sequence[str]
) -> Plain:
    parts = []
    for index in shown:
        text = cut(texts[index], widths[index])
        room = " " * (widths[index] - cells(text))
        parts.append(room + text if columns[index].right else text + room)
    return Plain((" " * _GAP).join(parts).rstrip())
