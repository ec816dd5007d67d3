"""The slowest and the latest calls of one tool, for any window of time, in a few hundred rows.

All windows end now. So a call that has `KEPT` later calls at least as slow as itself behind it can never again
be among the slowest `KEPT` of any window, and is forgotten; of a million calls with durations in no order
about 200 stay. What stays answers every window exactly, whatever its length. The latest calls are among
them, for fewer than `KEPT` follow those.

Only durations that keep falling for hundreds of calls defeat this: past `MOST_ROWS` rows (less, when all tools
together have used up their room) a list is thinned. What it shows then still happened and is still the
slowest of every window at that moment, but as a window moves on a call may be missing: `exact` says so.
"""

from __future__ import annotations

import heapq
from bisect import bisect_right
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import NamedTuple, TypeAlias

from buddy_core.metrics.counting.grains import AHEAD_MS, EARLIEST_AT, since_of
from buddy_core.metrics.counting.room import Room
from buddy_core.metrics.window import Window

KEPT = 20
"""Calls in each list."""

MOST_ROWS = 400
"""Rows of one tool, at some 200 bytes and an argument of at most 300 characters."""

MOST_WAITING = 20_000
"""Calls of all tools together that wait to be looked through, which is cheaper the more they are."""

KeptCall: TypeAlias = tuple[int, float | None, bool, str | None, str | None]
"""Time, duration, success, run and argument of a call: nothing that the garbage collector has to follow."""

_time_of, _duration_of = itemgetter(0), itemgetter(1)
NO_FLOOR = -2.0
"""Below every duration, also below that of a call nobody measured, which counts as -1."""


class Columns(NamedTuple):
    """Calls as parallel columns. Those that happen now wait like this: a tuple for each would cost more."""

    at_ms: list[int]
    durations: list[float | None]
    ok: list[bool]
    run_ids: list[str | None]


class CallList:
    """Calls of one tool. The collector's lock is held around every call."""

    __slots__ = ("_floors", "_most_waiting", "_noted", "_room", "_rows", "_waiting", "exact")

    def __init__(self, room: Room) -> None:
        room.tools += 1
        self._room = room
        self._most_waiting = min(32 + MOST_WAITING // room.tools, 1_000)
        self.exact = True
        """False once the list had to be thinned."""
        self._rows: list[KeptCall] = []  # by time, ascending
        self._floors: list[float] = []  # what a call before each row must exceed
        self._waiting = Columns([], [], [], [])
        self._noted: list[KeptCall] = []  # they wait too, in no order

    def add(
        self,
        at_ms: Sequence[int],
        durations: Sequence[float | None],
        ok: Sequence[bool],
        run_ids: Sequence[str | None],
    ) -> None:
        """Note calls that were made in the same minute, just now."""
        if at_ms[0] >= EARLIEST_AT:
            waiting = self._waiting
            waiting.at_ms.extend(at_ms)
            waiting.durations.extend(durations)
            waiting.ok.extend(ok)
            waiting.run_ids.extend(run_ids)
            if len(waiting.ok) > self._most_waiting:
                self._settle(at_ms[-1])

    def add_past(self, call: KeptCall, now_ms: int) -> None:
        """Note a call of another moment than now."""
        if EARLIEST_AT <= call[0] <= now_ms + AHEAD_MS:
            self._noted.append(call)
            if len(self._noted) > 3 * KEPT:
                self._settle(now_ms)

    def describe(self, at_ms: int, run_id: str | None, argument: str, now_ms: int) -> None:
        """Say what the call of this moment and run was about, if it is among the last ones noted."""
        if self._waiting.ok:
            self._settle(now_ms)
        for rows in (self._noted, self._rows):
            for place in range(len(rows) - 1, max(len(rows) - 1 - 3 * KEPT, -1), -1):
                if rows[place][0] == at_ms and rows[place][3] == run_id:
                    rows[place] = (*rows[place][:4], argument)
                    return

    def add_column(
        self,
        at_ms: Sequence[int],
        durations: Sequence[float | None],
        ok: Sequence[bool],
        run_id: str | None,
        argument: Callable[[int], str],
        now_ms: int,
    ) -> None:
        """Note calls of the past, ascending in time; `argument` of a row is asked only where it may be shown."""
        if not at_ms:
            return
        picked = _unsurpassed_places(durations, self.floor_at(at_ms[-1]))
        if picked:
            self._noted += [(at_ms[row], durations[row], ok[row], run_id, argument(row)) for row in picked]
            if len(self._noted) > KEPT:
                self._settle(now_ms)

    def slowest(self, since_ms: int, now_ms: int) -> list[KeptCall]:
        """Calls since a moment whose duration is known, the slowest first, of equals the latest."""
        self._settle(now_ms)
        rows = [row for row in self._rows[::-1] if row[0] >= since_ms and row[1] is not None]
        return heapq.nlargest(KEPT, rows, key=_duration_of)

    def latest(self, since_ms: int, now_ms: int) -> list[KeptCall]:
        """Calls since a moment, the latest first."""
        self._settle(now_ms)
        return [row for row in self._rows[: -KEPT - 1 : -1] if row[0] >= since_ms]

    def floor_at(self, at_ms: int) -> float:
        """The duration a call of this moment or an earlier one must exceed to be kept."""
        after = bisect_right(self._rows, at_ms, key=_time_of)
        return self._floors[after] if after < len(self._floors) else NO_FLOOR

    def _settle(self, now_ms: int) -> None:
        """Forget what no window can show any more."""
        if not (self._waiting.ok or self._noted):
            return
        before = len(self._rows)
        rows = [*self._rows, *self._noted, *_candidates(self._waiting)]
        self._waiting, self._noted = Columns([], [], [], []), []
        rows.sort(key=_time_of)
        kept, floors = _unsurpassed(rows)
        room = self._room.calls + before
        if len(kept) > min(MOST_ROWS, room):
            self.exact = False
            kept, floors = _unsurpassed(_thinned(kept, now_ms, some=len(kept) <= room))
        self._room.calls = room - len(kept)
        self._rows, self._floors = kept, floors


def _candidates(calls: Columns) -> list[KeptCall]:
    """Of calls in their order those that may be kept: all, where a clock went back."""
    at_ms, durations, ok, run_ids = calls
    if sorted(at_ms) != at_ms:
        return [(*call, None) for call in zip(*calls, strict=True)]
    places = _unsurpassed_places(durations, NO_FLOOR)
    return [(at_ms[place], durations[place], ok[place], run_ids[place], None) for place in places]


def _unsurpassed_places(durations: Sequence[float | None], floor: float) -> list[int]:
    """Places of those above `floor` that fewer than `KEPT` later ones equal or exceed, in their order."""
    heap: list[float] = []
    places: list[int] = []
    place = len(durations)
    for value in reversed(durations):
        place -= 1
        known = -1.0 if value is None else value
        if known > floor:
            floor = max(floor, _raised(heap, known))
            places.append(place)
    places.reverse()
    return places


def _unsurpassed(rows: Sequence[KeptCall]) -> tuple[list[KeptCall], list[float]]:
    """The rows that fewer than `KEPT` later ones equal or exceed, and what a row before each has to exceed."""
    kept: list[KeptCall] = []
    floors: list[float] = []
    heap: list[float] = []
    floor = NO_FLOOR
    for row in reversed(rows):
        value = row[1]
        known = -1.0 if value is None else value
        if known > floor:
            floor = _raised(heap, known)
            kept.append(row)
            floors.append(floor)
    kept.reverse()
    floors.reverse()
    return kept, floors


def _raised(heap: list[float], value: float) -> float:
    """The floor after a duration above it: the least of the `KEPT` longest so far."""
    if len(heap) == KEPT:
        heapq.heapreplace(heap, value)
        return heap[0]
    heapq.heappush(heap, value)
    return heap[0] if len(heap) == KEPT else NO_FLOOR


def _thinned(rows: list[KeptCall], now_ms: int, *, some: bool) -> list[KeptCall]:
    """What the windows show now, and with `some` a few of the others, evenly."""
    needed = set(range(max(len(rows) - KEPT, 0), len(rows)))
    for window in Window:
        since = since_of(window, now_ms) or 0
        within = [place for place, row in enumerate(rows) if row[0] >= since and row[1] is not None]
        needed.update(heapq.nlargest(KEPT, within, key=lambda place: (rows[place][1], place)))
    others = [place for place in range(len(rows)) if place not in needed] if some else []
    needed.update(others[:: len(others) // (MOST_ROWS // 2) + 1])
    return [rows[place] for place in sorted(needed)]
