"""Private files and directories, made and replaced through directory descriptors.

Nothing here follows a symbolic link below the runs root (promise C7), directories are 0700 and files 0600
whatever the umask says (promise C11), and a JSON file is either the old one or the new one, never a mixture.

None of it waits for the disk: a file that was replaced survives SIGKILL at once and a power cut as soon as
the kernel, or `flusher`, has written it back. Until then a power cut leaves the old file or the new one on
file systems that order data before names (ext4, btrfs), on others perhaps an empty one; what the JSON files
say can be derived from the events.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import ParamSpec, TypeVar

from buddy_core.errors import StoreUnavailable

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_TRIES = 5
_PAUSE_S = 0.0002
_P = ParamSpec("_P")
_T = TypeVar("_T")


class NotPrivate(OSError):
    """What stands there belongs to somebody else, or others may write to it, so nothing is written there."""


def open_root(runs_dir: Path) -> int:
    """A descriptor of the runs directory, which is made (with its parents, all 0700) when missing.

    Symbolic links in the user's own path to it are followed; below it none are.

    Raises:
        StoreUnavailable: It is no directory, may not be made or entered, is somebody else's, or everybody
            may write to it.
    """
    try:
        for directory in (*reversed(runs_dir.parents), runs_dir):
            if not directory.exists():
                _make_once(directory)
        fd = retried(os.open, runs_dir, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            demand_private(fd)
        except BaseException:
            os.close(fd)
            raise
    except OSError as error:
        raise StoreUnavailable(f"cannot record below {runs_dir}: {error.strerror}") from error
    return fd


def make_directory(name: str, *, dir_fd: int) -> int:
    """Make the directory `name`, which must not exist, and return a descriptor of it.

    Raises:
        OSError: It exists, cannot be made, or is another one by the time it is opened.
    """
    retried(os.mkdir, name, 0o700, dir_fd=dir_fd)
    try:
        fd = retried(os.open, name, _DIRECTORY, dir_fd=dir_fd)
    except OSError:
        with suppress(OSError):
            os.rmdir(name, dir_fd=dir_fd)
        raise
    try:
        demand_private(fd)
        _allow_owner(fd, 0o700)
    except BaseException:
        os.close(fd)
        raise
    return fd


def replace_file(name: str, data: bytes, *, dir_fd: int) -> int:
    """Put `data` under `name` in one step, and return a descriptor of the new file for `fsync` and `close`.

    A reader sees the old bytes or the new ones. The temporary file has one fixed name, so that what a crash
    left behind is reused, not collected; a failure leaves the old file and no temporary one.
    """
    temporary = temporary_name(name)
    fd = _open_fresh(temporary, dir_fd)
    try:
        write_all(fd, data)
        retried(os.rename, temporary, name, src_dir_fd=dir_fd, dst_dir_fd=dir_fd)
    except BaseException:
        close_quietly(fd)
        with suppress(OSError):
            os.unlink(temporary, dir_fd=dir_fd)
        raise
    return fd


def temporary_name(name: str) -> str:
    """What `name` is called until it is whole."""
    return f".{name}.tmp"


def write_all(fd: int, data: bytes) -> None:
    """Write every byte, however many calls it takes.

    Raises:
        OSError: The disk took only a part of it.
    """
    view = memoryview(data)
    while view:
        written = retried(os.write, fd, view)
        if written == 0:
            raise OSError("the disk takes no more bytes")
        view = view[written:]


def open_private(name: str, flags: int, *, dir_fd: int) -> int:
    """Open or make the plain file `name`, 0600, that is this user's own and has no second name.

    Raises:
        OSError: A link, a pipe or a device stands there, or a file that is also reachable elsewhere
            (`NotPrivate`): whoever planted it would have this process write into it.
    """
    plain = os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    fd = retried(os.open, name, flags | plain, 0o600, dir_fd=dir_fd)
    try:
        demand_private(fd, plain_file=True)
        _allow_owner(fd, 0o600)
    except BaseException:
        close_quietly(fd)
        raise
    return fd


def demand_private(fd: int, *, plain_file: bool = False) -> None:
    """Raise `NotPrivate` unless `fd` is this user's own and nobody may write to it whom its group does not name.

    A plain file must also have one name only: a second one is a hard link that somebody may have planted.
    """
    found = os.fstat(fd)
    if plain_file and not stat.S_ISREG(found.st_mode):
        raise NotPrivate(None, "what stands there is not a plain file")
    if plain_file and found.st_nlink > 1:
        raise NotPrivate(None, "the file has a second name (a hard link)")
    if found.st_uid != os.geteuid():
        raise NotPrivate(None, f"it belongs to another user ({found.st_uid})")
    if found.st_mode & stat.S_IWOTH:
        raise NotPrivate(None, "everybody may write to it; run chmod o-w on it")


def retried(call: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """`call(…)`, again a few times within a millisecond when it was interrupted or could not be had at once."""
    for _ in range(_TRIES - 1):
        try:
            return call(*args, **kwargs)
        except (BlockingIOError, InterruptedError):
            time.sleep(_PAUSE_S)
    return call(*args, **kwargs)


def close_quietly(fd: int) -> None:
    """Close `fd`; an error that the kernel reports only now changes nothing that was promised."""
    with suppress(OSError):
        os.close(fd)


def _make_once(directory: Path) -> None:
    with suppress(FileExistsError):  # another process may make it at the same moment
        retried(os.mkdir, directory, 0o700)
        retried(os.chmod, directory, 0o700)  # a umask may have taken the owner's own rights


def _open_fresh(name: str, dir_fd: int) -> int:
    try:
        fd = retried(os.open, name, _NEW_FILE, 0o600, dir_fd=dir_fd)
    except FileExistsError:
        retried(os.unlink, name, dir_fd=dir_fd)
        fd = retried(os.open, name, _NEW_FILE, 0o600, dir_fd=dir_fd)
    try:
        _allow_owner(fd, 0o600)
    except OSError:
        close_quietly(fd)
        raise
    return fd


def _allow_owner(fd: int, mode: int) -> None:
    """Give what is open as `fd` exactly `mode`, should a umask have taken more, or have left more."""
    if stat.S_IMODE(os.fstat(fd).st_mode) != mode:
        with suppress(PermissionError):  # a file system without modes of its own
            retried(os.fchmod, fd, mode)
