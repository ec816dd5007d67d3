"""Locks after `fork()`: a child inherits them as they were, perhaps held by a thread that it does not have.

Every lock here is re-entrant: a signal handler may record while its thread does.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

T = TypeVar("T")


class Forked(Protocol):
    """Something that holds locks."""

    def after_fork(self) -> None:
        """Replace every lock; called in the child, where only one thread lives."""
        ...


_held: weakref.WeakSet[Forked] = weakref.WeakSet()


def renew_after_fork(owner: Forked) -> None:
    """Have `owner.after_fork()` called in every child process for as long as `owner` lives."""
    _held.add(owner)


def _renew() -> None:
    for owner in list(_held):
        owner.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)


class OnePerProcess(Generic[T]):
    """The one object of its kind in this process, made by `make` when somebody first asks."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._lock = threading.RLock()
        self._made: T | None = None
        renew_after_fork(self)

    def get(self) -> T:
        """The object; every caller gets the same until it is taken."""
        with self._lock:
            if self._made is None:
                self._made = self._make()
            return self._made

    def take(self) -> T | None:
        """The object, if it was made; the next `get` makes a new one."""
        with self._lock:
            made, self._made = self._made, None
            return made

    def after_fork(self) -> None:
        """In a child process: the lock is free again."""
        self._lock = threading.RLock()
