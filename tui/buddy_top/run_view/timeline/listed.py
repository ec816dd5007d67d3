"""What is listed of a run's timeline: which row stands at which place, and as much of the rows as has been read.

It knows nothing of the table: places are counted from the top of the list, and rows by their numbers in the run.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from buddy_core.runs.timeline.index.folds import Folded
from buddy_core.runs.timeline.index.moments import row_of_moment
from buddy_core.runs.timeline.timeline import TimelineRow
from buddy_top.drawing.cells import Cell
from buddy_top.messages import CallNamed
from buddy_top.run_view.timeline.row_cells import Look, outline_cells, row_cells, when_bar
from buddy_top.run_view.timeline.shown_rows import KnownRows, ShownRows
from buddy_top.run_view.timeline.sight import AllRows, NewestKeys, RowKeys, Sight, SomeRows
from buddy_top.run_view.timeline.step_folds import StepFolds
from buddy_top.state import Found, RunDetail

if TYPE_CHECKING:
    from buddy_top.past.rows import RowsThen

_MARGIN = 2
"""Screenfuls read before and after the one in sight."""

_SCREENFUL = (20, 60)
_KEPT = 2_000


class ListedRows:
    """All rows of a run, those left by folded steps, or those that fit the filter; ahead of the index the newest."""

    def __init__(self) -> None:
        self.detail: RunDetail | None = None
        """What was read of the run so far."""
        self.filter = ""
        self.folds = StepFolds()
        self.newest: Sequence[TimelineRow] = ()
        """Rows from the end of the file, listed in place of the others while the index has not come so far."""
        self._sight: Sight = AllRows(0)
        self._known: dict[int, TimelineRow] = {}

    # What there is

    def forget(self) -> None:
        """Nothing is known: another run."""
        self.detail, self.newest, self._sight = None, (), AllRows(0)
        self._known.clear()
        self.folds.clear()

    def take(self, detail: RunDetail) -> None:
        """More was read, or the same of another file."""
        if self.detail is None or detail.index is not self.detail.index:
            self._known.clear()
            self.folds.clear()
        if len(self._known) > _KEPT:
            self._known.clear()
        self._known.update(detail.page)
        self.detail = detail

    def arrange(self, *, ahead: bool) -> None:
        """List anew what there is; `ahead` of the index, where rows have been read there."""
        detail = self.detail
        if detail is not None:
            self.newest = detail.newest if ahead else ()
            self._sight = self._sight_of(detail)

    def _sight_of(self, detail: RunDetail) -> Sight:
        if self.filter:
            found = self.found
            return SomeRows((), 0) if found is None else SomeRows(found.matches, found.count)
        return self.folds.sight(detail.index, detail.rows)

    @property
    def found(self) -> Found | None:
        """What the filter has found; None while the search for this one has not begun."""
        found = None if self.detail is None else self.detail.found
        return found if found is not None and found.text == self.filter else None

    @property
    def keys(self) -> Sequence[str]:
        """What a table knows the rows by."""
        return NewestKeys(self.newest) if self.newest else RowKeys(self._sight)

    @property
    def hidden(self) -> int:
        """Rows that are folded away."""
        return self._sight.hidden if isinstance(self._sight, Folded) else 0

    # From places to rows, and back

    def place(self, row: int) -> int:
        """The place of a row, or of the one before it that is listed."""
        return self._sight.place(row)

    def number(self, place: int) -> int | None:
        """The number of the row at a place; None without one, or while only the newest ones are there."""
        return None if self.newest or not 0 <= place < len(self._sight) else self._sight.row(place)

    def lists(self, row: int) -> bool:
        """True where a row is listed by its number."""
        return not self.newest and len(self._sight) > 0 and self._sight.row(self._sight.place(row)) == row

    def row_at(self, place: int) -> TimelineRow | None:
        """The row at a place; None without one, and while it has not been read."""
        if self.newest:
            return self.newest[place] if place < len(self.newest) else None
        return self._read_at(place) if place < len(self._sight) else None

    def _read_at(self, place: int) -> TimelineRow | None:
        """The row at a place if it has come, and still stands as it stood then."""
        number = self._sight.row(place)
        row = self._known.get(number)
        index = self.detail.index if self.detail is not None else None
        return row if row is not None and index is not None and row.state == index.state(number) else None

    def event_of(self, row: int) -> tuple[int, int] | None:
        """When the event of a row happened, and where it begins in the file."""
        if self.detail is None:
            return None
        index = self.detail.index
        return index.times[index.events[row]], index.offsets[index.events[row]]

    def number_of(self, row: TimelineRow) -> int | None:
        """The number by which the index knows a row that was read ahead of it; None while it does not."""
        if self.detail is None:
            return None
        event = self.detail.index.event_at(row.offset)
        return None if event is None else self.detail.index.row_of_event(event)

    def row_of_moment(self, at_ms: int, call: CallNamed | None) -> int | None:
        """The row that was the last to begin by then, or is that call; None while the index has not come so far."""
        detail = self.detail
        if detail is None or not detail.rows or self.newest:
            return None
        index = detail.index
        if detail.reading and not (index.ordered and index.times[-1] > at_ms + 1_000):
            return None
        return row_of_moment(index, at_ms, call)

    def next_wrong(self, row: int, step: int) -> int | None:
        """The next (1) or previous (-1) row that failed, of those that fit the filter; None when there is none."""
        detail = self.detail
        if detail is None:
            return None
        found = detail.index.next_wrong(row, step)
        while found is not None and found < detail.rows and self.filter and not self.lists(found):
            found = detail.index.next_wrong(found, step)
        return None if found is None or found >= detail.rows else found

    def reveal(self, row: int) -> bool:
        """Unfold what hides a row; False where nothing does. What is listed changes when it is arranged anew."""
        hides = isinstance(self._sight, Folded) and self._sight.hides(row)
        if self.detail is not None and hides:
            self.folds.reveal(self.detail.index, row)
        return self.detail is not None and hides

    # What is read

    def window(self, top: int, page: int) -> tuple[int, ...]:
        """Numbers of the rows that should be read: whole screenfuls, so that a step of the cursor asks for nothing new."""
        if self.newest or not len(self._sight):
            return ()
        least, most = _SCREENFUL
        screenful = min(max(page, least), most)
        at = top // screenful
        first, last = (at - _MARGIN) * screenful, (at + _MARGIN + 2) * screenful
        return tuple(self._sight.row(place) for place in range(max(first, 0), min(last, len(self._sight))))

    def lacks(self, top: int, page: int) -> bool:
        """True when a row of these lines has not been read, or stands otherwise by now."""
        return any(self._read_at(place) is None for place in range(top, min(top + page, len(self._sight))))

    def as_shown(self, detail: RunDetail) -> ShownRows:
        """The rows as they are listed now, to be read elsewhere."""
        if self.newest:
            return KnownRows(self.newest)
        return ShownRows(detail.run_dir, detail.index, self._sight, dict(self._known))

    def cells(self, place: int, look: Look, then: RowsThen | None, *, when: bool) -> Sequence[Cell]:
        """A line of the table; until its row has been read, what the index knows. `when`: with the bar of its time."""
        if self.newest:
            return row_cells(self.newest[place], look)
        assert self.detail is not None
        index, number = self.detail.index, self._sight.row(place)
        bar = when_bar(index, number, look) if when else ()
        fold = None if self.filter else self.folds.mark(index, number)
        row = self._read_at(place)
        if then is not None:
            return then.cells(number, row, look, fold, bar)
        if row is None:
            return outline_cells(index, number, look, fold, bar)
        return row_cells(row, look, fold, bar)
