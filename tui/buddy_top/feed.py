"""From the library to the screen: a thread that reads, and at most one waiting `Snapshot`.

The thread runs an event loop of its own with the observer in it, so that no file is ever opened and no
JSON parsed on the thread that draws. The first change after a quiet moment is published at once; under
load one picture follows another at the refresh interval, however many events arrive in between, and one may
come before it is over, see `Pace`.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING

from buddy_top.feeding.holding import Looking
from buddy_top.feeding.pace import Pace, wait
from buddy_top.options import Options
from buddy_top.state import Snapshot, Wants

if TYPE_CHECKING:
    from buddy_core.runs.facts import RunFacts
    from buddy_top.feeding.pictures import Pictures
    from buddy_top.metering.meter import Meter
    from buddy_top.metering.use import MonitorUse

FIRST_LIST_S = 0.3
"""So long the first page of very many runs has the machine to itself."""

FIRST_LOOK_S = 0.5
"""So often it is asked whether there is anything to draw before the directory has been listed."""


class Feed:
    """The live feed: observer and snapshots in a thread of their own, on the runs directory of `options`."""

    _pictures: Pictures
    _meter: Meter
    _pictured: asyncio.Event

    def __init__(self, options: Options) -> None:
        self._options = options
        self._refresh_s = options.refresh_s
        self._looking = Looking()
        self._begun = self._complete = False
        self._pace = Pace()
        self._use_told: Callable[[MonitorUse], None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._changed: asyncio.Event | None = None
        self._asked: asyncio.Event | None = None
        self._thread: threading.Thread | None = None
        self._stopped = threading.Event()

    def start(self, publish: Callable[[Snapshot], None], failed: Callable[[BaseException], None]) -> None:
        """Start the thread; returns at once."""
        self._thread = threading.Thread(
            target=self._run, args=(publish, failed), name="buddy-top feed", daemon=True
        )
        self._thread.start()

    def ask(self, wants: Wants) -> None:
        """Thread-safe: the newest wants win, and are answered without waiting for the refresh interval."""
        self._looking.wants = wants
        self.give_way()
        self._wake(self._asked)

    def give_way(self) -> None:
        """Thread-safe: a key was pressed; nothing is read for a moment, so that what it does is on the screen at once."""
        if self._loop is not None:
            self._pictures.observer.give_way()

    def pause(self, paused: bool) -> None:
        """Thread-safe: hold or release the picture."""
        self._looking.paused = paused
        self._looking.behind = 0
        self._wake(self._asked)

    def reread(self) -> None:
        """Thread-safe: have the observer sweep now."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(lambda: self._pictures.observer.reread())

    def find_runs(self, text: str) -> Future[Sequence[RunFacts]]:
        """Thread-safe: by name, wherever the runs are listed from."""
        return self._pictures.lister.find(text)

    def read_runs(self, run_ids: Sequence[str]) -> Future[Sequence[RunFacts]]:
        """Thread-safe: any runs, for an export."""
        return self._pictures.lister.read(run_ids)

    def keep_runs(self, run_ids: Sequence[str]) -> Future[str]:
        """Thread-safe: copy runs into the archive."""
        return self._pictures.shelf.keep(run_ids)

    def meter(self, told: Callable[[MonitorUse], None] | None) -> None:
        """Thread-safe: tell what the monitor uses itself every few seconds; None: measure nothing."""
        self._use_told = told
        if self._loop is not None:
            self._meter.show(told)

    def _load(self) -> tuple[int, int]:
        return self._pictures.observer.waiting, self._pictures.collector.refused

    def stop(self) -> None:
        """End the loop; waits a second at most, for a hung file system must not keep the terminal."""
        self._stopped.set()
        self._wake(self._asked)
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout=1.0)

    def _wake(self, event: asyncio.Event | None) -> None:
        if self._loop is not None and event is not None and self._changed is not None:
            with contextlib.suppress(RuntimeError):  # the loop has just been closed
                self._loop.call_soon_threadsafe(self._changed.set)
                self._loop.call_soon_threadsafe(event.set)

    def _run(self, publish: Callable[[Snapshot], None], failed: Callable[[BaseException], None]) -> None:
        try:
            asyncio.run(self._main(publish))
            ended: BaseException = RuntimeError("nothing watches the runs any more")
        except BaseException as error:  # noqa: BLE001 - whatever ends this thread must be told, or the picture lies
            ended = error
        if not self._stopped.is_set():
            failed(ended)

    async def _main(self, publish: Callable[[Snapshot], None]) -> None:
        self._open()
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        self._asked = asyncio.Event()
        self._pictured = asyncio.Event()
        self._changed.set()
        self._meter.show(self._use_told)
        follow = asyncio.create_task(self._follow())
        draw = asyncio.create_task(self._draw(publish))
        try:
            await asyncio.wait((follow, draw), return_when=asyncio.FIRST_COMPLETED)
            for task in (follow, draw):
                if task.done():
                    task.result()
        finally:
            self._meter.show(None)
            follow.cancel()
            draw.cancel()
            await asyncio.gather(follow, draw, return_exceptions=True)
            self._pictures.close()

    def _open(self) -> None:
        """Load the library, here and not before: the first frame need not wait for it."""
        from buddy_top.feeding.pictures import Pictures
        from buddy_top.metering.meter import Meter

        self._pictures = Pictures(self._options, self._looking, more=self._show_more, grown=self._show_growth)
        self._meter = Meter(self._options.clock, self._load)

    async def _follow(self) -> None:
        """Nothing is read while very many runs are about to be listed: the first page would wait for that."""
        if self._pictures.lister.knows_the_list(self._looking.wants.listing):
            await wait(self._pictured, FIRST_LIST_S)
        await self._pictures.observer.follow(on_change=self._on_change)

    def _on_change(self) -> None:
        self._pictures.note_change()
        self._looking.behind += self._looking.paused
        sources = self._pictures.observer.sources()
        if self._changed is not None and self._asked is not None:
            self._changed.set()
            self._pace.note(self._pictures.observer.stirs)
            if (not self._begun and self._pictures.observer.facts()) or (
                not self._complete and sources.complete
            ):
                self._begun, self._complete = True, sources.complete
                self._asked.set()  # the first runs, or all of them: nobody should wait out a refresh interval to see it

    async def _draw(self, publish: Callable[[Snapshot], None]) -> None:
        assert self._changed is not None
        assert self._asked is not None
        while True:
            await wait(self._changed, self._pictures.due_in_s())
            if self._stopped.is_set():
                return
            await self._first_look(self._asked)
            self._changed.clear()
            self._asked.clear()
            self._pace.picture()
            with self._meter.picture():
                snapshot = await self._pictures.take()
            publish(snapshot)
            self._pictured.set()
            if self._pictures.half_read:
                self._changed.set()  # a long file: it is read on between pictures, without a pause
            else:
                await self._pace.rest(self._asked, self._refresh_s)

    async def _first_look(self, asked: asyncio.Event) -> None:
        """Until the directory has been listed, or what is on the screen is known without that."""
        while not (self._pictures.lister.looked or self._stopped.is_set()):
            listing = self._pictures.lister.listing(self._looking.wants.listing, self._options.clock.now_ms())
            if listing is not None and listing.ids:
                return
            await wait(asked, FIRST_LOOK_S)
            asked.clear()

    def _show_more(self) -> None:
        """There is more to show: from any thread."""
        self._wake(self._asked)

    def _show_growth(self) -> None:
        """More was read of the run on the screen: from any thread."""
        self._wake(self._changed)
