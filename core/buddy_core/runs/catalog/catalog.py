"""The catalog of one directory of runs: opened where it can be, kept current, asked for pages.

Whatever is wrong with its file raises `CacheUnavailable`, and whoever asked goes on without. `Catalog` is for one
thread at a time, and that thread may be any; two threads open two of them, one to keep and one to read.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING

from buddy_core.caches.db import CacheDb, discard, open_reader, open_writer
from buddy_core.caches.errors import CacheDamaged, CacheUnavailable, cache_errors
from buddy_core.clock import Clock, SystemClock
from buddy_core.runs.catalog.asking.known import KnownRun
from buddy_core.runs.catalog.asking.order import Suspect, forks_of, order_text, suspects_of, unknown_among
from buddy_core.runs.catalog.asking.pages import Cancelled, Pages, SetField, SortKey
from buddy_core.runs.catalog.filling.keeping import Keeper, Progress
from buddy_core.runs.catalog.layout import LAYOUT, catalog_path
from buddy_core.runs.catalog.rows import Row
from buddy_core.runs.lookup import check_runs_dir
from buddy_core.runs.query.model import EVERYTHING, Query
from buddy_core.runs.searching.search import content_finder
from buddy_core.safety.paths import real_root

if TYPE_CHECKING:
    from buddy_core.prices.table import PriceTable

_INTERRUPT_STEPS = 20_000
_CACHE = "PRAGMA cache_size=-32768"
"""32 MB: the words of 200,000 runs, so that the next letter of a filter reads nothing from the file."""

_NO_HURRY = "PRAGMA synchronous=OFF"
"""Nobody waits for the disk: what a failing machine leaves is looked over, for it was not closed."""


class Catalog:
    """One open catalog.

    Args:
        runs_dir: The directory of runs; it need not exist for reading.
        state_dir: The user's state directory: the file is made below it.
        write: Keep it current too, which one process at a time can do.
        prices: Estimate what runs cost that do not say so; with other prices than last time all runs are read again.

    Raises:
        CacheUnavailable: It cannot be opened: by another writer, for want of room, right, FTS5 or a file.
    """

    def __init__(
        self,
        runs_dir: Path,
        state_dir: Path,
        *,
        write: bool = False,
        clock: Clock | None = None,
        prices: PriceTable | None = None,
    ) -> None:
        self.path = catalog_path(state_dir, runs_dir)
        self._runs_dir = runs_dir
        self._clock = clock or SystemClock()
        self._prices = prices
        self._write = write
        self._take(open_writer(self.path, LAYOUT) if write else open_reader(self.path, LAYOUT))
        if write and not self._cache.fresh:
            self._check_after_kill()

    def keep(
        self,
        *,
        texts: bool = True,
        progress: Callable[[Progress], None] = lambda _progress: None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> int:
        """Make the catalog say what the files say; returns how many runs were new, changed or gone.

        With `texts` the full text is indexed as well. `progress` is told after every commit; once `cancelled` is
        true `Cancelled` is raised and what was committed stays. A catalog that is found damaged is begun anew.

        Raises:
            StoreUnavailable: The runs directory cannot be read.
            CacheUnavailable: The catalog cannot be written, because the disk is full for example.
        """
        check_runs_dir(self._runs_dir)
        try:
            return self._kept(None, texts, progress, cancelled)
        except CacheDamaged:
            self._begin_anew()
            return self._kept(None, texts, progress, cancelled)

    def keep_runs(
        self,
        run_ids: Iterable[str],
        *,
        texts: bool = True,
        progress: Callable[[Progress], None] = lambda _progress: None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> int:
        """`keep` for these runs alone: those that a watcher saw appear, change or go. Other runs are not looked at.

        Runs that have changed are read whole, so ask about one that grows no more often than that is worth. Models
        that only the file of turns names, and the passing of time, wait for the next `keep`. Returns how many were
        new, changed or gone; raises as `keep`, and `CacheDamaged` when all runs must be read anew: `keep` does.
        """
        check_runs_dir(self._runs_dir)
        try:
            return self._kept(tuple(run_ids), texts, progress, cancelled)
        except CacheDamaged:
            self._begin_anew()
            raise

    def page(
        self,
        query: Query = EVERYTHING,
        *,
        sort: SortKey = "started",
        descending: bool = True,
        offset: int = 0,
        limit: int = 50,
        tz: tzinfo | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> list[Row]:
        """Rows `offset` to `offset + limit` (0: to the end) of the runs that fit.

        Unknown values come last whichever way one sorts, equal ones newest first. Raises `CacheUnavailable`, and
        `Cancelled` when `cancelled` became true meanwhile. A writer that finds damage begins an empty one as well:
        keep it again.
        """
        with self._asking(cancelled):
            return self._pages.page(
                query,
                sort=sort,
                descending=descending,
                offset=offset,
                limit=limit,
                now_ms=self._clock.now_ms(),
                tz=tz,
            )

    def count(
        self,
        query: Query = EVERYTHING,
        *,
        tz: tzinfo | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> int:
        """How many runs fit; raises as `page`."""
        with self._asking(cancelled):
            return self._pages.count(query, now_ms=self._clock.now_ms(), tz=tz)

    def unread(self) -> int:
        """How many runs are listed by their summaries alone: what filters ask of events is not known of them yet.

        Raises `CacheUnavailable`.
        """
        with self._asking(None):
            return self._pages.unread()

    def names(self, field: SetField) -> list[str]:
        """The tags, tools, models or artifacts there are, the commonest first: what a filter is completed with.

        They are observed text, without secrets. Raises `CacheUnavailable`.
        """
        with self._asking(None):
            return self._pages.names(field)

    def kin(self, run_id: str, *, limit: int = 10_000) -> list[Row]:
        """A run with its ancestors and all their forks, in no order, at most `limit`; raises `CacheUnavailable`."""
        with self._asking(None):
            return self._pages.kin(run_id, limit)

    def order(
        self,
        query: Query = EVERYTHING,
        *,
        sort: SortKey = "started",
        descending: bool = True,
        known: Sequence[KnownRun] = (),
        hidden: Collection[str] = (),
        nums: Sequence[int] | None = None,
        tz: tzinfo | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> str:
        """The ids of all runs that fit, as `order.order_text` has them; raises as `page`."""
        with self._asking(cancelled):
            return order_text(
                self._cache.connection,
                query,
                sort=sort,
                descending=descending,
                now_ms=self._clock.now_ms(),
                known=known,
                hidden=hidden,
                nums=nums,
                tz=tz,
            )

    def suspected(
        self,
        query: Query,
        *,
        hidden: Collection[str] = (),
        tz: tzinfo | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> list[Suspect]:
        """The runs a filter with `content:` may fit, newest first: `holds` asks their files. Raises as `page`."""
        with self._asking(cancelled):
            now_ms = self._clock.now_ms()
            return suspects_of(self._cache.connection, query, now_ms=now_ms, hidden=hidden, tz=tz)

    def holds(self, suspect: Suspect) -> bool:
        """True when the files of a suspect say that it fits; each is asked once, as long as it stays as it is."""
        return all(
            self._pages.holds(suspect.num, suspect.run_id, text) != negated
            for text, negated in suspect.contents
        )

    def forks(self) -> list[tuple[str, str]]:
        """Ids of runs that name a parent, and of those parents; raises `CacheUnavailable`."""
        with self._asking(None):
            return forks_of(self._cache.connection)

    def unknown(self, run_ids: Collection[str]) -> list[str]:
        """Those of these ids that are not in it yet; raises `CacheUnavailable`."""
        with self._asking(None):
            return unknown_among(self._cache.connection, run_ids)

    def rows(self, run_ids: Iterable[str]) -> list[Row]:
        """What is known of these runs, in their order, those that are not known left out; raises `CacheUnavailable`."""
        with self._asking(None):
            return self._pages.rows_of(run_ids)

    def version(self) -> int:
        """Another number whenever another connection has written something; raises `CacheUnavailable`."""
        with self._asking(None):
            (number,) = self._cache.connection.execute("PRAGMA data_version").fetchone()
            return int(number)

    def suspects(self, words: Sequence[str]) -> frozenset[str]:
        """Ids of the runs in whose events or artifacts all these words may stand, whatever their case.

        No other run has them: it is enough to search these. Raises `CacheUnavailable`.
        """
        with self._asking(None):
            return frozenset(self._pages.suspects(words))

    def discard(self) -> None:
        """Throw the file away and begin an empty one; only for a catalog that was opened for writing."""
        self._begin_anew(keep=False)

    def close(self) -> None:
        """Let go of the file."""
        if self._write:
            with contextlib.suppress(Exception):
                self._cache.connection.execute("PRAGMA synchronous=FULL")
                with self._cache.transaction() as connection:
                    connection.execute("DELETE FROM meta WHERE name='writing'")
        self._cache.close()

    def _kept(
        self,
        only: Iterable[str] | None,
        texts: bool,
        progress: Callable[[Progress], None],
        cancelled: Callable[[], bool],
    ) -> int:
        with cache_errors(self.path):
            with self._cache.transaction() as connection:
                connection.execute("INSERT OR REPLACE INTO meta VALUES('writing', 1)")
            self._cache.connection.execute(_NO_HURRY)
            keeper = Keeper(
                self._cache,
                self._runs_dir,
                clock=self._clock,
                prices=self._prices,
                progress=progress,
                cancelled=cancelled,
            )
            changed = keeper.keep() if only is None else keeper.keep_runs(only)
            if texts:
                keeper.keep_texts()
            return changed

    def _check_after_kill(self) -> None:
        """A writer that did not close may have been killed by a failing machine: look at every page once."""
        with contextlib.suppress(CacheDamaged), cache_errors(self.path):
            (writing,) = self._cache.connection.execute(
                "SELECT count(*) FROM meta WHERE name='writing'"
            ).fetchone()
            if not writing or self._cache.connection.execute("PRAGMA quick_check(1)").fetchone() == ("ok",):
                return
        self._begin_anew()

    def _begin_anew(self, *, keep: bool = True) -> None:
        self._cache.close()
        discard(self.path, keep=keep)
        self._take(open_writer(self.path, LAYOUT))

    def _take(self, cache: CacheDb) -> None:
        self._cache = cache
        self._pages = Pages(cache.connection, content_finder(real_root(self._runs_dir)))
        with cache_errors(self.path):
            cache.connection.execute(_CACHE)

    @contextmanager
    def _asking(self, cancelled: Callable[[], bool] | None) -> Iterator[None]:
        asked, self._pages.cancelled = cancelled or (lambda: False), cancelled
        if cancelled is not None:
            self._cache.connection.set_progress_handler(lambda: int(asked()), _INTERRUPT_STEPS)
        try:
            with cache_errors(self.path):
                yield
        except CacheUnavailable as error:
            if asked():
                raise Cancelled from error
            if self._write and isinstance(error, CacheDamaged):
                self._begin_anew()
            raise
        finally:
            self._cache.connection.set_progress_handler(None, 0)
