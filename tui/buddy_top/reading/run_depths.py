"""What is read of one run only while a view of it is on the screen: its family, its numbers, its files as they stand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from buddy_top.state import RawPage, Wants

if TYPE_CHECKING:
    from buddy_core.observing.observer import Observer
    from buddy_core.prices.table import PriceTable
    from buddy_core.runs.facts import RunFacts
    from buddy_core.runs.lineage.model import Family
    from buddy_core.runs.numbers.runnumbers import RunNumbers
    from buddy_top.kept.shelf import OpenedRun, Shelf
    from buddy_top.listing.lister import Lister
    from buddy_top.reading.family_reader import FamilyReader
    from buddy_top.reading.numbers_reader import NumbersReader
    from buddy_top.reading.open_raw import OpenRaw


class Depths(NamedTuple):
    """All of it; None for what no view asks for, and for a run that is not there."""

    family: Family | None = None
    numbers: RunNumbers | None = None
    raw: RawPage | None = None


NOTHING = Depths()


class RunDepths:
    """Holds the readers, each made when it is first needed. Not thread-safe: it lives in the feed's thread.

    Args:
        runs_dir: The directory of runs as it was named.
        lister: Knows the kin of a run, where there are more runs than the observer follows.
        shelf: Knows runs that are kept and recorded no more.
        wake: Called, from another thread, when a file that did not answer does.
    """

    def __init__(
        self,
        runs_dir: Path,
        observer: Observer,
        lister: Lister,
        prices: PriceTable | None = None,
        shelf: Shelf | None = None,
        wake: Callable[[], None] = lambda: None,
    ) -> None:
        self._wake = wake
        self._runs_dir = runs_dir
        self._observer = observer
        self._lister = lister
        self._shelf = shelf
        self._prices = prices
        self._families: FamilyReader | None = None
        self._numbers: NumbersReader | None = None
        self._raw: OpenRaw | None = None

    @property
    def more(self) -> bool:
        """There is more to read at once: ask again soon."""
        return any(reader is not None and reader.more for reader in (self._numbers, self._raw))

    async def read(
        self, wants: Wants, run: RunFacts | None, now_ms: int, kept: OpenedRun | None = None
    ) -> Depths:
        """What `wants` asks for of `run`, read on a little; what it does not ask for any more is let go.

        The files are where runs are recorded, or where a `kept` run is unpacked.
        """
        place = self._observer.runs_dir if kept is None else kept.place
        return Depths(
            family=self._read_family(wants, now_ms),
            numbers=await self._read_numbers(run if wants.numbers else None, now_ms, place),
            raw=await self._read_raw(wants, place, kept.problem if kept is not None else None),
        )

    def close(self) -> None:
        """Let go of all files."""
        for reader in (self._numbers, self._raw):
            if reader is not None:
                reader.close()
        self._numbers = self._raw = None

    def _read_family(self, wants: Wants, now_ms: int) -> Family | None:
        if not wants.family or wants.run_id is None:
            return None
        if self._families is None:
            from buddy_top.reading.family_reader import FamilyReader

            self._families = FamilyReader(self._lister.kin)
        kept = self._shelf.facts() if self._shelf is not None else ()
        return self._families.read(wants.run_id, self._observer.facts(), now_ms, kept)

    async def _read_numbers(self, run: RunFacts | None, now_ms: int, place: Path | None) -> RunNumbers | None:
        if self._numbers is not None and (run is None or (place, run.run_id) != self._numbers.place):
            self._numbers.close()
            self._numbers = None
        if run is None or place is None:
            return None
        if self._numbers is None:
            from buddy_core.runs.folding.turnfile import TurnFile
            from buddy_core.runs.folding.turns import TURN_METRICS
            from buddy_top.reading.numbers_reader import NumbersReader

            turns = TurnFile(self._runs_dir.parent / TURN_METRICS)  # not beside a copy
            self._numbers = NumbersReader(place, run, self._prices, turns=turns)
        return await self._numbers.read(run, self._observer.facts(), now_ms)

    async def _read_raw(self, wants: Wants, place: Path | None, problem: str | None) -> RawPage | None:
        raw, run_id = wants.raw, wants.run_id
        run_dir = None if place is None or run_id is None else place / run_id
        if self._raw is not None and (raw is None or (run_dir, raw.name) != self._raw.file):
            self._raw.close()
            self._raw = None
        if raw is None or run_id is None:
            return None
        if run_dir is None:
            return None if problem is None else RawPage(run_id, raw, problem=problem)
        if self._raw is None:
            from buddy_top.reading.open_raw import OpenRaw

            self._raw = OpenRaw(run_dir, raw.name, self._wake)
        return await self._raw.read(raw)
