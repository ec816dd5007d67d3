"""Temporary files that a crash left between being written and being renamed are removed after an hour.

Once a process and runs directory, in the flusher's thread, within bounds, and only what is this user's own and
bears the names that `files` gives to temporary files. A run whose lock is held is left alone: the clock of this
machine and that of the disk may differ by more than an hour, and what looks old may be written right now.
"""

from __future__ import annotations

import fcntl
import os
import re
import stat
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from itertools import islice

from buddy_core.runs.names import ARTIFACTS_NAME, is_run_id
from buddy_core.runs.writing.flusher import SHARED
from buddy_core.runs.writing.lock import LOCK_NAME

STRAY_AFTER_MS = 60 * 60_000
"""A temporary file this old is nobody's any more; a writer has one for microseconds."""

_MOST = 1_000
_STRAY = re.compile(r"\..+\.tmp", re.DOTALL)
_ASKING = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_seen: set[tuple[int, int]] = set()


def sweep_once(root_fd: int, now_ms: int) -> None:
    """Sweep the runs directory open as `root_fd` behind the caller's back, unless this process has; never raises."""
    with suppress(OSError):  # no descriptor to spare: then the next process does it
        found = os.fstat(root_fd)
        if (found.st_dev, found.st_ino) not in _seen:
            _seen.add((found.st_dev, found.st_ino))
            SHARED.later((-1, f"strays of {found.st_ino}"), os.dup(root_fd), partial(sweep, now_ms=now_ms))


def sweep(root_fd: int, now_ms: int) -> int:
    """Remove what is older than an hour at `now_ms` (wall); returns how many files that were."""
    removed = 0
    for name in _names(root_fd):
        if is_run_id(name):
            with suppress(OSError):
                removed += _sweep_run(root_fd, name, now_ms)
    return removed


def _sweep_run(root_fd: int, run_id: str, now_ms: int) -> int:
    run_fd = os.open(run_id, _DIRECTORY, dir_fd=root_fd)
    try:
        if _is_held(run_fd):
            return 0
        removed = _sweep_directory(run_fd, now_ms)
        with suppress(OSError):
            artifacts_fd = os.open(ARTIFACTS_NAME, _DIRECTORY, dir_fd=run_fd)
            try:
                removed += _sweep_directory(artifacts_fd, now_ms)
            finally:
                os.close(artifacts_fd)
        return removed
    finally:
        os.close(run_fd)


def _is_held(run_fd: int) -> bool:
    """True while a writer has the lock of the run; one without a lock has none of our temporary files either."""
    try:
        fd = os.open(LOCK_NAME, _ASKING, dir_fd=run_fd)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
    return False


def _sweep_directory(fd: int, now_ms: int) -> int:
    removed = 0
    for name in _names(fd):
        if _STRAY.fullmatch(name) and _is_stray(os.stat(name, dir_fd=fd, follow_symlinks=False), now_ms):
            os.unlink(name, dir_fd=fd)
            removed += 1
    return removed


def _is_stray(found: os.stat_result, now_ms: int) -> bool:
    own = stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid()
    return own and now_ms - found.st_mtime_ns // 1_000_000 > STRAY_AFTER_MS


def _names(fd: int) -> Iterator[str]:
    """The names in a directory, the first thousand of them, in no order."""
    with os.scandir(fd) as entries:
        found = [entry.name for entry in islice(entries, _MOST)]
    yield from found
