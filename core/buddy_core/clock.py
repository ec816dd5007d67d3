"""The one place that reads the time; everything else is handed a `Clock`.

Wall time names a moment and may jump; monotonic time measures a duration and never does. Code that
subtracts two wall times to get a duration is wrong on the night the clocks change.
"""

from __future__ import annotations

from time import monotonic_ns, time_ns
from typing import Protocol


class Clock(Protocol):
    """What the library asks of a clock."""

    def now_ms(self) -> int:
        """Wall time in integer milliseconds since the epoch."""
        ...

    def monotonic_ms(self) -> float:
        """Milliseconds since some fixed moment; only differences mean something."""
        ...


class SystemClock:
    """The clock of the machine."""

    def now_ms(self) -> int:
        """Wall time in integer milliseconds since the epoch."""
        return time_ns() // 1_000_000

    def monotonic_ms(self) -> float:
        """Milliseconds of `time.monotonic`."""
        return monotonic_ns() / 1_000_000


class ManualClock:
    """A clock that moves only when told: for tests, snapshots and time travel."""

    def __init__(self, now_ms: int = 1_767_890_000_000) -> None:
        self._wall = now_ms
        self._monotonic = 0.0

    def now_ms(self) -> int:
        """Wall time as set, in milliseconds since the epoch."""
        return self._wall

    def monotonic_ms(self) -> float:
        """Milliseconds advanced since this clock was made."""
        return self._monotonic

    def advance(self, ms: float) -> None:
        """Let `ms` milliseconds pass on both clocks."""
        self._wall += int(ms)
        self._monotonic += ms

    def set_wall(self, now_ms: int) -> None:
        """Jump the wall clock, as an administrator or daylight saving does; monotonic time is unmoved."""
        self._wall = now_ms
