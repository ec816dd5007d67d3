"""All runs that are followed, of which those that are long over rest: nothing of their files is kept in memory.

A run that rests and grows after all is read again from its beginning, where `SeenRecords` keeps what was counted
from counting twice; from then on it stays awake, so that no file is read a third time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from buddy_core.runs.folding.observed import ObservedRun, Signature

QUIET_MS = 10 * 60_000
"""A run that is over rests when so long nothing has happened: right after its end its last files are written."""


class Rest(NamedTuple):
    """What is remembered of a run that rests."""

    inode: int
    """Of the event file."""
    size: int
    """Bytes of it that were read."""


class Company:
    """Runs by id; only one thread changes them, any may ask whether a run is among them."""

    def __init__(self, follow: Callable[[str], ObservedRun]) -> None:
        self._follow = follow
        self._awake: dict[str, ObservedRun] = {}
        self._resting: dict[str, Rest] = {}
        self._expected: set[str] = set()
        self._tired: dict[str, int] = {}  # those that are over, and since when that is known, longest first
        self._woken: set[str] = set()

    def __len__(self) -> int:
        return len(self._awake) + len(self._resting) + len(self._expected)

    def __contains__(self, run_id: object) -> bool:
        return run_id in self._awake or run_id in self._resting or run_id in self._expected

    def __iter__(self) -> Iterator[str]:
        """The ids of those that are awake."""
        return iter(self._awake)

    @property
    def resting(self) -> int:
        """How many rest."""
        return len(self._resting)

    def get(self, run_id: str) -> ObservedRun | None:
        """The run if it is awake."""
        return self._awake.get(run_id)

    def signature(self, run_id: str, on_disk: bool) -> Signature:
        """Of the events of a run that is awake; of any other one that no file has."""
        run = self._awake.get(run_id)
        return Signature(-1, 0) if run is None else run.signature(on_disk=on_disk)

    def expect(self, run_ids: Iterable[str]) -> None:
        """These belong to it too, and will be read; until then they cost nothing."""
        self._expected.update(run_id for run_id in run_ids if run_id not in self)

    def wake(self, run_id: str) -> ObservedRun:
        """The run, which is to be read next; it is followed from now on if it was not."""
        self._tired.pop(run_id, None)
        run = self._awake.get(run_id)
        if run is None:
            run = self._awake[run_id] = self._follow(run_id)
            self._expected.discard(run_id)
            rest = self._resting.pop(run_id, None)
            if rest is not None:
                self._woken.add(run_id)
                run.resume(rest.inode, rest.size)
        return run

    def stir(self, run_id: str) -> bool:
        """There is news of a run beside its files, so that it must not rest now; False when it does already."""
        self._tired.pop(run_id, None)
        return run_id in self._awake

    def over(self, run_id: str, since_ms: int, *, now_ms: int) -> None:
        """Everything of a run is counted, and nothing more is expected since that time: it rests, now or later."""
        if run_id not in self._awake or run_id in self._woken:
            return
        if _is_quiet(since_ms, now_ms):
            self._rest(run_id)
        else:
            self._tired.pop(run_id, None)
            self._tired[run_id] = now_ms

    def tick(self, now_ms: int) -> None:
        """Let those rest that are over for long enough."""
        while self._tired:
            run_id, since_ms = next(iter(self._tired.items()))
            if not _is_quiet(since_ms, now_ms):
                return
            del self._tired[run_id]
            self._rest(run_id)

    def remove(self, run_id: str) -> bool:
        """The directory of a run is gone; False when it was not followed."""
        self._tired.pop(run_id, None)
        self._woken.discard(run_id)
        known, run = run_id in self, self._awake.pop(run_id, None)
        if run is not None:
            run.close()
        self._resting.pop(run_id, None)
        self._expected.discard(run_id)
        return known

    def close(self) -> None:
        """Let go of all files."""
        for run in self._awake.values():
            run.close()

    def _rest(self, run_id: str) -> None:
        rest = self._awake[run_id].whole_file()
        if rest is not None:
            self._awake.pop(run_id).close()
            self._resting[run_id] = Rest(*rest)


def _is_quiet(since_ms: int, now_ms: int) -> bool:
    return not 0 <= now_ms - since_ms < QUIET_MS
