"""A feed without a thread: it reads when asked and publishes at once, so that a test sees what it caused."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path

from buddy_core.alerts.model import NO_ALERTS
from buddy_core.alerts.watch import AlertWatch
from buddy_core.clock import Clock
from buddy_core.metrics.collector import MetricsCollector
from buddy_core.observing.observer import Observer
from buddy_core.past.moment import PastMoment
from buddy_core.prices.table import PriceTable
from buddy_core.runs.facts import RunFacts
from buddy_top.feeding.snapshots import take_snapshot
from buddy_top.kept.shelf import Shelf, unopened
from buddy_top.listing.lister import Lister
from buddy_top.listing.model import Listing
from buddy_top.metering.use import MonitorUse
from buddy_top.past.pictures import PastPictures
from buddy_top.reading.around_reader import AroundReader
from buddy_top.reading.run_depths import RunDepths
from buddy_top.reading.run_reader import RunReader
from buddy_top.state import RunDetail, Snapshot, Wants


class InlineFeed:
    """Everything the live feed does, in the order the test asks for it."""

    def __init__(
        self,
        runs_dir: Path,
        clock: Clock,
        prices: PriceTable | None = None,
        state: Path | None = None,
        archive: Path | None = None,
        *,
        writes: bool = True,
    ) -> None:
        self.clock = clock
        self.collector = MetricsCollector(clock=clock, prices=prices)
        self.observer = Observer(runs_dir, self.collector, clock=clock)
        self.watch: AlertWatch | None = None
        self.wants = Wants()
        self.lister = Lister(
            self.observer, clock=clock, prices=prices, state_dir=state, writes=writes, told=self.take_soon
        )
        self.loop: asyncio.AbstractEventLoop | None = None
        self.around = AroundReader(self.observer.runs_dir)
        self.shelf = Shelf(archive, self.observer.runs_dir, clock=clock, told=self.take_soon)
        self.depths = RunDepths(runs_dir, self.observer, self.lister, prices, self.shelf)
        self.prices = prices
        self.past: PastPictures | None = None
        self.paused = False
        self.rereads = 0
        self.metered: Callable[[MonitorUse], None] | None = None
        self.use = MonitorUse(
            cpu_ms=1_840.0,
            cpu_percent=0.84,
            cpu_over_ms=10_000.0,
            memory_bytes=88_300_000,
            peak_memory_bytes=91_200_000,
            queue_depth=0,
            dropped_events=0,
            picture_ms=3.7,
        )
        self.reader: RunReader | None = None
        self._publish: Callable[[Snapshot], None] | None = None
        self.pending: set[asyncio.Task[None]] = set()

    def start(self, publish: Callable[[Snapshot], None], failed: Callable[[BaseException], None]) -> None:
        self.observer.load()
        self._publish = publish
        self.loop = asyncio.get_running_loop()
        self.take()

    def ask(self, wants: Wants) -> None:
        self.wants = wants
        self.take()

    def give_way(self) -> None:
        """Nothing is read in the background."""

    def pause(self, paused: bool) -> None:
        self.paused = paused
        self.take()

    def reread(self) -> None:
        self.rereads += 1
        self.observer.load()
        self.take()

    def stop(self) -> None:
        for task in self.pending:
            task.cancel()
        self.lister.close()
        self.depths.close()
        self.shelf.close()
        self.close_reader()
        if self.past is not None:
            self.past.close()
        self.observer.close()

    def close_reader(self) -> None:
        """Let go of the run that is on the screen."""
        if self.reader is not None:
            self.reader.close()
        self.reader = None

    def keep_runs(self, run_ids: Sequence[str]) -> Future[str]:
        return self.shelf.keep(run_ids)

    def find_runs(self, text: str) -> Future[Sequence[RunFacts]]:
        return self.lister.find(text)

    def read_runs(self, run_ids: Sequence[str]) -> Future[Sequence[RunFacts]]:
        return self.lister.read(run_ids)

    def meter(self, told: Callable[[MonitorUse], None] | None) -> None:
        self.metered = told
        if told is not None:
            told(self.use)

    def take_soon(self) -> None:
        """From any thread: publish a picture soon."""
        if self.loop is not None:
            with contextlib.suppress(RuntimeError):
                self.loop.call_soon_threadsafe(self.take)

    def take(self) -> None:
        """Publish a picture of what there is now, as soon as the loop comes round."""
        if self._publish is not None:
            task = asyncio.get_running_loop().create_task(self._take())
            self.pending.add(task)
            task.add_done_callback(self.pending.discard)

    def _listing(self, wants: Wants, now_ms: int) -> Listing | None:
        if wants.listing is not None or wants.run_id is not None:
            self.shelf.look(now_ms)
        if wants.listing is not None and wants.listing.kept:
            return self.shelf.listing(wants.listing, now_ms)
        return self.lister.listing(wants.listing, now_ms, hold=self.paused)

    async def _take(self) -> None:
        if self.wants.past is not None:
            await self._take_past(self.wants, self.wants.past)
            return
        if self.past is not None:
            self.past.close()
            self.past = None
        wants = self.wants
        kept = self.shelf.opened_instead(wants.run_id)
        run = self._read_run(wants)
        around = None
        if wants.around is not None:
            around = (wants.around, self.around.read(wants.around))
        assert self._publish is not None
        now_ms = self.clock.now_ms()
        opened = self.lister.facts_of(wants.run_id) if wants.run_id is not None else None
        opened = opened if kept is None else kept.facts
        depths = await self.depths.read(wants, opened, now_ms, kept)
        while self.depths.more:
            depths = await self.depths.read(wants, opened, now_ms, kept)
        alerts = NO_ALERTS if self.watch is None else self.watch.check(now_ms)
        self._publish(
            take_snapshot(
                self.collector,
                self.observer,
                wants,
                now_ms=now_ms,
                run=run,
                depths=depths,
                around=around,
                listing=self._listing(wants, now_ms),
                opened=opened,
                kept=self.shelf.ids,
                place=None if kept is None else kept.place,
                names=self.lister.names() if wants.names else None,
                alerts=alerts,
                paused=self.paused,
            )
        )

    def _read_run(self, wants: Wants) -> RunDetail | None:
        if wants.run_id is None:
            return None
        kept = self.shelf.opened_instead(wants.run_id)
        place = self.observer.runs_dir if kept is None else kept.place
        if place is None:
            problem = None if kept is None else kept.problem
            return None if problem is None else unopened(self.observer.run_dir(wants.run_id), problem)
        if self.reader is None or self.reader.place != (place, wants.run_id):
            self.close_reader()
            self.reader = RunReader(place, wants.run_id, self.take_soon)
        return self.reader.read(wants)

    async def _take_past(self, wants: Wants, moment: PastMoment) -> None:
        """As the live feed does, but a picture is published only when the moment was reached."""
        if self.past is None:
            self.past = PastPictures(self.observer.runs_dir, self.prices, self.clock, lambda: None)
        run = self._read_run(wants)
        taken = None
        while self.wants is wants and self.past is not None:
            taken = await self.past.take(wants, moment, run=run, around=None)
            if self.past is None or not self.past.on_the_way:
                break
            await asyncio.sleep(0.002)
        assert self._publish is not None
        if taken is not None and self.wants is wants:
            self._publish(taken)
