"""One error in depth: its text, the events around it, how its kind went over time and the runs it touched."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.events import Resize

from buddy_core.metrics.model import ErrorRecord
from buddy_core.safety.text import Plain
from buddy_top.drawing import format as fmt
from buddy_top.drawing.states import status_cell
from buddy_top.messages import WantsChanged
from buddy_top.panes.columns.cells import name_cell, number_cell, run_cell
from buddy_top.panes.errors.around import NO_ERROR, AroundPanel
from buddy_top.panes.leads import Lead, LeadsPanel
from buddy_top.panes.room import NO_ROOM
from buddy_top.panes.series import SeriesChart
from buddy_top.state import Snapshot
from buddy_top.widgets.panel import Panel
from buddy_top.widgets.table.table import Column
from buddy_top.widgets.text.view import TextView

AROUND_WIDTH = 70
"""Columns below which the text has the room to itself."""

CHART_WIDTH = 100
"""Columns from which its course over time stands beside the runs."""

RUNS_HEIGHT = 16
"""Lines from which the runs (and the chart) stand below the events."""

_RUN_COLUMNS = (
    Column("status", Plain(""), 1, sortable=False),
    Column("started", Plain("started"), 12, align="right", priority=1, sortable=False),
    Column("objective", Plain("objective"), 12, grow=1, sortable=False),
)


class ErrorDetail(Horizontal):
    """Text at the left, events at the right. Where room is short the chart goes first, then runs, then events."""

    def __init__(self) -> None:
        super().__init__(id="errors-more")
        self.text = TextView(id="errors-text")
        self.chart = SeriesChart()
        self.around = AroundPanel(id="errors-around")
        self.runs = LeadsPanel("Runs", _RUN_COLUMNS, classes="errors-runs")

    def compose(self) -> ComposeResult:
        """Four panels."""
        self.text_panel = Panel(self.text, id="errors-detail")
        self.chart_panel = Panel(self.chart, title=Plain("Trend"), id="errors-chart")
        yield self.text_panel
        with Vertical(id="errors-beside") as self.beside:
            yield self.around
            with Horizontal(id="errors-below") as self.below:
                yield self.runs
                yield self.chart_panel

    def on_resize(self, event: Resize) -> None:
        """Show what there is room for; what is shown again has to be read."""
        width, height = event.size
        self.beside.set_class(width < AROUND_WIDTH, NO_ROOM)
        self.below.set_class(height < RUNS_HEIGHT, NO_ROOM)
        self.chart_panel.set_class(width < CHART_WIDTH, NO_ROOM)
        self.post_message(WantsChanged())

    @property
    def shows_around(self) -> bool:
        """True when the events around the error have room."""
        return not self.beside.has_class(NO_ROOM)

    @property
    def lists_runs(self) -> bool:
        """True when the runs have a list of their own."""
        return self.shows_around and not self.below.has_class(NO_ROOM)

    def show_runs(self, snapshot: Snapshot, run_ids: Sequence[str], latest: ErrorRecord | None) -> None:
        """List the runs it was seen in; each leads to the moment it happened there, where that is still known."""
        records = snapshot.series.records if snapshot.series is not None else ()
        moments: dict[str, int] = {}
        for record in (*((latest,) if latest is not None else ()), *records):
            if record.run_id is not None:
                moments.setdefault(record.run_id, record.timestamp)
        leads = [_lead(run_id, snapshot, moments.get(run_id)) for run_id in run_ids]
        empty = NO_ERROR if latest is None else Plain("it belongs to no run")
        self.runs.show(leads, fmt.plural(len(leads), "run"), empty)


def _lead(run_id: str, snapshot: Snapshot, at_ms: int | None) -> Lead:
    run = snapshot.by_id.get(run_id)
    if run is None:
        return Lead(run_id, None, None, ((), (), name_cell(f"{run_id} (not there any more)", "dim")))
    started = number_cell(fmt.date_time(run.started_at, snapshot.taken_at), "label")
    return Lead(run_id, run_id, at_ms, (status_cell(run.status, False), started, run_cell(run)))
