"""Pictures of the past for the feed: of one moment after the other, with what of it is on the screen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from buddy_core.clock import Clock
from buddy_core.past.moment import PastMoment
from buddy_core.past.world import MOST_RUNS
from buddy_core.runs.facts import RunFacts
from buddy_top.feeding.snapshots import take_snapshot
from buddy_top.listing.fewruns import FewRuns
from buddy_top.past.numbers import PastNumbers
from buddy_top.past.reader import PastReader, Standing
from buddy_top.past.view import PastView
from buddy_top.reading.family_reader import FamilyReader
from buddy_top.reading.run_depths import Depths
from buddy_top.state import RunDetail, Snapshot, Wants

if TYPE_CHECKING:
    from buddy_core.prices.table import PriceTable
    from buddy_core.runs.timeline.around import Moment, Surroundings


class PastPictures:
    """One journey, from the first moment to `close`. Lives in the feed's thread; reading has its own.

    Args:
        runs_dir: As it was named.
        told: Called from any thread when there is more to show than before.
        most_runs: How many runs are looked at.
    """

    def __init__(
        self,
        runs_dir: Path,
        prices: PriceTable | None,
        clock: Clock,
        told: Callable[[], None],
        most_runs: int = MOST_RUNS,
    ) -> None:
        self._told = told
        self._reader = PastReader(runs_dir, prices, clock, told, most_runs)
        self._numbers = PastNumbers(runs_dir, prices, clock)
        self._families = FamilyReader()
        self._listed: tuple[object, FewRuns] | None = None
        self._last: Snapshot | None = None

    @property
    def on_the_way(self) -> bool:
        """True while the moment that was asked for last has not been reached."""
        return self._reader.on_the_way

    async def take(
        self,
        wants: Wants,
        moment: PastMoment,
        *,
        run: RunDetail | None,
        around: tuple[Moment, Surroundings | None] | None,
    ) -> Snapshot | None:
        """The moment, or while it is read the picture before it, which says so; None before the first one."""
        standing = self._reader.at(moment)
        if standing is not None:
            self._last = await self._picture(standing, wants, run, around)
        elif self._last is not None and self._last.past is not None:
            progress = self._reader.progress
            self._last = replace(self._last, past=replace(self._last.past, reading=progress))
        return self._last

    def close(self) -> None:
        """End the thread, soon, and let go of everything."""
        self._reader.close()
        self._numbers.close()
        if self._listed is not None:
            self._listed[1].close()

    async def _picture(
        self,
        standing: Standing,
        wants: Wants,
        run: RunDetail | None,
        around: tuple[Moment, Surroundings | None] | None,
    ) -> Snapshot:
        """The screen as it would have been; alerts and budgets are of the present alone, and left out."""
        observer, at_ms = standing.observer, standing.moment.at_ms
        opened = observer.by_id().get(wants.run_id or "")
        taken = take_snapshot(
            standing.collector,
            observer,
            wants,
            now_ms=at_ms,
            run=_as_of(run, opened),
            listing=None if wants.listing is None else self._list(observer).listing(wants.listing, at_ms),
            depths=await self._depths(standing, wants, opened),
            around=around,
        )
        view = PastView(moment=standing.moment, moments=standing.moments)
        return replace(taken, past=view)

    async def _depths(self, standing: Standing, wants: Wants, opened: RunFacts | None) -> Depths:
        facts, at_ms = standing.observer.facts(), standing.moment.at_ms
        family = numbers = None
        if wants.family and wants.run_id is not None:
            family = self._families.read(wants.run_id, facts, at_ms)
        if wants.numbers and opened is not None:
            numbers = await self._numbers.read(opened, facts, standing.moment)
        return Depths(family, numbers)

    def _list(self, observer: object) -> FewRuns:
        """Who lists the runs of this observer: after going back it is another one."""
        from buddy_core.past.observer import PastObserver

        if self._listed is None or self._listed[0] is not observer:
            if self._listed is not None:
                self._listed[1].close()
            assert isinstance(observer, PastObserver)
            self._listed = observer, FewRuns(observer, self._told)
        return self._listed[1]


def _as_of(detail: RunDetail | None, run: RunFacts | None) -> RunDetail | None:
    """A run in depth with the artifacts there were; its rows stay, for what is to come is shown as that."""
    if detail is None:
        return None
    there = () if run is None else run.artifacts
    return replace(detail, artifacts=tuple(one for one in detail.artifacts if one.name in there))
