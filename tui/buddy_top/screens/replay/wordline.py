"""The line into which the word of a command is typed: key by key.

It is no input field, so that nothing is pasted into it: whoever wrote the record may have filled the clipboard.
"""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip

from buddy_core.safety.text import Plain, plain
from buddy_top.drawing.cells import Cell, Span, cut
from buddy_top.drawing.inkwidget import InkWidget

_LONGEST = 40


class WordLine(InkWidget, can_focus=True):
    """One line: a prompt and what was typed. It obeys no shortcut while it has the keyboard but its own."""

    DEFAULT_CSS = "WordLine { height: 1; width: 1fr; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "answer", "answer", show=False),
        Binding("escape", "leave", "leave", show=False),
        Binding("up,down,pageup,pagedown", "nothing", "", show=False),
    ]

    class Answered(Message):
        """Enter was pressed; `text` is what had been typed, and is gone from the line."""

        def __init__(self, text: str) -> None:
            self.text = text
            super().__init__()

    class Left(Message):
        """Escape was pressed: no answer."""

    class Moved(Message):
        """A key that scrolls: `action` is the text view's."""

        def __init__(self, action: str) -> None:
            self.action = action
            super().__init__()

    def __init__(self) -> None:
        super().__init__()
        self.typed = ""
        self._prompt: Cell = ()

    def set_prompt(self, prompt: Cell) -> None:
        """What stands before what is typed."""
        if prompt != self._prompt:
            self._prompt = prompt
            self.refresh()

    def clear(self) -> None:
        """Forget what was typed."""
        self.typed = ""
        self.refresh()

    def on_focus(self) -> None:
        """What was struck before the question is no answer to it."""
        self.clear()

    def on_blur(self) -> None:
        """An answer is given in one go."""
        self.clear()

    def on_key(self, event: events.Key) -> None:
        """Take a sign, or take one back; arrows scroll what is to be read first."""
        actions = {"up": "line_up", "down": "line_down", "pageup": "page_up", "pagedown": "page_down"}
        if event.key in actions:
            self.post_message(self.Moved(actions[event.key]))
        elif event.key == "backspace":
            self.typed = self.typed[:-1]
        elif event.character is not None and event.is_printable and len(self.typed) < _LONGEST:
            self.typed += event.character
        else:
            return
        event.stop()
        event.prevent_default()
        self.refresh()

    def action_answer(self) -> None:
        """Hand over what was typed."""
        text, self.typed = self.typed, ""
        self.refresh()
        self.post_message(self.Answered(text))

    def action_leave(self) -> None:
        """Back to the list."""
        self.post_message(self.Left())

    def action_nothing(self) -> None:
        """Keys that `on_key` has seen to."""

    def render_line(self, y: int) -> Strip:
        """Prompt, what was typed, and where the next sign goes."""
        typed = (Span(plain(self.typed), "strong"), Span(Plain("▏"), "accent")) if self.has_focus else ()
        return self.strip(cut((Span(Plain(" ")), *self._prompt, *typed), self.size.width), self.size.width)
