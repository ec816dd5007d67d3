"""What stands inside a paragraph of Markdown: emphasis, code, links and pictures as inked words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from buddy_core.safety.text import Plain, plain
from buddy_top.artifacts.layout import LONGEST
from buddy_top.drawing.cells import Cell, Span

if TYPE_CHECKING:
    from markdown_it.token import Token

_LONGEST_ADDRESS = 500
_FILLED = range(50, 121)
"""Characters of the lines of a paragraph that somebody's editor has filled."""


def inline_lines(tokens: Sequence[Token], ink: str) -> list[Cell]:
    """The words in `ink` and what it becomes where they are emphasised; a new line at each hard break.

    The address of a link stands behind it in brackets, unless it is what the link says. The ends of lines are
    blanks in a paragraph that was filled to a width; where its lines are of any length, they were meant.
    """
    filled = _is_filled(tokens)
    lines: list[list[Span]] = [[]]
    strong = 0
    links: list[tuple[str, int]] = []
    for token in tokens:
        kind = token.type
        here = lines[-1]
        if kind in ("text", "html_inline"):
            here.append(Span(_words(token.content), _ink(ink, strong, bool(links))))
        elif kind == "code_inline":
            here.append(Span(_words(token.content), "info"))
        elif kind == "softbreak" and filled:
            here.append(Span(Plain(" "), ink))
        elif kind in ("softbreak", "hardbreak"):
            lines.append([])
        elif kind in ("strong_open", "strong_close"):
            strong += 1 if kind == "strong_open" else -1
        elif kind == "link_open":
            links.append((str(token.attrGet("href") or ""), len(here)))
        elif kind == "link_close" and links:
            address, since = links.pop()
            here += _address(address, "".join(span.text for span in here[since:]))
        elif kind == "image":
            here.append(
                Span(_words(f"[picture: {token.content}]" if token.content else "[picture]"), "label")
            )
            here += _address(str(token.attrGet("src") or ""), "")
    return [tuple(line) for line in lines]


def _is_filled(tokens: Sequence[Token]) -> bool:
    lengths = [0]
    for token in tokens:
        if token.type in ("softbreak", "hardbreak"):
            lengths.append(0)
        else:
            lengths[-1] += len(token.content)
    return all(length in _FILLED for length in lengths[:-1])


def _ink(ink: str, strong: int, link: bool) -> str:
    base = "accent" if link else ink
    return f"strong-{base}" if strong and not base.startswith("strong") else base


def _address(address: str, said: str) -> list[Span]:
    shown = plain(address, limit=_LONGEST_ADDRESS)
    return [] if not address or shown == said else [Span(Plain(f" ({shown})"), "dim")]


def _words(text: str) -> Plain:
    return plain(text.replace("\t", " "), limit=LONGEST, newline=" ")
