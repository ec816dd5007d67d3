"""The monitor measures itself: a look every few seconds, in the feed's thread, while somebody wants to know."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from buddy_core.clock import Clock
from buddy_core.selfuse import ProcessUse, process_use
from buddy_top.metering.use import MonitorUse

LOOK_S = 2.0
"""Seconds between two looks: a number that changes faster is not read, and each look is a line drawn."""

FIRST_LOOK_S = 1.0
"""Until the first share of a core is known."""

OVER_MS = 10_000
"""The share of a core is of so long a time."""

Told = Callable[[MonitorUse], None]
Load = Callable[[], tuple[int | None, int | None]]
"""Queue depth and dropped events of whoever reads."""


class Meter:
    """Lives in the event loop in which it is made; `show` may be called from any thread.

    Args:
        load: Asked in the loop's thread for what it knows of queue and drops.
        look: What the process uses.
    """

    def __init__(
        self,
        clock: Clock,
        load: Load,
        look: Callable[[], ProcessUse] = process_use,
        *,
        look_s: float = LOOK_S,
    ) -> None:
        self._clock = clock
        self._load = load
        self._look = look
        self._look_s = look_s
        self._told: Told | None = None
        self._loop = asyncio.get_running_loop()
        self._task: asyncio.Task[None] | None = None
        self._picture_ms: float | None = None
        self._looks: deque[tuple[float, float]] = deque()  # moments, and the processor time until then

    def show(self, told: Told | None) -> None:
        """Measure from now on, and call `told` with each measurement; None ends it, and then nothing is done."""
        self._told = told
        with contextlib.suppress(RuntimeError):  # the loop has just been closed
            self._loop.call_soon_threadsafe(self._adjust)

    @contextmanager
    def picture(self) -> Iterator[None]:
        """What happens inside makes a picture of the numbers."""
        began = self._clock.monotonic_ms()
        yield
        self._picture_ms = self._clock.monotonic_ms() - began

    def use(self) -> MonitorUse:
        """Look now; the share of a core is of the time since an earlier look."""
        now, found = self._clock.monotonic_ms(), self._look()
        while len(self._looks) > 1 and self._looks[1][0] <= now - OVER_MS:
            self._looks.popleft()
        percent = over = None
        if self._looks and now > self._looks[0][0]:
            over = now - self._looks[0][0]
            percent = 100 * max(0.0, found.cpu_ms - self._looks[0][1]) / over
        self._looks.append((now, found.cpu_ms))
        queue, dropped = self._load()
        return MonitorUse(
            cpu_ms=found.cpu_ms,
            cpu_percent=percent,
            cpu_over_ms=over,
            memory_bytes=found.memory_bytes,
            peak_memory_bytes=found.peak_memory_bytes,
            queue_depth=queue,
            dropped_events=dropped,
            picture_ms=self._picture_ms,
        )

    def _adjust(self) -> None:
        if self._told is None and self._task is not None:
            self._task.cancel()
            self._task = None
            self._looks.clear()
        elif self._told is not None and self._task is None:
            self._task = self._loop.create_task(self._measure())

    async def _measure(self) -> None:
        wait = FIRST_LOOK_S
        while (told := self._told) is not None:
            told(self.use())
            await asyncio.sleep(min(wait, self._look_s))
            wait = self._look_s
