"""What is read of one run only while a view of it is on the screen: its family, its numbers, its files as they stand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from buddy_top.state import RawPage, Wants

if TYPE_CHECKING:
    from buddy_core.observe import Observer
    from buddy_core.prices.table import PriceTable
    from buddy_core.runs.lineage.model import Family
    from buddy_core.runs.model import RunFacts
    from buddy_core.runs.viewing.runnumbers import RunNumbers
    from buddy_top.family_reader import FamilyReader
    from buddy_top.listing.lister import Lister
    from buddy_top.numbers_reader import NumbersReader
    from buddy_top.raw_reader import RawReader


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
    """

    def __init__(
        self, runs_dir: Path, observer: Observer, lister: Lister, prices: PriceTable | None = None
    ) -> None:
        self._runs_dir = runs_dir
        self._observer = observer
        self._lister = lister
        self._prices = prices
        self._families: FamilyReader | None = None
        self._numbers: NumbersReader | None = None
        self._raw: RawReader | None = None

    @property
    def more(self) -> bool:
        """There is more to read at once: ask again soon."""
        return any(reader is not None and reader.more for reader in (self._numbers, self._raw))

    async def read(self, wants: Wants, run: RunFacts | None, now_ms: int) -> Depths:
        """What `wants` asks for of `run`, read on a little; what it does not ask for any more is let go."""
        return Depths(
            family=self._read_family(wants, now_ms),
            numbers=await self._read_numbers(run if wants.numbers else None, now_ms),
            raw=self._read_raw(wants),
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
            from buddy_top.family_reader import FamilyReader

            self._families = FamilyReader(self._lister.kin)
        return self._families.read(wants.run_id, self._observer.facts(), now_ms)

    async def _read_numbers(self, run: RunFacts | None, now_ms: int) -> RunNumbers | None:
        if self._numbers is not None and (run is None or self._numbers.run_id != run.run_id):
            self._numbers.close()
            self._numbers = None
        if run is None:
            return None
        if self._numbers is None:
            from buddy_top.numbers_reader import NumbersReader

            self._numbers = NumbersReader(self._runs_dir, run, self._prices)
        return await self._numbers.read(run, self._observer.facts(), now_ms)

    def _read_raw(self, wants: Wants) -> RawPage | None:
        raw, run_id = wants.raw, wants.run_id
        if self._raw is not None and (raw is None or not self._raw.is_of(run_id, raw.name)):
            self._raw.close()
            self._raw = None
        if raw is None or run_id is None:
            return None
        if self._raw is None:
            from buddy_top.raw_reader import RawReader

            self._raw = RawReader(self._observer.run_dir(run_id), raw.name)
        return self._raw.read(raw)
