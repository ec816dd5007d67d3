"""Being told that something changed in a directory: inotify, watchfiles, or a look now and then.

A notification is a hint to look, nothing more: it may be late, doubled or lost, and what it says about
the change is not used. Each platform has its own best way behind one small interface.
"""

from __future__ import annotations

import asyncio
import errno
import os
import struct
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from buddy_core.runs.watching.mounts import silent_filesystem

if TYPE_CHECKING:
    from asyncinotify import Inotify, Watch

Mode = Literal["notify", "polling"]

POLL_S = 0.25
"""How often a polling notifier says "look"."""

REFUSALS = frozenset({errno.ENOSPC, errno.EMFILE, errno.ENFILE, errno.ENOMEM})
"""Errors of `Notifier.watch` that mean "no more watches", not "no such directory"."""

_READ = 64 * 1024
_DRAIN = 16
"""Bytes and number of reads in one go; a flood goes on in the next."""

_EVENT = struct.Struct("iIII")
"""inotify(7): watch descriptor, mask, cookie, size of the name that follows."""

_IGNORED = 0x8000


class Notifier(Protocol):
    """Tells when something may have changed in the directories it watches (not in their subdirectories)."""

    def watch(self, path: Path) -> None:
        """Begin to watch a directory; raises `OSError` where that cannot be done. Twice is as good as once."""
        ...

    def unwatch(self, path: Path) -> None:
        """Stop; an unknown path is no error."""
        ...

    async def wait(self, timeout_s: float) -> set[Path]:
        """The watched directories to look at, as soon as there is one; empty after `timeout_s` seconds."""
        ...

    def close(self) -> None:
        """Let go of everything."""
        ...


class PollingNotifier:
    """Says "look at everything" four times a second: for file systems that tell nothing."""

    def __init__(self, interval_s: float = POLL_S) -> None:
        self._interval_s = interval_s
        self._paths: set[Path] = set()

    def watch(self, path: Path) -> None:
        """Name `path` from now on."""
        self._paths.add(path)

    def unwatch(self, path: Path) -> None:
        """Name `path` no more."""
        self._paths.discard(path)

    async def wait(self, timeout_s: float) -> set[Path]:
        """All watched directories, after the interval or `timeout_s`, whichever is shorter."""
        await asyncio.sleep(min(timeout_s, self._interval_s))
        return set(self._paths)

    def close(self) -> None:
        """Forget all paths."""
        self._paths.clear()


class InotifyNotifier:
    """Linux: half a millisecond from a write to the hint, and no cost while nothing happens.

    Raises `OSError` (EMFILE) on construction when the user has no inotify instance left.
    """

    def __init__(self) -> None:
        from asyncinotify import Inotify, Mask  # brings asyncio and ctypes with it

        self._mask = (
            Mask.CREATE
            | Mask.MODIFY
            | Mask.MOVED_TO
            | Mask.MOVED_FROM
            | Mask.DELETE
            | Mask.DELETE_SELF
            | Mask.MOVE_SELF
            | Mask.ONLYDIR
            | Mask.DONT_FOLLOW
        )
        self._inotify: Inotify = Inotify()
        os.set_blocking(self._inotify.fd, False)  # the package's own flag for this has another meaning
        self._watches: dict[Path, Watch] = {}
        self._paths: dict[int, Path] = {}  # by watch descriptor, which the kernel never gives twice

    def watch(self, path: Path) -> None:
        """Add an inotify watch; `OSError` with one of `REFUSALS` when there are too many."""
        watch = self._inotify.add_watch(path, self._mask)
        self._watches[path] = watch
        self._paths[watch.wd] = path

    def unwatch(self, path: Path) -> None:
        """Remove the watch, if the kernel has not done so already."""
        watch = self._watches.pop(path, None)
        if watch is not None and self._paths.pop(watch.wd, None) is not None:
            with suppress(OSError):
                self._inotify.rm_watch(watch)

    async def wait(self, timeout_s: float) -> set[Path]:
        """Directories in which something happened; all of them when the kernel's queue ran over."""
        loop = asyncio.get_running_loop()
        ready: asyncio.Future[None] = loop.create_future()
        fd = self._inotify.fd
        loop.add_reader(fd, _resolve, ready)
        timer = loop.call_later(timeout_s, _resolve, ready)  # one turn of the loop; a timeout takes three
        try:
            await ready
        finally:
            timer.cancel()
            loop.remove_reader(fd)
        return self._drain()

    def _drain(self) -> set[Path]:
        """Read what is queued. Only the descriptor of each event matters, so none becomes an object."""
        hints: set[Path] = set()
        for _ in range(_DRAIN):
            try:
                queued = os.read(self._inotify.fd, _READ)
            except BlockingIOError:
                break
            for descriptor, mask in _events(queued):
                hints |= self._places(descriptor, mask)
        return hints

    def _places(self, descriptor: int, mask: int) -> set[Path]:
        if descriptor < 0:  # the queue ran over: look everywhere
            return set(self._watches)
        path = self._paths.get(descriptor)
        if mask & _IGNORED:  # the directory is gone, and the watch with it
            self._paths.pop(descriptor, None)
        return set() if path is None else {path}

    def close(self) -> None:
        """Close the inotify instance, which ends all watches."""
        self._watches.clear()
        self._paths.clear()
        self._inotify.close()


class WatchfilesNotifier:
    """macOS and others: the first directory watched, with all beneath it, by the `watchfiles` package.

    Directories outside of the first are accepted and never named: the caller's own sweep finds those.
    """

    def __init__(self) -> None:
        self._root: Path | None = None
        self._paths: set[Path] = set()
        self._hints: set[Path] = set()
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def watch(self, path: Path) -> None:
        """Note the directory; the first one is the root of the watch."""
        self._root = self._root or path
        self._paths.add(path)

    def unwatch(self, path: Path) -> None:
        """Name `path` no more; a root given up ends the watch until another is given."""
        self._paths.discard(path)
        if path == self._root:
            self._root = None
            self._end()

    async def wait(self, timeout_s: float) -> set[Path]:
        """The watched directories nearest to what changed."""
        if self._root is not None and (self._task is None or self._task.done()):
            self._task = asyncio.get_running_loop().create_task(self._run(self._root))
        # Not `wait_for`: before Python 3.12 it swallows a cancellation that comes together with the event.
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._changed.wait()
        hints, self._hints = self._hints, set()
        self._changed.clear()
        return hints

    async def _run(self, root: Path) -> None:
        from watchfiles import awatch  # the package is not installed on Linux

        with suppress(OSError):  # the root is gone: the next wait tries again
            async for changes in awatch(root, step=20, debounce=100):
                self._hints |= {self._nearest(Path(path), root) for _, path in changes}
                self._changed.set()

    def _nearest(self, path: Path, root: Path) -> Path:
        return next((parent for parent in path.parents if parent in self._paths), root)

    def _end(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def close(self) -> None:
        """End the watch; its task ends by itself soon after."""
        self._end()
        self._root = None
        self._paths.clear()


def make_notifier(path: Path) -> tuple[Notifier, Mode, str]:
    """The best notifier for the directory `path`, its mode, and in polling mode the reason for a person."""
    silent = silent_filesystem(path)
    if silent is not None:
        return PollingNotifier(), "polling", f"{silent} does not tell of changes"
    try:
        notifier: Notifier = InotifyNotifier() if sys.platform == "linux" else WatchfilesNotifier()
    except (OSError, ImportError) as error:
        return PollingNotifier(), "polling", refusal(error)
    return notifier, "notify", ""


def refusal(error: Exception) -> str:
    """Why there are no notifications, in a few words, with the setting that would change it."""
    code = error.errno if isinstance(error, OSError) else None
    if code == errno.ENOSPC:
        return "no inotify watches left (fs.inotify.max_user_watches)"
    if code in (errno.EMFILE, errno.ENFILE):
        return "no inotify instances left (fs.inotify.max_user_instances)"
    return "notifications are not available here"


def _events(queued: bytes) -> Iterator[tuple[int, int]]:
    """Watch descriptor and mask of each event in what was read from inotify."""
    position = 0
    while position < len(queued):
        descriptor, mask, _cookie, name_size = _EVENT.unpack_from(queued, position)
        position += _EVENT.size + name_size
        yield descriptor, mask


def _resolve(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)
