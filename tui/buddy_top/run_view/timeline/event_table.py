"""The table of a timeline: it says when somebody goes to an end, for the end of the run may not be among its rows yet."""

from __future__ import annotations

from buddy_top.widgets.table.table import Table, TableMessage


class EventTable(Table):
    """A table whose last rows may come before those in between."""

    class WentToEnd(TableMessage):
        """The key was pressed that goes to the first row, or to the `last`; the cursor is on it, as far as there are rows."""

        def __init__(self, table: Table, *, last: bool) -> None:
            super().__init__(table)
            self.last = last

    def action_first(self) -> None:
        """To the first row."""
        super().action_first()
        self.post_message(self.WentToEnd(self, last=False))

    def action_last(self) -> None:
        """To the last row."""
        super().action_last()
        self.post_message(self.WentToEnd(self, last=True))
