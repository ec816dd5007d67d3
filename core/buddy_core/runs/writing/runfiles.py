"""The files of a run besides its events: `summary.json`, `metrics.json` and the artifacts."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count

from buddy_core.errors import RunClosed
from buddy_core.runs.names import ARTIFACTS_NAME
from buddy_core.runs.records.smallfiles import MAX_RECORD_BYTES
from buddy_core.runs.writing.files import close_quietly, make_directory, replace_file
from buddy_core.runs.writing.flusher import SHARED, Failed
from buddy_core.safety.paths import open_at

_HOLD = getattr(os, "O_PATH", os.O_RDONLY) | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_numbers = count()


class RunFiles:
    """Replaces files in the run directory open as `dir_fd`, which it closes in the end.

    Every file is in the kernel when a method returns, so it survives SIGKILL; the disk is asked to keep it
    soon after, by another thread, and `failed` is told in that thread when it refuses. Artifacts are left to
    the kernel, which writes them back within about half a minute.

    Raises:
        OSError: The disk refuses.
        RunClosed: The run ended meanwhile.
    """

    def __init__(self, dir_fd: int, *, failed: Failed, durable: bool = True) -> None:
        self._number = next(_numbers)
        self._dir_fd = dir_fd
        self._failed = failed
        self._durable = durable
        self.guard = threading.RLock()
        """Held while a file is replaced; not the one of the events, so that no emit waits for a file."""
        self._saving: dict[str, bool] = {}  # by name: has it changed since it was begun?
        self._artifacts_fd = make_directory(ARTIFACTS_NAME, dir_fd=dir_fd)

    def save(self, name: str, dump: Callable[[], bytes], *, urgent: bool = False) -> None:
        """Replace `name` with what `dump` returns; once more when a signal handler saved it meanwhile."""
        with self.guard:
            if name in self._saving:
                self._saving[name] = True
                return
            self._saving[name] = True
            try:
                while self._saving[name]:
                    self._saving[name] = False
                    self._replace(name, dump(), urgent=urgent)
            finally:
                del self._saving[name]

    def save_artifact(self, name: str, content: bytes) -> None:
        """Write an artifact under a name that was checked, in place of one of the same name."""
        with self.guard:
            self._demand_open()
            with self._replaced(name, self._artifacts_fd):
                close_quietly(replace_file(name, content, dir_fd=self._artifacts_fd))

    def read(self, name: str) -> bytes:
        """What the file says now, whoever wrote it; nothing when it is missing, no plain file or too large."""
        try:
            fd = open_at(self._dir_fd, name)
        except OSError:
            return b""
        try:
            return os.pread(fd, MAX_RECORD_BYTES + 1, 0)
        except OSError:
            return b""
        finally:
            close_quietly(fd)

    def keep(self, name: str, fd: int, *, urgent: bool = False) -> None:
        """Have the disk asked to keep the file open as `fd`, which is closed then; `name` says which it is."""
        if self._durable:
            SHARED.submit((self._number, name), fd, self._failed, urgent=urgent)
        else:
            close_quietly(fd)

    def keep_names(self, *, urgent: bool = False) -> None:
        """Have the disk asked to keep the directory itself."""
        if self._durable:
            with suppress(OSError):  # no descriptor to spare: the kernel writes it back in its own time
                self.keep(".", os.dup(self._dir_fd), urgent=urgent)

    def close(self) -> None:
        """Let go of both directories, without waiting for another thread; a second call does nothing."""
        artifacts_fd, self._artifacts_fd = self._artifacts_fd, -1
        dir_fd, self._dir_fd = self._dir_fd, -1
        for fd in (artifacts_fd, dir_fd):
            if fd >= 0:
                close_quietly(fd)

    def is_named(self, name: str, root_fd: int) -> bool:
        """True when `name` in the directory open as `root_fd` still leads to this run directory."""
        try:
            found = os.stat(name, dir_fd=root_fd, follow_symlinks=False)
            own = os.fstat(self._dir_fd)
        except OSError:
            return False
        return (found.st_dev, found.st_ino) == (own.st_dev, own.st_ino)

    def _replace(self, name: str, data: bytes, *, urgent: bool) -> None:
        self._demand_open()
        with self._replaced(name, self._dir_fd):
            self.keep(name, replace_file(name, data, dir_fd=self._dir_fd), urgent=urgent)
        self.keep_names(urgent=urgent)

    @contextmanager
    def _replaced(self, name: str, dir_fd: int) -> Iterator[None]:
        """Hold on to the file that `name` leads to while it is replaced, and let the flusher let go of it.

        The last one to let go of a file without a name waits until its bytes, which nobody needs any more, are
        on the disk: beside somebody who syncs all the time 20 ms.
        """
        try:
            old = os.open(name, _HOLD, dir_fd=dir_fd)
        except OSError:  # the first of its name, or no descriptor to spare
            old = -1
        try:
            yield
        finally:
            if old >= 0:
                SHARED.discard(old)

    def _demand_open(self) -> None:
        if self._dir_fd < 0:
            raise RunClosed("the run has ended; nothing more can be recorded into it")
