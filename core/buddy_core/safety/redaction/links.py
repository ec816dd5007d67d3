"""Secrets inside what is written as part of an address, with `%3D` for an equals sign."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate

Span = tuple[int, int]

_WORD = re.compile(r"[^\s\"'`<>\\]+")
_CODE = re.compile(r"(%[2-7][0-9A-Fa-f])")
_MARKS = ("%2", "%3", "%4", "%5", "%7")


def find_in_links(text: str, find: Callable[[str], Iterable[Span]]) -> Iterator[Span]:
    """What `find` finds in each word once its codes are read, at the place where the word has it."""
    if "%" not in text or not any(mark in text for mark in _MARKS):
        return
    for word in _WORD.finditer(text):
        if "%" not in word.group():
            continue
        parts = _CODE.split(word.group())
        if len(parts) > 1:
            yield from _translated(parts, word.start(), find)


def _translated(parts: list[str], start: int, find: Callable[[str], Iterable[Span]]) -> Iterator[Span]:
    """`parts` are turns of text and code; spans of the read text become spans of the written one."""
    widths: list[int] = []
    for number, part in enumerate(parts):
        widths += [3] if number % 2 else [1] * len(part)
    read = "".join(chr(int(part[1:], 16)) if number % 2 else part for number, part in enumerate(parts))
    starts = list(accumulate(widths, initial=start))
    yield from ((starts[begin], starts[end]) for begin, end in find(read))
