"""Laying out lines for a width: wrapped, cut where they are beyond reason, with something in front of each."""

from __future__ import annotations

from collections.abc import Iterable

from buddy_core.safety.shown import shown_lines
from buddy_core.safety.text import Plain
from buddy_top.drawing import format as fmt
from buddy_top.drawing.cells import Cell, Span, width_of
from buddy_top.widgets.text.wrap import wrap

MOST_LINES = 100_000
"""Lines of an artifact that are laid out; the rest is counted."""

LONGEST = 4_000
"""Characters of one line that are laid out; what is cut off ends in `…`."""

BLANK: Cell = ()


def safe_lines(text: str) -> list[Plain]:
    """The lines of an observed text: printable, without secrets, none of them longer than `LONGEST`."""
    return shown_lines(text, limit_lines=MOST_LINES, limit_width=LONGEST)


def count_lines(text: str) -> Plain:
    """How many there are, laid out or not."""
    return fmt.plural(text.count("\n") + (not text.endswith("\n")), "line")


def wrapped(line: Cell, width: int, *, hang: int | None = None) -> list[Cell]:
    """The line in pieces that fit; no piece is wider, also not where one character is wider than the room."""
    return wrap(line, max(width, 2), hang=hang)


def behind(front: Cell, line: Cell, width: int, *, rest: Cell | None = None) -> list[Cell]:
    """`line` wrapped behind `front`; `rest` stands before what goes on below (by default as many blanks)."""
    room = width - width_of(front)
    if rest is None:
        rest = (Span(Plain(" " * width_of(front))),)
    return [(*(rest if index else front), *piece) for index, piece in enumerate(wrapped(line, room, hang=0))]


def plainly(lines: Iterable[Plain], width: int) -> list[Cell]:
    """Text as it is, wrapped to the width."""
    return [piece for line in lines for piece in wrapped((Span(line),), width)]
