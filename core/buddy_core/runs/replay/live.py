"""A command while it runs, seen from another thread: what it has printed so far, and the wish to end it."""

from __future__ import annotations

import os
import threading
from collections import deque
from contextlib import suppress
from dataclasses import dataclass

KEPT_BYTES = 64 * 1024
"""Of what a command prints: the first half and the last half of so much; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Printed:
    """What a command printed up to some moment, standard output and error together; hostile."""

    head: bytes = b""
    """The beginning of it."""
    tail: bytes = b""
    """The end of it, where `head` does not hold all of it."""
    size: int = 0
    """All of it in bytes."""

    @property
    def omitted(self) -> int:
        """Bytes between `head` and `tail` that were counted and not kept."""
        return self.size - len(self.head) - len(self.tail)


class Output:
    """The first and the last bytes of a stream of any length; written by one thread, read by any."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._size = 0
        self._head = b""
        self._tail: deque[bytes] = deque()
        self._held = 0

    def take(self, data: bytes) -> None:
        """Add what was printed now."""
        with self._lock:
            self._size += len(data)
            room = KEPT_BYTES // 2 - len(self._head)
            self._head += data[:room] if room > 0 else b""
            rest = data[room:] if room > 0 else data
            if not rest:
                return
            self._tail.append(rest)
            self._held += len(rest)
            while self._held - len(self._tail[0]) >= KEPT_BYTES // 2:
                self._held -= len(self._tail.popleft())

    def printed(self) -> Printed:
        """What was printed so far."""
        with self._lock:
            return Printed(self._head, b"".join(self._tail)[-(KEPT_BYTES // 2) :], self._size)


class Live:
    """One execution for those who wait for it elsewhere. `execute` closes it; `cancel` may come at any time."""

    def __init__(self) -> None:
        self.output = Output()
        self._lock = threading.Lock()
        self._ears, self._bell = os.pipe()
        self._open = True

    @property
    def ears(self) -> int:
        """A descriptor that becomes readable when the command is to end."""
        return self._ears

    def cancel(self) -> None:
        """End the command and everything it started; from any thread, at any time, as often as one likes."""
        with self._lock:
            if self._open:
                with suppress(OSError):
                    os.write(self._bell, b"!")

    def close(self) -> None:
        """It has ended: there is nothing to cancel any more."""
        with self._lock:
            if self._open:
                self._open = False
                os.close(self._ears)
                os.close(self._bell)
