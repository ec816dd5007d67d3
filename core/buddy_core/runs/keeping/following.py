"""Keeping whatever ends: every run that is over is copied into the archive, and so is each that ends from then on.

A run is copied when nothing in it has changed for a while after its end: the original writer puts its totals down
after the last event. A lock that becomes free and an hour of silence leave no trace that could be notified, so runs
that are still open are looked at every few seconds. What could not be kept is tried again, ever more rarely.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from buddy_core.clock import Clock, SystemClock
from buddy_core.errors import BuddyError, KeepFailed, KeptRunDamaged, RunLocked, RunNotFound
from buddy_core.runs.folding.observed import ObservedRun
from buddy_core.runs.folding.seen import SeenRecords
from buddy_core.runs.keeping.archive import Archive, KeepOutcome
from buddy_core.runs.keeping.survey import Survey, survey
from buddy_core.runs.model import Status
from buddy_core.runs.watching.liveness import lock_state
from buddy_core.runs.watching.watch import DirectoryChange, RunsWatch
from buddy_core.safety.paths import real_root

SETTLE_MS = 1_500.0
"""How long nothing must have changed after the end of a run."""

LOOK_S = 2.0
"""How often open runs are looked at when nothing is notified."""

_FIRST_WAIT_MS = 15_000.0
_LONGEST_WAIT_MS = 600_000.0
_OVER: frozenset[Status] = frozenset({"completed", "failed", "cancelled", "interrupted"})
_READ_BYTES = 4 * 1024 * 1024

Told = KeepOutcome | BuddyError
"""What became of a run: it is kept, or why it is not."""


class Keeper:
    """Keeps the runs of one directory that are over.

    Args:
        tell: Is called with each run that was kept, and once with each reason why one could not be.
        watch: How changes are noticed; made here unless given.
        settle_ms: See `SETTLE_MS`.
    """

    def __init__(
        self,
        runs_dir: Path,
        archive: Archive,
        *,
        tell: Callable[[Told], None],
        clock: Clock | None = None,
        watch: RunsWatch | None = None,
        settle_ms: float = SETTLE_MS,
        look_s: float = LOOK_S,
    ) -> None:
        self._runs_dir = runs_dir
        self._archive = archive
        self._tell = tell
        self._clock = clock or SystemClock()
        self._watch = watch or RunsWatch(real_root(runs_dir), clock=self._clock)
        self._settle_ms = settle_ms
        self._look_s = look_s
        self._waiting: dict[str, _Waiting] = {}

    @property
    def waiting(self) -> tuple[str, ...]:
        """Runs that are not kept as they are: still open, not settled, or refused."""
        return tuple(self._waiting)

    async def follow(self) -> None:
        """Keep what is over now and what ends from now on, until cancelled."""
        self._take(self._watch.scan())
        changed = asyncio.Event()
        noticing = asyncio.create_task(self._notice(changed))
        try:
            while True:
                self.look()  # in this thread: whoever ends the program ends a copy that is being made
                self._watch.attend(self._waiting)
                with suppress(TimeoutError):
                    await asyncio.wait_for(changed.wait(), self._look_s if self._waiting else None)
                changed.clear()
        finally:
            noticing.cancel()
            await asyncio.gather(noticing, return_exceptions=True)
            await self._watch.aclose()
            self.close()

    def look(self) -> None:
        """Look at every run that waits, once, and keep what is over and settled."""
        for run_id, waiting in tuple(self._waiting.items()):
            if self._is_ready(run_id, waiting):
                self._keep(run_id, waiting)

    def close(self) -> None:
        """Let go of all files."""
        for waiting in self._waiting.values():
            waiting.close()

    async def _notice(self, changed: asyncio.Event) -> None:
        async for change in self._watch.changes():
            self._take(change)
            changed.set()

    def _take(self, change: DirectoryChange) -> None:
        for run_id in change.removed:
            gone = self._waiting.pop(run_id, None)
            if gone is not None:
                gone.close()
                self._tell(RunNotFound(f"{run_id} was removed before it could be kept"))
        for run_id in (*change.added, *change.touched):
            if run_id not in self._waiting and not self._is_kept(run_id):
                self._waiting[run_id] = _Waiting(real_root(self._runs_dir), run_id)

    def _is_kept(self, run_id: str) -> bool:
        try:
            return self._archive.holds(self._runs_dir, run_id)
        except KeptRunDamaged:
            return False  # keeping it will say what is wrong

    def _is_ready(self, run_id: str, waiting: _Waiting) -> bool:
        now = self._clock.monotonic_ms()
        return now >= waiting.not_before and waiting.has_settled(
            now, now_ms=self._clock.now_ms(), for_ms=self._settle_ms
        )

    def _keep(self, run_id: str, waiting: _Waiting) -> None:
        try:
            told: Told = self._archive.keep(self._runs_dir, run_id)
        except RunLocked:
            return  # it goes on after all
        except RunNotFound as error:
            told = error
        except BuddyError as error:
            if waiting.put_off(self._clock.monotonic_ms(), error):
                self._tell(error)
            return
        if self._waiting.pop(run_id, None) is not None:
            self._tell(told)
        waiting.close()


class _Waiting:
    """A run that is not kept yet."""

    def __init__(self, root: Path, run_id: str) -> None:
        self._root = root
        self._run_id = run_id
        self._run: ObservedRun | None = None
        self._found: Survey | None = None
        self._since = 0.0
        self._wait_ms = _FIRST_WAIT_MS
        self._told: str | None = None
        self.not_before = 0.0
        """Monotonic time before which it is not tried again."""

    def has_settled(self, now: float, *, now_ms: int, for_ms: float) -> bool:
        """True when it is over and its files have been the same for so long."""
        try:
            found = survey(self._root, self._run_id)
        except FileNotFoundError:
            return False  # removed: the watch will say so
        except (OSError, KeepFailed):
            return True  # keeping it will say why it cannot be
        if found != self._found:
            first, self._found, self._since = self._found is None, found, now
            settled = first and self._is_old(found, now_ms, for_ms)
        else:
            settled = now - self._since >= for_ms
        status = self._status(now_ms)
        return status in _OVER and (settled or self._is_let_go(status))

    def put_off(self, now: float, error: BuddyError) -> bool:
        """Try again later; True when this reason has not been told."""
        self.not_before, self._wait_ms = now + self._wait_ms, min(2 * self._wait_ms, _LONGEST_WAIT_MS)
        fresh, self._told = str(error) != self._told, str(error)
        return fresh

    def close(self) -> None:
        """Let go of its files."""
        if self._run is not None:
            self._run.close()

    def _is_old(self, found: Survey, now_ms: int, for_ms: float) -> bool:
        """True when its files were left alone for long before anybody looked."""
        newest_ms = max((file.mtime_ns // 1_000_000 for file in found.files), default=0)
        return newest_ms + for_ms < now_ms

    def _is_let_go(self, status: Status) -> bool:
        """True when its writer has put down its end and let go of its lock, after which it writes nothing."""
        return status != "interrupted" and lock_state(self._root / self._run_id) == "free"

    def _status(self, now_ms: int) -> Status:
        """Read on in it, and conclude how it stands."""
        if self._run is None:
            self._run = ObservedRun(self._root, self._run_id, SeenRecords())
        self._run.refresh(now_ms=now_ms)
        while self._run.read(now_ms=now_ms, budget_bytes=_READ_BYTES, watching=True).more:
            pass
        self._run.ask()
        return self._run.facts(now_ms=now_ms, turn_model=None, polling=False).status
