"""Leads: the list below a chart whose rows lead into a run, at the moment they tell of."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from textual.app import ComposeResult

from buddy_core.safety.text import Plain
from buddy_top.drawing.cells import Cell
from buddy_top.messages import CallNamed, OpenRun
from buddy_top.widgets.panel import Panel
from buddy_top.widgets.table.table import Column, Table


class Lead(msgspec.Struct, frozen=True):
    """One row, and where enter goes from it."""

    key: str
    run_id: str | None
    at_ms: int | None
    cells: tuple[Cell, ...]
    call: CallNamed | None = None
    """The call that ended at `at_ms`, where it is one."""


class LeadsPanel(Panel):
    """A table of leads in a panel of its own."""

    def __init__(self, title: str, columns: Sequence[Column], *, classes: str) -> None:
        super().__init__(title=Plain(title), classes=classes)
        self.table = Table(*columns)
        self._leads: Sequence[Lead] = ()

    def compose(self) -> ComposeResult:
        """The table."""
        yield self.table

    def show(self, leads: Sequence[Lead], summary: Plain, empty: Plain) -> None:
        """List these; the cursor stays on its row."""
        self._leads = leads
        self.set_summary(summary)
        self.table.set_empty(empty)
        self.table.set_source([lead.key for lead in leads], lambda index: leads[index].cells)

    def on_table_opened(self, event: Table.Opened) -> None:
        """Go where the row leads."""
        event.stop()
        lead = next((lead for lead in self._leads if lead.key == event.key), None)
        if lead is not None and lead.run_id is not None:
            self.post_message(OpenRun(lead.run_id, lead.at_ms, lead.call))
