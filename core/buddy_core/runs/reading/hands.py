"""Threads that do what may take for ever: reading files on a disk that has stopped answering.

No system call on a plain file can be given a deadline, and none can be taken back. So whoever must not wait gives
the work to a hand, waits for so long, and goes on without it. A hand that hangs is left to hang, another one takes
its place, and what it brings when it comes back after all is taken then.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from contextlib import suppress
from queue import SimpleQueue
from typing import Generic, NamedTuple, TypeVar

PATIENCE_S = 2.0
"""So long one step of an errand may take: a megabyte from a disk that is merely slow takes less."""

MOST_HANDS = 8
"""As many may hang at once; then nothing more is begun until one of them is back."""

T = TypeVar("T")
R = TypeVar("R")


class Piece(NamedTuple, Generic[T, R]):
    """One step that was done."""

    item: T
    result: R


class Errand(Generic[T, R]):
    """One step of `work` for each of `items`, in order, until there is `enough` of it."""

    def __init__(self, items: Sequence[T], work: Callable[[T], R], enough: Callable[[R], bool]) -> None:
        self.items = items
        self.over: Future[None] = Future()
        """Done when the hand is back; has the error that stopped it, if one did."""
        self._work, self._enough = work, enough
        self._lock = threading.Lock()
        self._fresh: list[Piece[T, R]] = []
        self.steps = 0
        """How many were done."""
        self._at = -1  # the item that was begun last
        self._ended = False

    def run(self) -> None:
        """Do it; called by a hand."""
        try:
            while (item := self._next()) is not None:
                self._did(item, self._work(item))
        except BaseException as error:  # noqa: BLE001 - it is raised where somebody waits for the errand
            self.over.set_exception(error)
        else:
            self.over.set_result(None)

    def give_up(self) -> T | None:
        """Wait no longer: nothing more of it is begun. Gives the item that hangs, if one does."""
        with self._lock:
            self._ended = True
            return self.items[self._at] if self._at >= self.steps else None

    def take(self) -> list[Piece[T, R]]:
        """What was done since this was last asked, and is not kept here any more; raises what stopped the hand."""
        with self._lock:
            fresh, self._fresh = self._fresh, []
        if self.over.done():
            self.over.result()
        return fresh

    def _next(self) -> T | None:
        with self._lock:
            if self._ended or self.steps == len(self.items):
                return None
            self._at = self.steps
            return self.items[self._at]

    def _did(self, item: T, result: R) -> None:
        with self._lock:
            self._fresh.append(Piece(item, result))
            self.steps += 1
            self._ended |= self._enough(result)


class Hands:
    """Some threads that share one queue of errands; there are never more of them than hang, and one."""

    def __init__(self, most: int = MOST_HANDS, patience_s: float = PATIENCE_S) -> None:
        self._most = most
        self.patience_s = patience_s
        """How long a step of an errand may take."""
        self._errands: SimpleQueue[Errand[object, object] | None] = SimpleQueue()
        self._threads = 0
        self._hanging = 0
        self._lock = threading.Lock()

    @property
    def free(self) -> bool:
        """False while as many hang as there may be."""
        return self._hanging < self._most

    def wait(self, errand: Errand[T, R]) -> T | None:
        """Have it done, and wait while it goes on; gives the item that hangs, if one does."""
        self._begin(errand)
        while not errand.over.done():
            steps = errand.steps
            wait((errand.over,), self.patience_s)
            if not errand.over.done() and errand.steps == steps:
                return self._leave(errand)
        return None

    async def wait_for(self, errand: Errand[T, R]) -> T | None:
        """The same while others of the loop go on; a cancelled wait leaves the hand to itself."""
        loop = asyncio.get_running_loop()
        turn = asyncio.Event()
        self._begin(errand)
        errand.over.add_done_callback(lambda _: tell(loop, turn.set))
        while not errand.over.done():
            steps = errand.steps
            timer = loop.call_later(self.patience_s, turn.set)  # one turn of the loop; a timeout takes three
            try:
                await turn.wait()
            except asyncio.CancelledError:
                errand.give_up()
                raise
            finally:
                timer.cancel()
            turn.clear()
            if not errand.over.done() and errand.steps == steps:
                return self._leave(errand)
        return None

    def close(self) -> None:
        """Let the threads end that do not hang; those that do end when they are back, or with the process."""
        over, self._errands, self._threads = self._errands, SimpleQueue(), 0
        over.put(None)

    def __del__(self) -> None:
        """Whoever forgets an observer without closing it leaves no thread behind."""
        self._errands.put(None)

    def _begin(self, errand: Errand[T, R]) -> None:
        if self._threads <= self._hanging:
            self._threads += 1
            # A daemon: the process must be able to end while a disk does not answer.
            threading.Thread(target=_serve, args=(self._errands,), name="buddy-top hand", daemon=True).start()
        self._errands.put(errand)  # type: ignore[arg-type] # a hand does not look at what it carries

    def _leave(self, errand: Errand[T, R]) -> T | None:
        hanging = errand.give_up()
        if hanging is not None:
            with self._lock:
                self._hanging += 1
            errand.over.add_done_callback(self._is_back)
        return hanging

    def _is_back(self, _: Future[None]) -> None:
        with self._lock:
            self._hanging -= 1


def tell(loop: asyncio.AbstractEventLoop, what: Callable[[], object]) -> None:
    """Have the loop do something soon, from any thread; nothing if it is closed by now."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(what)


def _serve(errands: SimpleQueue[Errand[object, object] | None]) -> None:
    while (errand := errands.get()) is not None:
        errand.run()
        del errand  # nothing of it is kept while there is no other
    errands.put(None)  # for the others
