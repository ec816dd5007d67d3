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
from buddy_core.runs.timeline.index.folds import Folded
from buddy_core.runs.timeline.index.moments import row_of_moment
from buddy_core.runs.timeline.timeline import TimelineRow
from buddy_core.safety.text import Plain
from buddy_top.drawing.cells import Cell
from buddy_top.messages import CallNamed, MomentChosen, OpenEvent, WantsChanged
from buddy_top.past.then import rows_then
from buddy_top.run_view.part import RunPart
from buddy_top.run_view.timeline.event_table import EventTable
from buddy_top.run_view.timeline.remarks import empty_words, searching_words, timeline_remark
from buddy_top.run_view.timeline.row_cells import COLUMNS, Look, outline_cells, row_cells, when_bar
from buddy_top.run_view.timeline.shown_rows import KnownRows, ShownRows
from buddy_top.run_view.timeline.sight import AllRows, NewestKeys, RowKeys, Sight, SomeRows
from buddy_top.run_view.timeline.step_folds import StepFolds
from buddy_top.state import RunDetail, RunView, Snapshot, Wants
from buddy_top.widgets.table.table import Table

if TYPE_CHECKING:
    from buddy_top.commands import Need
    from buddy_top.export.sheet import Sheet
    from buddy_top.past.rows import RowsThen

_MARGIN = 2
"""Screenfuls read before and after the one in sight."""

_SCREENFUL = (20, 60)
_KEPT = 2_000


class TimelineView(RunPart):
    """A table of timeline rows with relative or absolute times, steps that fold, and a filter."""

    NAME: ClassVar[RunView] = "timeline"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.table = EventTable(*COLUMNS, newest="last")
        self.absolute = False
        self._filter = ""
        self._detail: RunDetail | None = None
        self._run: RunFacts | None = None
        self._now_ms = 0
        self._base = ""
        self._sight: Sight = AllRows(0)
        self._newest: Sequence[TimelineRow] = ()  # listed in place of the sight, ahead of the index
        self._known: dict[int, TimelineRow] = {}
        self._folds = StepFolds()
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
        return replace(base, rows=self._asked, row_filter=self._filter)

    def show_run(self, snapshot: Snapshot, run: RunFacts, detail: RunDetail | None) -> Plain:
        """Draw what was read of the run's events so far; another run than before starts at its top."""
        if self._run is None or run.run_id != self._run.run_id:
            self._forget()
        self._run, self._now_ms = run, snapshot.taken_at
        before, self._then = self._then, rows_then(snapshot, run.run_id, detail)
        self._base = f"{run.cwd.rstrip('/')}/" if run.cwd and len(run.cwd) > 1 else ""
        if detail is not None:
            self._take(detail)
        self._list()
        self._jump_if_there()
        if self._then is not None and self._then != before:
            self.table.follow = False
            self.table.move_to(self._sight.place(self._then.last_row))
        self._ask_if_elsewhere()
        folded = self._sight.hidden if isinstance(self._sight, Folded) else 0
        return timeline_remark(self._detail, run, self._filter, folded, snapshot.taken_at)

    def show_nothing(self, words: Plain) -> None:
        """No rows."""
        self._forget()
        self._run = None
        self.table.set_empty(words)

    def _forget(self) -> None:
        self._detail, self._newest, self._sight = None, (), AllRows(0)
        self._known.clear()
        self._folds.clear()
        self._asked = None
        self.table.set_source([], self._cells_at)

    def _take(self, detail: RunDetail) -> None:
        if self._detail is None or detail.index is not self._detail.index:
            self._known.clear()
            self._folds.clear()
        if len(self._known) > _KEPT:
            self._known.clear()
        self._known.update(detail.page)
        self._detail = detail

    def _list(self) -> None:
        """Put into the table what is to be seen of the run now."""
        detail, table = self._detail, self.table
        if detail is None:
            table.set_empty(empty_words(None))
            return
        ahead = self._newest
        self._newest = detail.newest if self._looks_ahead(detail) else ()
        self._sight = self._sight_of(detail)
        found = detail.found if detail.found is not None and detail.found.text == self._filter else None
        searched = self._filter and detail.rows
        live = self._run is not None and self._run.live
        table.set_empty(searching_words(found, detail) if searched else empty_words(detail, live=live))
        if self._newest:
            table.set_source(NewestKeys(self._newest), self._newest_cells)
            return
        table.set_source(RowKeys(self._sight), self._cells_at)
        if ahead and not table.follow:
            self._go_on_from(ahead, detail.index)

    def _looks_ahead(self, detail: RunDetail) -> bool:
        """The end is seen before the index is there: of a live run that is followed, and of any where it was gone to."""
        live = self._run is not None and self._run.live
        wanted = bool(self._newest) or (live and (self.table.follow or not self.table.keys))
        return detail.reading and wanted and self._then is None and not self._filter and bool(detail.newest)

    def _sight_of(self, detail: RunDetail) -> Sight:
        if self._filter:
            found = detail.found
            known = found is not None and found.text == self._filter
            return SomeRows(found.matches, found.count) if known and found is not None else SomeRows((), 0)
        return self._folds.sight(detail.index, detail.rows)

    def _go_on_from(self, rows: Sequence[TimelineRow], index: EventIndex) -> None:
        """The cursor was on one of the rows that were read ahead: put it on the same one."""
        at = min(self.table.cursor_index, len(rows) - 1)
        event = index.event_at(rows[at].offset)
        row = None if event is None else index.row_of_event(event)
        if row is not None:
            self.table.move_to(self._sight.place(row))

    # What is asked for

    def _window(self) -> tuple[int, ...]:
        """Numbers of the rows that should be read: whole screenfuls, so that a step of the cursor asks for nothing new."""
        if self._newest or not len(self._sight):
            return ()
        least, most = _SCREENFUL
        screenful = min(max(self.table.page, least), most)
        at = self.table.top // screenful
        first, last = (at - _MARGIN) * screenful, (at + _MARGIN + 2) * screenful
        return tuple(self._sight.row(place) for place in range(max(first, 0), min(last, len(self._sight))))

    def _ask_if_elsewhere(self) -> None:
        """Ask for other rows when a line in sight has none yet, or when the screen came near the last that were asked for."""
        window = self._window()
        if window == self._asked or not window:
            return
        top = self.table.top
        in_sight = range(top, min(top + self.table.page, len(self._sight)))
        missing = any(self._row_at(place) is None for place in in_sight)
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
        detail = self._detail
        if detail is None or not detail.reading or event.last == bool(self._newest):
            return
        self._newest = detail.newest if event.last else ()
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
        return self._filter

    def set_filter(self, text: str) -> None:
        """Show only the rows that fit; they come as they are found."""
        if text == self._filter:
            return
        self._filter = text
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
        return self._refold(self._folds.fold if fold else self._folds.unfold)

    def fold_all(self) -> bool:
        """Fold every outermost step, or unfold all; False where there is no step."""
        return self._refold(self._folds.fold_all)

    def _refold(self, change: Callable[[EventIndex, int], int | None]) -> bool:
        """Only where every row is listed: what a filter finds stands by itself."""
        detail, row = self._detail, self._cursor_row
        if detail is None or row is None or self._filter:
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
        detail = self._detail
        if detail is None or not detail.events:
            return
        from buddy_top.screens.moment import ask_for_moment

        ask_for_moment(self.app, detail.index, detail.events, self.jump_to_moment)

    def jump_to_moment(self, at_ms: int, call: CallNamed | None = None) -> None:
        """Put the cursor on the row that `row_of_moment` finds, now or when the index has come so far."""
        self._jump_to = at_ms, call
        self._jump_if_there()

    def _jump_if_there(self) -> None:
        detail = self._detail
        if self._jump_to is None or detail is None or not detail.rows or self._newest:
            return
        at_ms, call = self._jump_to
        if detail.reading and not (detail.index.ordered and detail.index.times[-1] > at_ms + 1_000):
            return
        self._jump_to = None
        self._go_to_row(row_of_moment(detail.index, at_ms, call))

    def _go_to_row(self, row: int) -> None:
        if self._detail is not None and isinstance(self._sight, Folded) and self._sight.hides(row):
            self._folds.reveal(self._detail.index, row)
            self._list()
            self.post_message(WantsChanged())
        self._stay_at(self._sight.place(row))

    def jump_error(self, step: int) -> bool:
        """Put the cursor on the next (1) or previous (-1) failure; False when there is none that way."""
        detail, row = self._detail, self._cursor_row
        if detail is None or row is None:
            return False
        found = detail.index.next_wrong(row, step)
        while found is not None and found < detail.rows and self._filter and not self._lists(found):
            found = detail.index.next_wrong(found, step)
        if found is None or found >= detail.rows:
            return False
        self._go_to_row(found)
        return True

    def _lists(self, row: int) -> bool:
        return len(self._sight) > 0 and self._sight.row(self._sight.place(row)) == row

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
        at = self.table.cursor_index
        return None if self._newest or not 0 <= at < len(self._sight) else self._sight.row(at)

    @property
    def event_at_cursor(self) -> tuple[int, int] | None:
        """When the event under the cursor happened, and where it begins in the file; None where there is none."""
        if self._detail is None or (row := self._cursor_row) is None:
            return None
        index = self._detail.index
        return index.times[index.events[row]], index.offsets[index.events[row]]

    @property
    def selected(self) -> TimelineRow | None:
        """The row under the cursor; None where it has not been read yet."""
        at = self.table.cursor_index
        if self._newest:
            return self._newest[at] if at < len(self._newest) else None
        return self._row_at(at) if at < len(self._sight) else None

    def _row_at(self, place: int) -> TimelineRow | None:
        """The row at a place if it has come, and still stands as it stood then."""
        number = self._sight.row(place)
        row = self._known.get(number)
        index = self._detail.index if self._detail is not None else None
        return row if row is not None and index is not None and row.state == index.state(number) else None

    def open_raw(self) -> None:
        """The selected event as it stands in its file."""
        self.open_event(raw=True)

    def open_event(self, *, raw: bool = False) -> None:
        """Ask for the selected row in full."""
        if self._detail is not None and self.table.keys:
            at = self.table.cursor_index
            rows = self._rows_shown(self._detail)
            self.post_message(OpenEvent(self._detail.run_id, rows, at, self._came_back_at, raw=raw))

    def _rows_shown(self, detail: RunDetail) -> ShownRows:
        if self._newest:
            return KnownRows(self._newest)
        return ShownRows(detail.run_dir, detail.index, self._sight, dict(self._known))

    def _came_back_at(self, row: TimelineRow) -> None:
        """Go on where the reader stopped; what is listed may be other rows by now, and then the cursor stays."""
        if not self._newest and self._lists(row.index) and row.index != self._cursor_row:
            self._stay_at(self._sight.place(row.index))

    def on_table_opened(self, event: Table.Opened) -> None:
        """Enter shows the whole event."""
        event.stop()
        self.open_event()

    # Copies

    def sheet(self) -> Sheet | None:
        """The rows as they are shown; of very many those from the cursor on. They are read when it is gone through."""
        if self._detail is None:
            return None
        from buddy_top.run_view.timeline.sheet import sheet_of

        return sheet_of(self._rows_shown(self._detail), self.table.cursor_index, self._look)

    def copied(self, *, whole: bool) -> str:
        """The selected row's own words, or all that is known of it as JSON."""
        if self.selected is None:
            return ""
        from buddy_top.run_view.timeline.sheet import copy_of

        return copy_of(self.selected, whole=whole)

    @property
    def _look(self) -> Look:
        live = self._run is not None and self._run.live
        newest = self._detail.newest if self._detail is not None else ()
        return Look(
            self.absolute,
            self._base,
            self.table.width_of("detail"),
            self._now_ms if live else None,
            newest[-1].at_ms if newest else 0,
        )

    def _newest_cells(self, place: int) -> Sequence[Cell]:
        return row_cells(self._newest[place], self._look)

    def _cells_at(self, place: int) -> Sequence[Cell]:
        assert self._detail is not None
        index, number, look = self._detail.index, self._sight.row(place), self._look
        bar = when_bar(index, number, look) if self.table.width_of("when") else ()
        fold = None if self._filter else self._folds.mark(index, number)
        row = self._row_at(place)
        if self._then is not None:
            return self._then.cells(number, row, look, fold, bar)
        if row is None:
            return outline_cells(index, number, look, fold, bar)
        return row_cells(row, look, fold, bar)
