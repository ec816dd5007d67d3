"""What the history tells of runs and turns that are gone, one run at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import cast

from buddy_core.caches.errors import CacheDamaged, cache_errors
from buddy_core.history.contribution import Contribution, Told, of_turns, turns_of
from buddy_core.history.hourpacking import Merged
from buddy_core.history.hourshelf import UNDATED
from buddy_core.history.known import take_one
from buddy_core.history.layout import open_history
from buddy_core.history.packing import clean
from buddy_core.history.shelf import Shelf
from buddy_core.metrics.counting.hours import HourStats
from buddy_core.metrics.model import ApiRequest
from buddy_core.metrics.recording.batch import RequestRow


class Recall:
    """One reading of a history, as of one moment; `close` it when nothing more is asked.

    Raises:
        CacheUnavailable: From any method; the message says why.
    """

    def __init__(self, path: Path, root: Path) -> None:
        self._path = path
        self._db = open_history(path)
        self._shelf: Shelf | None = None
        self.runs = 0
        """Runs told of so far."""
        self.turns = 0
        """Turns told of."""
        self.since_ms: int | None = None
        """The earliest moment that was told of."""
        if self._db is not None:
            try:
                with self._trouble():
                    self._shelf = Shelf.find(self._db.connection, root)
            except BaseException:
                self._db.close()
                raise

    @property
    def damaged(self) -> int:
        """Pieces that made no sense."""
        return self._shelf.damaged if self._shelf is not None else 0

    def is_merged(self, run_id: str) -> bool:
        """True when the run is counted with the hours, and cannot be told from others there."""
        with self._trouble():
            return self._shelf is not None and self._shelf.is_merged(run_id)

    def one(self, run_id: str) -> Told | None:
        """What is stored of one run; None when nothing can be told of it alone."""
        with self._trouble():
            if self._shelf is None or self._shelf.signature(run_id) is None:
                return None
            return Told(run_id, self._shelf.contribution(run_id), self._shelf.usage(run_id))

    def all_but(self, is_counted: Callable[[str], bool]) -> Iterator[Told]:
        """Every run that is not counted yet, newest first; what follows until `close` is of the same moment."""
        if self._db is None or self._shelf is None:
            return
        with self._trouble():
            self._db.connection.execute("BEGIN")
            if self._db.connection.execute("PRAGMA integrity_check(1)").fetchone() != ("ok",):
                raise CacheDamaged(f"{self._path.name} is damaged")
            for run in self._shelf.runs():
                if not is_counted(run.run_id):
                    self.runs += 1
                    self._reach_back(run.first_at)
                    yield Told(run.run_id, self._shelf.contribution(run.run_id), run.usage)

    def merged(self) -> Merged | None:
        """What is known of all runs that became hours; None when none did."""
        with self._trouble():
            if self._shelf is None:
                return None
            found = self._shelf.hours.merged()
            self.runs += self._shelf.merged_runs()
        if found.lasting.span is not None:
            self._reach_back(found.lasting.span[0])
        return found

    def hours(self) -> Iterator[tuple[int | None, HourStats]]:
        """Those hours, newest first; None for what has no time."""
        with self._trouble():
            for hour, found in self._shelf.hours.all() if self._shelf is not None else ():
                yield (None if hour == UNDATED else hour), found

    def turns_beyond(self, in_file: Iterable[ApiRequest]) -> tuple[list[ApiRequest], Contribution]:
        """The turns that are in the file no more, and those in the file that are not stored yet.

        Turns have no ids: a turn is the same when all its numbers are, and two like turns are two.
        """
        waiting = Counter(
            (clean(provider), clean(model), *row)
            for (provider, model), rows in of_turns(in_file).rows.items()
            for row in rows
        )
        gone: list[ApiRequest] = []
        with self._trouble():
            for day in self._shelf.turns() if self._shelf is not None else ():
                for key, rows in day.rows.items():
                    gone += turns_of(key, [row for row in rows if not take_one(waiting, (*key, *row))])
        self.turns = len(gone)
        self._reach_back(min((turn.at_ms for turn in gone), default=None))
        fresh = Contribution()
        for (provider, model, *row), count in waiting.items():
            fresh.rows.setdefault((provider, model), []).extend([cast("RequestRow", tuple(row))] * count)
        return gone, fresh

    def close(self) -> None:
        """Let go of the file."""
        if self._db is not None:
            self._db.close()

    def _trouble(self) -> AbstractContextManager[None]:
        """What goes wrong in the body is told in words; without a file there is nothing to go wrong."""
        return nullcontext() if self._db is None else cache_errors(self._path)

    def _reach_back(self, at_ms: int | None) -> None:
        if at_ms is not None:
            self.since_ms = at_ms if self.since_ms is None else min(at_ms, self.since_ms)
