"""A copy in the making: under a name that says so, in a directory that is locked for as long as somebody makes it.

The copy of one who was killed has no lock any more, and is swept away by the next.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from buddy_core.errors import RunLocked
from buddy_core.runs.keeping.pack import PACKED_NAME, Packed, pack
from buddy_core.runs.keeping.survey import Survey
from buddy_core.runs.watching.liveness import LOCK_NAME
from buddy_core.runs.writing.files import make_directory, open_private
from buddy_core.safety.paths import directory_beneath, open_beneath

COPYING = ".copying-"
"""What the name of a copy begins with until it is whole, and of one that is being removed."""

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@contextmanager
def held(root: Path, run_id: str) -> Iterator[None]:
    """Hold the run's lock together with other readers, so that no prune takes it; raises `RunLocked`.

    Where the original writer made the run there is no lock to hold, and it may vanish while it is copied.
    """
    with directory_beneath(root, run_id), ExitStack() as stack:
        with suppress(OSError):
            fd = open_beneath(root, run_id, LOCK_NAME)
            stack.callback(os.close, fd)
            _share(fd, run_id)
        yield


def _share(fd: int, run_id: str) -> None:
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        raise RunLocked(f"{run_id} is still being recorded: keep it when it has ended") from None


@contextmanager
def new_directory(root_fd: int) -> Iterator[tuple[str, int]]:
    """A locked directory for a copy: its name and a descriptor. It is removed again where it still has that name."""
    name, fd = _locked_directory(root_fd)
    try:
        yield name, fd
    finally:
        with suppress(OSError):
            shutil.rmtree(name, dir_fd=root_fd)
        os.close(fd)


def _locked_directory(root_fd: int) -> tuple[str, int]:
    """Make one; between its making and its lock a sweep may have taken it for a stray."""
    while True:
        name = f"{COPYING}{os.urandom(8).hex()}"
        fd = make_directory(name, dir_fd=root_fd)
        fcntl.flock(fd, fcntl.LOCK_EX)
        if os.fstat(fd).st_nlink:
            return name, fd
        os.close(fd)


def sweep(root_fd: int) -> None:
    """Remove copies that nobody is making any more."""
    with os.scandir(root_fd) as entries:
        names = [entry.name for entry in entries if entry.name.startswith(COPYING)]
    for name in names:
        with suppress(OSError):
            fd = os.open(name, _DIRECTORY, dir_fd=root_fd)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(name, dir_fd=root_fd)
            finally:
                os.close(fd)


def write_packed(fd: int, root: Path, found: Survey) -> Packed:
    """Write the files of a run into the directory open as `fd`, through to the disk; raises as `pack`."""
    with os.fdopen(open_private(PACKED_NAME, os.O_WRONLY | os.O_EXCL, dir_fd=fd), "wb") as target:
        packed = pack(root, found, target)
        target.flush()
        os.fsync(target.fileno())
    return packed


def write_whole(fd: int, name: str, data: bytes) -> None:
    """Write a new file into the directory open as `fd`, through to the disk."""
    with os.fdopen(open_private(name, os.O_WRONLY | os.O_EXCL, dir_fd=fd), "wb") as target:
        target.write(data)
        target.flush()
        os.fsync(target.fileno())
