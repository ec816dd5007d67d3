"""What buddy-top finds where it runs, over the picture: looked at in a thread, for it reads files."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from buddy_core.safety.redact import redact
from buddy_core.safety.text import Plain
from buddy_top.drawing.cells import Span
from buddy_top.screens.card import Card
from buddy_top.widgets.panel import Panel
from buddy_top.widgets.text.view import MARGINS, TextView

if TYPE_CHECKING:
    from buddy_top.surroundings.report import Report


class DoctorScreen(Card[None]):
    """The same report as `buddy-top doctor`; `y` copies it, `ctrl+r` looks again."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter,C", "dismiss(None)", "back", show=False),
        Binding("y,Y", "copy", "copy", show=False),
        Binding("ctrl+r,f5", "look", "look again", show=False),
    ]

    def __init__(self, examine: Callable[[], Report]) -> None:
        super().__init__()
        self._examine = examine
        self.report: Report | None = None

    def compose(self) -> ComposeResult:
        """One panel with the text."""
        with Panel(classes="card doctor") as self.panel:
            self.panel.set_title(Plain("Doctor"))
            self.text = TextView(wrapped=False)
            yield self.text

    def on_mount(self) -> None:
        """Look."""
        self.text.focus()
        self.action_look()

    def on_resize(self, event: events.Resize) -> None:
        """Wrap the text anew."""
        self.call_after_refresh(self._draw)

    def action_look(self) -> None:
        """Look at everything now."""
        self.report = None
        self.text.set_lines([(Span(Plain("looking …"), "dim"),)])
        self.panel.set_summary(Plain("esc"))
        self.run_worker(self._look(), exclusive=True, group="doctor")

    def action_copy(self) -> None:
        """Copy the report, secrets masked."""
        if self.report is not None:
            self.app.copy_to_clipboard(redact(self.text.words()))
            self.panel.set_summary(Plain("copied"))

    async def _look(self) -> None:
        self.report = await asyncio.to_thread(self._examine)
        self._draw()

    def _draw(self) -> None:
        width = self.text.size.width - MARGINS
        if self.report is None or width <= 0:
            return
        from buddy_top.surroundings.lines import report_lines

        self.panel.set_title(Plain(f"Doctor · {self.report.verdict}"))
        self.panel.set_summary(Plain("y copies · esc"))
        self.text.set_lines(report_lines(self.report, width))
