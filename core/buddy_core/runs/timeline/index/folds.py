"""Which rows of a timeline are in sight when some of its steps are folded: places and rows, without a list of them."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable

from buddy_core.runs.timeline.index.eventindex import NONE, EventIndex


class Folded:
    """The rows `0 … rows` of an index without those of the steps `folded`, whose first rows stay.

    A place counts the rows that are left. Making one costs as much as there are folded steps; asking it is a
    matter of halving.
    """

    def __init__(self, index: EventIndex, rows: int, folded: Iterable[int]) -> None:
        self._begins = array("I")
        self._ends = array("I")
        self._hidden_before = array("I")  # of each stretch, the rows hidden before it
        hidden, reach = 0, 0
        for step in sorted(folded):
            first, end = index.folded_by(step)
            first, end = max(first, reach), min(end, rows)
            if first >= end:
                continue
            self._begins.append(first)
            self._ends.append(end)
            self._hidden_before.append(hidden)
            hidden += end - first
            reach = end
        self.hidden = hidden
        """Rows that are out of sight."""
        self._rows = rows
        self._places = array("I", (b - h for b, h in zip(self._begins, self._hidden_before, strict=True)))

    def __len__(self) -> int:
        return self._rows - self.hidden

    def row(self, place: int) -> int:
        """The row at a place."""
        stretch = bisect_right(self._places, place) - 1
        if stretch < 0:
            return place
        return place + self._hidden_before[stretch] + self._ends[stretch] - self._begins[stretch]

    def place(self, row: int) -> int:
        """The place of a row; of one that is hidden, that of the step which hides it."""
        stretch = bisect_right(self._begins, row) - 1
        if stretch < 0:
            return row
        if row < self._ends[stretch]:
            return max(self._places[stretch] - 1, 0)
        return row - self._hidden_before[stretch] - (self._ends[stretch] - self._begins[stretch])

    def hides(self, row: int) -> bool:
        """True for a row that is out of sight."""
        stretch = bisect_right(self._begins, row) - 1
        return stretch >= 0 and row < self._ends[stretch]


def steps_around(index: EventIndex, row: int) -> list[int]:
    """The steps a row is inside of, the innermost first."""
    found: list[int] = []
    step = index.step_of(row)
    while step is not None:
        found.append(step)
        above = index.step_parents[step]
        step = None if above == NONE else above
    return found


def outermost_steps(index: EventIndex) -> list[int]:
    """Every step that is inside none."""
    return [step for step in range(len(index.step_rows)) if index.step_parents[step] == NONE]
