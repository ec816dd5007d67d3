"""A timeline as of a moment: which rows are yet to come, and how the others stood."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from msgspec.structs import replace

from buddy_core.runs.timeline.index.eventindex import NONE, REFUSED, RUNNING
from buddy_core.runs.timeline.timeline import TimelineRow
from buddy_top.drawing.cells import Cell, Span
from buddy_top.past.view import PastView
from buddy_top.run_view.timeline.row_cells import COLUMNS, Fold, Look, outline_cells, row_cells
from buddy_top.state import RunDetail

_KEPT_OF_LATER = ("at", "gap", "what", "detail")
"""What is told of an event that is yet to come, dim: not how it went nor how long it took."""

_KEPT_UNREAD = ("at", "gap", "what")


class RowsThen:
    """What a moment makes of the rows of one run."""

    def __init__(self, past: PastView, run_id: str, detail: RunDetail) -> None:
        self._index = detail.index
        own = past.run_id == run_id
        self.events = past.events if own else detail.index.events_until(past.moment.at_ms)
        """How many of the run's events had happened."""
        self._over = self.events >= detail.events and not detail.reading

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RowsThen) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    @property
    def last_row(self) -> int:
        """The last row that had begun; 0 where none had."""
        return max(0, bisect_left(self._index.events, self.events) - 1)

    def cells(
        self, number: int, row: TimelineRow | None, look: Look, fold: Fold | None, bar: Cell
    ) -> Sequence[Cell]:
        """The line of a row: as it stood, or dim where it is yet to come; `row` is None until it has been read."""
        later = self._index.events[number] >= self.events
        ended = not later and self._had_ended(number)
        if row is None:
            cells = outline_cells(self._index, number, look, fold, bar)
            return cells if ended else _only(cells, _KEPT_UNREAD, dim=later)
        if ended:
            return row_cells(row, look, fold, bar)
        state = "info" if later else "running"
        row = replace(row, state=state, duration_ms=None, output_bytes=None, error=None, result_offset=None)
        cells = row_cells(row, look, fold)
        return _only(cells, _KEPT_OF_LATER, dim=True) if later else cells

    @property
    def _key(self) -> tuple[int, int, bool]:
        return id(self._index), self.events, self._over

    def _had_ended(self, number: int) -> bool:
        """What ends a row may have come later: its result, the end of the step, or that of the run."""
        answer = self._index.answers[number]
        if answer != NONE:
            return answer < self.events
        return self._over or self._index.states[number] not in (REFUSED, RUNNING)


def _only(cells: Sequence[Cell], kept: Sequence[str], *, dim: bool) -> Sequence[Cell]:
    """Some of the cells of a line, the others empty."""
    return tuple(
        () if column.key not in kept else tuple(Span(span.text, "dim") for span in cell) if dim else cell
        for column, cell in zip(COLUMNS, cells, strict=True)
    )
