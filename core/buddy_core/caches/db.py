"""Databases that are caches: files of ours in the user's state directory, which may be thrown away at any time.

A file that is damaged, of another version, or whose tables are not exactly ours is never read: it is set aside
and begun anew. One process writes, told by a lock beside the file that dies with it; others only read.

The journal is a rollback journal (TRUNCATE), not a write-ahead log: a log needs shared memory, which network file
systems lack, and SQLite before 3.51.3 can damage a database while it resets one. A writer therefore
commits in small pieces, and a reader waits for the moment a commit takes. sqlite3 is imported by the first to open.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from buddy_core.caches.errors import (
    CacheBusy,
    CacheOfAnotherVersion,
    CacheUnavailable,
    cache_errors,
    is_damage,
)
from buddy_core.caches.layout import CacheLayout, check, create, is_empty

if TYPE_CHECKING:
    import sqlite3

BUSY_S = 5.0
"""How long a statement waits for another connection's commit."""

_PRAGMAS = (
    "PRAGMA trusted_schema=OFF",
    "PRAGMA cell_size_check=ON",
    "PRAGMA mmap_size=0",
    "PRAGMA temp_store=MEMORY",
)
_WRITER_PRAGMAS = ("PRAGMA journal_mode=TRUNCATE", "PRAGMA synchronous=NORMAL", "PRAGMA cache_spill=OFF")


class CacheDb:
    """One open cache. A connection is for one thread at a time; `close` lets go of it and of the lock.

    Attributes:
        connection: In autocommit mode; writers use `transaction`.
        fresh: The file was empty, or had to be begun anew.
    """

    def __init__(self, connection: sqlite3.Connection, lock: int | None, fresh: bool) -> None:
        self.connection = connection
        self.fresh = fresh
        self._lock = lock

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing: what happens inside is committed at its end, and undone when it raises."""
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield self.connection
            self.connection.execute("COMMIT")  # fails where a reader has the file for longer than `BUSY_S`
        except BaseException:
            with contextlib.suppress(Exception):
                self.connection.execute("ROLLBACK")
            raise

    def close(self) -> None:
        """Let go of the file, and of the lock where there is one; a second call does nothing."""
        with contextlib.suppress(Exception):
            self.connection.close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def open_writer(path: Path, layout: CacheLayout) -> CacheDb:
    """The only writer of the cache at `path`; makes the file, private to the user, and anew where it is no good.

    Raises:
        CacheUnavailable: Another process writes (`CacheBusy`), the place cannot be written, or SQLite cannot do it.
    """
    with cache_errors(path):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = _locked(path.with_name(path.name + ".lock"))
        try:
            return _opened(path, layout, lock)
        except BaseException:
            os.close(lock)
            raise


def open_reader(path: Path, layout: CacheLayout, *, mends: bool = True) -> CacheDb:
    """The cache at `path` for reading; raises `CacheUnavailable`, also while there is none or it is no good.

    What a killed writer left half done is undone first, unless nothing at all is to be changed (not `mends`).
    """
    with cache_errors(path):
        _demand_own_file(path)
        # A writer that was killed has left a journal, and to roll it back takes the right to write.
        connection = _connect(path, "rw" if mends and os.access(path, os.W_OK) else "ro")
        try:
            connection.execute("PRAGMA query_only=ON")
            check(connection, layout)
        except BaseException:
            connection.close()
            raise
        return CacheDb(connection, None, fresh=False)


def discard(path: Path, *, keep: bool = False) -> None:
    """Remove the cache at `path`; with `keep` it stays as `….corrupt`, in the place of an earlier one.

    Only for whoever has the lock, and with no connection open. Raises `OSError`.
    """
    if keep:
        with contextlib.suppress(FileNotFoundError):
            path.replace(path.with_name(path.name + ".corrupt"))
    for name in (path.name, f"{path.name}-journal", f"{path.name}-wal", f"{path.name}-shm"):
        path.with_name(name).unlink(missing_ok=True)


def _opened(path: Path, layout: CacheLayout, lock: int) -> CacheDb:
    for last in (False, True):
        fresh = _make_file(path)
        connection = _connect(path, "rw")
        try:
            for pragma in _WRITER_PRAGMAS:
                connection.execute(pragma)
            if fresh or is_empty(connection):
                create(connection, layout)
                fresh = True
            check(connection, layout)
        except BaseException as error:
            connection.close()
            if last or not is_damage(error):
                raise
            discard(path, keep=not isinstance(error, CacheOfAnotherVersion))
            continue
        return CacheDb(connection, lock, fresh)
    raise AssertionError("unreachable")


def _make_file(path: Path) -> bool:
    """True when the file was not there. One that is there is not opened: closing it would drop SQLite's locks."""
    try:
        fd = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except FileExistsError:
        _demand_own_file(path)
        path.chmod(0o600)
        return False
    os.fchmod(fd, 0o600)
    os.close(fd)
    return True


def _demand_own_file(path: Path) -> None:
    found = path.lstat()
    if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
        raise CacheUnavailable(f"{path.name} is no plain file of this user")


def _locked(path: Path) -> int:
    fd = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(fd)
        raise CacheBusy("another buddy-top is writing it") from error
    return fd


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    import sqlite3

    address = f"{path.absolute().as_uri()}?mode={mode}"
    connection = sqlite3.connect(
        address, uri=True, timeout=BUSY_S, isolation_level=None, check_same_thread=False, cached_statements=64
    )
    try:
        for pragma in _PRAGMAS:
            connection.execute(pragma)
        defend = getattr(connection, "setconfig", None)
        defensive = getattr(sqlite3, "SQLITE_DBCONFIG_DEFENSIVE", None)
        if defend is not None and defensive is not None:  # from Python 3.12 on
            defend(defensive, True)
    except BaseException:
        connection.close()
        raise
    return connection
