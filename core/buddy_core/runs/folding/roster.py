"""The list of all runs: one immutable tuple, newest first, rebuilt only when something in it changed.

However many runs there are, a change of a few costs a search for their places and two plain copies.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

from buddy_core.runs.facts import RunFacts
from buddy_core.runs.names import started_at_of

_DAY_MS = 86_400_000

_MANY = 8
"""If one of so many runs changed its place, all are sorted anew."""


class _Age(NamedTuple):
    """What runs are sorted by; tuples of one kind, so that they can be told from each other."""

    started_at: int
    run_id: str


def age_of(run: RunFacts, now_ms: int) -> int:
    """When a run started: by its id if it claims to start in the future, and 0 if that does so too."""
    return _age(run, now_ms).started_at


class Roster:
    """Facts by run id, and in order."""

    def __init__(self) -> None:
        self._now: dict[str, RunFacts] = {}
        self._ages: list[_Age] = []  # oldest first, so that the newest is put at the end
        self._age_of: dict[str, _Age] = {}
        self._ordered: list[RunFacts] = []  # the facts of each of `_ages`
        self._changed: set[str] = set()
        self.live: frozenset[str] = frozenset()
        """Runs that are running or stalled."""
        self.skipped_lines = 0
        self.recovered_lines = 0
        self.facts: tuple[RunFacts, ...] = ()
        """Newest first, as of the last `rebuild`."""
        self.by_id: Mapping[str, RunFacts] = MappingProxyType({})
        """The same by run id; it never changes, a rebuild makes another one."""
        self.at_work: tuple[RunFacts, ...] = ()
        """Those of `facts` that are running or stalled."""
        self.latest_at: int | None = None
        """The latest last event among them, or start where there is none."""
        self._latest_left = False

    def __len__(self) -> int:
        return len(self._now)

    def __iter__(self) -> Iterator[RunFacts]:
        return iter(self._now.values())

    def get(self, run_id: str) -> RunFacts | None:
        """The newest facts of a run, whether in `facts` already or not."""
        return self._now.get(run_id)

    def put(self, run: RunFacts) -> None:
        """Add a run, or replace what is known of it."""
        before = self._now.get(run.run_id)
        if before == run:
            return
        self._latest_left |= before is not None and _latest(before) == self.latest_at
        self._now[run.run_id] = run
        self._changed.add(run.run_id)
        self._count(before, run)

    def remove(self, run_id: str) -> None:
        """Take a run off the list."""
        before = self._now.pop(run_id, None)
        if before is not None:
            self._latest_left |= _latest(before) == self.latest_at
            self._changed.add(run_id)
            self._count(before, None)

    def rebuild(self, now_ms: int) -> bool:
        """Bring `facts` up to date; True when they changed."""
        if not self._changed:
            return False
        moved = {run_id for run_id in self._changed if self._moves(run_id, now_ms)}
        if len(moved) * _MANY > len(self._now):
            self._sort(now_ms)
        else:
            for run_id in moved:
                self._move(run_id, now_ms)
            for run_id in self._changed - moved:
                self._ordered[bisect_left(self._ages, self._age_of[run_id])] = self._now[run_id]
        self._note_latest()
        self._changed.clear()
        self.facts = tuple(reversed(self._ordered))
        self.by_id = MappingProxyType(self._now.copy())
        at_work = sorted((self._age_of[run_id] for run_id in self.live), reverse=True)
        self.at_work = tuple(self._now[age.run_id] for age in at_work)
        return True

    def _note_latest(self) -> None:
        """Only where the run that had the latest event is not as it was, all have to be asked again."""
        changed = [_latest(self._now[run_id]) for run_id in self._changed if run_id in self._now]
        latest = max(changed, default=None)
        if self.latest_at is None or (latest is not None and latest >= self.latest_at):
            self.latest_at = latest
        elif self._latest_left:
            self.latest_at = max(map(_latest, self._now.values()), default=None)
        self._latest_left = False

    def _moves(self, run_id: str, now_ms: int) -> bool:
        run = self._now.get(run_id)
        return run is None or self._age_of.get(run_id) != _age(run, now_ms)

    def _move(self, run_id: str, now_ms: int) -> None:
        """Take a run from where it was, if it was anywhere, and put it where it belongs, if it is still there."""
        before = self._age_of.pop(run_id, None)
        if before is not None:
            place = bisect_left(self._ages, before)
            del self._ages[place], self._ordered[place]
        run = self._now.get(run_id)
        if run is not None:
            age = self._age_of[run_id] = _age(run, now_ms)
            place = bisect_left(self._ages, age)
            self._ages.insert(place, age)
            self._ordered.insert(place, run)

    def _sort(self, now_ms: int) -> None:
        self._age_of = {run_id: _age(run, now_ms) for run_id, run in self._now.items()}
        self._ages = sorted(self._age_of.values())
        self._ordered = [self._now[age.run_id] for age in self._ages]

    def _count(self, before: RunFacts | None, after: RunFacts | None) -> None:
        for run, sign in ((before, -1), (after, 1)):
            if run is not None:
                self.skipped_lines += sign * run.integrity.skipped_lines
                self.recovered_lines += sign * run.integrity.recovered_lines
        run = after or before
        if run is not None and (after is not None and after.live) != (run.run_id in self.live):
            self.live = self.live ^ {run.run_id}


def _latest(run: RunFacts) -> int:
    return run.last_event_at or run.started_at


def _age(run: RunFacts, now_ms: int) -> _Age:
    """A run that claims to start in the future is sorted by its id, and last if that does so too."""
    started_at = run.started_at
    if started_at > now_ms + _DAY_MS:
        started_at = started_at_of(run.run_id) or 0
    return _Age(started_at if started_at <= now_ms + _DAY_MS else 0, run.run_id)
