"""`.trash/`: where a pruned run goes in one step, and where it is then taken apart piece by piece.

A run is renamed into it, so that readers see it whole or not at all, and a prune that was killed midway is
finished by the next: whatever lies there under a name of ours is removed. Nothing is followed: directories
are opened by descriptor, without links, one at a time. Directories within directories are moved up into
`.trash/` instead of being descended into, so any depth works; a mount point cannot be moved, and is left.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from contextlib import suppress
from typing import Protocol, Self

TRASH_NAME = ".trash"
"""Name of the directory inside the runs directory; readers pass over it like all that is no run id."""

_OURS = re.compile(r"(run_[0-9a-z]{1,12}_[0-9a-f]{6})\.[0-9a-f]{16}", re.ASCII)
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Patience(Protocol):
    """How long somebody is willing to tidy up."""

    @property
    def over(self) -> bool:
        """True when it is time to stop."""
        ...

    @property
    def hurried(self) -> bool:
        """True for somebody who only moves runs here and leaves it to others to take them apart."""
        ...

    def rest(self) -> None:
        """Let others have their turn; called after each piece of work."""
        ...


class OutOfTime(Exception):
    """The patience was over before the work was done; the rest is for the next."""


class Trash:
    """The trash of the runs directory open as `root_fd`, for one pass; a context manager.

    Raises:
        OSError: A link or a file stands in its place, or it can be neither made nor opened.
    """

    def __init__(self, root_fd: int) -> None:
        with suppress(FileExistsError):  # of an earlier prune, or of one at work right now
            os.mkdir(TRASH_NAME, 0o700, dir_fd=root_fd)
        self._root_fd = root_fd
        self._fd = os.open(TRASH_NAME, _DIRECTORY, dir_fd=root_fd)
        self.problems: dict[str, str] = {}
        """What could not be removed, by run id, and why."""

    @classmethod
    def exists(cls, root_fd: int) -> bool:
        """True when something stands under its name, be it what it may."""
        try:
            os.stat(TRASH_NAME, dir_fd=root_fd, follow_symlinks=False)
        except OSError:
            return False
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        os.close(self._fd)

    def take(self, run_id: str, run_fd: int) -> None:
        """Move the run directory that is open as `run_fd` out of the runs directory.

        Raises:
            OSError: It cannot be moved, or something else stands under its name by now.
        """
        name = _fresh_name(run_id)
        os.rename(run_id, name, src_dir_fd=self._root_fd, dst_dir_fd=self._fd)
        if not _same(os.stat(name, dir_fd=self._fd, follow_symlinks=False), os.fstat(run_fd)):
            os.rename(name, run_id, src_dir_fd=self._fd, dst_dir_fd=self._root_fd)
            raise OSError(errno.ESTALE, "was replaced while it was looked at")

    def contents(self) -> list[str]:
        """Names of what lies here and was put here by a prune."""
        with os.scandir(self._fd) as entries:
            return [entry.name for entry in entries if _OURS.fullmatch(entry.name)]

    def empty(self, patience: Patience) -> None:
        """Remove what lies here, until the patience is over; what cannot go is in `problems`."""
        if patience.hurried:
            return
        stuck: set[str] = set()
        while waiting := [name for name in self.contents() if name not in stuck]:
            for name in waiting:
                try:
                    stuck |= self._remove(name, patience)
                except OutOfTime:
                    return
                patience.rest()

    def _remove(self, name: str, patience: Patience) -> set[str]:
        """Remove one entry; the name under which it stays, or might be listed again, if any."""
        run_id, _, _ = name.partition(".")
        try:
            claimed = self._claim(name, run_id)
        except FileNotFoundError:
            return {name}  # another prune was faster; a disk that lists it all the same is not asked for ever
        except OSError as error:
            self._complain(run_id, error)
            return {name}
        try:
            self._take_apart(claimed, run_id, patience)
        except FileNotFoundError:
            return {claimed}
        except OSError as error:
            self._complain(run_id, error)
            return {claimed}
        return set()

    def _claim(self, name: str, run_id: str) -> str:
        """Give the entry another name, which the kernel refuses for a mount point."""
        if not stat.S_ISDIR(os.stat(name, dir_fd=self._fd, follow_symlinks=False).st_mode):
            return name
        fresh = _fresh_name(run_id)
        os.rename(name, fresh, src_dir_fd=self._fd, dst_dir_fd=self._fd)
        return fresh

    def _take_apart(self, name: str, run_id: str, patience: Patience) -> None:
        found = os.stat(name, dir_fd=self._fd, follow_symlinks=False)
        if not stat.S_ISDIR(found.st_mode):
            return os.unlink(name, dir_fd=self._fd)
        fd = os.open(name, _DIRECTORY, dir_fd=self._fd)
        try:
            self._clear(fd, run_id, patience)
        finally:
            os.close(fd)
        return os.rmdir(name, dir_fd=self._fd)

    def _clear(self, fd: int, run_id: str, patience: Patience) -> None:
        """Remove the files of the directory open as `fd`, and move its directories up into the trash."""
        if os.fstat(fd).st_dev != os.fstat(self._fd).st_dev:
            raise OSError(errno.EXDEV, "lies on another file system")
        trouble: OSError | None = None
        with os.scandir(fd) as entries:
            for entry in entries:
                if patience.over:
                    raise OutOfTime
                try:
                    if entry.is_dir(follow_symlinks=False):
                        os.rename(entry.name, _fresh_name(run_id), src_dir_fd=fd, dst_dir_fd=self._fd)
                    else:
                        os.unlink(entry.name, dir_fd=fd)
                except FileNotFoundError:
                    continue  # another prune was faster
                except OSError as error:
                    trouble = trouble or error
        if trouble is not None:
            raise trouble

    def _complain(self, run_id: str, error: OSError) -> None:
        self.problems[run_id] = explain(error)


def explain(error: OSError) -> str:
    """Why something could not be removed, in a few words without a path."""
    return (error.strerror or str(error)).lower()


def _fresh_name(run_id: str) -> str:
    return f"{run_id}.{os.urandom(8).hex()}"


def _same(one: os.stat_result, other: os.stat_result) -> bool:
    return (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)
