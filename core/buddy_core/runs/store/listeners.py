"""Who is told of each recorded event, in the process that records: callbacks that cannot hurt the recorder."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from buddy_core.runs.model import RunEvent

MOST_FAILURES = 10
"""Failures in a row after which a callback is not called any more."""

DEEPEST = 3
"""Callbacks that emit, whose callbacks emit …: beyond this depth callbacks are left out."""


class _Listener:
    __slots__ = ("callback", "in_a_row")

    def __init__(self, callback: Callable[[RunEvent], object]) -> None:
        self.callback = callback
        self.in_a_row = 0


class Listeners:
    """The callbacks of one store. The list is replaced, never changed: telling needs no lock."""

    def __init__(self) -> None:
        self.failures = 0
        """Times a callback raised."""
        self.suppressed = 0
        """Times callbacks were left out because they were called from within callbacks too deeply."""
        self.everybody: tuple[_Listener, ...] = ()
        """Whom `tell` tells; to be asked before it, where it would be called for nothing."""
        self._guard = threading.RLock()
        self._depth = threading.local()

    def add(self, callback: Callable[[RunEvent], object]) -> Callable[[], None]:
        """Call `callback` with every event from now on; the result takes it back, and may be called twice."""
        listener = _Listener(callback)
        with self._guard:
            self.everybody = (*self.everybody, listener)

        def remove() -> None:
            with self._guard:
                self.everybody = tuple(other for other in self.everybody if other is not listener)

        return remove

    def forget_in_child(self) -> None:
        """After fork: nobody in the child holds the lock that a thread of the parent may have held."""
        self._guard = threading.RLock()

    def tell(self, ts: int, type: str, run_id: str, data: object) -> None:
        """Hand an event that was acknowledged to everybody, in this thread; never raises."""
        listeners = self.everybody
        if not listeners:
            return
        depth: int = getattr(self._depth, "value", 0)
        if depth >= DEEPEST:
            self.suppressed += 1
            return
        self._depth.value = depth + 1
        try:
            event = RunEvent(ts, str(type), run_id, _payload(data))
            for listener in listeners:
                if listener.in_a_row < MOST_FAILURES:
                    self._call(listener, event)
        except Exception:  # noqa: BLE001 - only a hostile str() gets here, and the event is recorded already
            self.failures += 1
        finally:
            self._depth.value = depth

    def _call(self, listener: _Listener, event: RunEvent) -> None:
        try:
            listener.callback(event)
        except Exception:  # noqa: BLE001 - a callback may raise whatever it likes
            self.failures += 1
            listener.in_a_row += 1
        else:
            listener.in_a_row = 0


class EndListeners:
    """The callbacks that are told of a run before its end is recorded."""

    def __init__(self) -> None:
        self._callbacks: tuple[tuple[Callable[[str], object]], ...] = ()  # boxed, so that each is itself
        self._guard = threading.RLock()

    def add(self, callback: Callable[[str], object]) -> Callable[[], None]:
        """Call `callback` with the id of every run that ends; the result takes it back."""
        boxed = (callback,)
        with self._guard:
            self._callbacks = (*self._callbacks, boxed)

        def remove() -> None:
            with self._guard:
                self._callbacks = tuple(other for other in self._callbacks if other is not boxed)

        return remove

    def tell(self, run_id: str) -> None:
        """A run is about to end; never raises."""
        for (callback,) in self._callbacks:
            with suppress(Exception):
                callback(run_id)

    def forget_in_child(self) -> None:
        """After fork: nobody in the child holds the lock that a thread of the parent may have held."""
        self._guard = threading.RLock()


def _payload(data: object) -> Mapping[str, Any]:
    """`data` in the shape in which the event log stores it."""
    return data if isinstance(data, Mapping) else {} if data is None else {"value": data}
