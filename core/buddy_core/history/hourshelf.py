"""What the history holds by the hour: of runs that are long gone, and that nobody can tell apart any more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from buddy_core.history.hourpacking import Merged, pack_hour, pack_merged, unpack_hour, unpack_merged
from buddy_core.history.packing import Damaged
from buddy_core.metrics.counting.hours import HourStats, Lasting

if TYPE_CHECKING:
    import sqlite3

UNDATED = -1
"""The hour of what has no time that anybody can believe."""

LASTING = -2
"""The hour of what belongs to all hours together."""

T = TypeVar("T")


class HourShelf:
    """One root's rows of hours behind `connection`; see `Shelf`, whose transactions they are part of."""

    def __init__(self, connection: sqlite3.Connection, root: int | None) -> None:
        self._connection = connection
        self._root = root
        self.damaged = 0
        """Rows that made no sense."""

    def known(self) -> list[int]:
        """Those that have something, oldest first."""
        rows = self._connection.execute(
            "SELECT hour FROM hours WHERE root = ? AND hour >= 0 ORDER BY hour", (self._root,)
        )
        return [hour for (hour,) in rows]

    def one(self, hour: int) -> HourStats | None:
        """What is stored of an hour."""
        data = self._data(hour)
        return None if data is None else self._attempt(lambda: unpack_hour(data), None)

    def all(self) -> Iterator[tuple[int, HourStats]]:
        """Everything that is known by the hour only, newest first; `UNDATED` for what has no time."""
        rows = self._connection.execute(
            "SELECT hour, data FROM hours WHERE root = ? AND hour >= ? ORDER BY hour DESC",
            (self._root, UNDATED),
        )
        for hour, data in rows:
            found = self._attempt(partial(unpack_hour, data), None)
            if found is not None and isinstance(hour, int):
                yield hour, found

    def add(self, hour: int, found: HourStats) -> None:
        """Store more of an hour."""
        known = self.one(hour)
        if known is not None:
            known.merge(found)
            found = known
        self._put(hour, pack_hour(found))

    def merged(self) -> Merged:
        """What is known of all hours together."""
        nothing, data = Merged(Lasting(), [], []), self._data(LASTING)
        return nothing if data is None else self._attempt(lambda: unpack_merged(data), nothing)

    def set_merged(self, found: Merged) -> None:
        """Store it."""
        self._put(LASTING, pack_merged(found))

    def _data(self, hour: int) -> bytes | None:
        row = self._connection.execute(
            "SELECT data FROM hours WHERE root = ? AND hour = ?", (self._root, hour)
        ).fetchone()
        return row[0] if row else None

    def _put(self, hour: int, data: bytes) -> None:
        row = (self._root, hour, data)
        self._connection.execute("INSERT OR REPLACE INTO hours (root, hour, data) VALUES (?, ?, ?)", row)

    def drop(self, hour: int) -> None:
        """Remove an hour."""
        self._connection.execute("DELETE FROM hours WHERE root = ? AND hour = ?", (self._root, hour))

    def _attempt(self, unpacking: Callable[[], T], otherwise: T) -> T:
        try:
            return unpacking()
        except Damaged:
            self.damaged += 1
            return otherwise
