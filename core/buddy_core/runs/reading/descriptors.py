"""A limit on open files: the least recently used descriptor is closed, its owner opens it again when needed.

Five hundred runs may be followed at once under `ulimit -n 40`. A descriptor is out of the pool while it is
being read, so closing an idle one never pulls a file away from a reader in another thread.
"""

from __future__ import annotations

import errno
import os
import resource
import threading
from collections import OrderedDict

LIMIT = 64
"""Descriptors kept open by default, where the process may have many."""

OUT_OF_DESCRIPTORS = frozenset({errno.EMFILE, errno.ENFILE})
"""Errors that mean: there is no descriptor left, in this process or at all. `clear` a pool and try again."""

_SHARE = 4
"""Of the descriptors that the process may have, the pool keeps one in so many at most."""


class DescriptorPool:
    """Idle descriptors by owner, oldest first; safe to use from several threads.

    Without a `limit` of its own it keeps `LIMIT`, and fewer where the process may have few (`ulimit -n`).
    """

    def __init__(self, limit: int | None = None) -> None:
        self._limit = limit
        self._idle: OrderedDict[object, int] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._idle)

    def __contains__(self, owner: object) -> bool:
        return owner in self._idle

    def take(self, owner: object) -> int | None:
        """Hand the owner its descriptor, which the pool then no longer knows; None when it was closed."""
        with self._lock:
            return self._idle.pop(owner, None)

    def put(self, owner: object, fd: int) -> None:
        """Keep `fd` for `owner`, and close the oldest ones beyond the limit."""
        with self._lock:
            self._idle[owner] = fd
            self._close_beyond(max(1, _usual_limit() if self._limit is None else self._limit))

    def clear(self) -> None:
        """Close every idle descriptor: the process has run out of them."""
        with self._lock:
            self._close_beyond(0)

    def _close_beyond(self, limit: int) -> None:
        while len(self._idle) > limit:
            os.close(self._idle.popitem(last=False)[1])


def _usual_limit() -> int:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return LIMIT if soft == resource.RLIM_INFINITY else min(LIMIT, soft // _SHARE)


SHARED = DescriptorPool()
"""The pool of tails that are given none of their own."""
