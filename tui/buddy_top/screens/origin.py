"""Where do these numbers come from? A card over the picture, as of the picture it was asked of."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from buddy_core.origins.model import Origin
from buddy_core.safety.redact import redact
from buddy_core.safety.shown import shown
from buddy_core.safety.text import Plain
from buddy_top.screens.card import Card
from buddy_top.screens.origin_text import origin_lines
from buddy_top.widgets.panel import Panel
from buddy_top.widgets.text.view import TextView

_MARGINS = 2
"""Columns of a text beside its lines, and lines of a panel above and below."""

_EDGES = 8
"""Columns of the panel's upper edge that no word stands in."""

_PART = 0.9
"""How much of the height of the screen the card takes at most."""

_SHORTEST, _LONGEST = 12, 400
"""Columns of the name in the title, on the card and on the clipboard."""


class OriginScreen(Card[None]):
    """One page for the row under the cursor, one for everything; `→` and `←` turn them, `y` copies the page."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,i,enter", "dismiss(None)", "back", show=False),
        Binding("right,l", "step(1)", "next", show=False),
        Binding("left,h", "step(-1)", "previous", show=False),
        Binding("y,Y", "copy", "copy", show=False),
    ]

    def __init__(self, pages: Sequence[Origin], home: Path | None = None) -> None:
        super().__init__()
        self._home = home
        self._pages = pages
        self._at = 0

    def compose(self) -> ComposeResult:
        """One panel with the text."""
        with Panel(classes="card origin") as self.panel:
            self.text = TextView(wrapped=False)
            yield self.text

    def on_mount(self) -> None:
        """The text can be scrolled at once; it is written when its width is known."""
        self.text.focus()
        self.call_after_refresh(self._draw)

    def on_resize(self, event: events.Resize) -> None:
        """Wrap the text anew."""
        self.call_after_refresh(self._draw)

    def action_step(self, step: int) -> None:
        """The next page, or the one before."""
        at = self._at + step
        if 0 <= at < len(self._pages):
            self._at = at
            self._draw()

    def action_copy(self) -> None:
        """Copy the text of the page, secrets masked."""
        self.app.copy_to_clipboard(redact(f"{self._title(_LONGEST)}\n{self.text.words()}"))
        self.panel.set_summary(Plain("copied"))

    @property
    def origin(self) -> Origin:
        """The page that is shown."""
        return self._pages[self._at]

    def _title(self, room: int) -> Plain:
        """What it is about, with as much of its name as there is room for."""
        limit = max(_SHORTEST, room - len(self.origin.about) - 3)
        return Plain(f"{shown(self.origin.title, limit=limit)} · {self.origin.about}")

    def _draw(self) -> None:
        width = self.text.size.width - _MARGINS
        if width <= 0:
            return
        pages = f"{self._at + 1} of {len(self._pages)} ← → · " if len(self._pages) > 1 else ""
        summary = Plain(f"{pages}y copies · esc")
        self.panel.set_summary(summary)
        self.panel.set_title(self._title(width - len(summary) - _EDGES))
        lines = origin_lines(self.origin, width, self._home)
        self.text.styles.height = min(len(lines), max(1, int(self.size.height * _PART) - _MARGINS))
        self.text.set_lines(lines, keep_scroll=False)
