"""How the collector tells the world: callbacks that cannot hurt the recorder, and bounded async subscriptions.

Nothing here imports asyncio: a subscription finds the event loop of whoever waits on it.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self, get_args

from buddy_core.clock import Clock
from buddy_core.metrics.model import ApiRequest, ErrorRecord, SessionMetrics, ToolExecution

if TYPE_CHECKING:
    import asyncio

EventName = Literal[
    "metric", "api:request", "tool:executed", "error", "session:started", "session:ended", "reset"
]

EVENT_NAMES: tuple[EventName, ...] = get_args(EventName)
"""Every name there is."""

MOST_FAILURES = 10
"""Failures in a row after which a callback is not called any more."""

SLOW_MS = 50.0
"""A callback that holds the recorder up for longer than this has failed, and once more for each time as long."""

DEEPEST = 3
"""Callbacks that record, whose callbacks record …: beyond this depth callbacks are left out."""

_COROUTINE = 0x80
"""`inspect.CO_COROUTINE`, without importing inspect: the flag of an `async def`."""

BREATH = 64
"""Events a consumer takes in a row before its event loop gets a turn, however fast the recorder is."""


@dataclass(frozen=True, slots=True)
class MetricRecorded:
    """A value was recorded; the payload of `metric`."""

    name: str
    """`history` when a whole batch was absorbed; the value is then the number of its items."""
    timestamp: int
    value: float
    labels: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CollectorReset:
    """Everything was set back to nothing; the payload of `reset`."""

    timestamp: int


Payload = MetricRecorded | ApiRequest | ToolExecution | ErrorRecord | SessionMetrics | CollectorReset


@dataclass(frozen=True, slots=True)
class CollectorEvent:
    """One thing that happened, under the name it can be subscribed to."""

    name: EventName
    payload: Payload


def checked_name(name: object) -> EventName:
    """`name` if there are events of that name; raises `ValueError` for any other, which would never be heard."""
    for known in EVENT_NAMES:
        if name == known:
            return known
    raise ValueError(f"there is no event {name!r}; there are {', '.join(EVENT_NAMES)}")


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


class Subscription:
    """A bounded stream of events for one consumer, in whichever thread or event loop it lives.

    For one consumer. Use as `async with collector.subscribe() as events: async for event in events: …`. A consumer that
    is slower than the recorder loses the oldest events, and `dropped` says how many. The recorder
    appends to a deque; the consumer's loop is woken only if it waits, and once for a burst.
    """

    def __init__(
        self, events: Iterable[EventName], *, maxsize: int, on_close: Callable[[Subscription], None]
    ) -> None:
        self.events = frozenset(events)
        """Names it takes; empty: all."""
        self.dropped = 0
        """Events lost because the consumer was slower than the recorder."""
        self._queue: deque[CollectorEvent] = deque()
        self._room = max(1, maxsize)
        # Re-entrant, as the collector's: a signal handler may record while its thread hands an event over.
        self._lock = threading.RLock()
        self._closed = False
        self._on_close = on_close
        self._taken = 0
        self._waiter: tuple[asyncio.AbstractEventLoop, asyncio.Event] | None = None

    def wants(self, name: EventName) -> bool:
        """True when events of this name are taken."""
        return not self.events or name in self.events

    def push(self, event: CollectorEvent) -> None:
        """Hand an event over; called by the collector from any thread, never blocks, never raises."""
        with self._lock:
            if self._closed:
                return
            if len(self._queue) >= self._room:
                self._queue.popleft()
                self.dropped += 1
            self._queue.append(event)
            waiter, self._waiter = self._waiter, None
        _wake(waiter)

    def drain(self) -> list[CollectorEvent]:
        """Everything that waits, oldest first, without waiting for more."""
        with self._lock:
            events = list(self._queue)
            self._queue.clear()
        return events

    def close(self) -> None:
        """End the stream: a waiting consumer's loop ends, and nothing more is queued."""
        with self._lock:
            self._closed = True
            waiter, self._waiter = self._waiter, None
        _wake(waiter)
        self._on_close(self)

    def after_fork(self) -> None:
        """In a child process: locks are free again, and the loop that waited is the parent's."""
        self._lock = threading.RLock()
        self._waiter = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> CollectorEvent:
        import asyncio

        self._taken += 1
        if self._taken % BREATH == 0:
            await asyncio.sleep(0)
        while True:
            with self._lock:
                if self._queue:
                    return self._queue.popleft()
                if self._closed:
                    raise StopAsyncIteration
                # Word is left under the lock, so that no event slips by between looking and waiting.
                if self._waiter is None or self._waiter[0] is not asyncio.get_running_loop():
                    self._waiter = (asyncio.get_running_loop(), asyncio.Event())
                ready = self._waiter[1]
            await ready.wait()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _wake(waiter: tuple[asyncio.AbstractEventLoop, asyncio.Event] | None) -> None:
    if waiter is None:
        return
    try:
        waiter[0].call_soon_threadsafe(waiter[1].set)
    except RuntimeError:
        # The consumer's loop is gone; nobody is left to wake.
        return


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
