"""The text of an artifact on the screen: lines that were laid out elsewhere, and a word when their end is reached."""

from __future__ import annotations

from textual.events import Resize
from textual.message import Message

from buddy_top.artifacts.page import Body
from buddy_top.widgets.text.view import TextView


class PageView(TextView):
    """Draws only the lines in sight, however many there are, and wraps none of them itself."""

    class EndReached(Message):
        """The last line is in sight after scrolling: if there is more to read, now is the time."""

    class WidthChanged(Message):
        """The lines have to be laid out for another width."""

    _laid_out_for = 0

    @property
    def room(self) -> int:
        """Columns for a line."""
        return max(self.size.width - 2, 0)

    def set_body(self, body: Body, *, keep_scroll: bool) -> None:
        """Show another text, or the same one laid out anew (`keep_scroll`): about the same part stays in sight."""
        before, top, at_end = self.line_count, self.top, 0 < self.top == self.max_top
        again = keep_scroll and self._laid_out_for not in (0, self.room)
        self._laid_out_for = self.room
        self.set_lines(body.lines, keep_scroll=keep_scroll)
        if again and before:
            self.set_top(self.max_top if at_end else round(top * self.line_count / before))

    def top_changed(self) -> None:
        """Tell when the end is reached."""
        super().top_changed()
        if self.line_count and self.top >= self.max_top:
            self.post_message(self.EndReached())

    def on_resize(self, event: Resize | None = None) -> None:
        """Another width asks for other lines; until they come, those there are stay."""
        super().on_resize()
        if self.room != self._laid_out_for:
            self.post_message(self.WidthChanged())

    def _wrap(self) -> None:
        """Take the lines as they are."""
        self._lines = list(self._source)
        self._starts = list(range(len(self._lines)))
        self.line_count = len(self._lines)
