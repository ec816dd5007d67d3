"""Telling what the history knows: its file is opened when it is asked first, and let go of when all was told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from buddy_core.caches.errors import CacheDamaged, CacheUnavailable
from buddy_core.history.contribution import Contribution, Told, of_turns
from buddy_core.metrics.model import ApiRequest

if TYPE_CHECKING:
    from buddy_core.history.hourpacking import Merged
    from buddy_core.history.recall import Recall
    from buddy_core.metrics.counting.hours import HourStats


class Telling:
    """What is stored of one runs directory, told once. What goes wrong is a `problem`, and then nothing is told."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._recall: Recall | None = None
        self.root = Path()
        """The runs directory, without links."""
        self.problem: str | None = None
        self.damaged = False
        """The file is not one that can be written to."""
        self.loading = True
        """It has not told everything yet."""
        self.runs = 0
        """Runs that were told of."""
        self.turns = 0
        """Turns that were told of."""
        self.since_ms: int | None = None
        """The earliest moment that was told of."""

    def all_but(self, is_counted: Callable[[str], bool]) -> Iterator[Told]:
        """Every run that is stored and not counted yet, newest first."""
        try:
            yield from self._opened().all_but(is_counted)
        except CacheUnavailable as error:
            self._fail(error)

    def hours(self) -> Iterator[tuple[int | None, HourStats]]:
        """Runs that are long gone, hour by hour since the epoch; None for what has no time."""
        try:
            yield from self._opened().hours()
        except CacheUnavailable as error:
            self._fail(error)

    def merged(self) -> Merged | None:
        """What is known of these runs beside their hours."""
        try:
            return self._opened().merged()
        except CacheUnavailable as error:
            self._fail(error)
            return None

    def turns_beyond(self, in_file: list[ApiRequest]) -> tuple[list[ApiRequest], Contribution]:
        """The last that is told: turns that are not in the file any more, and those that only the file has."""
        gone: list[ApiRequest] = []
        fresh = of_turns(in_file)
        try:
            gone, fresh = self._opened().turns_beyond(in_file)
        except CacheUnavailable as error:
            self._fail(error)
        self.end()
        return gone, fresh

    def one(self, run_id: str) -> Told | None:
        """A run whose directory was away when everything was told."""
        try:
            return self._opened().one(run_id)
        except CacheUnavailable as error:
            self._fail(error)
            return None
        finally:
            self._end_again()

    def is_merged(self, run_id: str) -> bool:
        """True when the run is part of the hours already, and cannot be told from them."""
        try:
            return self._opened().is_merged(run_id)
        except CacheUnavailable as error:
            self._fail(error)
            return False
        finally:
            self._end_again()

    def end(self) -> None:
        """Everything was told, or is not wanted any more."""
        recall, self._recall = self._recall, None
        if recall is None:
            self.loading = False
            return
        if self.loading:
            self.runs, self.turns, self.since_ms = recall.runs, recall.turns, recall.since_ms
            self.loading = False
        if recall.damaged and self.problem is None:
            self.problem = f"the history has {recall.damaged} damaged pieces, which are left out"
        recall.close()

    def _end_again(self) -> None:
        """Let go of what was opened for a single question, unless everything is being told meanwhile."""
        if not self.loading:
            self.end()

    def _opened(self) -> Recall:
        if self._recall is None:
            from buddy_core.history.recall import Recall

            self._recall = Recall(self._path, self.root)
        return self._recall

    def _fail(self, error: CacheUnavailable) -> None:
        self.problem = str(error)
        self.damaged |= isinstance(error, CacheDamaged)
