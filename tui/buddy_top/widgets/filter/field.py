"""The field one types a filter into: the keys of a completion, and the marks under what is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Protocol

from rich.highlighter import Highlighter
from rich.style import Style
from rich.text import Text
from textual import events
from textual.actions import SkipAction
from textual.binding import BindingType
from textual.widgets import Input

from buddy_core.safety.text import plain

MAX_PASTED = 10_000
"""Characters that are taken of a pasted text: no filter is longer."""


class Helper(Protocol):
    """Whoever knows what the keys of the field mean; each says whether it had anything to do."""

    def look(self) -> None:
        """The text or the place of the cursor is another one."""
        ...

    def escape(self) -> None:
        """Close what is open, or clear and leave."""
        ...

    def accept(self, choice: int | None = None) -> bool:
        """Take the chosen way to go on."""
        ...

    def step(self, step: int) -> None:
        """The next (1) or previous (-1) way to go on, or to the rows."""
        ...


class Marks(Highlighter):
    """Underlines parts of the text."""

    def __init__(self) -> None:
        self.parts: Sequence[tuple[int, int]] = ()
        self.style = Style(underline=True)

    def highlight(self, text: Text) -> None:
        """Underline the parts, as far as they are within the text."""
        for begin, end in self.parts:
            text.stylize(self.style, begin, end)


class FilterField(Input):
    """An input whose special keys its `helper` obeys."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape", "escape", "clear"),
        ("down", "step(1)", "next"),
        ("up", "step(-1)", "previous"),
        ("tab", "accept", "complete"),
    ]

    def __init__(self, helper: Helper, placeholder: str) -> None:
        self.marks = Marks()
        super().__init__(compact=True, placeholder=placeholder, highlighter=self.marks)
        self.cursor_blink = False
        self._helper = helper

    def mark(self, parts: Sequence[tuple[int, int]], style: Style) -> None:
        """Mark these parts and no others."""
        if (parts, style) != (self.marks.parts, self.marks.style):
            self.marks.parts, self.marks.style = parts, style
            self.refresh()

    def watch_selection(self) -> None:
        """The cursor is somewhere else, so other ways to go on are there."""
        if self.is_attached:
            self._helper.look()

    async def _on_key(self, event: events.Key) -> None:
        """Obey the field's keys in the order in which they come.

        Bindings are looked up on the way back from the app: letters typed after such a key would go before it.
        """
        for binding in self._bindings.key_to_bindings.get(event.key, ()):
            if await self.app.run_action(binding.action, self):
                event.stop()
                event.prevent_default()
                return

    def action_escape(self) -> None:
        """Close the completion first, then clear and leave."""
        self._helper.escape()

    def action_step(self, step: int) -> None:
        """Choose among the ways to go on, or leave for the rows."""
        self._helper.step(step)

    def action_accept(self) -> None:
        """Complete; where nothing can ever be completed the key means what it means elsewhere."""
        if not self._helper.accept():
            raise SkipAction

    def action_cursor_right(self, select: bool = False) -> None:
        """At the end of the text, complete."""
        moves = select or not self.selection.is_empty or not self.cursor_at_end
        if moves or not self._helper.accept():
            super().action_cursor_right(select)

    def _on_paste(self, event: events.Paste) -> None:
        """Take it as one line without control characters, which Textual's own handler would let through."""
        event.prevent_default()
        event.stop()
        words = plain(" ".join(event.text.split()), limit=MAX_PASTED)
        self.replace(words, *sorted(self.selection))
