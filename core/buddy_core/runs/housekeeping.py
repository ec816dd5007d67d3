"""Pruning while an agent works: a few milliseconds at the start of a run, the rest in a thread of its own.

In the usual case, one run too many, the few milliseconds do it all and no thread is made. The thread is a
daemon and may be cut off anywhere: what it leaves in `.trash/` is finished by the next prune.
"""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from buddy_core.clock import Clock
from buddy_core.runs.prune import PruneReport, prune_below
from buddy_core.safety.paths import real_root

START_MS = 4.0
"""How long the start of a run may be held up."""


class _Hurry:
    """Patience for a few milliseconds, and for no large file."""

    hurried = True

    def __init__(self, clock: Clock, ms: float) -> None:
        self._clock = clock
        self._until = clock.monotonic_ms() + ms

    @property
    def over(self) -> bool:
        return self._clock.monotonic_ms() >= self._until


class _Leisure:
    """All the time in the world."""

    hurried = False
    over = False


class Housekeeper:
    """Keeps the newest `keep` runs of one directory (None: all of them)."""

    def __init__(self, runs_dir: Path, keep: int | None, clock: Clock) -> None:
        if keep is not None and keep < 0:
            raise ValueError("max_runs must be None (keep all), 0 or more")
        self._runs_dir = runs_dir
        self._keep = keep
        self._clock = clock
        self._problems: Counter[str] = Counter()
        self._guard = threading.RLock()
        self._worker: threading.Thread | None = None
        self._again = False

    @property
    def problems(self) -> Mapping[str, int]:
        """What stood in the way of pruning so far, in words, and how often."""
        return dict(self._problems)

    def prune(self, root_fd: int) -> PruneReport:
        """Prune to the end, however long it takes."""
        if self._keep is None:
            return PruneReport()
        return self._note(self._pass(root_fd, _Leisure()))

    def run_started(self, root_fd: int) -> None:
        """Prune for a few milliseconds, and leave the rest to a thread; never raises."""
        if self._keep is None:
            return
        try:
            if not self._note(self._pass(root_fd, _Hurry(self._clock, START_MS))).finished:
                self._go_on(root_fd)
        except Exception as error:  # noqa: BLE001 - nothing may be raised into the host
            self._count(type(error).__name__)

    def wait(self, timeout_s: float) -> bool:
        """Wait for the thread, if there is one; False when it is still at work then."""
        worker = self._worker
        if worker is not None:
            worker.join(timeout_s)
        return worker is None or not worker.is_alive()

    def forget_in_child(self) -> None:
        """After fork: threads stay with the parent, and so may the lock."""
        self._guard = threading.RLock()
        self._worker = None
        self._again = False

    def _pass(self, root_fd: int, patience: _Hurry | _Leisure) -> PruneReport:
        root, now_ms = real_root(self._runs_dir), self._clock.now_ms()
        return prune_below(root_fd, self._keep or 0, root=root, now_ms=now_ms, patience=patience)

    def _go_on(self, root_fd: int) -> None:
        with self._guard:
            self._again = True
            if self._worker is not None:
                return
            fd = os.dup(root_fd)
            self._worker = threading.Thread(target=self._work, args=(fd,), name="buddy-prune", daemon=True)
            try:
                self._worker.start()
            except RuntimeError:  # no more threads: the next start of a run goes on
                self._worker = None
                os.close(fd)

    def _work(self, root_fd: int) -> None:
        try:
            while self._more():
                self._note(self._pass(root_fd, _Leisure()))
        except Exception as error:  # noqa: BLE001 - a thread that raises prints into the host's terminal
            self._count(type(error).__name__)
            self._worker = None
        finally:
            os.close(root_fd)

    def _more(self) -> bool:
        """True when a run has started since the thread last looked; otherwise the thread is over."""
        with self._guard:
            more, self._again = self._again, False
            if not more:
                self._worker = None
            return more

    def _note(self, report: PruneReport) -> PruneReport:
        for words in report.problems.values():
            self._count(words)
        return report

    def _count(self, words: str) -> None:
        with self._guard:
            self._problems[words] += 1
