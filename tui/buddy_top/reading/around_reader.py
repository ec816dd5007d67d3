"""Reads the events around the error under the cursor, once for each error and again only while its run grows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from buddy_core.runs.names import EVENTS_NAME
from buddy_core.runs.timeline.around import MOST, Moment, Surroundings, events_around
from buddy_core.safety.paths import BadName, real_root, stat_beneath
from buddy_top.reading.aside import Aside

MOST_KEPT = 32
"""Errors whose surroundings are remembered, so that going back and forth reads nothing."""


REST_S = 0.12
"""How long the cursor lies on an error before its run is read: longer than a held key takes to move on."""


class OpenAround:
    """The events around the error under the cursor, read in a thread once it has rested there.

    It belongs to the feed's task; `wake` is called when it is time to ask again, perhaps from another thread.
    """

    def __init__(self, runs_dir: Path, wake: Callable[[], None]) -> None:
        self._reader = AroundReader(runs_dir)
        self._wake = wake
        self._aside: Aside[tuple[Moment, bool], tuple[Moment, Surroundings | None]] = Aside(
            self._look, wake=wake
        )
        self._resting: Moment | None = None
        self._rested: Moment | None = None

    def leave(self) -> None:
        """The cursor lies on no error."""
        self._resting = self._rested = None

    async def read(self, moment: Moment) -> Surroundings | None:
        """What is known, or is read once the cursor has rested on it: who only passes by waits for no file.

        None until then, and while the run's file does not answer.
        """
        found = await self._aside.read((moment, self._rested == moment))
        if found is not None and found[0] == moment and found[1] is not None:
            return found[1]
        if self._resting != moment:
            self._resting = moment
            asyncio.get_running_loop().call_later(REST_S, self._has_rested, moment)
        return None

    def close(self) -> None:
        """Nobody looks any more."""
        self._aside.close()

    def _look(self, asked: tuple[Moment, bool]) -> tuple[Moment, Surroundings | None]:
        moment, rested = asked
        return moment, self._reader.read(moment) if rested else self._reader.known(moment)

    def _has_rested(self, moment: Moment) -> None:
        if self._resting == moment:
            self._rested = moment
            self._wake()


class AroundReader:
    """Remembers what it read. Not thread-safe: one caller at a time."""

    def __init__(self, runs_dir: Path) -> None:
        self._root = real_root(runs_dir)
        self._kept: dict[Moment, tuple[int, Surroundings]] = {}

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
