"""The index of runs behind the commands: used where it helps, done without where it cannot be had."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from buddy_core.clock import Clock
from buddy_top.config.places import state_dir

if TYPE_CHECKING:
    from buddy_core.prices.table import PriceTable
    from buddy_core.runs.catalog.catalog import Catalog
    from buddy_core.runs.catalog.filling.keeping import Progress
    from buddy_core.runs.facts import RunFacts
    from buddy_core.runs.query.model import Query

MANY_RUNS = 1_000
"""With fewer runs, reading them all is quick enough."""


def matching_runs(
    runs_dir: Path, query: Query, *, clock: Clock, limit: int, prices: PriceTable | None
) -> Sequence[RunFacts]:
    """The newest `limit` runs (0: all) that a filter fits; raises `StoreUnavailable`.

    From the index, brought up to date first, or from the files: the answer is the same.
    """
    with current_catalog(runs_dir, clock, prices) as catalog:
        if catalog is not None:
            from buddy_core.caches.errors import CacheUnavailable

            with contextlib.suppress(CacheUnavailable):
                return [row.facts for row in catalog.page(query, limit=limit)]
    from buddy_core.runs.query.scan import scan_matching

    found = scan_matching(runs_dir, query, clock=clock, prices=prices)
    return found[:limit] if limit else found


@contextmanager
def current_catalog(
    runs_dir: Path, clock: Clock, prices: PriceTable | None, *, make: bool = True
) -> Iterator[Catalog | None]:
    """The index of these runs, as new as their files; None for few runs, and wherever there can be none.

    Without `make` it is None too where there is none yet: making one takes longer than one search of the files.
    """
    from buddy_core.runs.lookup import run_ids

    if len(run_ids(runs_dir)) <= MANY_RUNS:
        yield None
        return
    from buddy_core.caches.errors import CacheUnavailable
    from buddy_core.runs.catalog.catalog import Catalog
    from buddy_core.runs.catalog.layout import catalog_path

    with contextlib.ExitStack() as stack:
        try:
            if not make and not catalog_path(state_dir(), runs_dir).exists():
                raise CacheUnavailable("there is none yet")
            catalog: Catalog | None = stack.enter_context(
                contextlib.closing(Catalog(runs_dir, state_dir(), write=True, clock=clock, prices=prices))
            )
            if catalog is not None:
                with told_progress() as tell:
                    catalog.keep(texts=False, progress=tell)
        except (CacheUnavailable, RuntimeError):  # RuntimeError: the user has no home
            catalog = None
        yield catalog


class _Teller:
    """Says on one line of a terminal how far the reading is."""

    def __init__(self) -> None:
        self.said = False

    def __call__(self, progress: Progress) -> None:
        if progress.total < MANY_RUNS or sys.stderr is None or not sys.stderr.isatty():
            return
        self.said = True
        print(
            f"\rreading {progress.phase}: {progress.done:,} of {progress.total:,} runs",
            end="",
            file=sys.stderr,
        )
        sys.stderr.flush()


@contextmanager
def told_progress() -> Iterator[_Teller]:
    """Says on a terminal's stderr how far an index is, and wipes that away at the end."""
    teller = _Teller()
    try:
        yield teller
    finally:
        if teller.said and sys.stderr is not None:
            print("\r\033[K", end="", file=sys.stderr, flush=True)
