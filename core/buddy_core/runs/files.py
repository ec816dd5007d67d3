"""Private files and directories, made and replaced through directory descriptors.

Nothing here follows a symbolic link below the runs root (promise C7), directories are 0700 and files 0600
(promise C11), and a JSON file is either the old one or the new one, never a mixture.
"""

from __future__ import annotations

import os
from pathlib import Path

from buddy_core.errors import StoreUnavailable

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def open_root(runs_dir: Path) -> int:
    """A descriptor of the runs directory, which is made (with its parents, all 0700) when missing.

    Symbolic links in the user's own path to it are followed; below it none are.

    Raises:
        StoreUnavailable: It is no directory, or may not be made or entered.
    """
    try:
        for directory in (*reversed(runs_dir.parents), runs_dir):
            if not directory.exists():
                directory.mkdir(mode=0o700, exist_ok=True)
        return os.open(runs_dir, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise StoreUnavailable(f"cannot record below {runs_dir}: {error.strerror}") from error


def make_directory(name: str, *, dir_fd: int) -> int:
    """Make the directory `name`, which must not exist, and return a descriptor of it."""
    os.mkdir(name, 0o700, dir_fd=dir_fd)
    return os.open(name, _DIRECTORY, dir_fd=dir_fd)


def replace_file(name: str, data: bytes, *, dir_fd: int, durable: bool) -> None:
    """Put `data` under `name` in one step; a reader sees the old bytes or the new ones.

    The temporary file has one fixed name, so that what a crash left behind is reused, not collected.
    """
    temporary = f".{name}.tmp"
    fd = _open_fresh(temporary, dir_fd)
    try:
        write_all(fd, data)
        if durable:
            os.fsync(fd)
    finally:
        os.close(fd)
    os.rename(temporary, name, src_dir_fd=dir_fd, dst_dir_fd=dir_fd)


def write_all(fd: int, data: bytes) -> None:
    """Write every byte, however many calls it takes.

    Raises:
        OSError: The disk took only a part of it.
    """
    view = memoryview(data)
    while view:
        written = os.write(fd, view)
        if written == 0:
            raise OSError("the disk takes no more bytes")
        view = view[written:]


def _open_fresh(name: str, dir_fd: int) -> int:
    try:
        return os.open(name, _NEW_FILE, 0o600, dir_fd=dir_fd)
    except FileExistsError:
        os.unlink(name, dir_fd=dir_fd)
        return os.open(name, _NEW_FILE, 0o600, dir_fd=dir_fd)
