"""What stands in a cache of one kind: its tables as we make them, and the proof that a file has just these."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from buddy_core.caches.errors import CacheDamaged, CacheOfAnotherVersion

if TYPE_CHECKING:
    import sqlite3


@dataclass(frozen=True, slots=True)
class CacheLayout:
    """What is in a cache of one kind."""

    application_id: int
    """Tells the kinds of files apart; 32 bits."""
    version: int
    """Grows with every change of the tables or of what stands in them; another version is begun anew."""
    statements: tuple[str, ...]
    """Make the tables in an empty database."""


def create(connection: sqlite3.Connection, layout: CacheLayout) -> None:
    """Make the tables in an empty database, and say in its head whose they are."""
    connection.execute("BEGIN IMMEDIATE")
    for statement in layout.statements:
        connection.execute(statement)
    connection.execute(f"PRAGMA application_id={int(layout.application_id)}")
    connection.execute(f"PRAGMA user_version={int(layout.version)}")
    connection.execute("COMMIT")


def is_empty(connection: sqlite3.Connection) -> bool:
    """True when nothing was made in the database yet, not even tables of somebody else."""
    (count,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    return int(count) == 0


def check(connection: sqlite3.Connection, layout: CacheLayout) -> None:
    """Nothing but our own tables, as we make them: a table of another shape could run what we never wrote."""
    (kind,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if (kind, version) != (layout.application_id, layout.version):
        raise CacheOfAnotherVersion("it is of another version")
    if _tables(connection) != _expected(layout):
        raise CacheDamaged("its tables are not as they were made")


def _tables(connection: sqlite3.Connection) -> frozenset[tuple[object, ...]]:
    rows = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema").fetchall()
    return frozenset(map(tuple, rows))


@cache
def _expected(layout: CacheLayout) -> frozenset[tuple[object, ...]]:
    import sqlite3

    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        for statement in layout.statements:
            connection.execute(statement)
        return _tables(connection)
