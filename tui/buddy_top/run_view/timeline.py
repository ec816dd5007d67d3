"""The timeline of one run: every event on a line of its own, calls joined with their results."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.widget import Widget

from buddy_core.runs.model import RunFacts
from buddy_core.runs.viewing.timeline import TimelineRow
from buddy_core.safety.shown import shown
from buddy_core.safety.text import Plain
from buddy_core.signs import STATE_SIGNS
from buddy_top import format as fmt
from buddy_top.cells import Cell, Span, cut_right, text_of
from buddy_top.messages import CallNamed, OpenEvent
from buddy_top.panes.fields import matching
from buddy_top.panes.words import no_match
from buddy_top.run_view.part import NO_REMARK, RunPart
from buddy_top.state import RunDetail, RunView, Snapshot
from buddy_top.states import STATE_INKS
from buddy_top.widgets.table import Column, Table

if TYPE_CHECKING:
    from buddy_top.commands import Need
    from buddy_top.export.sheet import Sheet

_COLUMNS = (
    Column("at", Plain("time"), 9, align="right", sortable=False),
    Column("gap", Plain("gap"), 7, align="right", priority=3, sortable=False),
    Column("mark", Plain(""), 1, sortable=False),
    Column("what", Plain("what"), 14, grow=1, sortable=False),
    Column("detail", Plain("detail"), 20, grow=4, sortable=False),
    Column("took", Plain("took"), 7, align="right", priority=1, sortable=False),
    Column("out", Plain("output"), 7, align="right", priority=2, sortable=False),
)

_ASKED = 12
"""Columns a failed row has at least for what was asked; half of the room is for what went wrong."""

_FAILURES = ("failed", "error")
_CALLS = ("tool_call", "tool_result")
_SAME_MOMENT_MS = 5
"""Durations are rounded, and a result is written a little after its call ended."""

_QUIET_GAP_MS = 1_000
"""Shorter gaps say nothing and are left blank."""


class TimelineView(RunPart):
    """A table of timeline rows with relative or absolute times."""

    NAME: ClassVar[RunView] = "timeline"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.table = Table(*_COLUMNS, newest="last")
        self.absolute = False
        self._all: Sequence[TimelineRow] = ()
        self._rows: Sequence[TimelineRow] = ()
        self._filter = ""
        self._empty = Plain("")
        self._run_id: str | None = None
        self._base = ""
        self._jump_to: tuple[int, CallNamed | None] | None = None

    def compose(self) -> ComposeResult:
        """Just the table."""
        yield self.table

    @property
    def target(self) -> Widget:
        """The table."""
        return self.table

    def show_run(self, snapshot: Snapshot, run: RunFacts, detail: RunDetail | None) -> Plain:
        """Draw what was read of the run's events so far."""
        rows = detail.rows if detail is not None else ()
        self.show(run.run_id, rows, _empty_words(detail), cwd=run.cwd)
        return older_words(detail)

    def show_nothing(self, words: Plain) -> None:
        """No rows."""
        self.show("", (), words)

    def show(self, run_id: str, rows: Sequence[TimelineRow], empty: Plain, *, cwd: str | None = None) -> None:
        """Show a run's rows; another run than before starts at its top. Paths below `cwd` are shown from there."""
        self._base = f"{cwd.rstrip('/')}/" if cwd and len(cwd) > 1 else ""
        if run_id != self._run_id:
            self._run_id = run_id
            self._all = ()
            self.table.set_source([], self._cells_at)
        if rows is not self._all or empty != self._empty:
            self._all, self._empty = rows, empty
            self._apply()
        if self._jump_to is not None and self._rows:
            self._go_to(*self._jump_to)
            self._jump_to = None

    @property
    def filter_text(self) -> str:
        """What the rows are filtered by."""
        return self._filter

    def set_filter(self, text: str) -> None:
        """Show only the rows that contain every word of `text`."""
        self._filter = text
        self._apply()

    def toggle_grouping(self) -> None:
        """Times since the start of the run, or of the day."""
        self.absolute = not self.absolute
        self._apply()

    def jump_to_moment(self, at_ms: int, call: CallNamed | None = None) -> None:
        """Put the cursor on the row that `row_at` finds, now or when the rows arrive."""
        if self._rows:
            self._go_to(at_ms, call)
        else:
            self._jump_to = at_ms, call

    def jump_error(self, step: int) -> bool:
        """Put the cursor on the next (1) or previous (-1) failure; False when there is none that way."""
        at = self.table.cursor_index
        order = range(at + 1, len(self._rows)) if step > 0 else range(at - 1, -1, -1)
        for index in order:
            if self._rows[index].state in _FAILURES:
                self._stay_at(index)
                return True
        return False

    @property
    def there(self) -> frozenset[Need]:
        """Whether anything failed in a long timeline is not looked for beforehand."""
        return frozenset({"failures"})

    def jump_match(self, focused: Widget | None, step: int) -> bool:
        """To the next row (-1: the previous one), for only rows that match are listed; False without rows."""
        if self._rows:
            self._stay_at((self.table.cursor_index + step) % len(self._rows))
        return bool(self._rows)

    @property
    def selected(self) -> TimelineRow | None:
        """The row under the cursor."""
        at = self.table.cursor_index
        return self._rows[at] if 0 <= at < len(self._rows) else None

    def open_raw(self) -> None:
        """The selected event as it stands in its file."""
        self.open_event(raw=True)

    def open_event(self, *, raw: bool = False) -> None:
        """Ask for the selected row in full."""
        if self._run_id is not None and self.selected is not None:
            at = self.table.cursor_index
            self.post_message(OpenEvent(self._run_id, self._rows, at, self._came_back_at, raw=raw))

    def _came_back_at(self, row: TimelineRow) -> None:
        """Go on where the reader stopped; the rows may be others by now, and then the cursor stays."""
        for at, candidate in enumerate(self._rows):
            if candidate.index == row.index:
                self._stay_at(at)
                return

    def on_table_opened(self, event: Table.Opened) -> None:
        """Enter shows the whole event."""
        event.stop()
        self.open_event()

    def sheet(self) -> Sheet:
        """The rows as they are shown."""
        from buddy_core.runs.viewing.entries import fields_of
        from buddy_top.export.sheet import Sheet

        return Sheet(
            title="timeline",
            columns=[column.title or column.key for column in _COLUMNS],
            lines=[[text_of(cell) for cell in self._cells_at(index)] for index in range(len(self._rows))],
            records=[fields_of(row) for row in self._rows],
        )

    def copied(self, *, whole: bool) -> str:
        """The selected row's own words, or all that is known of it as JSON."""
        row = self.selected
        if row is None:
            return ""
        if not whole:
            return row.detail or row.error or row.title
        from buddy_core.runs.viewing.entries import fields_of
        from buddy_top.export.sheet import one_record

        return one_record(fields_of(row))

    def _apply(self) -> None:
        self._rows = matching(self._all, self._filter, _text_of) if self._filter else self._all
        self.table.set_empty(no_match(self._filter) if self._filter and self._all else self._empty)
        self.table.set_source([str(row.index) for row in self._rows], self._cells_at)

    def _go_to(self, at_ms: int, call: CallNamed | None) -> None:
        self._stay_at(row_at(self._rows, at_ms, call))

    def _stay_at(self, index: int) -> None:
        """Whoever asks for a row wants to read it: the newest one is no longer followed."""
        self.table.follow = False
        self.table.move_to(index)
        self.table.post_message(Table.FollowEnded(self.table))

    def _cells_at(self, index: int) -> Sequence[Cell]:
        return row_cells(
            self._rows[index],
            absolute=self.absolute,
            base=self._base,
            room=self.table.width_of("detail"),
        )


def _empty_words(detail: RunDetail | None) -> Plain:
    if detail is None:
        return Plain("reading …")
    if detail.reading and detail.accounting is not None:
        return Plain(f"reading … {fmt.bytes_(detail.accounting.seen)} so far")
    return shown(detail.problem) if detail.problem else Plain("no events yet")


def older_words(detail: RunDetail | None) -> Plain:
    """That the timeline begins later than the run does, where it does."""
    if detail is None or detail.reading or not detail.hidden:
        return NO_REMARK
    return Plain(f"  {fmt.count(detail.hidden)} older lines not shown")


def row_cells(row: TimelineRow, *, absolute: bool = False, base: str = "", room: int = 0) -> tuple[Cell, ...]:
    """Time, gap, sign, what, detail, duration and output of an event.

    `base` is the directory in which paths are told from there, `room` the columns of the detail.
    """
    return (
        (Span(fmt.clock(row.at_ms) if absolute else fmt.relative(row.since_start_ms), "label"),),
        (Span(_gap(row.gap_ms), "dim"),),
        (Span(Plain(STATE_SIGNS[row.state]), STATE_INKS[row.state]),),
        (Span(Plain("  " * min(row.depth, 3))), Span(shown(row.title), _title_ink(row))),
        _detail(row, base, room),
        (Span(Plain("") if row.duration_ms is None else fmt.duration(row.duration_ms), "value"),),
        (Span(Plain("") if row.output_bytes is None else fmt.bytes_(row.output_bytes), "dim"),),
    )


def row_at(rows: Sequence[TimelineRow], at_ms: int, call: CallNamed | None = None) -> int:
    """Index of the failure that was recorded at `at_ms`, else of the last row that had begun by then.

    A `call` that is named by its tool and duration is found first, by when it ended.

    A call is recorded as failed when its result comes, so of several parallel calls the one that ended
    at that moment is meant.
    """
    meant = [
        (abs(row.at_ms + (row.duration_ms or 0) - at_ms), index)
        for index, row in enumerate(rows)
        if (row.title, row.duration_ms) == call and row.kind in _CALLS
    ]
    if meant:
        return min(meant)[1]
    for index, row in enumerate(rows):
        if row.state in _FAILURES and abs(row.at_ms + (row.duration_ms or 0) - at_ms) <= _SAME_MOMENT_MS:
            return index
    return max((index for index, row in enumerate(rows) if row.at_ms <= at_ms), default=0)


def _gap(gap_ms: int | None) -> Plain:
    return Plain("") if gap_ms is None or gap_ms < _QUIET_GAP_MS else fmt.duration(gap_ms)


def _title_ink(row: TimelineRow) -> str:
    return "bad" if row.state in _FAILURES else "value" if row.state != "info" else "label"


def _detail(row: TimelineRow, base: str, room: int) -> Cell:
    text = row.detail.removeprefix(base) if base else row.detail
    words = shown(text)
    if not row.error:
        return (Span(words, "label"),)
    error = Span(shown(row.error, limit=300), "bad")
    if not words:
        return (error,)
    return (Span(Plain(cut_right(words, max(_ASKED, room // 2))), "label"), Span(Plain("  "), "dim"), error)


def _text_of(row: TimelineRow) -> str:
    return f"{row.kind} {row.title} {row.detail} {row.error or ''}"
