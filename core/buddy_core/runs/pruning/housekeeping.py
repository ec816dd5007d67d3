"""Pruning while an agent works: what takes microseconds at the start of a run, the rest in a thread of its own.

The start of a run moves what is too much into `.trash/`, for a few milliseconds at most; taking it apart may
wait for the disk, so a thread does that. The thread may be cut off anywhere, also by the end of the process:
what it leaves in `.trash/` is finished by the next prune.
"""

from __future__ import annotations

import _thread
import os
import threading
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from buddy_core.clock import Clock
from buddy_core.runs.pruning.prune import PruneReport, prune_below
from buddy_core.safety.paths import real_root

START_MS = 3.0
"""How long the start of a run may be held up."""

REST_S = 0.002
"""How long the thread rests after each run: the interpreter runs one thread at a time."""


class _Hurry:
    """Patience for a few milliseconds, and only for moving runs."""

    hurried = True

    def __init__(self, clock: Clock, ms: float) -> None:
        self._clock = clock
        self._until = clock.monotonic_ms() + ms

    @property
    def over(self) -> bool:
        return self._clock.monotonic_ms() >= self._until

    def rest(self) -> None:
        """There is no time for that."""


class _Leisure:
    """All the time in the world; a rest after each piece of work where the host wants to go on meanwhile."""

    hurried = False
    over = False

    def __init__(self, rest_s: float = 0.0) -> None:
        self._rest_s = rest_s

    def rest(self) -> None:
        if self._rest_s:
            time.sleep(self._rest_s)


class Housekeeper:
    """Keeps the newest `keep` runs of one directory (None: all of them)."""

    def __init__(self, runs_dir: Path, keep: int | None, clock: Clock) -> None:
        if keep is not None and keep < 0:
            raise ValueError("max_runs must be None (keep all), 0 or more")
        self._runs_dir = runs_dir
        self._keep = keep
        self._clock = clock
        self._problems: Counter[str] = Counter()
        self._idle = threading.Condition(threading.RLock())
        self._working = False
        self._again = self._taking = False

    @property
    def problems(self) -> Mapping[str, int]:
        """What stood in the way of pruning so far, in words, and how often."""
        return dict(self._problems)

    def prune(self, root_fd: int) -> PruneReport:
        """Prune to the end, however long it takes."""
        if self._keep is None:
            return PruneReport()
        return self._note(self._pass(root_fd, self._keep, _Leisure()))

    def run_started(self, root_fd: int) -> None:
        """Prune for a few milliseconds, and leave the rest to a thread; never raises."""
        if self._keep is None:
            return
        try:
            report = self._note(self._pass(root_fd, self._keep, _Hurry(self._clock, START_MS)))
            if report.leftover or not report.finished:
                self._go_on(root_fd, taking=not report.finished)
        except Exception as error:  # noqa: BLE001 - nothing may be raised into the host
            self._count(type(error).__name__)

    def wait(self, timeout_s: float) -> bool:
        """Wait for the thread, if there is one; False when it is still at work then."""
        with self._idle:
            return self._idle.wait_for(lambda: not self._working, timeout_s)

    def forget_in_child(self) -> None:
        """After fork: threads stay with the parent, and so may the lock."""
        self._idle = threading.Condition(threading.RLock())
        self._working = self._again = self._taking = False

    def _pass(self, root_fd: int, keep: int | None, patience: _Hurry | _Leisure) -> PruneReport:
        root, now_ms = real_root(self._runs_dir), self._clock.now_ms()
        return prune_below(root_fd, keep, root=root, now_ms=now_ms, patience=patience)

    def _go_on(self, root_fd: int, *, taking: bool) -> None:
        """Have a thread empty the trash; it takes more runs only where the start had no time for all."""
        with self._idle:
            self._again = True
            self._taking |= taking
            if self._working:
                return
            fd = os.dup(root_fd)
            try:
                _thread.start_new_thread(self._work, (fd,))  # threading's start() would wait for the thread
                self._working = True
            except RuntimeError:  # no more threads: the next start of a run goes on
                os.close(fd)

    def _work(self, root_fd: int) -> None:
        while self._more(root_fd):
            try:
                with self._idle:
                    keep, self._taking = (self._keep if self._taking else None), False
                self._note(self._pass(root_fd, keep, _Leisure(REST_S)))
            except Exception as error:  # noqa: BLE001 - a thread that raises prints into the host's terminal
                self._count(type(error).__name__)

    def _more(self, root_fd: int) -> bool:
        """True when a run has started since the thread last looked; otherwise the thread lets go and is over."""
        with self._idle:
            more, self._again = self._again, False
            if not more:
                os.close(root_fd)
                self._working = False
                self._idle.notify_all()
            return more

    def _note(self, report: PruneReport) -> PruneReport:
        for words in report.problems.values():
            self._count(words)
        return report

    def _count(self, words: str) -> None:
        with self._idle:
            self._problems[words] += 1
