"""Wrapping inked lines at words, by display width. Pure functions."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate

from buddy_core.safety.text import Plain
from buddy_top.drawing.cells import Cell, Span, take, text_of, width_of


def wrap(line: Cell, width: int, *, hang: int | None = None) -> list[Cell]:
    """The line as lines of at most `width` columns; always at least one.

    Breaks after a blank where there is one in the second half of the line, else anywhere. What goes on is set
    in by `hang` columns (by default as far as the line itself begins, or its value where it has a label), but
    never by more than a third.
    """
    if width_of(line) <= width:
        return [line]
    text = text_of(line)
    indent = min(_beginning(line, text) if hang is None else hang, width // 3)
    lines: list[Cell] = []
    begins = [0, *accumulate(len(span.text) for span in line)]
    start = 0
    while start < len(text):
        room = width - (indent if lines else 0)
        end = _break(text, start, room)
        body = _slice(line, begins, start, end)
        lines.append((Span(Plain(" " * indent)), *body) if lines and indent else body)
        start = end
        while start < len(text) and text[start] == " ":
            start += 1
    return lines


def _beginning(line: Cell, text: str) -> int:
    """Columns before the first word, or before the value of a line whose first span is a padded label."""
    first = line[0]
    if first.ink == "label" and first.text.endswith("  "):
        return width_of((first,))
    return len(text) - len(text.lstrip(" "))


def _break(text: str, start: int, room: int) -> int:
    """Index at which the piece that begins at `start` ends."""
    piece = take(text[start : start + 4 * room + 64], room)
    end = start + max(len(piece), 1)
    if end >= len(text) or text[end] == " ":
        return end
    blank = text.rfind(" ", start + len(piece) // 2, end)
    return blank + 1 if blank > start else end


def _slice(line: Cell, begins: Sequence[int], start: int, end: int) -> Cell:
    """Characters [start, end) of the line, whose spans begin at `begins`; blanks at the end are dropped."""
    spans: list[Span] = []
    for index in range(bisect_right(begins, start) - 1, bisect_left(begins, end)):
        (text, ink), at = line[index], begins[index]
        piece = text[max(start - at, 0) : end - at]
        if piece:
            spans.append(Span(Plain(piece), ink))
    if spans and spans[-1].text.endswith(" "):
        spans[-1] = Span(Plain(spans[-1].text.rstrip(" ")), spans[-1].ink)
    return tuple(spans)
