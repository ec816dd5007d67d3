"""Events that a full disk refused wait here, in order, and are written as soon as it takes them.

They were not acknowledged, and may still be lost: the backlog is bounded, and it ends with the process. When
the disk takes events again, the ones that wait are written first, each once, and then a note that says how
many came late and how many are lost, at the place in the file where those are missing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from buddy_core.runs.writing.eventlog import EventLog

MAX_WAITING = 1_000
"""Events that wait at most."""

MAX_WAITING_BYTES = 1024 * 1024
"""Bytes that wait at most: one event of the largest size."""


class Gap(NamedTuple):
    """What a disk that took no events for a while did to the record."""

    late: int
    """Events that were written, but only after the gap."""
    lost: int
    """Events that never will be."""
    since_ms: int
    """Wall time of the first event that was refused."""
    cause: str
    """What the system said of the first refusal."""


class Backlog:
    """What waits for the disk that `log` writes to; exists from the first refusal to the recovery."""

    def __init__(self, log: EventLog, since_ms: int) -> None:
        self._log = log
        self._since_ms = since_ms
        self._cause = (log.error.strerror if log.error else None) or "the disk refused"
        self._lines: deque[bytes] = deque()
        self._size = 0
        self._late = 0
        self._lost = 0
        self._draining = False

    @property
    def gap(self) -> Gap:
        """What it comes to now; whatever still waits counts as lost."""
        return Gap(self._late, self._lost + len(self._lines), self._since_ms, self._cause)

    def hold(self, line: bytes) -> None:
        """Let `line` wait, or count it as lost when there is no room: the oldest stay, so that one gap results."""
        if len(self._lines) >= MAX_WAITING or self._size + len(line) > MAX_WAITING_BYTES:
            self._lost += 1
            return
        self._lines.append(line)
        self._size += len(line)

    def drain(self, written: Callable[[bytes], object]) -> bool:
        """Write what waits, oldest first, and say whether nothing waits any more.

        False at once for whoever comes in while it is being done: a signal handler that records.
        """
        if self._draining:
            return False
        self._draining = True
        try:
            while self._lines:
                line = self._lines[0]
                if not self._log.resume(line):
                    return False
                self._lines.popleft()
                self._size -= len(line)
                self._late += 1
                written(line)
        finally:
            self._draining = False
        return True
