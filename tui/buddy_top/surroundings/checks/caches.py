"""History and index: files that may be thrown away at any time, and are worth having."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

from buddy_core.caches.db import open_reader
from buddy_core.caches.errors import CacheDamaged, CacheOfAnotherVersion, CacheUnavailable
from buddy_core.caches.layout import CacheLayout
from buddy_core.format import bytes_, plural
from buddy_top.surroundings.around import Surroundings
from buddy_top.surroundings.check import Check

PATIENCE_S = 2.0
"""A file that cannot be looked through in this time is not looked through to its end."""

_STEPS = 10_000
_ANEW = "Nothing needs to be done: the next monitor begins it anew."


def check_history(around: Surroundings) -> Iterator[Check]:
    """What is remembered of runs that are gone."""
    from buddy_core.history.layout import HISTORY

    if around.settings is not None and not around.settings.value("history", bool):
        found = around.settings.settings["history"]
        advice = "Set history = true to count runs after they are pruned."
        yield Check("history", "note", f"switched off by {found.place or 'the default'}", advice)
        return
    if around.state is not None:
        yield from _examined("history", around.state / "history.sqlite3", HISTORY, around)


def check_index(around: Surroundings) -> Iterator[Check]:
    """The index of very many runs, and their full text."""
    from buddy_core.runs.catalog.layout import LAYOUT, catalog_path

    if around.state is not None:
        yield from _examined("index", catalog_path(around.state, around.runs_dir), LAYOUT, around)


def _examined(name: str, path: Path, layout: CacheLayout, around: Surroundings) -> Iterator[Check]:
    try:
        size = path.lstat().st_size
    except FileNotFoundError:
        when = "is made by the first monitor" if name == "history" else "is made from 1,000 runs on"
        yield Check(name, "ok", f"not there yet; it {when}")
        return
    except OSError as error:
        advice = "Look at the directory; without it everything works, and only takes longer."
        yield Check(name, "warning", f"{path} cannot be reached: {error.strerror}", advice)
        return
    yield from _health(name, path, layout, bytes_(size))
    damaged = path.with_name(path.name + ".corrupt")
    if damaged.exists():
        advice = f"Remove it when you do not want to look into it: {damaged}"
        yield Check(name, "note", "an earlier one was damaged, and set aside", advice)
    yield from _writer(name, path, around)


def _health(name: str, path: Path, layout: CacheLayout, size: str) -> Iterator[Check]:
    try:
        told = _looked_through(path, layout)
    except CacheOfAnotherVersion:
        yield Check(name, "note", f"{path} ({size}) was made by another version of buddy-top", _ANEW)
    except CacheDamaged as error:
        yield Check(name, "warning", f"{path} ({size}) is damaged: {error}", f"{_ANEW} Or remove it.")
    except CacheUnavailable as error:
        advice = "If a monitor was killed, start one: it puts the file in order. Else look at its owner and rights."
        yield Check(name, "warning", f"{path} ({size}) cannot be read: {error}", advice)
    else:
        yield Check(name, "ok", f"{path}, {size}, version {layout.version}, {told}")


def _looked_through(path: Path, layout: CacheLayout) -> str:
    """Have SQLite look at every page. Raises `CacheUnavailable`, or one of its kinds."""
    import sqlite3

    until = time.monotonic() + PATIENCE_S
    with_cache = open_reader(path, layout, mends=False)
    connection = with_cache.connection
    try:
        connection.set_progress_handler(lambda: time.monotonic() > until, _STEPS)
        (said,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.OperationalError as error:
        if "interrupted" in str(error):
            return f"in order as far as {PATIENCE_S:g} seconds showed"
        raise CacheUnavailable(str(error)) from error
    except sqlite3.DatabaseError as error:
        raise CacheDamaged(str(error)) from error
    finally:
        with_cache.close()
    if said != "ok":
        raise CacheDamaged(str(said))
    return "in order"


def _writer(name: str, path: Path, around: Surroundings) -> Iterator[Check]:
    """Who writes it now, by the lock that dies with its holder."""
    if not os.access(path, os.W_OK):
        advice = "Make it writable (chmod 600); until then it is only read, and grows old."
        yield Check(name, "warning", f"{path.name} cannot be written", advice)
        return
    holder = _holder(path.with_name(path.name + ".lock"), around.proc)
    if holder is not None and holder != os.getpid():
        advice = "Nothing needs to be done: one monitor writes, all others read what it wrote."
        yield Check(name, "note", f"process {holder} is writing it", advice)


def _holder(lock: Path, proc: Path) -> int | None:
    """The process that holds the lock, by proc_locks(5); None where nobody does, or nobody says."""
    try:
        inode = lock.stat().st_ino
        lines = (proc / "locks").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return None
    for line in lines:
        fields = line.split()
        if len(fields) > 5 and fields[1] == "FLOCK" and fields[5].rpartition(":")[2] == str(inode):
            return int(fields[4]) if fields[4].isdecimal() else None
    return None


def check_remembered(around: Surroundings) -> Iterator[Check]:
    """How large everything is that can be thrown away."""
    if around.archive is None or not around.archive.is_dir():
        return
    try:
        runs = sum(entry.name.startswith("run_") for entry in os.scandir(around.archive))
    except OSError:
        return
    if runs:
        yield Check("kept runs", "ok", f"{plural(runs, 'run')} in {around.archive}")
