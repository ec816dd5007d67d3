"""What is searched for, found in inked text and marked there. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Iterator

from buddy_core.safety.text import Plain
from buddy_top.drawing.cells import Cell, Span


def match_pattern(text: str, *, each_word: bool = False) -> re.Pattern[str] | None:
    """A pattern that finds `text` as it is, or each of its words, in either case; None where there is nothing
    to find."""
    words = sorted(set(text.split()), key=len, reverse=True) if each_word else [text] if text else []
    return re.compile("|".join(map(re.escape, words)), re.IGNORECASE) if words else None


def marked(cell: Cell, match: re.Pattern[str]) -> Iterator[Span]:
    """The same words, with every match of the pattern in the ink `match`."""
    for text, ink in cell:
        at = 0
        for found in match.finditer(text):
            if found.start() > at:
                yield Span(Plain(text[at : found.start()]), ink)
            if found.group():
                yield Span(Plain(found.group()), "match")
            at = found.end()
        if at < len(text):
            yield Span(Plain(text[at:]), ink)
