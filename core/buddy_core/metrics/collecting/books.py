"""What a collector holds: everything that was counted and what was told in the last moments, behind one lock."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from buddy_core.clock import Clock, SystemClock
from buddy_core.metrics.counting.ledger import Ledger
from buddy_core.metrics.recording.checks import Refusals
from buddy_core.metrics.recording.custom import Registry
from buddy_core.metrics.recording.live import Live
from buddy_core.metrics.recording.sessions import Sessions

T = TypeVar("T")
R = TypeVar("R")

AT_ONCE = 50
"""Series merged while the lock is held, where there are more: a millisecond or two."""


class Books:
    """The ledger and the metrics by name, up to date whenever they are reached; see `MetricsCollector`.

    `points`, `errors` and `series` say how many of each are kept.
    """

    def __init__(self, clock: Clock | None, points: int, errors: int, series: int) -> None:
        self._clock: Clock = clock or SystemClock()
        self._limits = (max(0, points), max(0, errors), max(1, series))
        # Re-entrant: a signal handler that records must not wait for the very thread it interrupted.
        self._lock = threading.RLock()
        self._generation = 0
        self._start_empty()

    def _start_empty(self) -> None:
        points, errors, series = self._limits
        self._generation += 1
        self._refusals = Refusals()
        self._book = Ledger(max_series=series, max_errors=errors)
        self._names = Registry(kept=points, most=series)
        self._live = Live(self._book, self._names)
        self._sessions = Sessions(self._clock)
        self._started_monotonic = self._clock.monotonic_ms()

    @property
    def version(self) -> tuple[int, int]:
        """Changes whenever any number may have changed; compare for equality only."""
        return self._generation, self._live.version

    @property
    def _ledger(self) -> Ledger:
        """Everything that was counted, with what was told in the last moments; to be read under the lock."""
        with self._lock:
            self._live.settle()
            return self._book

    @property
    def _registry(self) -> Registry:
        """The metrics by name, with the points of the last moments; to be read under the lock."""
        with self._lock:
            self._live.settle()
            return self._names

    def _by_and_by(self, read: Callable[[list[T]], Iterable[R]], series: Mapping[Any, T]) -> list[R]:
        """What `read` gives of very many series, a few at a time, so that no recorder waits for all of them."""
        found: list[R] = []
        with self._lock:
            every = list(series.values())
        for start in range(0, len(every), AT_ONCE):
            with self._lock:
                found += read(every[start : start + AT_ONCE])
            if len(every) > AT_ONCE:
                time.sleep(0)
        return found
