"""How long pictures take to draw, by the slowest of the last minute."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from buddy_core.clock import Clock

MINUTE_MS = 60_000


class FrameTimes:
    """Belongs to the thread that draws. What a picture takes to prepare counts with the frame that shows it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._preparing = 0.0
        self._slowest: deque[tuple[float, float]] = deque()  # falling times, each with its moment

    @contextmanager
    def preparing(self) -> Iterator[None]:
        """What happens inside is part of the next frame."""
        began = self._clock.monotonic_ms()
        yield
        self._preparing += self._clock.monotonic_ms() - began

    @contextmanager
    def drawing(self) -> Iterator[None]:
        """What happens inside is a frame."""
        began = self._clock.monotonic_ms()
        yield
        now = self._clock.monotonic_ms()
        self._add(now, self._preparing + now - began)
        self._preparing = 0.0

    @property
    def slowest_ms(self) -> float | None:
        """Of the last minute; None when nothing was drawn in it."""
        self._forget(self._clock.monotonic_ms())
        return self._slowest[0][1] if self._slowest else None

    def _add(self, now: float, took: float) -> None:
        while self._slowest and self._slowest[-1][1] <= took:
            self._slowest.pop()
        self._slowest.append((now, took))
        self._forget(now)

    def _forget(self, now: float) -> None:
        while self._slowest and self._slowest[0][0] <= now - MINUTE_MS:
            self._slowest.popleft()
