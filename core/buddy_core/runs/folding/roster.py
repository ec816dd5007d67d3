"""The list of all runs: one immutable tuple, newest first, rebuilt only when something in it changed."""

from __future__ import annotations

from collections.abc import Iterator

from buddy_core.runs.model import RunFacts
from buddy_core.runs.names import started_at_of

_DAY_MS = 86_400_000


class Roster:
    """Facts by run id, and in order."""

    def __init__(self) -> None:
        self._by_id: dict[str, RunFacts] = {}
        self._order: list[str] = []
        self._unsorted = False
        self._stale = False
        self.live: frozenset[str] = frozenset()
        """Runs that are running or stalled."""
        self.skipped_lines = 0
        self.recovered_lines = 0
        self.facts: tuple[RunFacts, ...] = ()
        """Newest first, as of the last `rebuild`."""

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[RunFacts]:
        return iter(self._by_id.values())

    def get(self, run_id: str) -> RunFacts | None:
        """The newest facts of a run, whether in `facts` already or not."""
        return self._by_id.get(run_id)

    def put(self, run: RunFacts) -> None:
        """Add a run, or replace what is known of it."""
        before = self._by_id.get(run.run_id)
        if before == run:
            return
        self._by_id[run.run_id] = run
        self._stale = True
        self._unsorted |= before is None or before.started_at != run.started_at
        self._count(before, run)

    def remove(self, run_id: str) -> None:
        """Take a run off the list."""
        before = self._by_id.pop(run_id, None)
        if before is not None:
            self._stale = self._unsorted = True
            self._count(before, None)

    def rebuild(self, now_ms: int) -> bool:
        """Bring `facts` up to date; True when they changed."""
        if not self._stale:
            return False
        if self._unsorted:
            self._order = sorted(self._by_id, key=lambda run_id: self._age_key(run_id, now_ms), reverse=True)
        self.facts = tuple(map(self._by_id.__getitem__, self._order))
        self._stale = self._unsorted = False
        return True

    def _age_key(self, run_id: str, now_ms: int) -> tuple[int, str]:
        """A run that claims to start in the future is sorted by its id, and last if that does so too."""
        started_at = self._by_id[run_id].started_at
        if started_at > now_ms + _DAY_MS:
            started_at = started_at_of(run_id) or 0
        return (started_at if started_at <= now_ms + _DAY_MS else 0, run_id)

    def _count(self, before: RunFacts | None, after: RunFacts | None) -> None:
        for run, sign in ((before, -1), (after, 1)):
            if run is not None:
                self.skipped_lines += sign * run.integrity.skipped_lines
                self.recovered_lines += sign * run.integrity.recovered_lines
        run = after or before
        if run is not None and (after is not None and after.live) != (run.run_id in self.live):
            self.live = self.live ^ {run.run_id}
