"""The store that code without one at hand records into, and the one that a whole process shares."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from buddy_core.runs.store.store import RunStore

_guard = threading.RLock()
_active: RunStore | None = None
_chosen = False  # by hand, so that no start or end of a run changes it
_shared: RunStore | None = None


def set_active_run_store(store: RunStore | None) -> None:
    """Make `store` the active one until another is chosen or it is closed; None lets go of the choice.

    Without a choice a store is active while it has a run open: the one in which a run was started last.
    """
    global _active, _chosen
    with _guard:
        _active, _chosen = store, store is not None


def get_active_run_store() -> RunStore | None:
    """The active store, for tools that are not handed one; None when nothing is being recorded."""
    return _active


def run_started(store: RunStore) -> None:
    """A run began in `store`."""
    global _active
    with _guard:
        if not _chosen:
            _active = store


def nothing_open(store: RunStore) -> None:
    """The last open run of `store` has ended."""
    global _active
    with _guard:
        if _active is store and not _chosen:
            _active = None


def closed(store: RunStore) -> None:
    """`store` is not used any more, chosen or not."""
    global _active, _chosen, _shared
    with _guard:
        if _active is store:
            _active, _chosen = None, False
        if _shared is store:
            _shared = None


def shared_store(kind: type[RunStore]) -> RunStore:
    """The process's store, made at the first call from the environment as it is then."""
    global _shared
    with _guard:
        if _shared is None:
            _shared = kind()
        return _shared


def reset_run_store() -> None:
    """Close the process's store; the next `RunStore.get_instance()` makes a new one. For tests."""
    store = _shared
    if store is not None:
        store.close()


def _forget_in_child() -> None:
    """After fork: what recorded in the parent records nothing here, and the lock may be held by no one."""
    global _guard, _active
    _guard = threading.RLock()
    if not _chosen:
        _active = None


os.register_at_fork(after_in_child=_forget_in_child)
