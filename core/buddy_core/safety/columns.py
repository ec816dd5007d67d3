"""Tables of plain text: columns as wide as what they hold, measured in cells, not in characters."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

from buddy_core.safety.text import Plain


class Column(NamedTuple):
    """One column: its heading, and on which side its texts stand."""

    title: str
    right: bool = False
    limit: int = 40
    """Cells at most; longer texts are cut."""


def lay_out(
    columns: Sequence[Column],
    rows: Sequence[Sequence[str]],
    *,
    width: int | None = None,
    heading: bool = True,
) -> list[Plain]:
    """Heading and rows as lines with two spaces between columns; the last one is cut to fit `width`."""
    titles = [column.title for column in columns]
    lines = [titles, *rows] if heading else rows
    widths = [
        min(column.limit, max((cells(line[index]) for line in lines), default=0))
        for index, column in enumerate(columns)
    ]
    if width is not None:
        widths[-1] = max(4, min(widths[-1], width - sum(widths[:-1]) - 2 * (len(columns) - 1)))
    return [_line(columns, widths, line) for line in lines]


def cells(text: str) -> int:
    """How many columns of a terminal `text` takes, as far as Unicode says."""
    if text.isascii():
        return len(text)
    return sum(_width(char) for char in text)


def cut(text: str, limit: int) -> str:
    """`text` in at most `limit` cells, with `…` at the end when something is missing."""
    if cells(text) <= limit:
        return text
    taken, used = 0, 0
    for char in text:
        used += _width(char)
        if used > limit - 1:
            break
        taken += 1
    return text[:taken] + "…"


def _width(char: str) -> int:
    if unicodedata.category(char).startswith("M"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _line(columns: Sequence[Column], widths: Sequence[int], texts: Sequence[str]) -> Plain:
    parts = []
    for column, width, text in zip(columns, widths, texts, strict=True):
        shown = cut(text, width)
        room = " " * (width - cells(shown))
        parts.append(room + shown if column.right else shown + room)
    return Plain("  ".join(parts).rstrip())
