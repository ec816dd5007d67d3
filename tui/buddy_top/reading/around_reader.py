"""Reads the events around the error under the cursor, once for each error and again only while its run grows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from buddy_core.runs.viewing.around import MOST, Moment, Surroundings, events_around
from buddy_core.runs.writing.eventlog import EVENTS_NAME
from buddy_core.safety.paths import BadName, real_root, stat_beneath

MOST_KEPT = 32
"""Errors whose surroundings are remembered, so that going back and forth reads nothing."""


REST_S = 0.12
"""How long the cursor lies on an error before its run is read: longer than a held key takes to move on."""


class AroundReader:
    """Not thread-safe: it lives in the feed's thread, which may open files."""

    def __init__(self, runs_dir: Path) -> None:
        self._root = real_root(runs_dir)
        self._kept: dict[Moment, tuple[int, Surroundings]] = {}
        self._resting: Moment | None = None
        self._rested: Moment | None = None

    def leave(self) -> None:
        """The cursor lies on no error."""
        self._resting = self._rested = None

    def read_at_rest(self, moment: Moment, wake: Callable[[], None]) -> Surroundings | None:
        """What is known, or is read once the cursor has rested on it: who only passes by waits for no file.

        None until then; `wake` is called when it is time to ask again. Needs a running loop.
        """
        known = self.known(moment)
        if known is not None:
            return known
        if self._resting != moment:
            self._resting = moment
            asyncio.get_running_loop().call_later(REST_S, self._has_rested, moment, wake)
        return self.read(moment) if self._rested == moment else None

    def _has_rested(self, moment: Moment, wake: Callable[[], None]) -> None:
        if self._resting == moment:
            self._rested = moment
            wake()

    def known(self, moment: Moment) -> Surroundings | None:
        """What was read before, while it still is all there is to know; None when the file has to be read."""
        kept = self._kept.get(moment)
        if kept is None:
            return None
        size, found = kept
        standing = self._size(moment)
        settled = found.at is not None and found.later >= MOST and standing >= size
        return found if settled or size == standing else None

    def read(self, moment: Moment) -> Surroundings:
        """Read what stands around the error now."""
        known = self.known(moment)
        if known is not None:
            return known
        size = self._size(moment)
        found = events_around(self._root, moment)
        self._kept.pop(moment, None)
        while len(self._kept) >= MOST_KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[moment] = (size, found)
        return found

    def _size(self, moment: Moment) -> int:
        """Bytes of the run's events; -1 where there are none."""
        try:
            return stat_beneath(self._root, moment.run_id, EVENTS_NAME).st_size
        except (OSError, BadName):
            return -1
