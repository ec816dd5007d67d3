"""The line one types a filter into; it stays in sight as long as a filter is in force."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input

from buddy_core.safety.text import Plain
from buddy_top.cells import Span
from buddy_top.widgets.lines import Lines


class FilterField(Input):
    """An input whose escape key clears and leaves, and whose arrows leave for the rows."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape", "leave(True)", "clear"),
        ("down,up", "leave(False)", "to the rows"),
    ]

    def action_leave(self, clear: bool) -> None:
        """Go back to the rows, keeping the filter or clearing it."""
        if clear:
            self.value = ""
        self.post_message(FilterLine.Closed())


class FilterLine(Horizontal):
    """`/` and a text field, hidden while there is nothing to show."""

    DEFAULT_CSS = """
    FilterLine { height: 1; display: none; }
    FilterLine.-shown { display: block; }
    FilterLine Lines { width: 3; }
    FilterLine FilterField { width: 1fr; }
    """

    class Changed(Message):
        """Another text is in force."""

        def __init__(self, text: str) -> None:
            self.text = text
            super().__init__()

    class Closed(Message):
        """The keyboard goes back to the rows."""

    def compose(self) -> ComposeResult:
        """The sign and the field."""
        self.sign = Lines(1)
        self.field = FilterField(compact=True, placeholder="words that must all occur")
        self.sign.set_lines([(Span(Plain(" /"), "accent"),)])
        yield self.sign
        yield self.field

    def edit(self, text: str) -> None:
        """Show the line with `text` in it and give it the keyboard."""
        self.hold(text)
        self.add_class("-shown")
        self.field.focus()

    def hold(self, text: str) -> None:
        """Show what filter is in force without giving it the keyboard; an empty one hides the line."""
        with self.prevent(Input.Changed):
            self.field.value = text
        self.set_class(bool(text), "-shown")

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Changed(event.value))

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        self.set_class(bool(event.value), "-shown")
        self.post_message(self.Closed())

    @on(Closed)
    def _leave(self) -> None:
        self.set_class(bool(self.field.value), "-shown")
