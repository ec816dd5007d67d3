"""What leads on from a model: the kinds of errors that concern it, and the runs that used it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from buddy_core.metrics.looking.model import ProviderMetrics
from buddy_core.safety.text import Plain
from buddy_top.drawing import format as fmt
from buddy_top.drawing.cells import Cell, Span
from buddy_top.drawing.states import status_cell
from buddy_top.panes.columns.cells import age_cell, failures_cell, name_cell, number_cell, run_cell
from buddy_top.panes.leads import Lead
from buddy_top.state import SeriesDetail, Snapshot
from buddy_top.widgets.table.table import Column

if TYPE_CHECKING:
    from buddy_core.metrics.looking.model import ErrorGroup
    from buddy_core.runs.folding.uses import ModelUse

KIND_COLUMNS = (
    Column("count", Plain("count"), 5, align="right", sortable=False),
    Column("last", Plain("last"), 4, align="right", sortable=False),
    Column("what", Plain("what"), 12, grow=1, sortable=False),
)
USE_COLUMNS = (
    Column("status", Plain(""), 1, sortable=False),
    Column("last", Plain("last"), 4, align="right", sortable=False),
    Column("requests", Plain("req."), 5, align="right", priority=1, sortable=False),
    Column("failed", Plain("fail"), 4, align="right", priority=2, sortable=False),
    Column("tokens", Plain("tokens"), 6, align="right", sortable=False),
    Column("cost", Plain("cost"), 7, align="right", sortable=False),
    Column("objective", Plain("objective"), 12, grow=1, sortable=False),
)


def kind_leads(row: ProviderMetrics, detail: SeriesDetail, now_ms: int) -> list[Lead]:
    """Requests that failed as one line, and each kind of error that was recorded beside them."""
    failed = [_failed_requests(row, detail, now_ms)] if row.error_count else []
    return [*failed, *(_kind(group, now_ms) for group in detail.kinds)]


def _failed_requests(row: ProviderMetrics, detail: SeriesDetail, now_ms: int) -> Lead:
    """Leads to the run that has them; to the moment only where no other run can be meant."""
    runs = [use.run_id for use in detail.uses if use.failures]
    at_ms = row.last_failed_at if len(runs) == 1 else None
    words: Cell = (Span(Plain("failed requests"), "value"),)
    cells = (failures_cell(row.error_count, 5), age_cell(row.last_failed_at, now_ms), words)
    return Lead("failed requests", runs[0] if runs else None, at_ms, cells)


def _kind(group: ErrorGroup, now_ms: int) -> Lead:
    latest = group.latest
    cells = (
        failures_cell(group.count, 5),
        age_cell(group.last_at, now_ms),
        name_cell(latest.message or latest.type),
    )
    return Lead(group.fingerprint, latest.run_id, latest.timestamp, cells)


def use_leads(detail: SeriesDetail, snapshot: Snapshot) -> list[Lead]:
    """The runs that used the model, with what they used of it; each leads to itself."""
    return [_use(use, snapshot) for use in detail.uses]


def _use(use: ModelUse, snapshot: Snapshot) -> Lead:
    run = snapshot.by_id.get(use.run_id)
    cells = (
        status_cell(run.status, False) if run is not None else (),
        age_cell(use.last_at, snapshot.taken_at),
        number_cell(fmt.count_within(5, use.requests) if use.requests else fmt.UNKNOWN),
        failures_cell(use.failures, 4),
        number_cell(fmt.tokens(use.tokens)),
        number_cell(fmt.cost_of(use)),
        run_cell(run) if run is not None else name_cell(use.run_id, "dim"),
    )
    return Lead(use.run_id, use.run_id, None, cells)
