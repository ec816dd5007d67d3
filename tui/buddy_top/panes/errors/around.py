"""The events around an error: a few lines of its run's timeline, with the error in their midst."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult

from buddy_core.runs.facts import RunFacts
from buddy_core.runs.timeline.around import Moment, Surroundings
from buddy_core.runs.timeline.timeline import TimelineRow
from buddy_core.safety.text import Plain, plain
from buddy_top.drawing import format as fmt
from buddy_top.drawing.cells import Cell, Span
from buddy_top.messages import OpenRun
from buddy_top.panes.columns.cells import run_cell
from buddy_top.run_view.timeline.row_cells import Look, row_cells
from buddy_top.widgets.panel import Panel
from buddy_top.widgets.table.table import Column, Table

_COLUMNS = (
    Column("when", Plain("when"), 7, align="right", sortable=False),
    Column("mark", Plain(""), 1, sortable=False),
    Column("what", Plain("what"), 12, grow=1, sortable=False),
    Column("detail", Plain("detail"), 10, grow=3, sortable=False),
    Column("took", Plain("took"), 7, align="right", priority=1, sortable=False),
)
NO_ERROR = Plain("no error selected")
_NO_RUN = Plain("this error belongs to no run")
_READING = Plain("…")
_GONE = Plain("its run is not there any more: it was pruned or moved")
_NOT_FOUND = Plain("its event is not to be found in the run's file")


class AroundPanel(Panel):
    """Rows that lead into the run, each to its own moment."""

    def __init__(self, *, id: str) -> None:
        super().__init__(title=Plain("Around it"), id=id)
        self.table = Table(*_COLUMNS)
        self._moment: Moment | None = None
        self._found = Surroundings()
        self._base = ""

    def compose(self) -> ComposeResult:
        """The table."""
        yield self.table

    def show(
        self,
        moment: Moment | None,
        known: tuple[Moment, Surroundings | None] | None,
        run: RunFacts | None,
        *,
        selected: bool = True,
    ) -> None:
        """Show what stands around `moment`, if `known` is of it; paths are told from where `run` was at work.

        `selected`: there is an error; one without a moment belongs to no run.
        """
        found = known[1] if known is not None and known[0] == moment else None
        self.set_summary(run_cell(run, "dim") if run is not None else Plain(""))
        cwd = run.cwd if run is not None else None
        self._base = f"{cwd.rstrip('/')}/" if cwd and len(cwd) > 1 else ""
        self.table.set_empty(_words(moment, found) if selected else NO_ERROR)
        found = found or Surroundings()
        begins = moment != self._moment or not self._found.rows
        grows = len(found.rows) != len(self._found.rows) and self._is_on_error
        self._moment, self._found = moment, found
        self.table.set_source([str(row.offset) for row in found.rows], self._cells)
        if begins or grows:
            self._centre()

    def on_resize(self) -> None:
        """The error stays in the midst, unless somebody has moved on from it."""
        if self._is_on_error:
            self.call_after_refresh(self._centre)  # the table has its new size then

    @property
    def _is_on_error(self) -> bool:
        return self._found.at is not None and self.table.cursor_index == self._found.at

    def _centre(self) -> None:
        if self._found.at is not None:
            self.table.move_to(self._found.at)
            self.table.set_top(self._found.at - (self.table.page - 1) // 2)

    def _cells(self, index: int) -> Sequence[Cell]:
        row, at = self._found.rows[index], self._found.at
        look = Look(base=self._base, room=self.table.width_of("detail"))
        _, _, mark, title, detail, took, *_ = row_cells(row, look)
        when = _when(row, self._found.rows[at] if at is not None else row)
        return (when, mark, title[1:], detail, took)  # steps are not told, so nothing stands in from them

    def on_table_opened(self, event: Table.Opened) -> None:
        """Go to that event in the run."""
        event.stop()
        if self._moment is None or not self._found.rows:
            return
        index = self.table.cursor_index
        at_ms = self._moment.at_ms if index == self._found.at else _moment_of(self._found.rows[index])
        self.post_message(OpenRun(self._moment.run_id, at_ms))


def _words(moment: Moment | None, found: Surroundings | None) -> Plain:
    """Why there are no rows."""
    if moment is None:
        return _NO_RUN
    if found is None:
        return _READING
    return _GONE if found.gone else plain(found.problem, limit=80) if found.problem else _NOT_FOUND


def _when(row: TimelineRow, error: TimelineRow) -> Cell:
    """How long before or after the error."""
    if row is error:
        return (Span(Plain("here"), "bad"),)
    away = row.at_ms - error.at_ms
    sign = "-" if away < 0 else "+" if away else ""
    return (Span(Plain(f"{sign}{fmt.duration(abs(away))}"), "label"),)


def _moment_of(row: TimelineRow) -> int:
    """When it is told in the run: a call that failed, when it ended."""
    failed = row.state in ("failed", "error")
    return row.at_ms + int(row.duration_ms or 0) if failed else row.at_ms
