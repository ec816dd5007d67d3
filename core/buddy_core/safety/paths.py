"""Files are opened beneath a root, one name at a time, and only when they are plain files.

Promise C7: nothing that stands in a file decides where the library looks, and a link planted in a run
directory leads nowhere. The root itself may be the user's own symbolic link; `real_root` follows it once.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_DIRECTORY = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC | getattr(os, "O_PATH", os.O_RDONLY)
_PLAIN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC

_KIND = stat.S_IFMT(0xFFFF)
"""The bits of a mode that say what stands there: asked for each file of 100,000 runs, and a call costs more."""

_KINDS = {
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFDIR: "a directory",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


class NotPlainFile(OSError):
    """What stands there is a link, a pipe, a device, a directory or a socket, and was not opened."""

    def __init__(self, name: str, kind: str) -> None:
        super().__init__(errno.EINVAL, f"{kind}, not a plain file", name)
        self.kind = kind


class BadName(ValueError):
    """A part of a path is no plain name: empty, dots, a separator, a NUL or half a surrogate pair in it."""


def real_root(root: Path) -> Path:
    """`root` as an absolute path without links: to be called once, when the user names the directory."""
    return Path(os.path.realpath(root))


def check_name(name: str) -> str:
    """Return `name` when it is one plain path component; raise `BadName` before any system call if not."""
    if (
        name in ("", ".", "..")
        or "/" in name
        or "\0" in name
        or not (name.isascii() or _can_be_encoded(name))
    ):
        raise BadName(f"not a plain name: {name!r}")
    return name


def _can_be_encoded(name: str) -> bool:
    """False for half a surrogate pair: no file system can be asked for it, and asking raises no `OSError`."""
    try:
        return bool(os.fsencode(name))
    except UnicodeEncodeError:
        return False


@contextmanager
def directory_beneath(root: Path, *parts: str) -> Iterator[int]:
    """Yield a descriptor of the directory `root/parts…`, reached without following a single link.

    Raises `OSError`: `NotADirectoryError` or ELOOP where a link or a file stands in the way.
    """
    fd = os.open(root, _DIRECTORY)
    try:
        for part in parts:
            inner = os.open(check_name(part), _DIRECTORY, dir_fd=fd)
            os.close(fd)
            fd = inner
        yield fd
    finally:
        os.close(fd)


def stat_beneath(root: Path, *parts: str) -> os.stat_result:
    """`lstat` of `root/parts…` where only the root is taken as given; raises `OSError`."""
    with directory_beneath(root, *parts[:-1]) as fd:
        return os.stat(check_name(parts[-1]), dir_fd=fd, follow_symlinks=False)


def open_beneath(root: Path, *parts: str) -> int:
    """Open the plain file `root/parts…` for reading and return its descriptor.

    Never blocks on a pipe and never touches a device: the kind is checked before the open and again on
    what was opened. Raises `NotPlainFile` for anything else, `OSError` where the file cannot be had.
    """
    with directory_beneath(root, *parts[:-1]) as fd:
        return open_at(fd, parts[-1])


def open_at(directory_fd: int, name: str) -> int:
    """`open_beneath` for a directory that is open already."""
    return _opened_at(directory_fd, name)[0]


def _opened_at(directory_fd: int, name: str) -> tuple[int, int]:
    """The descriptor, and how many bytes the file has."""
    mode = os.stat(check_name(name), dir_fd=directory_fd, follow_symlinks=False).st_mode
    if mode & _KIND != stat.S_IFREG:
        raise _not_plain(name, mode)
    opened = os.open(name, _PLAIN, dir_fd=directory_fd)
    try:
        found = os.fstat(opened)
        if found.st_mode & _KIND != stat.S_IFREG:
            raise _not_plain(name, found.st_mode)
    except BaseException:
        os.close(opened)
        raise
    return opened, found.st_size


def open_directory(root: Path) -> int:
    """A descriptor of the root, for `open_directory_at`; raises `OSError`."""
    return os.open(root, _DIRECTORY)


def open_directory_at(directory_fd: int, name: str) -> int:
    """A descriptor of the directory `name` in one that is open; raises `OSError`, also for a link."""
    return os.open(check_name(name), _DIRECTORY, dir_fd=directory_fd)


def read_at(directory_fd: int, name: str, limit: int) -> bytes:
    """The bytes of the plain file `name`, one more than `limit` of a larger one; raises as `open_beneath`."""
    fd, size = _opened_at(directory_fd, name)
    try:
        return os.read(fd, min(size, limit) + 1)
    finally:
        os.close(fd)


def _not_plain(name: str, mode: int) -> NotPlainFile:
    return NotPlainFile(name, _KINDS.get(stat.S_IFMT(mode), "something unknown"))


def entries_beneath(root: Path, *parts: str) -> Iterator[os.DirEntry[str]]:
    """What the directory `root/parts…` holds, in no order, one by one; raises `OSError`.

    An entry's `path` is relative to that directory: only its `name` and its kind mean something here.
    """
    with directory_beneath(root, *parts) as found:
        fd = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=found)
    try:
        with os.scandir(fd) as entries:
            yield from entries
    finally:
        os.close(fd)
