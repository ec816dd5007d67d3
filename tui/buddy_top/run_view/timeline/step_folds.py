"""Which steps of a timeline are folded, and what folding does to the rows that are listed."""

from __future__ import annotations

from buddy_core.runs.timeline.index.eventindex import EventIndex
from buddy_core.runs.timeline.index.folds import Folded, outermost_steps, steps_around
from buddy_top.run_view.timeline.row_cells import Fold
from buddy_top.run_view.timeline.sight import AllRows, Sight


class StepFolds:
    """The folded steps of one run, by their numbers. What changes them gives the row the cursor belongs on."""

    def __init__(self) -> None:
        self._folded: set[int] = set()

    def clear(self) -> None:
        """Everything is open: another run, or another file."""
        self._folded.clear()

    def sight(self, index: EventIndex, rows: int) -> Sight:
        """The rows that are left of the first `rows`."""
        return Folded(index, rows, self._folded) if self._folded else AllRows(rows)

    def mark(self, index: EventIndex, row: int) -> Fold | None:
        """What a row hides; None for one that begins no step."""
        step = index.step_begun_at(row)
        if step is None:
            return None
        if step not in self._folded:
            return Fold(0)
        first, end = index.folded_by(step)
        return Fold(end - first)

    def fold(self, index: EventIndex, row: int) -> int | None:
        """Fold the step a row begins or is in; where it is folded, the step around it. None where there is none."""
        own, around = index.step_begun_at(row), steps_around(index, row)
        steps = [step for step in ([own] if own is not None else []) + around if step not in self._folded]
        if not steps:
            return None
        self._folded.add(steps[0])
        return index.step_rows[steps[0]]

    def unfold(self, index: EventIndex, row: int) -> int | None:
        """Unfold the step a row begins; None where it is not folded."""
        step = index.step_begun_at(row)
        if step is None or step not in self._folded:
            return None
        self._folded.discard(step)
        return row

    def fold_all(self, index: EventIndex, row: int) -> int | None:
        """Fold every outermost step, or unfold all; None where there is no step."""
        outermost = outermost_steps(index)
        if not outermost:
            return None
        around = [] if self._folded else steps_around(index, row)
        self._folded = set() if self._folded else set(outermost)
        return index.step_rows[around[-1]] if around else row

    def reveal(self, index: EventIndex, row: int) -> None:
        """Unfold what hides a row."""
        self._folded.difference_update(steps_around(index, row))
