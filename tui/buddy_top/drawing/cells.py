"""Pieces of text with a named ink, and cutting them to columns of the screen. Needs no Textual.

All widths are display columns: a Chinese character takes two, a combining accent none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal, NamedTuple

from rich.cells import cell_len as _looked_up

from buddy_core.safety.text import Plain

ELLIPSIS = "…"
"""Stands for what was cut away; one column wide."""

Align = Literal["left", "right"]

Cut = Literal["left", "middle", "right", "name", "argument"]
"""Where the `…` goes in what does not fit: `left` for paths, `middle` for names that differ at their ends.

With `name` the text decides: in the middle of `server__tool`, for tools of one server differ at their ends, else at
the right. With `argument` too: at the left of a path, at the right of anything else.
"""

_PATH = re.compile(r"(?!\w+://)\S*/\S*")


class Span(NamedTuple):
    """Text in one ink. The ink is a name such as `value`, `dim` or `bad`; the theme decides its colour."""

    text: Plain
    ink: str = "value"


Cell = tuple[Span, ...]
"""What stands in one cell of a table, or on one line of a text."""

EMPTY_CELL: Cell = ()


def cell(text: Plain, ink: str = "value") -> Cell:
    """A cell of a single span."""
    return (Span(text, ink),)


def literal(text: str, ink: str = "value") -> Cell:
    """A cell of the program's own words; observed text goes through `plain()` and `cell` instead."""
    return (Span(Plain(text), ink),)


def cell_len(text: str) -> int:
    """Columns of a text without control characters; most are ASCII, for which nobody has to look or remember."""
    return len(text) if text.isascii() else _looked_up(text)


def width_of(spans: Iterable[Span]) -> int:
    """Columns that the spans take together."""
    return sum(cell_len(span.text) for span in spans)


def text_of(spans: Iterable[Span]) -> str:
    """The words without their inks."""
    return "".join(span.text for span in spans)


def cut_right(text: str, width: int) -> str:
    """At most `width` columns of `text` from its beginning; the last one is `…` when something is missing."""
    if cell_len(text) <= width:
        return text
    return "" if width <= 0 else take(text, width - 1) + ELLIPSIS


def cut_left(text: str, width: int) -> str:
    """At most `width` columns of `text` up to its end, `…` first: for paths, whose end says most."""
    if cell_len(text) <= width:
        return text
    return "" if width <= 0 else ELLIPSIS + take_last(text, width - 1)


def take(text: str, width: int) -> str:
    """The longest beginning of `text` that fits in `width` columns, combining marks included."""
    if text.isascii():
        return text[: max(width, 0)]
    used = 0
    for index, character in enumerate(text):
        used += cell_len(character)
        if used > width:
            return text[:index]
    return text


def take_last(text: str, width: int) -> str:
    """The longest end of `text` that fits in `width` columns and does not begin with a combining mark."""
    if text.isascii():
        return text[max(len(text) - width, 0) :] if width > 0 else ""
    used, start = 0, len(text)
    for index in range(len(text) - 1, -1, -1):
        size = cell_len(text[index])
        if used + size > width:
            break
        used += size
        if size:
            start = index
    return text[start:]


def cut(spans: Cell, width: int, side: Cut = "right") -> Cell:
    """At most `width` columns of the spans; `side` is where the `…` goes when they do not fit."""
    if width_of(spans) <= width:
        return spans
    if side == "name":
        side = "middle" if "__" in text_of(spans) else "right"
    elif side == "argument":
        side = "left" if _PATH.fullmatch(text_of(spans)) else "right"
    if side == "middle":
        head = _beginning(spans, (width - 1) // 3)
        return (*head, *_cut_spans_left(spans, width - width_of(head)))
    return _cut_spans_left(spans, width) if side == "left" else _cut_spans_right(spans, width)


def _beginning(spans: Cell, width: int) -> Cell:
    kept: list[Span] = []
    for text, ink in spans:
        part = take(text, width)
        width -= cell_len(part)
        if part:
            kept.append(Span(Plain(part), ink))
        if len(part) < len(text):
            break
    return tuple(kept)


def _cut_spans_right(spans: Cell, width: int) -> Cell:
    kept: list[Span] = []
    left = width
    for span in spans:
        size = cell_len(span.text)
        if size >= left:
            # The cut falls in this span: what follows it is missing, so the mark is due even if it fits.
            kept.append(Span(Plain(take(span.text, left - 1) + ELLIPSIS if left > 0 else ""), span.ink))
            break
        kept.append(span)
        left -= size
    return tuple(kept)


def _cut_spans_left(spans: Cell, width: int) -> Cell:
    kept: list[Span] = []
    left = width
    for span in reversed(spans):
        size = cell_len(span.text)
        if size >= left:
            kept.append(Span(Plain(ELLIPSIS + take_last(span.text, left - 1) if left > 0 else ""), span.ink))
            break
        kept.append(span)
        left -= size
    return tuple(reversed(kept))


def fit(spans: Cell, width: int, align: Align = "left", side: Cut = "right") -> Cell:
    """Exactly `width` columns: cut if too long, padded with blanks on the loose side if too short."""
    spans = cut(spans, width, side)
    missing = width - width_of(spans)
    if missing <= 0:
        return spans
    blank = Span(Plain(" " * missing), "value")
    return (blank, *spans) if align == "right" else (*spans, blank)


def spread(left: Cell, right: Cell, width: int, *, gap: int = 2) -> Cell:
    """`left` at the left edge and `right` at the right one; `right` goes first when both do not fit."""
    room = width - width_of(right) - gap
    if not right or room < min(width_of(left), 4):
        return fit(left, width)
    return (*fit(left, room + gap), *right)
