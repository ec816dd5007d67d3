"""`run.lock`: one writer a run, for as long as the writer lives (promise C3).

The lock is a flock, so the kernel lets go of it when the process dies in any way; whoever finds it free
beside a status of "running" knows that the writer is gone.
"""

from __future__ import annotations

import fcntl
import os
import time

from buddy_core.errors import RunLocked
from buddy_core.runs.writing.files import close_quietly, open_private

LOCK_NAME = "run.lock"
"""Name of the lock file inside a run's directory."""


_TRIES = 5
_PAUSE_S = 0.0005


class RunLock:
    """The lock of the run whose directory is open as `dir_fd`, held from construction to `release`.

    Raises:
        RunLocked: Another writer holds it.
        OSError: The file cannot be made or is no plain file.
    """

    def __init__(self, dir_fd: int) -> None:
        self._fd = open_private(LOCK_NAME, os.O_RDWR, dir_fd=dir_fd)
        try:
            _lock(self._fd)
        except BlockingIOError:
            self.release()
            raise RunLocked("another process is writing this run") from None
        except OSError:
            self.release()
            raise

    def release(self) -> None:
        """Let go; a second call does nothing. A forked child calls this too, which leaves its parent's hold."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            close_quietly(fd)


def _lock(fd: int) -> None:
    """Take the lock; a reader that only asks has it for microseconds, so one refusal proves nothing."""
    for _ in range(_TRIES - 1):
        try:
            return fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, InterruptedError):
            time.sleep(_PAUSE_S)
    return fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
