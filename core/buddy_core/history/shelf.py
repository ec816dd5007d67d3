"""What the tables of the history hold for one runs directory: its runs one by one, its turns, and the room they take.

This and `hourshelf` are the only places that speak SQL about it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from buddy_core.history.contribution import NO_USAGE, Contribution, StoredUsage
from buddy_core.history.hourshelf import HourShelf
from buddy_core.history.packing import Damaged, compress, decompress, pack, unpack
from buddy_core.metrics.counting.grains import EARLIEST_AT
from buddy_core.metrics.recording.checks import LATEST_AT
from buddy_core.runs.folding.observed import Signature
from buddy_core.runs.names import is_run_id

if TYPE_CHECKING:
    import sqlite3

SMALL = 64 * 1024
"""Bytes of a segment that is packed together with others of its run."""

MOST_SEGMENTS = 16
"""Small segments of one run before they are packed together."""

DAY = 86_400_000

UNKNOWN = Signature(-1, 0)
"""Of no file: the run is stored anew as soon as it is read again."""


class StoredRun(NamedTuple):
    """One run that has segments."""

    run_id: str
    first_at: int | None
    last_at: int | None
    """Of its believable times; None when it has none."""
    usage: StoredUsage


class Shelf:
    """One root's rows behind `connection`. Transactions are the caller's."""

    def __init__(self, connection: sqlite3.Connection, root: int | None) -> None:
        self.connection = connection
        self._root = root
        self.hours = HourShelf(connection, root)
        self._damaged = 0

    @property
    def damaged(self) -> int:
        """Rows that made no sense."""
        return self._damaged + self.hours.damaged

    @classmethod
    def find(cls, connection: sqlite3.Connection, root: Path) -> Shelf:
        """For reading; a root that nobody has stored anything of has an empty shelf."""
        found = connection.execute("SELECT id FROM roots WHERE path = ?", (os.fsencode(root),)).fetchone()
        return cls(connection, found[0] if found else None)

    @classmethod
    def make(cls, connection: sqlite3.Connection, root: Path, now_ms: int) -> Shelf:
        """For writing, within a transaction."""
        row = (os.fsencode(root), now_ms)
        connection.execute(
            "INSERT INTO roots (path, used_at) VALUES (?, ?)"
            " ON CONFLICT (path) DO UPDATE SET used_at = excluded.used_at",
            row,
        )
        return cls.find(connection, root)

    # Runs

    def runs(self) -> list[StoredRun]:
        """Every run, newest first."""
        rows = self.connection.execute(
            "SELECT run_id, first_at, last_at, usage FROM runs WHERE root = ? ORDER BY last_at DESC, run_id DESC",
            (self._root,),
        )
        return [
            StoredRun(run_id, first, last, self._usage(usage))
            for run_id, first, last, usage in rows
            if self._is_sound(run_id, first, last)
        ]

    def signature(self, run_id: str) -> Signature | None:
        """Of the events that are stored; None of a run that is not."""
        row = self.connection.execute(
            "SELECT size, mtime_ns FROM runs WHERE root = ? AND run_id = ?", (self._root, run_id)
        ).fetchone()
        return Signature(*row) if row else None

    def usage(self, run_id: str) -> StoredUsage:
        """What is stored beyond requests."""
        row = self.connection.execute(
            "SELECT usage FROM runs WHERE root = ? AND run_id = ?", (self._root, run_id)
        ).fetchone()
        return self._usage(row[0]) if row else NO_USAGE

    def contribution(self, run_id: str) -> Contribution:
        """Everything stored of a run; what is damaged is left out and counted."""
        whole = Contribution()
        for (data,) in self._segments(run_id):
            try:
                whole.merge(unpack(data, run_id))
            except Damaged:
                self._damaged += 1
        return whole

    def is_merged(self, run_id: str) -> bool:
        """True when the run is part of the hours already, and cannot be told from them."""
        row = (self._root, run_id)
        return bool(
            self.connection.execute("SELECT 1 FROM merged WHERE root = ? AND run_id = ?", row).fetchone()
        )

    def add_segment(self, run_id: str, found: Contribution) -> None:
        """Store more of a run."""
        row = (self._root, run_id, pack(found))
        self.connection.execute("INSERT INTO segments (root, run_id, data) VALUES (?, ?, ?)", row)

    def describe(self, run_id: str, signature: Signature, first_at: int | None, last_at: int | None) -> None:
        """Say what the segments of a run are of; its span only ever grows."""
        self.connection.execute(
            "INSERT INTO runs (root, run_id, size, mtime_ns, first_at, last_at) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (root, run_id) DO UPDATE SET size = excluded.size, mtime_ns = excluded.mtime_ns,"
            " first_at = min(ifnull(first_at, excluded.first_at), ifnull(excluded.first_at, first_at)),"
            " last_at = max(ifnull(last_at, excluded.last_at), ifnull(excluded.last_at, last_at))",
            (self._root, run_id, *signature, first_at, last_at),
        )

    def set_usage(self, run_id: str, usage: StoredUsage) -> None:
        """Store what a run used beyond its requests; says nothing about its events."""
        if self.usage(run_id) == usage:
            return
        at_ms = usage.at_ms if EARLIEST_AT <= usage.at_ms < LATEST_AT else None
        self.describe(run_id, self.signature(run_id) or UNKNOWN, at_ms, at_ms)
        self.connection.execute(
            "UPDATE runs SET usage = ? WHERE root = ? AND run_id = ?",
            (compress(msgspec.msgpack.encode(usage)), self._root, run_id),
        )

    def forget(self, run_id: str) -> None:
        """Remove a run."""
        for table in ("segments", "runs"):
            self.connection.execute(
                f"DELETE FROM {table} WHERE root = ? AND run_id = ?", (self._root, run_id)
            )

    def tidy(self, run_id: str, *, ended: bool) -> None:
        """Pack the small segments of a run together when there are many, or when it has ended."""
        small = [
            (key, data)
            for key, data in self.connection.execute(
                "SELECT id, data FROM segments WHERE root = ? AND run_id = ? AND length(data) < ? ORDER BY id",
                (self._root, run_id, SMALL),
            )
        ]
        if len(small) < (2 if ended else MOST_SEGMENTS):
            return
        whole = Contribution()
        for key, data in small:
            try:
                whole.merge(unpack(data, run_id))
            except Damaged:
                self._damaged += 1
            self.connection.execute("DELETE FROM segments WHERE id = ?", (key,))
        self.add_segment(run_id, whole)

    def _segments(self, run_id: str) -> Iterator[tuple[bytes]]:
        return self.connection.execute(
            "SELECT data FROM segments WHERE root = ? AND run_id = ? ORDER BY id", (self._root, run_id)
        )

    def _is_sound(self, run_id: object, *times: object) -> bool:
        """SQLite keeps whatever it is given in any column, and a damaged page may give anything."""
        sound = isinstance(run_id, str) and is_run_id(run_id)
        sound = sound and all(at is None or isinstance(at, int) for at in times)
        self._damaged += not sound
        return sound

    def _usage(self, data: object) -> StoredUsage:
        if data is None:
            return NO_USAGE
        try:
            return msgspec.msgpack.decode(decompress(data), type=StoredUsage)
        except (Damaged, msgspec.MsgspecError):
            self._damaged += 1
            return NO_USAGE

    def merged_runs(self) -> int:
        """How many runs are part of the hours."""
        (count,) = self.connection.execute(
            "SELECT count(*) FROM merged WHERE root = ?", (self._root,)
        ).fetchone()
        return int(count)

    def merge_away(self, run_id: str) -> None:
        """The run is part of the hours from now on."""
        self.forget(run_id)
        row = (self._root, run_id)
        self.connection.execute("INSERT OR IGNORE INTO merged (root, run_id) VALUES (?, ?)", row)

    # Room

    def size(self) -> int:
        """Bytes of the whole file that are in use."""
        pages, free, size = (
            self.connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        )
        return int((pages - free) * size)

    def drop_another_root(self) -> bool:
        """Forget the directory that nobody has looked at for longest; False when there is only this one."""
        other = self.connection.execute(
            "SELECT id FROM roots WHERE id != ? ORDER BY used_at LIMIT 1", (self._root,)
        ).fetchone()
        if other is None:
            return False
        for table in ("segments", "runs", "turns", "merged", "hours"):
            self.connection.execute(f"DELETE FROM {table} WHERE root = ?", other)
        self.connection.execute("DELETE FROM roots WHERE id = ?", other)
        return True

    def oldest_stored(self, limit: int) -> list[str]:
        """Runs with segments, those first that were stored first."""
        rows = self.connection.execute(
            "SELECT run_id FROM segments WHERE root = ? GROUP BY run_id ORDER BY min(id) LIMIT ?",
            (self._root, limit),
        )
        return [run_id for (run_id,) in rows]

    def hollow(self, run_id: str) -> None:
        """Remove what a run brought, but not that it was stored as it is now."""
        row = (self._root, run_id)
        self.connection.execute("DELETE FROM segments WHERE root = ? AND run_id = ?", row)
        self.connection.execute("UPDATE runs SET usage = NULL WHERE root = ? AND run_id = ?", row)

    # Turns

    def turns(self) -> Iterator[Contribution]:
        """The requests of `turn-metrics.jsonl`, a day at a time."""
        rows = self.connection.execute(
            "SELECT data FROM turns WHERE root = ? ORDER BY day DESC", (self._root,)
        )
        for (data,) in rows:
            try:
                yield unpack(data, None)
            except Damaged:
                self._damaged += 1

    def add_turns(self, found: Contribution) -> None:
        """Store more of them."""
        for day, of_day in _by_day(found).items():
            row = self.connection.execute(
                "SELECT data FROM turns WHERE root = ? AND day = ?", (self._root, day)
            ).fetchone()
            whole = Contribution()
            if row is not None:
                try:
                    whole = unpack(row[0], None)
                except Damaged:
                    self._damaged += 1
            whole.merge(of_day)
            self.connection.execute(
                "INSERT OR REPLACE INTO turns (root, day, data) VALUES (?, ?, ?)",
                (self._root, day, pack(whole)),
            )


def _by_day(found: Contribution) -> dict[int, Contribution]:
    days: dict[int, Contribution] = {}
    for key, rows in found.rows.items():
        for row in rows:
            of_day = days.setdefault(row[0] // DAY, Contribution())
            of_day.rows.setdefault(key, []).append(row)
    return days
