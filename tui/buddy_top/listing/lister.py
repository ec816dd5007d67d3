"""The list of runs as the feed has it: from memory while runs are few, from their catalog when there are many."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any

from buddy_core.clock import Clock
from buddy_core.observing.observer import Observer
from buddy_core.runs.facts import RunFacts
from buddy_core.runs.watching.watch import DirectoryChange
from buddy_top.listing.fewruns import FewRuns, runs_of
from buddy_top.listing.model import Listing, ListWants
from buddy_top.listing.names import NamesHeld

if TYPE_CHECKING:
    from buddy_core.prices.table import PriceTable
    from buddy_core.runs.catalog.rows import Row
    from buddy_top.listing.many.manyruns import ManyRuns
    from buddy_top.state import FilterNames

MANY_RUNS = 1_000
"""With more runs than this they are listed from the catalog."""

MOST_FOUND = 50
"""Runs found by name for one text; typing on narrows them."""


class Lister:
    """Lives in the feed's thread, which it never keeps waiting; `find` and `read` may be called from any thread.

    Args:
        state_dir: Where the catalog is; None: nowhere, so that there is none.
        writes: Keep the catalog current; otherwise it is only read.
        told: Called from any thread whenever there is more to list than before.
    """

    def __init__(
        self,
        observer: Observer,
        *,
        clock: Clock,
        prices: PriceTable | None,
        state_dir: Path | None,
        writes: bool,
        told: Callable[[], None],
    ) -> None:
        self._observer = observer
        self._clock = clock
        self._prices = prices
        self._state_dir = state_dir
        self._writes = writes
        self._told = told
        self._few = FewRuns(observer, told)
        self._many: ManyRuns | None = None
        self.looked = False
        """The directory of runs has been listed."""
        self._names = NamesHeld()
        observer.on_directory = self._directory_changed

    def listing(self, wants: ListWants | None, now_ms: int, *, hold: bool = False) -> Listing | None:
        """The list as far as it is known; None when it is not asked for. `hold`: the same list as long as the same is asked."""
        if wants is None:
            self._few.stop()
            if self._many is not None:
                self._many.rest()
            return None
        many = self._catalog() if self._are_many() else None
        if many is None:
            problem = (
                ""
                if self._state_dir or not self._are_many()
                else "there is no place for an index of all runs"
            )
            return self._few.listing(wants, now_ms, hold=hold, problem=problem)
        return many.listing(wants, now_ms, hold=hold)

    def knows_the_list(self, wants: ListWants | None) -> bool:
        """True when the list is asked for and can be had before the directory has been listed."""
        return wants is not None and not self.looked and self._are_many()

    def names(self) -> FilterNames:
        """The names that a filter is completed with, as of a few seconds ago: of the newest runs until all are known."""
        found = self._many.names() if self._many is not None and self._are_many() else None
        return found or self._names.of_runs(lambda: map(self._few.candidate, self._observer.facts()))

    def facts_of(self, run_id: str) -> RunFacts | None:
        """A run, whether it is followed or not; None where it is not known, or not read yet."""
        known = self._observer.by_id().get(run_id)
        if known is None and self._are_many() and (many := self._catalog()) is not None:
            return many.facts_of(run_id)
        return known

    def find(self, text: str) -> Future[Sequence[RunFacts]]:
        """Runs with all words of `text` in what is known of them, newest first, at most `MOST_FOUND`."""
        if self._many is not None:
            return self._many.find(text, MOST_FOUND)
        return _done(lambda: self._few.find(text, MOST_FOUND))

    def read(self, run_ids: Sequence[str]) -> Future[Sequence[RunFacts]]:
        """The facts of these runs, in their order; runs that are gone are left out."""
        if self._many is not None:
            return self._many.read(run_ids)
        known = [self._observer.by_id().get(run_id) for run_id in run_ids]
        return _done(lambda: [run for run in known if run is not None])

    def kin(self, run_id: str) -> Future[Sequence[Row]] | None:
        """A run, its ancestors and all their forks, as the catalog knows them; None where all runs are followed."""
        return None if self._many is None else self._many.kin(run_id)

    def close(self) -> None:
        """End all threads, soon."""
        self._few.close()
        if self._many is not None:
            self._many.close()

    def _are_many(self) -> bool:
        """Before the directory has been listed, its catalog tells."""
        total = runs_of(self._observer)
        if not self.looked and self._many is None and self._state_dir is not None:
            from buddy_core.runs.catalog.layout import catalog_path

            return catalog_path(self._state_dir, self._observer.runs_dir).exists()
        return total > MANY_RUNS or (not self.looked and self._many is not None)

    def _catalog(self) -> ManyRuns | None:
        if self._many is None and self._state_dir is not None:
            from buddy_top.listing.many.manyruns import ManyRuns

            self._many = ManyRuns(
                self._observer,
                self._few,
                self._state_dir,
                clock=self._clock,
                prices=self._prices,
                writes=self._writes,
                told=self._told,
            )
        return self._many

    def _directory_changed(self, change: DirectoryChange) -> None:
        if self._many is not None and self.looked:
            self._many.directory_changed(change)  # of the first look the catalog makes what it will itself
        if not self.looked:
            self.looked = True
            self._told()


def _done(work: Callable[[], Sequence[RunFacts]]) -> Future[Any]:
    future: Future[Any] = Future()
    future.set_result(work())
    return future
