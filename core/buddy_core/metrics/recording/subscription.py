"""A bounded stream of events for a consumer in any thread's event loop.

Nothing here imports asyncio for whoever only records: a subscription finds the event loop of whoever waits on it.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Self

from buddy_core.metrics.recording.events import CollectorEvent, EventName

if TYPE_CHECKING:
    import asyncio

BREATH = 64
"""Events a consumer takes in a row before its event loop gets a turn, however fast the recorder is."""


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
