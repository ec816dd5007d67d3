"""Markdown laid out for a width: headings, lists, tables, quotes, code. Links and pictures are words, never followed.

CommonMark with tables and strikethrough, parsed by markdown-it, which the toolkit brings along. HTML in it stays
text. Every piece of text is made printable after parsing; secrets are masked before, as they stand in the source.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from buddy_core.safety.redact import redact
from buddy_core.safety.text import Plain, plain, plain_lines
from buddy_top.artifacts.code import code_lines
from buddy_top.artifacts.inline import inline_lines
from buddy_top.artifacts.layout import LONGEST, MOST_LINES, count_lines
from buddy_top.artifacts.markdown_table import table_lines
from buddy_top.artifacts.page import Body
from buddy_top.drawing import format as fmt
from buddy_top.drawing.cells import Cell, Span, width_of
from buddy_top.widgets.text.wrap import wrap

if TYPE_CHECKING:
    from markdown_it.token import Token

_BULLETS = ("• ", "◦ ", "▪ ")
_MOST_ROOM = 110
"""Columns from which on longer lines are harder to read than more of them."""

_LEAST_ROOM = 16
"""Columns for text below which lists and quotes are not set in any further."""

_HEADING_INKS = {"h1": "strong-accent", "h2": "strong-accent", "h3": "strong"}


def markdown_body(text: str, width: int) -> Body:
    """The document laid out for `width`."""
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    tokens = parser.parse(redact(text))
    layout = _Layout(min(max(width, _LEAST_ROOM), _MOST_ROOM))
    layout.take(tokens)
    headings = sum(token.type == "heading_open" for token in tokens)
    lines = count_lines(text)
    return Body(layout.lines, Plain(f"{lines} · {fmt.plural(headings, 'heading')}") if headings else lines)


class _Layout:
    """Goes through the tokens once; what stands before each line grows and shrinks with lists and quotes."""

    def __init__(self, width: int) -> None:
        self.lines: list[Cell] = []
        self._width = width
        self._fronts: list[tuple[Cell, Cell]] = []
        """Before the first line of a block, and before those that follow."""
        self._lists: list[int | None] = []
        """The number of the next item of each open list; None where it has bullets."""
        self._wants_blank = False

    def take(self, tokens: Sequence[Token]) -> None:
        """Lay out all of it."""
        at = 0
        while at < len(tokens):
            if len(self.lines) > MOST_LINES:
                return
            if tokens[at].type == "table_open":
                end = next(i for i in range(at, len(tokens)) if tokens[i].type == "table_close")
                self._table(tokens[at : end + 1])
                at = end
            else:
                self._token(tokens[at], tokens[at + 1] if at + 1 < len(tokens) else None)
            at += 1

    def _token(self, token: Token, following: Token | None) -> None:
        kind = token.type
        if kind == "heading_open":
            self._block(self._inline(following, _HEADING_INKS.get(token.tag, "strong-label")))
            if token.tag == "h1":
                self._put((Span(Plain("─" * self._room()), "rule"),))
        elif kind == "paragraph_open":
            self._block(self._inline(following, "value"), apart=not token.hidden)
        elif kind in ("fence", "code_block"):
            self._code(token)
        elif kind == "hr":
            self._block([(Span(Plain("─" * self._room()), "rule"),)])
        elif kind == "blockquote_open":
            self._enter((Span(Plain("│ "), "dim"),), (Span(Plain("│ "), "dim"),))
        elif kind in ("bullet_list_open", "ordered_list_open"):
            self._lists.append(int(token.attrGet("start") or 1) if kind.startswith("ordered") else None)
        elif kind == "list_item_open":
            self._item()
        elif kind in ("bullet_list_close", "ordered_list_close"):
            self._lists.pop()
            self._wants_blank = self._wants_blank or not self._lists
        elif kind in ("blockquote_close", "list_item_close"):
            self._leave()
        elif kind == "html_block":
            self._block([(Span(line, "dim"),) for line in plain_lines(token.content, limit_width=LONGEST)])

    def _item(self) -> None:
        number = self._lists[-1]
        if number is None:
            sign = _BULLETS[min(len(self._lists), len(_BULLETS)) - 1]
        else:
            sign = f"{number}. "
            self._lists[-1] = number + 1
        self._enter((Span(Plain(sign), "accent"),), (Span(Plain(" " * len(sign))),))

    def _enter(self, first: Cell, rest: Cell) -> None:
        if self._room() - width_of(first) < _LEAST_ROOM:
            first = rest = ()
        if self._wants_blank and not self._is_open():
            self._blank()
        self._fronts.append((first, rest))

    def _leave(self) -> None:
        if self._is_open():  # an item without any text still has its sign
            self._put(())
        self._fronts.pop()

    def _is_open(self) -> bool:
        """True while the sign of an item has not been drawn yet: nothing may come between."""
        return bool(self._fronts) and self._fronts[-1][0] is not self._fronts[-1][1]

    def _room(self) -> int:
        return self._width - sum(width_of(rest) for _, rest in self._fronts)

    def _block(self, lines: Iterable[Cell], *, apart: bool = True) -> None:
        """Lines that belong together, a blank line before them and after them if they stand apart."""
        if self._wants_blank and apart and not self._is_open():
            self._blank()
        for line in lines:
            for piece in wrap(line, max(self._room(), 2)):
                self._put(piece)
        self._wants_blank = apart

    def _blank(self) -> None:
        if self.lines:
            self.lines.append(tuple(span for _, rest in self._fronts for span in rest if span.text.strip()))
        self._wants_blank = False

    def _put(self, line: Cell) -> None:
        """One line behind all that stands before it; signs of items are drawn once."""
        self.lines.append((*(span for first, _ in self._fronts for span in first), *line))
        self._fronts = [(rest, rest) for _, rest in self._fronts]

    def _inline(self, token: Token | None, ink: str) -> list[Cell]:
        return inline_lines(token.children or [], ink) if token is not None and token.type == "inline" else []

    def _code(self, token: Token) -> None:
        language = token.info.split()[0] if token.info.strip() else ""
        source = plain_lines(token.content, limit_lines=MOST_LINES, limit_width=LONGEST)
        bar = Span(Plain("│ "), "rule")
        room = max(self._room() - 2, 2)
        if self._wants_blank and not self._is_open():
            self._blank()
        for line in code_lines(source, language):
            for piece in wrap(line, room):
                self._put((bar, *piece))
        self._wants_blank = True

    def _table(self, tokens: Sequence[Token]) -> None:
        rows: list[list[Cell]] = []
        aligns: list[str] = []
        for index, token in enumerate(tokens):
            if token.type == "tr_open":
                rows.append([])
            elif token.type in ("th_open", "td_open"):
                cell = self._inline(tokens[index + 1], "label" if token.type == "th_open" else "value")
                rows[-1].append(tuple(span for line in cell for span in line))
                if token.type == "th_open":
                    aligns.append(plain(str(token.attrGet("style") or "")))
        if self._wants_blank and not self._is_open():
            self._blank()
        for line in table_lines(rows, ["right" in one for one in aligns], self._room()):
            self._put(line)
        self._wants_blank = True
