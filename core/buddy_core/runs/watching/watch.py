"""Watch a directory of runs: who comes, who goes, whose files grow.

Notifications are hints and sizes are the truth: at most a second apart the directory and the runs that
are attended are looked at anyway, and all others a slice at a time. Where notifications are not to be
had, the same looks happen four times a second, and the mode says so.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ParamSpec, TypeVar

from buddy_core.clock import Clock, SystemClock
from buddy_core.runs.watching.census import NOBODY, Attendance, Census
from buddy_core.runs.watching.notify import REFUSALS, Mode, Notifier, PollingNotifier, make_notifier, refusal

SLICE = 16
"""Most runs nobody attends that are looked at in one sweep: 500 of them in half a minute, for next to nothing."""

ROUND = 30
"""Sweeps in which each of them is looked at once, where there are not too many for that."""

LONGEST_ROUND = 600
"""Sweeps in which each is looked at, however many there are: 167 of 100,000 in each, two milliseconds."""

FEW_RUNS = 1_000
"""Up to this many runs a look takes less time than waking a thread for it."""

MAX_WATCHES = 512
"""Attended runs that are watched one by one; the sweep finds what happens in the rest."""

P = ParamSpec("P")
T = TypeVar("T")

_GAP_MS = 20.0
"""At most two changes are told in this time; after a quiet moment the first is told at once."""


@dataclass(frozen=True, slots=True)
class DirectoryChange:
    """What is different since the last change."""

    added: tuple[str, ...] = ()
    """Run ids, newest first."""
    removed: tuple[str, ...] = ()
    touched: frozenset[str] = frozenset()
    """Runs that were there before and whose files grew or changed."""
    extra: bool = False
    """The extra file grew, changed, came or went."""
    problem: str | None = None
    """Why the directory cannot be read at present; not only when it is new."""
    left_alone: tuple[str, ...] = ()
    """Runs that came with more newer ones than are wanted; when one of them changes, it is `touched`."""

    @property
    def empty(self) -> bool:
        """True when nothing came, went or changed (the problem may have)."""
        return not (self.added or self.removed or self.touched or self.extra or self.left_alone)


class RunsWatch:
    """Watches `runs_dir`, which may be created, removed and created again at any time.

    Args:
        runs_dir: May be the user's symbolic link; runs beneath it that are links are not runs.
        extra_file: A file elsewhere whose changes are told too.
        notifier: Made for the platform when `changes` begins, unless given.
        newest: Of runs that come at once, at the start above all, so many are wanted; 0: all of them.
        sweep_ms: Longest time between two looks when nothing is notified.
        clock: Only its monotonic time is used.
    """

    def __init__(
        self,
        runs_dir: Path,
        *,
        extra_file: Path | None = None,
        notifier: Notifier | None = None,
        newest: int = 0,
        sweep_ms: float = 1000,
        clock: Clock | None = None,
    ) -> None:
        self.mode: Mode = "notify"
        """`polling` once it is known that notifications cannot be had."""
        self.mode_reason = ""
        """Why it polls; empty otherwise."""
        self._census = Census(runs_dir, extra_file, newest=newest)
        self._extra_dir = extra_file.parent if extra_file is not None else None
        self._notifier = notifier
        self._sweep_ms = sweep_ms
        self._clock = clock or SystemClock()
        self._lock = threading.Lock()
        self._attended: frozenset[str] = frozenset()
        self._watched: dict[Path, int | None] = {}
        self._listed = False
        self._told: str | None = None
        self._refused: OSError | None = None
        self._next_sweep = 0.0
        self._last_changes = (float("-inf"), float("-inf"))

    @property
    def rejected(self) -> int:
        """Entries named `run_…` that are no runs: no run id, a link, a plain file."""
        return self._census.rejected

    def scan(self) -> DirectoryChange:
        """Look at everything now; the first time every run is `added`."""
        with self._lock:
            come = self._census.attend(force=True)
            touched = self._census.check_all() if self._listed else frozenset[str]()
            return self._change(come, touched, self._census.check_extra())

    def attend(self, run_ids: Iterable[str]) -> None:
        """Watch these runs closely, and no others, because they are live."""
        self._attended = frozenset(run_ids)
        if self._notifier is not None and self._listed:
            self._adjust_watches()

    async def changes(self) -> AsyncIterator[DirectoryChange]:
        """Every change from the last `scan` on, or from nothing; ends after `aclose`."""
        if self._notifier is None:
            self._notifier, self.mode, self.mode_reason = make_notifier(self._census.root)
        self._next_sweep = self._clock.monotonic_ms() + self._sweep_ms
        hints: set[Path] = set()
        sweep = True
        while self._notifier is not None:
            change = await self._next_change(hints, sweep)
            if not change.empty or change.problem != self._told:
                self._told = change.problem
                self._last_changes = (self._last_changes[1], self._clock.monotonic_ms())
                yield change
            hints, sweep = await self._wait()

    async def aclose(self) -> None:
        """Let go of all watches."""
        if self._notifier is not None:
            self._notifier.close()
            self._notifier = None
            self._watched.clear()

    async def _next_change(self, hints: set[Path], sweep: bool) -> DirectoryChange:
        listed = self._listed
        change = await self._aside(self._look, hints, sweep)
        if listed:
            self._attended |= frozenset(change.added)  # a run that begins before our eyes is live
        fresh = self._adjust_watches()
        if not fresh:
            return change
        touched = await self._aside(self._check, fresh)  # what happened unwatched was not notified
        return replace(change, touched=change.touched | (touched - frozenset(change.added)))

    async def _aside(self, look: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Look in a thread where it may take long: at very many runs, or on a file system that may hang."""
        if self.mode == "notify" and len(self._census) <= FEW_RUNS:
            return look(*args, **kwargs)
        return await asyncio.to_thread(look, *args, **kwargs)

    def _look(self, hints: set[Path], sweep: bool) -> DirectoryChange:
        with self._lock:
            root = self._census.root
            come = self._census.attend(sweep=sweep) if sweep or root in hints else NOBODY
            hinted = {path.name for path in hints if path.parent == root}
            touched = self._census.check(self._attended | hinted if sweep else hinted)
            if sweep:
                touched |= self._census.check_slice(_slice_of(len(self._census)))
            extra = (sweep or self._extra_dir in hints) and self._census.check_extra()
            return self._change(come, touched, extra)

    def _change(self, come: Attendance, touched: frozenset[str], extra: bool) -> DirectoryChange:
        self._listed = True
        touched -= frozenset(come.added)
        return DirectoryChange(
            come.added, come.removed, touched, extra, self._census.problem, come.left_alone
        )

    def _check(self, run_ids: Iterable[str]) -> frozenset[str]:
        with self._lock:
            return self._census.check(run_ids)

    async def _wait(self) -> tuple[set[Path], bool]:
        """Hints to follow, and whether a sweep is due."""
        busy = self._last_changes[0] + _GAP_MS - self._clock.monotonic_ms()
        if busy > 0:
            await asyncio.sleep(busy / 1000)
        if self._refused is not None:
            self._poll_instead(self._refused)
        if self._notifier is None:
            return set(), False
        left = min(self._sweep_ms, max(0.0, self._next_sweep - self._clock.monotonic_ms()))
        hints = await self._notifier.wait(left / 1000)
        now = self._clock.monotonic_ms()
        sweep = not hints or now >= self._next_sweep
        if sweep:
            self._next_sweep = now + self._sweep_ms
        return hints, sweep

    def _poll_instead(self, error: OSError) -> None:
        """Give up notifications for this watch; the kernel has none left to give."""
        self._refused = None
        if self._notifier is not None:
            self._notifier.close()
        self._notifier = PollingNotifier()
        self._watched.clear()
        self.mode, self.mode_reason = "polling", refusal(error)
        self._adjust_watches()

    def _adjust_watches(self) -> set[str]:
        """Watch what should be watched now; returns the runs that were not watched until now."""
        wanted = self._wanted()
        for path in self._watched.keys() - wanted.keys():
            self._unwatch(path)
        fresh = {path for path, inode in wanted.items() if self._watched.get(path, -1) != inode}
        for path in fresh:
            self._watch(path, wanted[path])
        return {path.name for path in fresh if path.parent == self._census.root}

    def _wanted(self) -> dict[Path, int | None]:
        """Directories to watch, with the inode that tells a directory from its successor."""
        census = self._census
        wanted: dict[Path, int | None] = {}
        if census.root_inode is not None:
            wanted[census.root] = census.root_inode
        if self._extra_dir is not None:
            inode = _inode(self._extra_dir)
            if inode is not None:
                wanted.setdefault(self._extra_dir, inode)
        for run_id in sorted(self._attended, reverse=True)[:MAX_WATCHES]:
            if run_id in census:
                wanted[census.root / run_id] = census.inode_of(run_id)
        return wanted

    def _watch(self, path: Path, inode: int | None) -> None:
        assert self._notifier is not None
        self._unwatch(path)
        try:
            self._notifier.watch(path)
        except OSError as error:
            if error.errno in REFUSALS:
                self._refused = error  # the notifier may be waiting just now: it is replaced after that
            return  # gone already, or not ours to watch: the sweep will tell
        self._watched[path] = inode

    def _unwatch(self, path: Path) -> None:
        if self._notifier is not None and self._watched.pop(path, -1) != -1:
            self._notifier.unwatch(path)


def _slice_of(runs: int) -> int:
    """Runs to look at in one sweep."""
    return max(min(SLICE, -(-runs // ROUND)), runs // LONGEST_ROUND)


def _inode(path: Path) -> int | None:
    try:
        return path.stat().st_ino
    except OSError:
        return None
