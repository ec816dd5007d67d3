"""The footer: the keys that do something here and now, or for a moment a word about what was just done."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.message import Message
from textual.timer import Timer

from buddy_core.safety.text import Plain
from buddy_top.drawing.cells import Span, cut
from buddy_top.widgets.frame.line import FrameLine, Piece, blank

GAP = 3
"""Columns between two keys."""

KEPT = 2
"""Keys at the end of the line (help and quit) that stay when others have no room."""

SAID_FOR_S = 3.0
"""Seconds a word stays before the keys come back."""


class FooterLine(FrameLine):
    """Keys with their meaning, as many as fit; a click does what the key does."""

    class Clicked(Message):
        """The key of this action was clicked."""

        def __init__(self, action: str) -> None:
            super().__init__()
            self.action = action

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._keys: tuple[tuple[str, str, str], ...] = ()
        self._said: Plain | None = None
        self._timer: Timer | None = None

    def set_keys(self, keys: Sequence[tuple[str, str, str]]) -> None:
        """Show these: key as people write it, one or two words, and the action that a click runs."""
        self._keys = tuple(keys)
        self.update_pieces()

    def say(self, words: Plain) -> None:
        """Put a short word in front of the keys for a moment."""
        self._said = words
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(SAID_FOR_S, self.be_silent)
        self.update_pieces()

    def be_silent(self) -> None:
        """Give the line back to the keys."""
        self._said = self._timer = None
        self.update_pieces()

    def pieces(self, width: int) -> tuple[Piece, ...]:
        """What was said, then the keys that fit; the way out and the help are the last to go."""
        pieces = [blank(1)]
        if self._said is not None:
            said = cut((Span(self._said, "accent"),), max(width - 1, 0))
            pieces += [Piece(said), blank(3)]
        room = width - sum(piece.width for piece in pieces)
        for piece in _fitting([_piece(*key) for key in self._keys], room):
            pieces += [piece, blank(GAP)]
        return tuple(pieces)

    def on_click(self, event: events.Click) -> None:
        """Do what the key under the mouse does."""
        target = self.target_at(event.x)
        if target is not None:
            self.post_message(self.Clicked(target))


def _fitting(pieces: list[Piece], room: int) -> list[Piece]:
    """As many as fit, dropped from the right but for the last `KEPT`."""
    kept = pieces[:]
    while kept and sum(piece.width + GAP for piece in kept) - GAP > room:
        del kept[-1 if len(kept) <= KEPT else -1 - KEPT]
    return kept


def _piece(key: str, word: str, action: str) -> Piece:
    return Piece((Span(Plain(key), "accent"), Span(Plain(f" {word}"), "label")), action)
