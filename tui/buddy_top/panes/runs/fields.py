"""The columns of the list of runs."""

from __future__ import annotations

from collections.abc import Sequence

from buddy_core.runs.facts import RunFacts
from buddy_core.runs.names import started_at_of
from buddy_core.safety.text import Plain
from buddy_top.drawing import format as fmt
from buddy_top.drawing.cells import Cell, Span
from buddy_top.drawing.states import status_cell
from buddy_top.listing.memory import STATUS_ORDER
from buddy_top.panes.columns.cells import failures_cell, number_cell, run_cell
from buddy_top.panes.columns.fields import Field
from buddy_top.panes.columns.kinds import count_field, number_field
from buddy_top.run_view.heading import took, took_ms
from buddy_top.widgets.table.table import Column

R = RunFacts

_OF_EVENTS = ("tools", "failed")


def _rank(run: R) -> int:
    return STATUS_ORDER.index(run.status)


RUN_FIELDS: Sequence[Field[R]] = (
    Field(
        Column("sign", Plain(""), 1, sortable=False),
        lambda r, _: status_cell(r.status, False),
        _rank,
        still=True,
    ),
    Field(
        Column("status", Plain("status"), 11, priority=9),
        lambda r, _: status_cell(r.status)[1:],
        _rank,
        False,
        still=True,
    ),
    Field(
        Column("started", Plain("started"), 12, align="right"),
        lambda r, now: number_cell(fmt.date_time(r.started_at, now), "label"),
        lambda r: r.started_at,
    ),
    Field(
        Column("took", Plain("took"), 7, align="right"),
        lambda r, now: number_cell(took(r, now)),
        lambda r: r.duration_ms,
        moving=took_ms,
    ),
    number_field("tokens", 7, lambda r: r.total_tokens, fmt.tokens, priority=3),
    Field(
        Column("cost", Plain("cost"), 8, align="right", priority=2),
        lambda r, _: number_cell(fmt.cost_of(r)),
        lambda r: r.total_cost,
        still=True,
    ),
    count_field("tools", 5, lambda r: r.tool_calls, priority=1),
    Field(
        Column("failed", Plain("fail"), 4, align="right", priority=1),
        lambda r, _: failures_cell(r.tool_failures + r.errors, 4),
        lambda r: r.tool_failures + r.errors,
        still=True,
    ),
    Field(
        Column("objective", Plain("objective"), 16, grow=1),
        lambda r, _: run_cell(r),
        lambda r: r.objective.casefold(),
        False,
        still=True,
    ),
)


def unread_cells(run_id: str, now_ms: int) -> list[Cell]:
    """The line of a run that has not been read yet: its id tells when it started."""
    started: dict[str, Cell] = {
        "started": number_cell(fmt.date_time(started_at_of(run_id) or 0, now_ms), "label"),
        "objective": (Span(Plain("…"), "dim"),),
    }
    return [started.get(field.key, ()) for field in RUN_FIELDS]


def without_events(cells: list[Cell]) -> list[Cell]:
    """The cells of a run of whose events nothing is known yet."""
    unknown = number_cell(fmt.UNKNOWN)
    return [
        unknown if field.key in _OF_EVENTS else cell for field, cell in zip(RUN_FIELDS, cells, strict=True)
    ]
