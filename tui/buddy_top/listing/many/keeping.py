"""Keeps the catalog of very many runs as their files are, in a thread of its own, for as long as the monitor runs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from buddy_core.clock import Clock
    from buddy_core.prices.table import PriceTable
    from buddy_core.runs.catalog.catalog import Catalog
    from buddy_core.runs.catalog.filling.keeping import Phase, Progress

AGAIN_S = 20.0
"""So long after a failure, or while another process keeps the catalog, it is tried again."""

SETTLE_S = 0.5
"""Runs that end together are written down together."""


class Kept(msgspec.Struct, frozen=True):
    """How the keeping stands."""

    phase: Phase | None = None
    """None: nothing is left to read."""
    done: int = 0
    total: int = 0
    complete: bool = False
    """Every run is in the catalog with all that is listed of it; texts may be missing."""
    elsewhere: bool = False
    """Another process keeps it."""
    problem: str = ""
    """Why it is not kept, in words."""

    @property
    def words(self) -> str:
        """How far it is, in a few words; empty when it is done."""
        if self.phase is None:
            return ""
        what = {
            "summaries": "indexing runs",
            "events": "indexing tools and errors",
            "texts": "indexing texts",
        }
        return f"{what[self.phase]}, {100 * self.done // max(self.total, 1)} %"


class CatalogKeeper:
    """The one thread that writes the catalog of `runs_dir`. All methods may be called from any thread.

    Args:
        told: Called from that thread whenever `kept` or the catalog has changed.
    """

    def __init__(
        self,
        runs_dir: Path,
        state_dir: Path,
        *,
        clock: Clock,
        prices: PriceTable | None,
        told: Callable[[], None],
    ) -> None:
        self.kept = Kept()
        """How the keeping stands now."""
        self._place = (runs_dir, state_dir)
        self._clock = clock
        self._prices = prices
        self._told = told
        self._changed: set[str] = set()
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._closed = self._no_good = False
        self._thread = threading.Thread(target=self._run, name="buddy-top index", daemon=True)
        self._thread.start()

    def touch(self, run_ids: Iterable[str]) -> None:
        """These runs are new, changed or gone: they are read soon."""
        with self._lock:
            self._changed.update(run_ids)
        self._wake.set()

    def begin_anew(self) -> None:
        """The catalog is no good: throw it away and make another."""
        self._no_good = True
        self._wake.set()

    @property
    def waiting(self) -> frozenset[str]:
        """Runs that have been touched and not been read yet."""
        with self._lock:
            return frozenset(self._changed)

    def close(self) -> None:
        """End the thread, soon: what was committed stays."""
        self._closed = True
        self._wake.set()
        self._thread.join(timeout=0.5)

    def _run(self) -> None:
        from buddy_core.caches.errors import CacheBusy
        from buddy_core.errors import BuddyError
        from buddy_core.runs.catalog.asking.pages import Cancelled
        from buddy_core.runs.catalog.catalog import Catalog

        while not self._closed:
            try:
                catalog = Catalog(*self._place, write=True, clock=self._clock, prices=self._prices)
            except CacheBusy:
                self._tell(Kept(complete=True, elsewhere=True))
            except BuddyError as error:
                self._tell(Kept(problem=str(error)))
            else:
                try:
                    self._keep_on(catalog)
                except Cancelled:
                    pass
                except BuddyError as error:
                    self._tell(Kept(problem=str(error)))
                finally:
                    catalog.close()
            if not self._closed:
                self._wake.clear()
                self._wake.wait(AGAIN_S)

    def _keep_on(self, catalog: Catalog) -> None:
        """Everything once, then whatever is touched, with texts whenever there is nothing else to do."""
        self._keep_all(catalog)
        while not self._closed:
            self._wake.clear()
            if self._no_good:
                self._no_good = False
                catalog.discard()
                self._keep_all(catalog)
            self._keep_changed(catalog)
            if self._keep_texts(catalog):
                self._tell(Kept(complete=True))
                self._wake.wait()
                self._pause()

    def _keep_all(self, catalog: Catalog) -> None:
        self._tell(Kept("summaries"))
        catalog.keep(texts=False, progress=self._progress, cancelled=lambda: self._closed)

    def _keep_changed(self, catalog: Catalog) -> None:
        while (changed := self.waiting) and not self._closed:
            catalog.keep_runs(changed, texts=False, cancelled=lambda: self._closed)
            with self._lock:
                self._changed -= changed
            self._tell(Kept(complete=True))

    def _keep_texts(self, catalog: Catalog) -> bool:
        """False when it was left for runs that have changed."""
        from buddy_core.runs.catalog.asking.pages import Cancelled

        try:
            catalog.keep_runs((), progress=self._progress, cancelled=self._wake.is_set)
        except Cancelled:
            self._pause()
            return False
        return True

    def _pause(self) -> None:
        if not self._closed:
            threading.Event().wait(SETTLE_S)

    def _progress(self, progress: Progress) -> None:
        complete = progress.phase == "texts"
        self._tell(Kept(progress.phase, progress.done, progress.total, complete))

    def _tell(self, kept: Kept) -> None:
        self.kept = kept
        if not self._closed:
            self._told()
