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
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from buddy_core.alerts.limits import Limits
from buddy_core.clock import Clock
from buddy_top.feeding.holding import waits, with_detail_of
from buddy_top.feeding.pace import Pace, wait
from buddy_top.options import Options
from buddy_top.state import RunDetail, Snapshot, Wants

if TYPE_CHECKING:
    from buddy_core.alerts.watch import AlertWatch
    from buddy_core.metrics.collector import MetricsCollector
    from buddy_core.observing.observer import Observer
    from buddy_core.prices.table import PriceEntry
    from buddy_core.runs.facts import RunFacts
    from buddy_core.runs.timeline.around import Moment, Surroundings
    from buddy_top.kept.shelf import Shelf
    from buddy_top.listing.lister import Lister
    from buddy_top.listing.model import Listing
    from buddy_top.metering.meter import Meter
    from buddy_top.metering.use import MonitorUse
    from buddy_top.past.pictures import PastPictures
    from buddy_top.reading.around_reader import OpenAround
    from buddy_top.reading.open_run import OpenRun
    from buddy_top.reading.run_depths import RunDepths

DEFAULT_REFRESH_S = 0.25
"""Under load the picture changes four times a second: faster is unreadable and costs twice the CPU."""

HURRIED_MS = 1_000
"""A picture that follows another within this time is one of many, and what nobody sees may wait."""

FIRST_LIST_S = 0.3
"""So long the first page of very many runs has the machine to itself."""

FIRST_LOOK_S = 0.5
"""So often it is asked whether there is anything to draw before the directory has been listed."""

PATIENCE_MS = 3_000
"""So long numbers out of sight may stay as they were while one picture chases the next."""


class Feed:
    """The live feed: observer and snapshots in a thread of their own.

    The file `history` tells of runs that are gone, and what is read is added to it if `keep` says so. With
    `watch_runs` only so many are read, the newest. In `state` the catalog of very many runs is kept. In `archive` are
    runs that were kept.
    """

    _observer: Observer
    _collector: MetricsCollector
    _alerts: AlertWatch
    _lister: Lister
    _pictured: asyncio.Event
    _depths: RunDepths
    _shelf: Shelf
    _meter: Meter

    def __init__(
        self,
        runs_dir: Path,
        *,
        clock: Clock,
        refresh_s: float = DEFAULT_REFRESH_S,
        limits: Limits | None = None,
        prices: tuple[PriceEntry, ...] | None = None,
        history: Path | None = None,
        keep: bool = True,
        watch_runs: int = 0,
        state: Path | None = None,
        archive: Path | None = None,
    ) -> None:
        self._runs_dir = runs_dir
        self._archive = archive
        self._prices = prices
        self._history = history
        self._keep = keep
        self._watch_runs = watch_runs
        self._state = state
        self._clock = clock
        self._refresh_s = refresh_s
        self._limits = limits or Limits()
        self._wants = Wants()
        self._paused = False
        self._behind = 0
        self._begun = self._complete = False
        self._last: Snapshot | None = None
        self._patient = False
        self._pace = Pace()
        self._moved = False
        self._reader: OpenRun | None = None
        self._around: OpenAround | None = None
        self._past: PastPictures | None = None
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
        self._wants = wants
        self.give_way()
        self._wake(self._asked)

    def give_way(self) -> None:
        """Thread-safe: a key was pressed; nothing is read for a moment, so that what it does is on the screen at once."""
        if self._loop is not None:
            self._observer.give_way()

    def pause(self, paused: bool) -> None:
        """Thread-safe: hold or release the picture."""
        self._paused = paused
        self._behind = 0
        self._wake(self._asked)

    def reread(self) -> None:
        """Thread-safe: have the observer sweep now."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(lambda: self._observer.reread())

    def find_runs(self, text: str) -> Future[Sequence[RunFacts]]:
        """Thread-safe: by name, wherever the runs are listed from."""
        return self._lister.find(text)

    def read_runs(self, run_ids: Sequence[str]) -> Future[Sequence[RunFacts]]:
        """Thread-safe: any runs, for an export."""
        return self._lister.read(run_ids)

    def keep_runs(self, run_ids: Sequence[str]) -> Future[str]:
        """Thread-safe: copy runs into the archive."""
        return self._shelf.keep(run_ids)

    def meter(self, told: Callable[[MonitorUse], None] | None) -> None:
        """Thread-safe: tell what the monitor uses itself every few seconds; None: measure nothing."""
        self._use_told = told
        if self._loop is not None:
            self._meter.show(told)

    def _load(self) -> tuple[int, int]:
        return self._observer.waiting, self._collector.refused

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
            if self._reader is not None:
                self._reader.close()
            self._lister.close()
            self._depths.close()
            if self._around is not None:
                self._around.close()
            self._leave_past()
            self._shelf.close()
            self._alerts.close()
            self._observer.close()

    def _open(self) -> None:
        """Load the library, here and not before: the first frame need not wait for it."""
        from buddy_core.alerts.watch import AlertWatch
        from buddy_core.metrics.collector import MetricsCollector
        from buddy_core.observing.observer import Observer
        from buddy_top.config.prices import price_table
        from buddy_top.kept.shelf import Shelf
        from buddy_top.listing.lister import Lister
        from buddy_top.metering.meter import Meter
        from buddy_top.reading.run_depths import RunDepths

        self._collector = MetricsCollector(clock=self._clock, prices=price_table(self._prices))
        history = None
        if self._history is not None:
            from buddy_core.history.keeper import RunHistory

            history = RunHistory(self._history, writes=self._keep, clock=self._clock)
        self._observer = Observer(
            self._runs_dir,
            self._collector,
            clock=self._clock,
            watch_runs=self._watch_runs,
            history=history,
        )
        self._lister = Lister(
            self._observer,
            clock=self._clock,
            prices=self._collector.prices,
            state_dir=self._state,
            writes=self._keep,
            told=self._has_more,
        )
        self._shelf = Shelf(self._archive, self._observer.runs_dir, clock=self._clock, told=self._has_more)
        self._depths = RunDepths(
            self._runs_dir, self._observer, self._lister, self._collector.prices, self._shelf, self._has_more
        )
        self._alerts = AlertWatch(self._observer, self._collector, self._limits)
        self._meter = Meter(self._clock, self._load)

    async def _follow(self) -> None:
        """Nothing is read while very many runs are about to be listed: the first page would wait for that."""
        if self._lister.knows_the_list(self._wants.listing):
            await wait(self._pictured, FIRST_LIST_S)
        await self._observer.follow(on_change=self._on_change)

    def _on_change(self) -> None:
        self._moved = True
        self._behind += self._paused
        sources = self._observer.sources()
        if self._changed is not None and self._asked is not None:
            self._changed.set()
            self._pace.note(self._observer.stirs)
            if (not self._begun and self._observer.facts()) or (not self._complete and sources.complete):
                self._begun, self._complete = True, sources.complete
                self._asked.set()  # the first runs, or all of them: nobody should wait out a refresh interval to see it

    async def _draw(self, publish: Callable[[Snapshot], None]) -> None:
        assert self._changed is not None
        assert self._asked is not None
        while True:
            await wait(self._changed, self._next_tick_s())
            if self._stopped.is_set():
                return
            await self._first_look(self._asked)
            self._changed.clear()
            self._asked.clear()
            self._pace.picture()
            with self._meter.picture():
                snapshot = await self._snapshot()
            publish(snapshot)
            self._pictured.set()
            if self._depths.more:
                self._changed.set()  # a long file: it is read on between pictures, without a pause
            else:
                await self._pace.rest(self._asked, self._refresh_s)

    async def _first_look(self, asked: asyncio.Event) -> None:
        """Until the directory has been listed, or what is on the screen is known without that."""
        while not (self._lister.looked or self._stopped.is_set()):
            listing = self._lister.listing(self._wants.listing, self._clock.now_ms())
            if listing is not None and listing.ids:
                return
            await wait(asked, FIRST_LOOK_S)
            asked.clear()

    def _has_more(self) -> None:
        """There is more to show: from any thread."""
        self._moved = True
        self._wake(self._asked)

    def _next_tick_s(self) -> float:
        """Without a change, windows still slide, silent runs turn stalled, and what is out of sight is made good."""
        if self._past is not None and self._past.on_the_way:
            return self._refresh_s
        if self._last is not None and self._last.listing is not None and not self._last.listing.settled:
            return 1.0
        if self._patient:
            return HURRIED_MS / 1000 + 0.1
        return 1.0 if self._observer.at_work() else 30.0

    async def _snapshot(self) -> Snapshot:
        wants = self._wants
        if wants.past is None:
            self._leave_past()
            return await self._present_snapshot()
        if self._past is None:
            from buddy_top.past.pictures import PastPictures

            self._past = PastPictures(self._runs_dir, self._collector.prices, self._clock, self._has_more)
        run, around = await self._read_run(wants), await self._read_around(wants.around)
        then = await self._past.take(wants, wants.past, run=run, around=around)
        return then or await self._present_snapshot()

    def _leave_past(self) -> None:
        if self._past is not None:
            self._past.close()
            self._past = None

    async def _present_snapshot(self) -> Snapshot:
        held = self._last if self._paused else None
        if held is not None and held.wants == self._wants and not (waits(held) or self._depths.more):
            self._last = replace(held, behind=self._behind, paused=True)
            return self._last
        wants = self._wants
        if (last := self._last) is not None and self._only_rows_differ(last, wants):
            run = await self._read_run(wants)
            self._last = replace(last, wants=wants, run=run, behind=self._behind)
            return self._last
        from buddy_top.feeding.snapshots import take_snapshot

        self._moved = False
        self._observer.tick()
        now_ms = self._clock.now_ms()
        listing, kept = self._list(wants, now_ms), self._shelf.opened_instead(wants.run_id)
        opened = self._lister.facts_of(wants.run_id) if wants.run_id is not None else None
        opened = opened if kept is None else kept.facts
        fresh = take_snapshot(
            self._collector,
            self._observer,
            wants,
            now_ms=now_ms,
            run=await self._read_run(wants),
            listing=listing,
            opened=opened,
            depths=await self._depths.read(wants, opened, now_ms, kept),
            kept=self._shelf.ids,
            place=None if kept is None else kept.place,
            names=self._lister.names() if wants.names else None,
            around=await self._read_around(wants.around),
            alerts=self._alerts.check(now_ms),
            behind=self._behind,
            paused=self._paused,
            patience_ms=self._patience(now_ms),
        )
        self._last = fresh if held is None else with_detail_of(held, fresh)
        return self._last

    def _only_rows_differ(self, last: Snapshot, wants: Wants) -> bool:
        """Nothing has happened but that other rows of the run on the screen are in sight, or more of it was read."""
        if wants.run_id is None or last.paused != self._paused or self._depths.more:
            return False
        if replace(wants, rows=last.wants.rows, row_filter=last.wants.row_filter) != last.wants:
            return False
        fresh = not self._moved and abs(self._clock.now_ms() - last.taken_at) < 1000 * self._next_tick_s()
        return (fresh or self._paused) and not waits(last)

    def _patience(self, now_ms: int) -> int:
        """While pictures follow each other quickly, what nobody sees need not be up to date in each of them."""
        hurried = self._last is not None and abs(now_ms - self._last.taken_at) < HURRIED_MS
        self._patient = hurried
        return PATIENCE_MS if hurried else 0

    def _list(self, wants: Wants, now_ms: int) -> Listing | None:
        """The runs that are recorded, or those that are kept."""
        if wants.listing is not None or wants.run_id is not None:
            self._shelf.look(now_ms)
        if wants.listing is not None and wants.listing.kept:
            return self._shelf.listing(wants.listing, now_ms)
        return self._lister.listing(wants.listing, now_ms, hold=self._paused)

    async def _read_run(self, wants: Wants) -> RunDetail | None:
        kept = self._shelf.opened_instead(wants.run_id)
        place = self._observer.runs_dir if kept is None else kept.place
        if self._reader is not None and (place, wants.run_id) != self._reader.place:
            self._reader.close()
            self._reader = None
        if wants.run_id is None:
            return None
        if place is None:
            from buddy_top.kept.shelf import unopened

            problem = None if kept is None else kept.problem
            return None if problem is None else unopened(self._runs_dir / wants.run_id, problem)
        if self._reader is None:
            from buddy_top.reading.open_run import OpenRun

            self._reader = OpenRun(place, wants.run_id, lambda: self._wake(self._changed))
        return await self._reader.read(wants)

    async def _read_around(self, moment: Moment | None) -> tuple[Moment, Surroundings | None] | None:
        """What stands around an error, once the cursor has rested on it."""
        if moment is None:
            if self._around is not None:
                self._around.leave()
            return None
        if self._around is None:
            from buddy_top.reading.around_reader import OpenAround

            self._around = OpenAround(self._observer.runs_dir, self._has_more)
        return moment, await self._around.read(moment)


def live_feed(options: Options) -> Feed:
    """The feed of a monitor on the runs directory of `options`."""
    return Feed(
        options.runs_dir,
        clock=options.clock,
        refresh_s=options.refresh_s,
        limits=options.limits,
        prices=options.prices,
        history=options.history,
        keep=not options.read_only,
        watch_runs=options.watch_runs,
        state=options.state,
        archive=options.archive,
    )
