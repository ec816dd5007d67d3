"""The tables of the history's file."""

from __future__ import annotations

from pathlib import Path

from buddy_core.caches.db import CacheDb, open_reader
from buddy_core.caches.errors import CacheUnavailable
from buddy_core.caches.layout import CacheLayout

_SCRIPT = """
CREATE TABLE roots (id INTEGER PRIMARY KEY, path BLOB NOT NULL UNIQUE, used_at INTEGER NOT NULL);
CREATE TABLE runs (
    root INTEGER NOT NULL, run_id TEXT NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
    first_at INTEGER, last_at INTEGER, usage BLOB, PRIMARY KEY (root, run_id)
) WITHOUT ROWID;
CREATE TABLE segments (
    id INTEGER PRIMARY KEY, root INTEGER NOT NULL, run_id TEXT NOT NULL, data BLOB NOT NULL
);
CREATE INDEX segments_of_run ON segments (root, run_id);
CREATE TABLE turns (
    root INTEGER NOT NULL, day INTEGER NOT NULL, data BLOB NOT NULL, PRIMARY KEY (root, day)
) WITHOUT ROWID;
CREATE TABLE merged (root INTEGER NOT NULL, run_id TEXT NOT NULL, PRIMARY KEY (root, run_id)) WITHOUT ROWID;
CREATE TABLE hours (
    root INTEGER NOT NULL, hour INTEGER NOT NULL, data BLOB NOT NULL, PRIMARY KEY (root, hour)
) WITHOUT ROWID;
"""

HISTORY = CacheLayout(
    application_id=0x62746869,
    version=2,
    statements=tuple(statement.strip() for statement in _SCRIPT.split(";") if statement.strip()),
)
"""One file for all runs directories: each is a root, by its real path."""


def open_history(path: Path) -> CacheDb | None:
    """For reading; None where nothing has been kept yet. Raises `CacheUnavailable`."""
    try:
        path.lstat()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CacheUnavailable(f"{path.name} cannot be used: {error.strerror}") from None
    return open_reader(path, HISTORY)
