"""What has happened to runs that their catalog does not know yet: they came, grew, fell silent or went."""

from __future__ import annotations

import time

from buddy_core.observing.observer import Observer
from buddy_core.runs.facts import RunFacts
from buddy_core.runs.watching.watch import DirectoryChange
from buddy_top.listing.many.keeping import CatalogKeeper

FORGET_S = 60.0
"""So long a run that has changed is told by the observer, where another process keeps the catalog."""


class Changes:
    """Remembers them until whoever keeps the catalog has written them down; for the feed's thread.

    A `keeper` is None where nobody of this process keeps the catalog, or not yet.
    """

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._fresh: dict[str, float] = {}  # runs that have changed and are not in the catalog like that
        self.gone: set[str] = set()
        """Runs that went, and may still be in the catalog."""
        self._were_live: set[str] = set()  # nothing in the files tells of one that has fallen silent for good

    def note(self, change: DirectoryChange, keeper: CatalogKeeper | None) -> None:
        """Runs came, went or grew; those that went are written down at once."""
        now = time.monotonic()
        self._fresh |= dict.fromkeys((*change.added, *change.touched), now)
        self.gone -= set(change.added)
        if change.removed:
            self.gone |= set(change.removed)
            if keeper is not None:
                keeper.touch(change.removed)

    def known(self) -> list[RunFacts]:
        """Runs of which the observer knows more than the catalog can."""
        by_id, at_work = self._observer.by_id(), self._observer.at_work()
        self._were_live.update(run.run_id for run in at_work)
        silent = {one for one in self._were_live if one in by_id and by_id[one].status == "interrupted"}
        others = (by_id.get(run_id) for run_id in self._fresh.keys() | silent)
        return [*at_work, *(run for run in others if run is not None and not run.live)]

    def hand_over(self, keeper: CatalogKeeper | None) -> None:
        """Runs that have changed and are not at work any more are written down; then the catalog knows them."""
        now = time.monotonic()
        live = {run.run_id for run in self._observer.at_work()}
        quiet = [run_id for run_id in self._fresh if run_id not in live]
        if keeper is None or keeper.kept.elsewhere:  # whoever begins to keep compares every run
            for run_id in quiet:
                if now - self._fresh[run_id] > FORGET_S:
                    del self._fresh[run_id]
            return
        waiting = keeper.waiting
        for run_id in quiet:
            if self._fresh[run_id] > 0:
                self._fresh[run_id] = 0.0
                keeper.touch([run_id])
            elif run_id not in waiting:
                del self._fresh[run_id]
        self.gone &= waiting
