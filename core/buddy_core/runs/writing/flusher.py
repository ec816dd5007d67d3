"""Files are written back behind the recorder's back: one thread asks the disk, and nobody waits for it.

`fsync` takes milliseconds, on a busy disk seconds, and the host must not be kept for more than five
(promise C9). So whoever replaced a file hands its descriptor over and goes on. What is handed in for the same
file before the disk was asked replaces what waits: a thousand updates a second cost a few `fsync`s.

The thread lives only while something waits. It is never joined; at the end of the process it is given a
quarter of a second.
"""

from __future__ import annotations

import _thread
import atexit
import errno
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from buddy_core.runs.writing.files import close_quietly, retried

COALESCE_S = 0.2
"""How long a file waits for a newer version of itself before the disk is asked."""

MAX_DISCARDED = 64
"""Replaced files that wait to be closed at most; a writer that is faster waits for the disk itself."""

EXIT_WAIT_S = 0.25
"""How long the end of the process waits for the disk."""

_FORK_WAIT_S = 0.003
_PAUSE_S = 0.0005
_UNSUPPORTED = frozenset((errno.EINVAL, errno.ENOTSUP, errno.ENOSYS))

Failed = Callable[[OSError], None]
"""Told, in the flusher's thread, that the disk did not take what was handed in."""

Action = Callable[[int], object]
"""What is done with a descriptor, in the flusher's thread, before it is closed."""

Key = tuple[int, str]
"""Whose file it is, and its name; "." is the directory, whose turn comes after its files."""


class Flusher:
    """Takes descriptors, asks the disk to keep what they name, and closes them. Safe to use from any thread."""

    def __init__(self, coalesce_s: float = COALESCE_S) -> None:
        self._coalesce_s = coalesce_s
        self.reset()

    def reset(self) -> None:
        """Begin anew in a forked child, where no thread is left and nothing of the parent's is flushed."""
        for fd, _action in getattr(self, "_waiting", {}).values():
            close_quietly(fd)
        self._changed = threading.Condition(threading.RLock())  # a signal handler may record, too
        self._waiting: dict[Key, tuple[int, Action]] = {}
        for fd in getattr(self, "_discarded", ()):
            close_quietly(fd)
        self._discarded: list[int] = []
        self._closing = 0
        self._running = False
        self._asking = False
        self._urgent = False
        self._forking = False

    def before_fork(self) -> None:
        """End the thread if it only waits: interpreters warn a host that forks beside threads."""
        with self._changed:
            self._forking, ran = True, self._running
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._asking or not self._running, _FORK_WAIT_S)
        if ran:
            time.sleep(_PAUSE_S)  # it has said that it ends; that takes it a moment

    def after_fork(self) -> None:
        """Go on in the parent, with the next file or at the end: a thread begun now would still be warned of."""
        with self._changed:
            self._forking = False

    def submit(self, key: Key, fd: int, failed: Failed, *, urgent: bool = False) -> None:
        """Own `fd` from now on and ask the disk to keep it; `urgent` does not wait for a newer version."""
        self.later(key, fd, partial(_flush, failed=failed), urgent=urgent)

    def later(self, key: Key, fd: int, action: Action, *, urgent: bool = False) -> None:
        """Own `fd` from now on and do something with it, in place of what waits under the same key."""
        with self._changed:
            older = self._waiting.pop(key, None)
            self._waiting[key] = (fd, action)
            self._urgent |= urgent
            if urgent:
                self._changed.notify_all()
            self._start()
        if older is not None:
            self.discard(older[0])

    def discard(self, fd: int) -> None:
        """Close `fd` in the thread: closing the last descriptor of a file that was replaced waits for the disk."""
        with self._changed:
            self._discarded.append(fd)
            fd = self._discarded.pop(0) if len(self._discarded) > MAX_DISCARDED else -1
            self._start()
        if fd >= 0:
            close_quietly(fd)

    def wait(self, timeout_s: float = EXIT_WAIT_S) -> bool:
        """Ask the disk at once, and say whether it was done with everything in time."""
        with self._changed:
            if self._waiting or self._discarded:
                self._urgent = bool(self._waiting)
                self._changed.notify_all()
                self._start()
            return self._changed.wait_for(lambda: not self._busy, timeout_s)

    @property
    def _busy(self) -> bool:
        return bool(self._waiting or self._discarded or self._closing or self._asking)

    def _start(self) -> None:
        if self._running:
            return
        self._running = True
        try:
            _thread.start_new_thread(self._run, ())  # threading's start() would wait for the thread
        except RuntimeError:  # no more threads: the next one who submits tries again
            self._running = False

    def _run(self) -> None:
        while True:
            taken = self._take()
            self._close_discarded()
            if not taken:
                break
            try:
                for _key, (fd, action) in sorted(taken.items(), key=_directories_last):
                    with suppress(Exception):  # nothing may end the thread
                        action(fd)
                    close_quietly(fd)
            finally:
                with self._changed:
                    self._asking = False
                    self._changed.notify_all()

    def _close_discarded(self) -> None:
        with self._changed:
            discarded, self._discarded = self._discarded, []
            self._closing += len(discarded)
        for fd in discarded:
            close_quietly(fd)
        with self._changed:
            self._closing -= len(discarded)
            self._changed.notify_all()

    def _take(self) -> dict[Key, tuple[int, Action]]:
        """What waits, once it has waited long enough; nothing when the thread may end."""
        with self._changed:
            deadline = time.monotonic() + self._coalesce_s
            while self._waiting and not (self._urgent or self._forking):
                if (left := deadline - time.monotonic()) <= 0:
                    break
                self._changed.wait(left)
            taken: dict[Key, tuple[int, Action]] = {}
            if not self._forking:
                taken, self._waiting = self._waiting, {}
                self._urgent = False
            self._asking = self._running = bool(taken)
            self._changed.notify_all()
            return taken


def _directories_last(item: tuple[Key, object]) -> bool:
    return item[0][1] == "."


def _flush(fd: int, failed: Failed) -> None:
    try:
        retried(os.fsync, fd)
    except OSError as error:
        if error.errno not in _UNSUPPORTED:
            failed(error)


SHARED = Flusher()
"""The one flusher of this process."""

os.register_at_fork(before=SHARED.before_fork, after_in_parent=SHARED.after_fork, after_in_child=SHARED.reset)
atexit.register(SHARED.wait)
