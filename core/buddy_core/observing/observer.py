"""Everything that stands in a runs directory, as it is now and as it changes.

The observer is an observation that goes on. `load`, `reread`, `tick` and `follow` belong to one thread; `facts`,
`sources` and `version` may be asked from any.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from buddy_core.observing.observation import LIVE_EVENTS, Observation
from buddy_core.observing.sources import SourceStatus as SourceStatus  # noqa: PLC0414 - told to type checkers as ours too
from buddy_core.runs.reading.garbage import without_collection
from buddy_core.runs.reading.hands import tell

TICK_S = 1.0
"""How often statuses are concluded anew from the time that has passed."""

QUIET_TICK_S = 10.0
"""The same while no run is live, and so nothing ages but runs that said they start later."""

PICTURE_MS, FIRST_PICTURES_MS = 100, 1_000
"""While reading does not come to an end, who looks is told this often how far it is; the first time less often."""

SOON_MS = 30
"""But once right away, so that whoever waits for the first picture finds in it what there is by then."""

COURTESY_MS, DRAWING_MS, MOST_COURTESY_MS = 150, 40, 400
"""So long reading stands back when somebody waits for a picture, and when one is drawn; in the long run for half of
the time at most."""

_FIRST_PICTURE = 32
_MAX_PICTURE = 2_000


class Observer(Observation):
    """Watches one runs directory on behalf of one collector; see `Observation` for its arguments."""

    _wake: asyncio.Event | None = None  # there is something to read; None unless it follows
    _reading: asyncio.Lock  # held while a hand has runs: nobody takes one away then
    _looking: asyncio.Task[None] | None = None
    _others_first_until = 0.0  # by the monotonic clock
    _courtesy_left_ms = float(MOST_COURTESY_MS)

    def give_way(self, for_ms: float = COURTESY_MS) -> None:
        """Somebody is about to look at something: nothing is read for a moment. From any thread, and as often as one likes.

        The interpreter runs one thread at a time, so whoever draws waits for whoever decodes.
        """
        until = self._clock.monotonic_ms() + for_ms
        self._others_first_until = max(until, self._others_first_until)

    def reread(self) -> None:
        """Look at every file again: while following soon, otherwise now."""
        if self._wake is None:
            self.load()
        else:
            self._looking = asyncio.create_task(self._look_again(self._wake))

    async def follow(self, on_change: Callable[[], None] = lambda: None) -> None:
        """Read everything, newest runs first, then whatever changes, until cancelled.

        `on_change` is called in this task's thread after each change of `facts`, `sources` or the numbers
        in the collector. Other tasks get their turn between small amounts of reading.
        """
        self._wake, self._following, self._reading = asyncio.Event(), True, asyncio.Lock()
        self._wake.set()
        self._turns_changed = True
        self._take(await asyncio.to_thread(self._watch.scan))  # others may draw what they know meanwhile
        jobs = self._notice_changes(), self._work(on_change), self._keep_time(on_change)
        tasks = [asyncio.create_task(job) for job in jobs]
        try:
            await asyncio.gather(*tasks)
        finally:
            if self._looking is not None:
                self._looking.cancel()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._wake, self._following = None, False
            await self._watch.aclose()

    async def _look_again(self, wake: asyncio.Event) -> None:
        change = await asyncio.to_thread(self._watch.scan)
        async with self._reading:
            self._take(change)
        self._queue.add(self._runs)
        self._turns_changed = True
        wake.set()

    async def _notice_changes(self) -> None:
        async for change in self._watch.changes():
            async with self._reading:
                self._take(change)
            if self._wake is not None:
                self._wake.set()

    async def _keep_time(self, on_change: Callable[[], None]) -> None:
        quiet_s = 0.0
        while True:
            await asyncio.sleep(TICK_S)
            quiet_s += TICK_S
            if quiet_s < QUIET_TICK_S and not (self._roster.live or self._queue.unreadable):
                continue
            quiet_s = 0.0
            await self._queue.ask(self._at_work())
            if self._queue.add_due() and self._wake is not None:
                self._wake.set()
            if self._caught_up and self.tick():
                on_change()

    async def _work(self, on_change: Callable[[], None]) -> None:
        assert self._wake is not None
        while True:
            await self._wake.wait()
            self._wake.clear()
            await self._read_queue(on_change)
            self._finish(final=False)
            await self._count_history(on_change)
            self._caught_up = not self._turns_changed
            if self._turns_changed or self._queue:
                self._wake.set()
            on_change()
            await asyncio.sleep(0)

    async def _read_queue(self, on_change: Callable[[], None]) -> None:
        """Read all that is queued, which may take for ever while much is written; show pictures in between."""
        self._take_back()
        done, picture = 0, _FIRST_PICTURE
        pause_ms = PICTURE_MS if self._caught_up else FIRST_PICTURES_MS
        due = self._clock.monotonic_ms() + (pause_ms if self._caught_up else SOON_MS)
        while self._queue:
            await self._let_others_go_first()
            with (
                without_collection()
            ):  # around it: what was read is let go of before anybody looks for cycles
                done += await self._read_aside()
            if self._clock.monotonic_ms() >= due or (done >= picture and not self._caught_up):
                self._publish()
                on_change()
                if not self._caught_up:
                    self.give_way(DRAWING_MS)
                picture = done + min(done, _MAX_PICTURE)
                due = self._clock.monotonic_ms() + pause_ms
            while self._history is not None and self._history.behind:
                await asyncio.sleep(0.01)

    async def _let_others_go_first(self) -> None:
        """Wait while reading stands back, unless it has done so for too long; what is live is little, and shown at once."""
        if self._caught_up:
            return
        wait_ms = min(self._others_first_until - self._clock.monotonic_ms(), self._courtesy_left_ms)
        if wait_ms > 0:
            self._courtesy_left_ms -= wait_ms
            await asyncio.sleep(wait_ms / 1000)

    async def _read_aside(self) -> int:
        """The same while others of the loop have their turn; a run that hangs wakes us when it is back."""
        began_ms = self._clock.monotonic_ms()
        async with self._reading:
            trip = self._queue.begin(self._read_run, self._enter, LIVE_EVENTS)
            hanging = await self._queue.hands.wait_for(trip)
            if hanging is not None and self._wake is not None:
                loop, wake = asyncio.get_running_loop(), self._wake.set
                trip.over.add_done_callback(lambda _: tell(loop, wake))
            runs = self._take_in(self._queue.end(trip, hanging))
        earned_ms = self._clock.monotonic_ms() - began_ms
        self._courtesy_left_ms = min(self._courtesy_left_ms + earned_ms, MOST_COURTESY_MS)
        return runs

    async def _count_history(self, on_change: Callable[[], None]) -> None:
        """Once all files have been read: count what only the history knows, a little at a time."""
        if self._history is None or not self._history.loading or self._turns_changed:
            return
        on_change()
        items = 0
        for counted in self._tell():
            items += counted
            if items > LIVE_EVENTS:
                items = 0
                await asyncio.sleep(0)
            if self._queue:
                await self._read_queue(on_change)
                self._publish()
                on_change()
        self._finish(final=False)
