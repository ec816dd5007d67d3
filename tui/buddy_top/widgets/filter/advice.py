"""The line above a filter that is being typed: the ways to go on, or a sentence about what is wrong.

A sentence that is longer than the line goes on below it, and the ways to go on follow: nothing of it is cut.
"""

from __future__ import annotations

from rich.cells import cell_len
from textual import events
from textual.message import Message

from buddy_core.safety.text import Plain
from buddy_top.drawing.cells import Span, cut, text_of, width_of
from buddy_top.drawing.ink import Ground
from buddy_top.listing.filter_advice import Advice, Choice
from buddy_top.widgets.frame.line import FrameLine, Piece, blank
from buddy_top.widgets.text.wrap import wrap

GAP = 2
"""Columns between two ways to go on."""

_HINT_FROM = 60
"""Columns from which on there is room for what the chosen way means."""

_MORE = 4
"""Columns that are kept for how many more there are."""

MOST_LINES = 4
"""Lines of a sentence at most."""

_INDENT = 3
"""As far as the text of the filter is from the edge."""


class AdviceLine(FrameLine):
    """Ways to go on side by side, the chosen one under a bar with its meaning at the right; a click accepts one."""

    class Clicked(Message):
        """The way to go on with this number was clicked."""

        def __init__(self, choice: int) -> None:
            super().__init__()
            self.choice = choice

    def __init__(self) -> None:
        super().__init__()
        self._advice = Advice()
        self._chosen = 0
        self._first = 0
        self._lines: tuple[tuple[Piece, ...], ...] = ((),)

    def set_advice(self, advice: Advice, chosen: int) -> None:
        """Show this; `chosen` is the number of the way that the key would take."""
        if advice.choices != self._advice.choices:
            self._first = 0
        self._advice = advice
        self._chosen = chosen
        self.update_pieces()

    def update_pieces(self) -> None:
        """Lay out anew, on as many lines as a sentence needs, and repaint if anything looks different."""
        lines = self.lines(self.size.width)
        if lines != self._lines:
            grown = len(lines) != len(self._lines)
            self._lines = lines
            self.styles.height = len(lines)
            self.refresh(layout=grown)

    def pieces_of(self, y: int) -> tuple[Piece, ...]:
        """What stands on line `y`."""
        return self._lines[y] if y < len(self._lines) else ()

    def lines(self, width: int) -> tuple[tuple[Piece, ...], ...]:
        """The ways to go on, with what the chosen one means or what is wrong."""
        words = self._advice.words
        beside = self._beside(width)
        if not words or self._advice.good or width <= _INDENT or _holds(beside, words):
            return (beside,)
        room = width - _INDENT
        told = wrap((Span(words, self._ink),), room, hang=0)[:MOST_LINES]
        lines = [(blank(_INDENT), Piece(line)) for line in told]
        if not self._advice.choices:
            return tuple(lines)
        if width_of(told[-1]) + GAP + _width(self._advice.choices) <= room:
            return (*lines[:-1], (*lines[-1], blank(GAP), *self._ways(room)))
        return (*lines, (blank(_INDENT), *self._ways(room)))

    def _beside(self, width: int) -> tuple[Piece, ...]:
        """On one line, with as much of the words as there is room for."""
        choices, words = self._advice.choices, self._advice.words
        room = width - _INDENT
        hint = choices[self._chosen].hint if choices else Plain("")
        kept = min(cell_len(words or hint) + GAP, width * 2 // 5) if width >= _HINT_FROM else 0
        ways = self._ways(room - kept) if choices else []
        room -= sum(piece.width for piece in ways)
        said = Piece(cut((Span(words, self._ink),), room)) if words else None
        return (blank(_INDENT), *ways, *([said] if said is not None else _at_right(hint, room)))

    @property
    def _ink(self) -> str:
        if self._advice.good:
            return "dim"
        return "bad" if self._advice.wrong else "label"

    def _ways(self, room: int) -> list[Piece]:
        """As many as fit, the chosen one among them, and how many more there are."""
        choices = self._advice.choices
        self._first = min(self._first, self._chosen)
        while self._first < self._chosen and _width(choices[self._first : self._chosen + 1]) > room - _MORE:
            self._first += 1
        pieces: list[Piece] = []
        last = self._first
        while last < len(choices):
            left = room if last + 1 == len(choices) else room - _MORE
            if _width(choices[self._first : last + 1]) > left:
                break
            ground: Ground = "cursor" if last == self._chosen else "plain"
            label = Span(choices[last].label, "value" if last == self._chosen else "label")
            pieces += [Piece((label,), str(last), ground), blank(GAP)]
            last += 1
        if last < len(choices):
            pieces.append(Piece((Span(Plain(f"+{len(choices) - last}"), "dim"),)))
        return pieces

    def on_click(self, event: events.Click) -> None:
        """Take the way under the mouse."""
        target = self.target_at(event.x, event.y)
        if target is not None:
            self.post_message(self.Clicked(int(target)))


def _holds(pieces: tuple[Piece, ...], words: Plain) -> bool:
    """True when the last piece is the whole sentence."""
    return text_of(pieces[-1].spans) == words


def _width(choices: tuple[Choice, ...]) -> int:
    return sum(cell_len(one.label) + GAP for one in choices)


def _at_right(hint: Plain, room: int) -> tuple[Piece, ...]:
    """The meaning at the right edge, if there is room for enough of it."""
    if not hint or room < min(cell_len(hint), 16) + GAP + 1:
        return ()
    said = cut((Span(hint, "dim"),), room - GAP - 1)
    return (blank(room - width_of(said) - 1), Piece(said))
