"""The line of tabs: number, name and how many there are; the active one in a bar of its own."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from textual import events
from textual.message import Message

from buddy_core.safety.text import Plain
from buddy_top.drawing.cells import Span
from buddy_top.widgets.frame.line import FrameLine, Piece, blank


class TabLabel(msgspec.Struct, frozen=True):
    """One tab: the key that opens it, its name, and a count that is left out when None."""

    key: str
    """What `Clicked` says when it is clicked."""
    number: Plain
    title: Plain
    count: Plain | None = None
    count_ink: str = "dim"


class TabLine(FrameLine):
    """Tabs in a row; a click asks for one."""

    class Clicked(Message):
        """The tab `key` was clicked."""

        def __init__(self, key: str) -> None:
            super().__init__()
            self.key = key

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._tabs: tuple[TabLabel, ...] = ()
        self._active = ""
        self._remark = Plain("")

    def set_remark(self, words: Plain) -> None:
        """A hint at the right end of the line, where there is room."""
        if words != self._remark:
            self._remark = words
            self.update_pieces()

    def set_tabs(self, tabs: Sequence[TabLabel], active: str) -> None:
        """Show these tabs; `active` is the key of the one that is open."""
        if (tuple(tabs), active) != (self._tabs, self._active):
            self._tabs, self._active = tuple(tabs), active
            self.update_pieces()

    def pieces(self, width: int) -> tuple[Piece, ...]:
        """The tabs with their names; with numbers and counts alone where names have no room."""
        for style in ("full", "uncounted", "short"):
            pieces = [_piece(tab, tab.key == self._active, style) for tab in self._tabs]
            if sum(piece.width for piece in pieces) + 1 <= width:
                break
        if not self._tabs:
            return ()
        room = width - sum(piece.width for piece in pieces) - 2
        hint = Piece((Span(self._remark, "warn"),))
        if not self._remark or room < hint.width + 1:
            return (blank(1), *pieces)
        return (blank(1), *pieces, blank(room - hint.width), hint, blank(1))

    def on_click(self, event: events.Click) -> None:
        """Ask for the tab under the mouse."""
        target = self.target_at(event.x)
        if target is not None:
            self.post_message(self.Clicked(target))


def _piece(tab: TabLabel, active: bool, style: str) -> Piece:
    title = tab.title if style != "short" or active else Plain(tab.title[:4])
    spans = [
        Span(Plain(f" {tab.number} "), "accent" if active else "dim"),
        Span(title, "strong" if active else "label"),
    ]
    if tab.count is not None and style == "full":
        spans.append(Span(Plain(f" {tab.count}"), tab.count_ink))
    return Piece((*spans, Span(Plain(" "))), tab.key, "cursor" if active else "plain")
