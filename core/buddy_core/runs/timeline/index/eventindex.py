"""Where each event of one run stands in its file, and which rows of a timeline they make: an index in memory.

A run of a million events costs some 35 MB here and nothing else: times, places and joins stand in arrays of
plain numbers, texts stay in the file. It grows in the order of the file, and what it has said of an event
never moves; only how a row stands changes when its result comes. One thread may let it grow while others
read: the first columns of a row are there before the last, so whoever looks through a column ends at `rows`
(of events: at `len`), and sees those that were whole when it asked.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from typing import Final

from buddy_core.runs.timeline.event_words import State

NONE: Final = 0xFFFFFFFF
"""Stands for no event, no step, no row."""

STATES: tuple[State, ...] = ("info", "ok", "running", "failed", "error", "refused")
"""How a row stands, by the number it has in `EventIndex.states`."""

INFO, OK, RUNNING, FAILED, ERROR, REFUSED = range(6)

KINDS = (
    "tool_call",
    "tool_result",
    "metric",
    "step_start",
    "step_end",
    "run_start",
    "run_end",
    "decision",
    "error",
    "patch_created",
    "patch_applied",
)
CALL, RESULT, METRIC, STEP_START, STEP_END = range(5)
"""Numbers in `EventIndex.kinds` that are the same in every index: those of `KINDS`."""

_MOST_KINDS = 250
_MOST_TOOLS = 10_000
_LONGEST_NAME = 100


class Names:
    """Numbers for the names that occur, from 0; beyond `most` of them, or for long ones, one number for all."""

    def __init__(self, most: int) -> None:
        self.other = most
        """The number of those that have none of their own."""
        self._numbers: dict[str, int] = {}
        self._names: list[str] = []

    def __len__(self) -> int:
        return len(self._names)

    def number(self, name: str) -> int:
        """The number of a name, given to it now if it is new."""
        number = self._numbers.get(name)
        return self._give(name) if number is None else number

    def number_of(self, name: str) -> int:
        """The number a name has; `other` if it has none of its own."""
        return self._numbers.get(name, self.other)

    def name(self, number: int) -> str | None:
        """The name behind a number; None for `other`."""
        return self._names[number] if number < len(self._names) else None

    def _give(self, name: str) -> int:
        if len(name) > _LONGEST_NAME or len(self._names) >= self.other:
            return self.other
        self._names.append(name)
        self._numbers[name] = len(self._names) - 1
        return len(self._names) - 1


class EventIndex:
    """One generation of one event file.

    The arrays are read by whoever needs them and written by its `Indexer` alone. Of each event, by its number in the
    file: `offsets` (bytes), `times` (ms since the epoch), `kinds` (see `kind_names`). Of each row, by its
    number in the timeline: `events` (the number of its event), `answers` (the event that ended it, or of a
    step's end the one that began it; `NONE` where there is none), `states`, `steps` (the number of the
    innermost step it is in, or `NONE`), `tools` (see `tool_names`), `durations` (ms, NaN where unknown).
    """

    def __init__(self) -> None:
        self.offsets = array("q")
        self.times = array("q")
        self.kinds = bytearray()
        self.events = array("I")
        self.answers = array("I")
        self.states = bytearray()
        self.steps = array("I")
        self.tools = array("H")
        self.durations = array("f")
        self.changed = array("I")
        """Rows that came to stand otherwise after they were added, in the order in which that happened."""
        self.step_rows = array("I")
        """Of each step the row that begins it."""
        self.step_ends = array("I")
        """The first row behind it, its own end; `NONE` while it is open."""
        self.step_depths = bytearray()
        """Of how many steps it is inside."""
        self.step_parents = array("I")
        self.kind_names = Names(_MOST_KINDS)
        """Event types by their number in `kinds`; the first are those of `KINDS`."""
        for kind in KINDS:
            self.kind_names.number(kind)
        self.tool_names = Names(_MOST_TOOLS)
        """Tools by their number in `tools`; the first is that of rows without a tool, and has no letters."""
        self.tool_names.number("")
        self.first_at: int | None = None
        """Time of the first event that has one."""
        self.ordered = True
        """Times never went back, so that a moment is found by halving."""

    def __len__(self) -> int:
        """Events."""
        return len(self.kinds)

    @property
    def rows(self) -> int:
        """Lines of the timeline."""
        return len(self.durations)

    @property
    def resident(self) -> int:
        """Bytes its arrays take, without the room they keep for growing."""
        columns = (
            self.offsets,
            self.times,
            self.events,
            self.answers,
            self.steps,
            self.tools,
            self.durations,
        )
        steps = (self.step_rows, self.step_ends, self.step_parents)
        numbers = sum(len(column) * column.itemsize for column in (*columns, *steps))
        return numbers + len(self.kinds) + len(self.states) + len(self.step_depths)

    # Asking

    def row_of_event(self, event: int) -> int | None:
        """The row of an event; of a result that was joined, None."""
        rows = self.rows
        row = bisect_left(self.events, event, 0, rows)
        return row if row < rows and self.events[row] == event else None

    def event_at(self, offset: int) -> int | None:
        """The number of the event that begins at a place of the file."""
        events = len(self)
        event = bisect_left(self.offsets, offset, 0, events)
        return event if event < events and self.offsets[event] == offset else None

    def events_until(self, at_ms: int) -> int:
        """How many events had happened by then: their number in the file, from its beginning.

        Found by halving: where times are not `ordered`, it is one of the places that may be meant.
        """
        return bisect_right(self.times, at_ms, 0, len(self))

    def row_at(self, at_ms: int) -> int:
        """The last row that had begun by then, found by halving as `events_until`; 0 where none had."""
        return max(bisect_right(self.events, at_ms, 0, self.rows, key=self.times.__getitem__) - 1, 0)

    def state(self, row: int) -> State:
        """How a row stands."""
        return STATES[self.states[row]]

    def last_running(self, before: int | None = None) -> int | None:
        """The last row, of those ahead of `before`, that has no end yet."""
        rows = self.rows
        row = self.states.rfind(RUNNING, 0, rows if before is None else min(before, rows))
        return None if row < 0 else row

    def next_wrong(self, row: int, step: int) -> int | None:
        """The nearest row behind (`step` 1) or before (-1) `row` that failed or tells of an error."""
        states, rows = self.states, self.rows
        if step > 0:
            found = [at for state in (FAILED, ERROR) if (at := states.find(state, row + 1, rows)) >= 0]
            return min(found, default=None)
        found = [
            at for state in (FAILED, ERROR) if (at := states.rfind(state, 0, min(max(row, 0), rows))) >= 0
        ]
        return max(found, default=None)

    def depth(self, row: int) -> int:
        """Of how many steps a row is inside."""
        step = self.steps[row]
        return 0 if step == NONE else self.step_depths[step] + 1

    def step_of(self, row: int) -> int | None:
        """The number of the innermost step a row is in."""
        step = self.steps[row]
        return None if step == NONE else step

    def step_begun_at(self, row: int) -> int | None:
        """The number of the step that a row begins."""
        step = bisect_left(self.step_rows, row)
        return step if step < len(self.step_rows) and self.step_rows[step] == row else None

    def inside(self, step: int) -> tuple[int, int]:
        """The rows that are inside a step: the first, and the first behind them."""
        end = self.step_ends[step]
        return self.step_rows[step] + 1, self.rows if end == NONE else end

    def folded_by(self, step: int) -> tuple[int, int]:
        """The rows that are out of sight when a step is folded: those inside it, and the line of its own end."""
        first, end = self.inside(step)
        closes = end < self.rows and self.answers[end] == self.events[self.step_rows[step]]
        return first, end + 1 if closes else end
