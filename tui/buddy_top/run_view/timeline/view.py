"""The timeline of one run: every event on a line of its own, calls joined with their results.

The table holds places, the index of the run says which row stands where, and the rows in sight come with the
snapshots. Until a row has come its line shows what the index knows, so that nothing waits for a file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar

from msgspec.structs import replace
from textual.app import ComposeResult
from textual.widget import Widget

from buddy_core.runs.facts import RunFacts
from buddy_core.runs.timeline.finding.rowfilter import parse_row_filter
from buddy_core.runs.timeline.index.eventindex import EventIndex
from buddy_core.runs.timeline.timeline import TimelineRow
from buddy_core.safety.text import Plain
from buddy_top.drawing.cells import Cell
from buddy_top.messages import CallNamed, MomentChosen, OpenEvent, WantsChanged
from buddy_top.past.then import rows_then
from buddy_top.run_view.part import RunPart
from buddy_top.run_view.timeline.event_table import EventTable
from buddy_top.run_view.timeline.listed import ListedRows
from buddy_top.run_view.timeline.remarks import empty_words, searching_words, timeline_remark
from buddy_top.run_view.timeline.row_cells import COLUMNS, Look
from buddy_top.state import RunDetail, RunView, Snapshot, Wants
from buddy_top.widgets.table.table import Table

if TYPE_CHECKING:
    from buddy_top.commands import Need
    from buddy_top.export.sheet import Sheet
    from buddy_top.past.rows import RowsThen


class TimelineView(RunPart):
    """A table of timeline rows with relative or absolute times, steps that fold, and a filter."""

    NAME: ClassVar[RunView] = "timeline"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.table = EventTable(*COLUMNS, newest="last")
        self.absolute = False
        self._rows = ListedRows()
        self._run: RunFacts | None = None
        self._now_ms = 0
        self._base = ""
        self._asked: tuple[int, ...] | None = None
        self._jump_to: tuple[int, CallNamed | None] | None = None
        self._then: RowsThen | None = None

    def compose(self) -> ComposeResult:
        """Just the table."""
        yield self.table

    @property
    def target(self) -> Widget:
        """The table."""
        return self.table

    def wants(self, base: Wants) -> Wants:
        """The rows in sight and those near them, and what they are filtered by."""
        self._asked = self._window()
        return replace(base, rows=self._asked, row_filter=self._rows.filter)

    def show_run(self, snapshot: Snapshot, run: RunFacts, detail: RunDetail | None) -> Plain:
        """Draw what was read of the run's events so far; another run than before starts at its top."""
        if self._run is None or run.run_id != self._run.run_id:
            self._forget()
        self._run, self._now_ms = run, snapshot.taken_at
        before, self._then = self._then, rows_then(snapshot, run.run_id, detail)
        self._base = f"{run.cwd.rstrip('/')}/" if run.cwd and len(run.cwd) > 1 else ""
        if detail is not None:
            self._rows.take(detail)
        self._list()
        self._jump_if_there()
        if self._then is not None and self._then != before:
            self.table.follow = False
            self.table.move_to(self._rows.place(self._then.last_row))
        self._ask_if_elsewhere()
        rows = self._rows
        return timeline_remark(rows.detail, run, rows.filter, rows.hidden, snapshot.taken_at)

    def show_nothing(self, words: Plain) -> None:
        """No rows."""
        self._forget()
        self._run = None
        self.table.set_empty(words)

    def _forget(self) -> None:
        self._rows.forget()
        self._asked = None
        self.table.set_source([], self._cells_at)

    def _list(self) -> None:
        """Put into the table what is to be seen of the run now."""
        rows, table = self._rows, self.table
        detail = rows.detail
        if detail is None:
            table.set_empty(empty_words(None))
            return
        ahead = rows.newest
        rows.arrange(ahead=self._looks_ahead(detail))
        live = self._run is not None and self._run.live
        searched = rows.filter and detail.rows
        table.set_empty(searching_words(rows.found, detail) if searched else empty_words(detail, live=live))
        table.set_source(rows.keys, self._cells_at)
        if ahead and not rows.newest and not table.follow:
            self._go_on_from(ahead)

    def _looks_ahead(self, detail: RunDetail) -> bool:
        """The end is seen before the index is there: of a live run that is followed, and of any where it was gone to."""
        live = self._run is not None and self._run.live
        wanted = bool(self._rows.newest) or (live and (self.table.follow or not self.table.keys))
        return detail.reading and wanted and self._then is None and not self._rows.filter

    def _go_on_from(self, newest: Sequence[TimelineRow]) -> None:
        """The cursor was on one of the rows that were read ahead: put it on the same one."""
        row = self._rows.number_of(newest[min(self.table.cursor_index, len(newest) - 1)])
        if row is not None:
            self.table.move_to(self._rows.place(row))

    # What is asked for

    def _window(self) -> tuple[int, ...]:
        return self._rows.window(self.table.top, self.table.page)

    def _ask_if_elsewhere(self) -> None:
        """Ask for other rows when a line in sight has none yet, or when the screen came near the last that were asked for."""
        window = self._window()
        if window == self._asked or not window:
            return
        missing = self._rows.lacks(self.table.top, self.table.page)
        if missing or self._asked is None or not set(window[:1]) & set(self._asked[:1]):
            self._asked = window
            self.post_message(WantsChanged())

    def on_table_highlighted(self, event: Table.Highlighted) -> None:
        """The cursor moved, and perhaps the picture with it."""
        event.stop()
        self._ask_if_elsewhere()

    def on_table_scrolled(self, event: Table.Scrolled) -> None:
        """The wheel moved the picture."""
        event.stop()
        self._ask_if_elsewhere()

    def on_event_table_went_to_end(self, event: EventTable.WentToEnd) -> None:
        """The ends of the run are meant, however far it is indexed."""
        event.stop()
        detail = self._rows.detail
        if detail is None or not detail.reading or event.last == bool(self._rows.newest):
            return
        self._rows.newest = detail.newest if event.last else ()
        self._list()
        self.table.move_to(len(self.table.keys) - 1 if event.last else 0)
        self._ask_if_elsewhere()

    # Filter, folds, times

    @property
    def there(self) -> frozenset[Need]:
        """Whether anything failed in a long timeline is not looked for beforehand."""
        return frozenset({"failures", "events", "ways"})

    @property
    def filter_text(self) -> str:
        """What the rows are filtered by."""
        return self._rows.filter

    def set_filter(self, text: str) -> None:
        """Show only the rows that fit; they come as they are found."""
        if text == self._rows.filter:
            return
        self._rows.filter = text
        words = parse_row_filter(text).words
        self.table.highlight_matches(" ".join(words), each_word=True)
        self._asked = None
        self._list()
        self.post_message(WantsChanged())

    def toggle_grouping(self) -> None:
        """Times since the start of the run, or of the day."""
        self.absolute = not self.absolute
        self.table.rerender()

    def fold(self, *, fold: bool) -> bool:
        """Fold the step the cursor is on or in, on a folded one the step around it; or unfold the one it is on."""
        return self._refold(self._rows.folds.fold if fold else self._rows.folds.unfold)

    def fold_all(self) -> bool:
        """Fold every outermost step, or unfold all; False where there is no step."""
        return self._refold(self._rows.folds.fold_all)

    def _refold(self, change: Callable[[EventIndex, int], int | None]) -> bool:
        """Only where every row is listed: what a filter finds stands by itself."""
        detail, row = self._rows.detail, self._cursor_row
        if detail is None or row is None or self._rows.filter:
            return False
        to = change(detail.index, row)
        if to is not None:
            self._list_again(to)
        return to is not None

    def _list_again(self, row: int) -> None:
        """After a change of folds: the cursor on that row, at the same height of the screen."""
        self._list()
        self.table.move_to(str(row))
        self._ask_if_elsewhere()
        if self._run is not None:
            self.post_message(WantsChanged())

    # Going somewhere

    def go_to_moment(self) -> None:
        """Ask for a time, and put the cursor on the last event that had begun by then."""
        detail = self._rows.detail
        if detail is None or not detail.events:
            return
        from buddy_top.screens.moment import ask_for_moment

        ask_for_moment(self.app, detail.index, detail.events, self.jump_to_moment)

    def jump_to_moment(self, at_ms: int, call: CallNamed | None = None) -> None:
        """Put the cursor on the row that `row_of_moment` finds, now or when the index has come so far."""
        self._jump_to = at_ms, call
        self._jump_if_there()

    def _jump_if_there(self) -> None:
        row = None if self._jump_to is None else self._rows.row_of_moment(*self._jump_to)
        if row is not None:
            self._jump_to = None
            self._go_to_row(row)

    def _go_to_row(self, row: int) -> None:
        if self._rows.reveal(row):
            self._list()
            self.post_message(WantsChanged())
        self._stay_at(self._rows.place(row))

    def jump_error(self, step: int) -> bool:
        """Put the cursor on the next (1) or previous (-1) failure; False when there is none that way."""
        row = self._cursor_row
        found = None if row is None else self._rows.next_wrong(row, step)
        if found is not None:
            self._go_to_row(found)
        return found is not None

    def jump_match(self, focused: Widget | None, step: int) -> bool:
        """To the next row (-1: the previous one), for only rows that match are listed; False without rows."""
        rows = len(self.table.keys)
        if rows:
            self._stay_at((self.table.cursor_index + step) % rows)
        return rows > 0

    def _stay_at(self, place: int) -> None:
        """Whoever asks for a row wants to read it: the newest one is no longer followed."""
        self.table.follow = False
        if not self.table.top <= place < self.table.top + self.table.page:
            self.table.set_top(place - self.table.page // 2)  # with what stands around it
        self.table.move_to(place)
        self.table.post_message(Table.FollowEnded(self.table))
        self.table.post_message(Table.MovedByHand(self.table))

    def on_table_moved_by_hand(self, event: Table.MovedByHand) -> None:
        """In the past, who goes to a row goes to its moment."""
        event.stop()
        if self._then is not None and (place := self.event_at_cursor) is not None:
            self.post_message(MomentChosen(place[1]))

    # The row under the cursor

    @property
    def _cursor_row(self) -> int | None:
        """Its number; None without rows, or while only the newest ones are there."""
        return self._rows.number(self.table.cursor_index)

    @property
    def event_at_cursor(self) -> tuple[int, int] | None:
        """When the event under the cursor happened, and where it begins in the file; None where there is none."""
        row = self._cursor_row
        return None if row is None else self._rows.event_of(row)

    @property
    def selected(self) -> TimelineRow | None:
        """The row under the cursor; None where it has not been read yet."""
        return self._rows.row_at(self.table.cursor_index)

    def open_raw(self) -> None:
        """The selected event as it stands in its file."""
        self.open_event(raw=True)

    def open_event(self, *, raw: bool = False) -> None:
        """Ask for the selected row in full."""
        detail = self._rows.detail
        if detail is not None and self.table.keys:
            at, rows = self.table.cursor_index, self._rows.as_shown(detail)
            self.post_message(OpenEvent(detail.run_id, rows, at, self._came_back_at, raw=raw))

    def _came_back_at(self, row: TimelineRow) -> None:
        """Go on where the reader stopped; what is listed may be other rows by now, and then the cursor stays."""
        if self._rows.lists(row.index) and row.index != self._cursor_row:
            self._stay_at(self._rows.place(row.index))

    def on_table_opened(self, event: Table.Opened) -> None:
        """Enter shows the whole event."""
        event.stop()
        self.open_event()

    # Copies

    def sheet(self) -> Sheet | None:
        """The rows as they are shown; of very many those from the cursor on. They are read when it is gone through."""
        detail = self._rows.detail
        if detail is None:
            return None
        from buddy_top.run_view.timeline.sheet import sheet_of

        return sheet_of(self._rows.as_shown(detail), self.table.cursor_index, self._look)

    def copied(self, *, whole: bool) -> str:
        """The selected row's own words, or all that is known of it as JSON."""
        if self.selected is None:
            return ""
        from buddy_top.run_view.timeline.sheet import copy_of

        return copy_of(self.selected, whole=whole)

    @property
    def _look(self) -> Look:
        live = self._run is not None and self._run.live
        detail = self._rows.detail
        newest = detail.newest if detail is not None else ()
        return Look(
            self.absolute,
            self._base,
            self.table.width_of("detail"),
            self._now_ms if live else None,
            newest[-1].at_ms if newest else 0,
        )

    def _cells_at(self, place: int) -> Sequence[Cell]:
        when = self.table.width_of("when") > 0
        return self._rows.cells(place, self._look, self._then, when=when)
