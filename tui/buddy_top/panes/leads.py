"""Leads: the list below a chart whose rows lead into a run, at the moment they tell of."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from textual.app import ComposeResult

from buddy_core.metrics.model import ErrorRecord
from buddy_core.runs.model import RunFacts
from buddy_core.safety.text import Plain
from buddy_top import format as fmt
from buddy_top.cells import Cell
from buddy_top.messages import OpenRun
from buddy_top.panes.cells import age_cell, name_cell, number_cell, run_cell
from buddy_top.run_view.heading import took
from buddy_top.state import Snapshot
from buddy_top.states import status_cell
from buddy_top.widgets.panel import Panel
from buddy_top.widgets.table import Column, Table


class Lead(msgspec.Struct, frozen=True):
    """One row, and where enter goes from it."""

    key: str
    run_id: str | None
    at_ms: int | None
    cells: tuple[Cell, ...]


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
            self.post_message(OpenRun(lead.run_id, lead.at_ms))


FAILURE_COLUMNS = (
    Column("last", Plain("when"), 5, align="right", sortable=False),
    Column("message", Plain("message"), 20, grow=3, sortable=False),
    Column("run", Plain("run"), 20, grow=1, priority=1, sortable=False),
)
RUN_COLUMNS = (
    Column("status", Plain(""), 1, sortable=False),
    Column("started", Plain("started"), 12, align="right", sortable=False),
    Column("took", Plain("took"), 7, align="right", priority=2, sortable=False),
    Column("tokens", Plain("tokens"), 7, align="right", sortable=False),
    Column("cost", Plain("cost"), 8, align="right", sortable=False),
    Column("objective", Plain("objective"), 20, grow=1, sortable=False),
)


def failure_leads(records: Sequence[ErrorRecord], snapshot: Snapshot) -> list[Lead]:
    """Errors, newest first, each leading to the moment it happened."""
    return [_failure(record, index, snapshot) for index, record in enumerate(records)]


def _failure(record: ErrorRecord, index: int, snapshot: Snapshot) -> Lead:
    run = snapshot.by_id.get(record.run_id) if record.run_id is not None else None
    cells = (
        age_cell(record.timestamp, snapshot.taken_at),
        name_cell(record.message),
        run_cell(run, "label") if run is not None else (),
    )
    return Lead(f"{record.timestamp} {index} {record.run_id}", record.run_id, record.timestamp, cells)


def run_leads(runs: Sequence[RunFacts], now_ms: int) -> list[Lead]:
    """Runs as they are listed, each leading to itself."""
    return [Lead(run.run_id, run.run_id, None, _run_cells(run, now_ms)) for run in runs]


def _run_cells(run: RunFacts, now_ms: int) -> tuple[Cell, ...]:
    return (
        status_cell(run.status, False),
        number_cell(fmt.date_time(run.started_at, now_ms), "label"),
        number_cell(took(run, now_ms)),
        number_cell(fmt.tokens(run.total_tokens)),
        number_cell(fmt.cost_of(run)),
        run_cell(run),
    )
