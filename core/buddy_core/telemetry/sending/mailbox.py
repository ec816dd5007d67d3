"""A bounded queue with a thread of its own behind it: who puts never waits, and what finds no room is counted.

The thread is a daemon, so a process whose back end hangs can still end. After `os.fork` the child begins with an empty queue: what its parent
had not sent yet stays the parent's to send.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections import Counter, deque
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

T = TypeVar("T")

SPELL_S = 0.001
"""Seconds that a thread behind a mailbox works without a rest while the host is at work too."""

_alive: weakref.WeakSet[Mailbox[Any]] = weakref.WeakSet()


class Mailbox(Generic[T]):
    """Hands what is put in to `handle`, in batches and in order, in one background thread.

    Args:
        name: Of the thread.
        handle: Takes a batch; what it raises is counted, and the batch with it.
        room: Items kept; what comes when it is full is dropped.
        batch: Most items handed over at once.
        delay_s: How long items are gathered before a batch is handed over.
    """

    def __init__(
        self, name: str, handle: Callable[[list[T]], None], *, room: int, batch: int, delay_s: float
    ) -> None:
        self._name = name
        self._handle = handle
        self._room = room
        self._batch = batch
        self._delay_s = delay_s
        self.lost: Counter[str] = Counter()
        self._counting = threading.Lock()
        self._begin_empty()
        _alive.add(self)

    def _begin_empty(self) -> None:
        self._items: deque[T] = deque()
        self._filled = threading.Event()
        self._hurry = threading.Event()
        self._idle = threading.Event()
        self._idle.set()
        self._counting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._in_hand = 0
        self._since = 0.0
        self._closed = False
        self.closing = False
        """True once nobody waits for a second try any more: the process is about to end."""

    def __len__(self) -> int:
        return len(self._items)

    @property
    def dropped(self) -> Mapping[str, int]:
        """Items lost so far, by reason."""
        return dict(self.lost)

    def put(self, item: T) -> bool:
        """Queue an item; False when it was dropped. Takes about a microsecond and never waits for the back end."""
        items = self._items
        if self._closed or len(items) >= self._room:
            self.lose("closed" if self._closed else "queue full")
            return False
        items.append(item)
        if not self._filled.is_set():
            self._wake()
        elif len(items) >= self._batch and not self._hurry.is_set():
            self._hurry.set()
        return True

    def lose(self, reason: str, count: int = 1) -> None:
        """Count items that will not arrive."""
        with self._counting:
            self.lost[reason] += count

    def _wake(self) -> None:
        self._idle.clear()
        self._filled.set()
        if self._thread is None:
            self.start()

    def start(self) -> None:
        """Have the thread ready before the first item: an interpreter that is ending starts no more."""
        with self._counting:
            if self._thread is not None:
                return
            thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            try:
                thread.start()
            except RuntimeError:
                return  # The interpreter is ending, or the machine is out of threads: items stay and are lost.
            self._thread = thread

    def _run(self) -> None:
        items, filled, hurry, idle = self._items, self._filled, self._hurry, self._idle
        while True:
            filled.wait()
            # Cleared here too: between the look at `filled` below and `idle.set()` an item may have come.
            idle.clear()
            hurry.wait(self._delay_s)
            hurry.clear()
            filled.clear()
            while items:
                self._take(items)
            if not filled.is_set():
                idle.set()
            if self._closed and not items:
                return

    def _take(self, items: deque[T]) -> None:
        self._in_hand = min(len(items), self._batch)
        batch = [items.popleft() for _ in range(self._in_hand)]
        try:
            self._handle(batch)
        except Exception as error:  # noqa: BLE001 - the thread must outlive whatever a batch contains
            self.lose(f"failed: {type(error).__name__}", len(batch))
        self._in_hand = 0

    def breathe(self) -> None:
        """To be called by `handle` between small pieces of work: lets the host's threads have the interpreter.

        A thread that computes keeps the interpreter for up to 5 ms at a time (`sys.getswitchinterval`), which is as long
        as a recorder may ever be held up. After `SPELL_S` of work this one rests as long.
        """
        now = time.monotonic()
        if now - self._since > SPELL_S:
            if not self.closing:
                time.sleep(SPELL_S)
            self._since = time.monotonic()

    def hasten(self) -> None:
        """Begin to hand over what waits, without waiting for it."""
        self._hurry.set()

    def give_up_retrying(self) -> None:
        """Hand over what waits, and let nothing be tried twice from now on: the end is near."""
        self.closing = True
        self.hasten()

    def flush(self, timeout_s: float) -> bool:
        """Wait until everything put so far was handled, at most `timeout_s` seconds; True when it was."""
        self.hasten()
        deadline = time.monotonic() + timeout_s
        while self._items or not self._idle.is_set():
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            self._hurry.set()
            self._idle.wait(min(left, 0.05))
        return True

    def close(self, timeout_s: float) -> bool:
        """Flush, then take nothing more; what is left over is counted as lost. True when nothing was."""
        self.give_up_retrying()
        done = self.flush(timeout_s)
        self._closed = True
        left = len(self._items) + (0 if done else self._in_hand)
        self._items.clear()
        if left:
            self.lose("not sent in time", left)
        self._filled.set()
        self._hurry.set()
        return done

    def _after_fork(self) -> None:
        closed = self._closed
        self.lost.clear()
        self._begin_empty()
        self._closed = closed


def _begin_anew_in_child() -> None:
    for mailbox in list(_alive):
        mailbox._after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew_in_child)
