"""Finds the rows of an index that a filter means: a piece at a time, as far as the index has come."""

from __future__ import annotations

from array import array
from bisect import bisect_left, insort
from collections.abc import Sequence

from buddy_core.runs.timeline.finding.rowfilter import RowFilter, column_test
from buddy_core.runs.timeline.finding.rowprobe import Probe, block_of
from buddy_core.runs.timeline.index.eventindex import EventIndex
from buddy_core.runs.timeline.index.rowmaker import RowMaker

AT_ONCE = 100
"""Rows that are decoded between two looks at the clock."""

_LOOKED_AT = 4_000


class RowSearch:
    """One filter over one index. Grown by one thread; `matches` may be read by others, and only ever grows
    but for rows that fit no longer, or only now, because what they waited for has come.
    """

    def __init__(self, index: EventIndex, wanted: RowFilter, maker: RowMaker) -> None:
        self.index = index
        self.wanted = wanted
        self.matches: array[int] = array("I")
        """The numbers of the rows that fit, in order."""
        self.searched = 0
        """Rows that were looked at."""
        self._maker = maker
        self._test = column_test(wanted, index)
        self._probe = Probe(wanted.words)
        self._candidates: list[int] = []
        self._block_end = 0
        self._changes = len(index.changed)

    @property
    def more(self) -> bool:
        """There are rows that were not looked at, or have changed since."""
        return self.searched < self.index.rows or self._changes < len(self.index.changed)

    def advance(self) -> None:
        """Look at some more: a few milliseconds."""
        if self._candidates:
            self._decide()
        elif self.searched < self.index.rows:
            self._gather()
        else:
            self._look_again()

    def _gather(self) -> None:
        """Choose among the next rows those that may fit."""
        index, first = self.index, self.searched
        last = min(index.rows, first + _LOOKED_AT)
        if self.wanted.words:
            last = block_of(index, first, last)
        rows: Sequence[int] = range(first, last)
        if self._test is not None:
            rows = [row for row in rows if self._test(row)]
        if self.wanted.words:
            rows = self._probe.among(index, rows, self._maker.read)
        self._candidates, self._block_end = list(rows), last
        if not self._candidates:
            self.searched = last

    def _decide(self) -> None:
        """Hold the next of them against the filter."""
        few, self._candidates = self._candidates[:AT_ONCE], self._candidates[AT_ONCE:]
        if self.wanted.words or self._unsure(few):
            fitting = [row.index for row in self._maker.rows(self.index, few) if self.wanted.fits(row)]
        else:
            fitting = few
        self.matches.extend(fitting)
        self.searched = self._block_end if not self._candidates else self._candidates[0]

    def _unsure(self, rows: Sequence[int]) -> bool:
        """True where one of them has a name that the index does not know."""
        index = self.index
        others = index.kind_names.other, index.tool_names.other
        return any(
            index.kinds[index.events[row]] == others[0] or index.tools[row] == others[1] for row in rows
        )

    def _look_again(self) -> None:
        """Rows that have changed since they were looked at, such as calls whose result has come."""
        changed = self.index.changed
        few = range(self._changes, min(len(changed), self._changes + AT_ONCE))
        self._changes = few.stop
        for number in few:
            self._place(changed[number])

    def _place(self, row: int) -> None:
        at = bisect_left(self.matches, row)
        known = at < len(self.matches) and self.matches[at] == row
        fits = self.wanted.fits(self._maker.rows(self.index, [row])[0])
        if fits and not known:
            insort(self.matches, row)
        elif known and not fits:
            del self.matches[at]
