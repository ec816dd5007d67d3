"""When the next picture is due: at once after a quiet moment, else after the interval, or once before it is over."""

from __future__ import annotations

import asyncio
import contextlib


class Pace:
    """Keeps pictures apart. Only between two that are due one may come early, for a run that had been silent.

    So a run that says something now and then is not kept waiting by others that never stop, and however many
    runs there are, no more than twice as many pictures are drawn.
    """

    def __init__(self) -> None:
        self._stirs = 0
        self._stirred = False
        self._early = False
        """The last picture came early."""
        self._resting: asyncio.Event | None = None

    def picture(self) -> None:
        """A picture is about to be taken: it will hold whatever has happened by now."""
        self._stirred = False

    def note(self, stirs: int) -> None:
        """How often silent runs have moved so far; ends `rest` if one has, and if it may."""
        if stirs == self._stirs:
            return
        self._stirs, self._stirred = stirs, True
        if self._resting is not None:
            self._resting.set()

    async def rest(self, asked: asyncio.Event, interval_s: float) -> None:
        """Until the interval is over, somebody asks, or a run stirs that had been silent."""
        if self._early:
            await wait(asked, interval_s)
            self._early = False
            return
        if not self._stirred:
            self._resting = asked
            await wait(asked, interval_s)
            self._resting = None
        self._early = self._stirred


async def wait(event: asyncio.Event, timeout_s: float) -> None:
    """Until the event is set, or the time is over."""
    # Not `wait_for`: before Python 3.12 it swallows a cancellation that comes together with the event.
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(timeout_s):
            await event.wait()
