"""What lies in a run's directory, looked at without opening a file or following a link."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import NamedTuple

from buddy_core.errors import KeepFailed
from buddy_core.runs.keeping.manifest import LeftOut, told_name
from buddy_core.safety.paths import directory_beneath

MAX_FILES = 100_000
"""Files of one run that are kept; a run with more is refused, not kept in part."""

MAX_BYTES = 64 * 2**30
"""Bytes of one run, holes counted, that are kept."""

_MAX_DEPTH = 64
_KINDS = {
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}

Parts = tuple[str, ...]
"""A path beneath the run's directory, name by name."""


class RunChanged(Exception):
    """A run was not the same at the end as at the beginning, and has to be looked at again."""


class FoundFile(NamedTuple):
    """A plain file, and what tells whether it is still the same one with the same contents."""

    parts: Parts
    size: int
    mtime_ns: int
    inode: int

    @property
    def told(self) -> str:
        """Its path as a manifest tells it."""
        return told_path(self.parts)


class Survey(NamedTuple):
    """Everything in a run's directory at one moment; equal when nothing has changed."""

    run_id: str
    inode: int
    files: tuple[FoundFile, ...]
    """By name."""
    directories: tuple[Parts, ...]
    left_out: tuple[LeftOut, ...]

    @property
    def lasting(self) -> frozenset[Parts]:
        """The files that nobody but a prune removes; those of a writer that come and go begin with a dot."""
        return frozenset(file.parts for file in self.files if not file.parts[-1].startswith("."))

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


def survey(root: Path, run_id: str) -> Survey:
    """Look at the run `run_id` in the runs directory `root`, whose links are followed already.

    Links, pipes, sockets and devices are left out, and so is what lies deeper than any writer puts it.

    Raises:
        OSError: There is no such directory, or it may not be read.
        KeepFailed: It holds more than is kept.
    """
    with directory_beneath(root, run_id) as fd:
        inode = os.fstat(fd).st_ino
    files: list[FoundFile] = []
    directories: list[Parts] = []
    left_out: list[LeftOut] = []
    waiting: list[Parts] = [()]
    while waiting:
        parts = waiting.pop()
        for name, found in _entries(root, run_id, parts):
            here = (*parts, name)
            if stat.S_ISREG(found.st_mode):
                files.append(FoundFile(here, found.st_size, found.st_mtime_ns, found.st_ino))
            elif stat.S_ISDIR(found.st_mode) and len(here) < _MAX_DEPTH:
                directories.append(here)
                waiting.append(here)
            else:
                kind = _KINDS.get(stat.S_IFMT(found.st_mode), "nested too deep")
                left_out.append(LeftOut(told_path(here), kind))
            if len(files) + len(directories) + len(left_out) > MAX_FILES:
                raise KeepFailed(f"{run_id} holds more than {MAX_FILES:,} files: it is not kept")
    by_name = sorted(left_out, key=lambda entry: entry.name)
    whole = Survey(run_id, inode, tuple(sorted(files)), tuple(sorted(directories)), tuple(by_name))
    if whole.size > MAX_BYTES:
        raise KeepFailed(f"{run_id} is larger than {MAX_BYTES // 2**30} GB: it is not kept")
    return whole


def told_path(parts: Parts) -> str:
    """A path as a manifest tells it."""
    return "/".join(map(told_name, parts))


def _entries(root: Path, run_id: str, parts: Parts) -> list[tuple[str, os.stat_result]]:
    with directory_beneath(root, run_id, *parts) as found:
        fd = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=found)
    try:
        with os.scandir(fd) as entries:
            return [(entry.name, entry.stat(follow_symlinks=False)) for entry in entries]
    finally:
        os.close(fd)
