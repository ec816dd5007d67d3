"""A terminal too small for anything: a card takes the place of the picture until there is room again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.geometry import Size
from textual.widget import Widget

from buddy_core.safety.text import Plain
from buddy_top.drawing.cells import Cell, Span

if TYPE_CHECKING:
    from buddy_top.frame.stage import Stage
    from buddy_top.widgets.text.view import TextView

MIN_WIDTH, MIN_HEIGHT = 60, 16
"""Below this a card says that the terminal is too small."""


class LittleRoom:
    """Belongs to one stage; the card is made when there is too little room for the first time."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._card: TextView | None = None
        self._focused_before: Widget | None = None

    def fit(self, size: Size) -> None:
        """Below a usable size a card takes the place of everything."""
        hide = size.width < MIN_WIDTH or size.height < MIN_HEIGHT
        self._hide_all(hide)
        if not hide:
            return
        from buddy_top.widgets.text.view import TextView

        stage = self._stage
        if self._card is None:
            self._card = TextView(id="too-small")
            stage.mount(self._card)
        quits = next(command for command in stage.registry if command.id == "quit")
        self._card.set_lines(too_small_lines(*size, key=quits.key_text))

    def _hide_all(self, hide: bool) -> None:
        """What is hidden loses the keyboard, so it is given back to where it was."""
        app, screen = self._stage, self._stage.screen
        if hide and not screen.has_class("-too-small"):
            self._focused_before = app.focused
        elif not hide and self._focused_before is not None and self._focused_before.is_attached:
            self._focused_before.focus()
            self._focused_before = None
        screen.set_class(hide, "-too-small")
        app.body.display = not hide  # at once, or lists would scroll to fit into a line or two


def too_small_lines(width: int, height: int, key: str = "q") -> list[Cell]:
    """What a terminal of this size is told; `key` is the one that quits."""
    return [
        (Span(Plain("This terminal is too small."), "strong"),),
        (Span(Plain(f"{width}×{height}: it takes {MIN_WIDTH}×{MIN_HEIGHT} at least."), "label"),),
        (Span(Plain(key), "accent"), Span(Plain(" quits"), "label")),
    ]
