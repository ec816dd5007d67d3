"""Pictures of the present and of the past, one after the other, and all that is kept open to take them.

The library is loaded by whoever makes these, in the thread of the feed and not before: the first frame need not wait
for it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec.structs import replace

from buddy_core.metrics.collector import MetricsCollector
from buddy_top.config.prices import price_table
from buddy_top.feeding.holding import Looking, waits, with_detail_of
from buddy_top.kept.shelf import Shelf
from buddy_top.listing.lister import Lister
from buddy_top.options import Options
from buddy_top.reading.run_depths import RunDepths
from buddy_top.state import RunDetail, Snapshot, Wants

if TYPE_CHECKING:
    from buddy_core.history.keeper import RunHistory
    from buddy_core.runs.timeline.around import Moment, Surroundings
    from buddy_top.listing.model import Listing
    from buddy_top.past.pictures import PastPictures
    from buddy_top.reading.around_reader import OpenAround
    from buddy_top.reading.open_run import OpenRun

HURRIED_MS = 1_000
"""A picture that follows another within this time is one of many, and what nobody sees may wait."""

PATIENCE_MS = 3_000
"""So long numbers out of sight may stay as they were while one picture chases the next."""


class Pictures:
    """Takes them, for the feed's thread.

    Args:
        more: Called from any thread when something that was asked for has been read: it is to be shown at once.
        grown: Called from any thread when more was read of the run on the screen: the next picture shows it.
    """

    def __init__(
        self, options: Options, looking: Looking, *, more: Callable[[], None], grown: Callable[[], None]
    ) -> None:
        from buddy_core.alerts.watch import AlertWatch
        from buddy_core.observing.observer import Observer

        self._options = options
        self._clock = options.clock
        self._looking = looking
        self._more = more
        self._grown = grown
        self._moved = False
        self._last: Snapshot | None = None
        self._patient = False
        self._reader: OpenRun | None = None
        self._around: OpenAround | None = None
        self._past: PastPictures | None = None
        self.collector = MetricsCollector(clock=options.clock, prices=price_table(options.prices))
        self.observer = Observer(
            options.runs_dir,
            self.collector,
            clock=options.clock,
            watch_runs=options.watch_runs,
            history=_history(options),
        )
        self.lister = Lister(
            self.observer,
            clock=options.clock,
            prices=self.collector.prices,
            state_dir=options.state,
            writes=not options.read_only,
            told=self._has_more,
        )
        self.shelf = Shelf(options.archive, self.observer.runs_dir, clock=options.clock, told=self._has_more)
        self._depths = RunDepths(
            options.runs_dir, self.observer, self.lister, self.collector.prices, self.shelf, self._has_more
        )
        self._alerts = AlertWatch(self.observer, self.collector, options.limits)

    def close(self) -> None:
        """Let go of all files, and end the threads that read."""
        if self._reader is not None:
            self._reader.close()
        self.lister.close()
        self._depths.close()
        if self._around is not None:
            self._around.close()
        self._leave_past()
        self.shelf.close()
        self._alerts.close()
        self.observer.close()

    def note_change(self) -> None:
        """Something has happened that the last picture does not show."""
        self._moved = True

    @property
    def half_read(self) -> bool:
        """A long file is being read: the next picture shows more of it."""
        return self._depths.more

    def due_in_s(self) -> float:
        """Without a change, windows still slide, silent runs turn stalled, and what is out of sight is made good."""
        if self._past is not None and self._past.on_the_way:
            return self._options.refresh_s
        if self._last is not None and self._last.listing is not None and not self._last.listing.settled:
            return 1.0
        if self._patient:
            return HURRIED_MS / 1000 + 0.1
        return 1.0 if self.observer.at_work() else 30.0

    async def take(self) -> Snapshot:
        """The next one, of what is looked at now."""
        wants = self._looking.wants
        if wants.past is None:
            self._leave_past()
            return await self._present()
        if self._past is None:
            from buddy_top.past.pictures import PastPictures

            self._past = PastPictures(
                self._options.runs_dir, self.collector.prices, self._clock, self._has_more
            )
        run, around = await self._read_run(wants), await self._read_around(wants.around)
        then = await self._past.take(wants, wants.past, run=run, around=around)
        return then or await self._present()

    def _has_more(self) -> None:
        self._moved = True
        self._more()

    def _leave_past(self) -> None:
        if self._past is not None:
            self._past.close()
            self._past = None

    async def _present(self) -> Snapshot:
        held = self._last if self._looking.paused else None
        if held is not None and held.wants == self._looking.wants and not (waits(held) or self._depths.more):
            self._last = replace(held, behind=self._looking.behind, paused=True)
            return self._last
        wants = self._looking.wants
        if (last := self._last) is not None and self._only_rows_differ(last, wants):
            run = await self._read_run(wants)
            self._last = replace(last, wants=wants, run=run, behind=self._looking.behind)
            return self._last
        from buddy_top.feeding.snapshots import take_snapshot

        self._moved = False
        self.observer.tick()
        now_ms = self._clock.now_ms()
        listing, kept = self._list(wants, now_ms), self.shelf.opened_instead(wants.run_id)
        opened = self.lister.facts_of(wants.run_id) if wants.run_id is not None else None
        opened = opened if kept is None else kept.facts
        fresh = take_snapshot(
            self.collector,
            self.observer,
            wants,
            now_ms=now_ms,
            run=await self._read_run(wants),
            listing=listing,
            opened=opened,
            depths=await self._depths.read(wants, opened, now_ms, kept),
            kept=self.shelf.ids,
            place=None if kept is None else kept.place,
            names=self.lister.names() if wants.names else None,
            around=await self._read_around(wants.around),
            alerts=self._alerts.check(now_ms),
            behind=self._looking.behind,
            paused=self._looking.paused,
            patience_ms=self._patience(now_ms),
        )
        self._last = fresh if held is None else with_detail_of(held, fresh)
        return self._last

    def _only_rows_differ(self, last: Snapshot, wants: Wants) -> bool:
        """Nothing has happened but that other rows of the run on the screen are in sight, or more of it was read."""
        if wants.run_id is None or last.paused != self._looking.paused or self._depths.more:
            return False
        if replace(wants, rows=last.wants.rows, row_filter=last.wants.row_filter) != last.wants:
            return False
        fresh = not self._moved and abs(self._clock.now_ms() - last.taken_at) < 1000 * self.due_in_s()
        return (fresh or self._looking.paused) and not waits(last)

    def _patience(self, now_ms: int) -> int:
        """While pictures follow each other quickly, what nobody sees need not be up to date in each of them."""
        hurried = self._last is not None and abs(now_ms - self._last.taken_at) < HURRIED_MS
        self._patient = hurried
        return PATIENCE_MS if hurried else 0

    def _list(self, wants: Wants, now_ms: int) -> Listing | None:
        """The runs that are recorded, or those that are kept."""
        if wants.listing is not None or wants.run_id is not None:
            self.shelf.look(now_ms)
        if wants.listing is not None and wants.listing.kept:
            return self.shelf.listing(wants.listing, now_ms)
        return self.lister.listing(wants.listing, now_ms, hold=self._looking.paused)

    async def _read_run(self, wants: Wants) -> RunDetail | None:
        kept = self.shelf.opened_instead(wants.run_id)
        place = self.observer.runs_dir if kept is None else kept.place
        if self._reader is not None and (place, wants.run_id) != self._reader.place:
            self._reader.close()
            self._reader = None
        if wants.run_id is None:
            return None
        if place is None:
            from buddy_top.kept.shelf import unopened

            problem = None if kept is None else kept.problem
            return None if problem is None else unopened(self._options.runs_dir / wants.run_id, problem)
        if self._reader is None:
            from buddy_top.reading.open_run import OpenRun

            self._reader = OpenRun(place, wants.run_id, self._grown)
        return await self._reader.read(wants)

    async def _read_around(self, moment: Moment | None) -> tuple[Moment, Surroundings | None] | None:
        """What stands around an error, once the cursor has rested on it."""
        if moment is None:
            if self._around is not None:
                self._around.leave()
            return None
        if self._around is None:
            from buddy_top.reading.around_reader import OpenAround

            self._around = OpenAround(self.observer.runs_dir, self._has_more)
        return moment, await self._around.read(moment)


def _history(options: Options) -> RunHistory | None:
    """What is remembered of runs that are gone, where anything is."""
    if options.history is None:
        return None
    from buddy_core.history.keeper import RunHistory

    return RunHistory(options.history, writes=not options.read_only, clock=options.clock)
