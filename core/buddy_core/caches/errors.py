"""What can be wrong with a cache, and which complaints of SQLite and the system mean that its file is to be thrown away."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from buddy_core.errors import BuddyError


class CacheUnavailable(BuddyError):
    """The cache cannot be used now, in words; whatever it would have made faster works without it."""


class CacheBusy(CacheUnavailable):
    """Another process writes it: nothing is wrong."""


class CacheDamaged(CacheUnavailable):
    """The file is no good: its writer throws it away and begins anew."""


class CacheOfAnotherVersion(CacheDamaged):
    """The file was made by another version of ours: not damaged, and of no use."""


@contextmanager
def cache_errors(path: Path) -> Iterator[None]:
    """Turns what SQLite and the system complain about into `CacheDamaged` or `CacheUnavailable`."""
    import sqlite3

    try:
        yield
    except sqlite3.Error as error:
        kind = CacheDamaged if is_damage(error) else CacheUnavailable
        raise kind(f"{path.name} cannot be used: {error}") from error
    except OSError as error:
        raise CacheUnavailable(f"{path.name} cannot be used: {error.strerror or error}") from error
    except UnicodeError as error:
        raise CacheDamaged(f"{path.name} cannot be used: it holds what is no text") from error
    except MemoryError as error:
        raise CacheUnavailable(f"there is not enough memory for {path.name}") from error


def is_damage(error: BaseException) -> bool:
    """True for what a file is thrown away for; a lock, a full disk or a missing right is no damage."""
    import sqlite3

    if isinstance(error, CacheDamaged | UnicodeError) or "decode to UTF-8" in str(error):
        return True
    if not isinstance(error, sqlite3.DatabaseError):
        return False
    code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
    if code in (
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_FORMAT,
        sqlite3.SQLITE_MISMATCH,
    ):
        return True
    words = str(error)
    return code == sqlite3.SQLITE_ERROR and "no such" in words and "no such module" not in words
