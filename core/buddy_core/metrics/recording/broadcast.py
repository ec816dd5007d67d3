"""How the collector tells the world: callbacks that cannot hurt the recorder, and subscriptions."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

from buddy_core.clock import Clock
from buddy_core.metrics.recording.events import EVENT_NAMES, CollectorEvent, EventName, Payload, checked_name
from buddy_core.metrics.recording.subscription import Subscription

MOST_FAILURES = 10
"""Failures in a row after which a callback is not called any more."""

SLOW_MS = 50.0
"""A callback that holds the recorder up for longer than this has failed, and once more for each time as long."""

DEEPEST = 3
"""Callbacks that record, whose callbacks record …: beyond this depth callbacks are left out."""

_COROUTINE = 0x80
"""`inspect.CO_COROUTINE`, without importing inspect: the flag of an `async def`."""


class Listener:
    """One callback, and what became of it."""

    __slots__ = ("callback", "in_a_row")

    def __init__(self, callback: Callable[[CollectorEvent], object]) -> None:
        self.callback = callback
        self.in_a_row = 0
        """Failures since it last succeeded, a long one counted as several."""

    @property
    def disabled(self) -> bool:
        """True once it has failed too often in a row."""
        return self.in_a_row >= MOST_FAILURES

    def call(self, event: CollectorEvent, clock: Clock) -> bool:
        """Call it; False when it raised or was too slow. Whatever it does, the recorder goes on."""
        began = clock.monotonic_ms()
        raised = False
        try:
            self.callback(event)
        except Exception:  # noqa: BLE001 - a callback may raise whatever it likes
            raised = True
        took = clock.monotonic_ms() - began
        if raised or took > SLOW_MS:
            self.in_a_row += max(1, int(took / SLOW_MS))
            return False
        self.in_a_row = 0
        return True


class Broadcast:
    """Who listens to the collector. Lists are replaced, never changed: readers need no lock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._listeners: dict[EventName, tuple[Listener, ...]] = {}
        self._subscriptions: tuple[Subscription, ...] = ()
        self.names_wanted: frozenset[EventName] = frozenset()
        """Events that somebody would hear; others need not be built."""
        self._lock = threading.RLock()
        self._depth = threading.local()
        self.suppressed = 0
        """Callbacks left out because they were called from within callbacks too deeply."""
        self.failures = 0
        """Times a callback raised or was too slow."""

    def on(self, name: EventName, callback: Callable[[CollectorEvent], object]) -> Callable[[], None]:
        """Call `callback` with every event of this name; the result takes it back."""
        name = checked_name(name)
        if not callable(callback):
            raise TypeError(f"{callback!r} cannot be called")
        if getattr(getattr(callback, "__code__", None), "co_flags", 0) & _COROUTINE:
            raise TypeError("a callback runs in the recorder's thread; asynchronous code takes `subscribe`")
        listener = Listener(callback)
        with self._lock:
            self._listeners[name] = (*self._listeners.get(name, ()), listener)
            self._take_stock()

        def off() -> None:
            with self._lock:
                known = self._listeners.get(name, ())
                self._listeners[name] = tuple(other for other in known if other is not listener)
                self._take_stock()

        return off

    def subscribe(self, names: Iterable[EventName], maxsize: int) -> Subscription:
        """A new stream of the events named (none named: all)."""
        known: list[EventName] = [checked_name(name) for name in names]
        subscription = Subscription(known, maxsize=maxsize, on_close=self._forget)
        with self._lock:
            self._subscriptions = (*self._subscriptions, subscription)
            self._take_stock()
        return subscription

    def _take_stock(self) -> None:
        """Work out anew which events anybody hears; held under the lock after every change."""
        self.names_wanted = frozenset(
            name
            for name in EVENT_NAMES
            if self._listeners.get(name) or any(one.wants(name) for one in self._subscriptions)
        )

    def _forget(self, subscription: Subscription) -> None:
        with self._lock:
            self._subscriptions = tuple(one for one in self._subscriptions if one is not subscription)
            self._take_stock()

    def wanted(self, name: EventName) -> bool:
        """True when somebody would hear an event of this name; else it need not be built."""
        return name in self.names_wanted

    def send(self, name: EventName, payload: Payload) -> None:
        """Tell everybody; called without the collector's lock, in the recorder's thread."""
        event = CollectorEvent(name, payload)
        for subscription in self._subscriptions:
            if subscription.wants(name):
                subscription.push(event)
        listeners = self._listeners.get(name)
        if listeners:
            self._call(listeners, event)

    def _call(self, listeners: tuple[Listener, ...], event: CollectorEvent) -> None:
        depth: int = getattr(self._depth, "value", 0)
        if depth >= DEEPEST:
            with self._lock:
                self.suppressed += 1
            return
        self._depth.value = depth + 1
        try:
            for listener in listeners:
                if not listener.disabled and not listener.call(event, self._clock):
                    with self._lock:
                        self.failures += 1
        finally:
            self._depth.value = depth

    def after_fork(self) -> None:
        """In a child process: no lock is held by a thread that stayed with the parent."""
        self._lock = threading.RLock()
        for subscription in self._subscriptions:
            subscription.after_fork()

    def close(self) -> None:
        """End every stream and forget every callback."""
        with self._lock:
            self._listeners = {}
            self._take_stock()
        for subscription in self._subscriptions:
            subscription.close()
