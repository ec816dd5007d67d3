"""What leads on from a tool: its slowest and its latest calls, and what its failures said."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from buddy_core.safety.text import Plain
from buddy_core.signs import STATE_SIGNS
from buddy_top.drawing import format as fmt
from buddy_top.drawing.cells import EMPTY_CELL, Cell, Span
from buddy_top.panes.columns.cells import age_cell, failures_cell, name_cell, number_cell, run_cell
from buddy_top.panes.leads import Lead
from buddy_top.state import Snapshot
from buddy_top.widgets.table.table import Column

if TYPE_CHECKING:
    from buddy_core.metrics.looking.model import ErrorGroup, ToolCall

_TOOK = Column("took", Plain("took"), 7, align="right", sortable=False)
_AGE = Column("last", Plain("ago"), 4, align="right", sortable=False)
_SIGN = Column("sign", Plain(""), 1, sortable=False)
_WHAT = Column("what", Plain("what"), 12, grow=3, cut="argument", sortable=False)
_RUN = Column("run", Plain("run"), 22, grow=1, priority=1, sortable=False)

SLOWEST_COLUMNS = (_TOOK, _AGE, _SIGN, _WHAT, _RUN)
LATEST_COLUMNS = (_AGE, _TOOK, _SIGN, _WHAT, _RUN)
TEXT_COLUMNS = (
    Column("count", Plain("count"), 5, align="right", sortable=False),
    _AGE,
    Column("what", Plain("what"), 12, grow=3, sortable=False),
    _RUN,
)


def slowest_leads(tool: str, calls: Sequence[ToolCall], snapshot: Snapshot) -> list[Lead]:
    """Calls with their duration first."""
    return [_call(tool, call, calls, snapshot, took_first=True) for call in calls]


def latest_leads(tool: str, calls: Sequence[ToolCall], snapshot: Snapshot) -> list[Lead]:
    """Calls with their age first."""
    return [_call(tool, call, calls, snapshot, took_first=False) for call in calls]


def _call(
    tool: str, call: ToolCall, calls: Sequence[ToolCall], snapshot: Snapshot, *, took_first: bool
) -> Lead:
    took, age = number_cell(fmt.duration(call.duration_ms)), age_cell(call.at_ms, snapshot.taken_at)
    sign: Cell = EMPTY_CELL if call.success else (Span(Plain(STATE_SIGNS["failed"]), "bad"),)
    run = _run(call.run_id, snapshot)
    first = (took, age) if took_first else (age, took)
    key = f"{call.at_ms} {call.duration_ms} {call.run_id} {_twins_before(call, calls)}"
    cells = (*first, sign, name_cell(call.argument) if call.argument else number_cell(fmt.UNKNOWN), run)
    return Lead(key, call.run_id, call.at_ms, cells, (tool, call.duration_ms))


def _twins_before(call: ToolCall, calls: Sequence[ToolCall]) -> int:
    """Calls that nothing but their order tells apart."""
    alike = (call.at_ms, call.duration_ms, call.run_id)
    twins = [one for one in calls if (one.at_ms, one.duration_ms, one.run_id) == alike]
    return next(place for place, one in enumerate(twins) if one is call)


def text_leads(texts: Sequence[ErrorGroup], snapshot: Snapshot) -> list[Lead]:
    """Error texts, each leading to where it was said last."""
    return [_text(group, snapshot) for group in texts]


def _text(group: ErrorGroup, snapshot: Snapshot) -> Lead:
    latest = group.latest
    cells = (
        failures_cell(group.count, 5),
        age_cell(group.last_at, snapshot.taken_at),
        name_cell(latest.message),
        _run(latest.run_id, snapshot),
    )
    return Lead(group.fingerprint, latest.run_id, latest.timestamp, cells)


def _run(run_id: str | None, snapshot: Snapshot) -> Cell:
    run = snapshot.by_id.get(run_id) if run_id is not None else None
    return EMPTY_CELL if run is None else run_cell(run, "label")
