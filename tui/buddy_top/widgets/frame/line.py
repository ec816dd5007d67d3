"""A line of the frame: words in inks at known places, of which some can be clicked."""

from __future__ import annotations

import msgspec
from textual.geometry import Region
from textual.strip import Strip

from buddy_core.safety.text import Plain
from buddy_top.drawing.cells import Cell, Span, width_of
from buddy_top.drawing.ink import Ground
from buddy_top.drawing.inkwidget import InkWidget


class Piece(msgspec.Struct, frozen=True):
    """Words that belong together; `target` is what a click on them means, None for nothing."""

    spans: Cell
    target: str | None = None
    ground: Ground = "plain"

    @property
    def width(self) -> int:
        """Columns the words take."""
        return width_of(self.spans)


def blank(width: int) -> Piece:
    """Room between two pieces."""
    return Piece((Span(Plain(" " * max(width, 0))),))


def words(text: str, ink: str = "value", target: str | None = None) -> Piece:
    """A piece of the program's own words in one ink."""
    return Piece((Span(Plain(text), ink),), target)


class FrameLine(InkWidget):
    """One line of pieces, repainted only when they differ."""

    DEFAULT_CSS = "FrameLine { height: 1; width: 1fr; }"

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._pieces: tuple[Piece, ...] = ()
        self._laid_out = 0

    def pieces(self, width: int) -> tuple[Piece, ...]:
        """What stands on the line when it is `width` columns wide."""
        return ()

    def update_pieces(self) -> None:
        """Lay out anew, and repaint if anything looks different."""
        before, self._laid_out = self._pieces, self.size.width
        self._pieces = self.pieces(self._laid_out)
        if self._pieces != before:
            self.refresh(Region(0, 0, self._laid_out, 1))

    def on_resize(self) -> None:
        """Lay out for the new width."""
        self.update_pieces()

    def has(self, target: str) -> bool:
        """True when something that a click on means `target` is on the line."""
        return any(piece.target == target for piece in self._pieces)

    def pieces_of(self, y: int) -> tuple[Piece, ...]:
        """What stands on line `y` of it; most have only one."""
        if self.size.width != self._laid_out:  # the first picture comes before anybody tells the width
            self._laid_out = self.size.width
            self._pieces = self.pieces(self._laid_out)
        return self._pieces

    def target_at(self, x: int, y: int = 0) -> str | None:
        """What a click on column `x` means."""
        for piece in self.pieces_of(y):
            if x < piece.width:
                return piece.target
            x -= piece.width
        return None

    def render_line(self, y: int) -> Strip:
        """The pieces one after the other."""
        segments = [
            segment for piece in self.pieces_of(y) for segment in self.segments(piece.spans, piece.ground)
        ]
        return self.filled(segments, self.size.width)
