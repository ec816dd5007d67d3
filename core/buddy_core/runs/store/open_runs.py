"""The runs that one store is writing, and which of them is the current one."""

from __future__ import annotations

import threading
from contextvars import ContextVar

from buddy_core.runs.writing.writer import RunWriter

_MAX_REMEMBERED = 1_000


class _Link:
    """A run that was started in some context (a thread, an asyncio task), and the one it was started in."""

    __slots__ = ("outer", "run_id", "writers")

    def __init__(self, writers: dict[str, RunWriter], run_id: str, outer: _Link | None) -> None:
        self.writers = writers
        self.run_id = run_id
        self.outer = outer


_started_here: ContextVar[_Link | None] = ContextVar("buddy_core_started_here", default=None)


class OpenRuns:
    """Writers by run id, in the order in which they were started; safe to use from several threads.

    The current run is the newest that was started in the calling context and is open: agents that work in
    tasks of one event loop each have their own. Where none was, it is the newest of all.
    """

    def __init__(self) -> None:
        self.writers: dict[str, RunWriter] = {}
        """To be read without a lock, and changed by `add`, `pop` and `drain` only."""
        self._order: list[str] = []  # ended runs are dropped when they come to the end of it
        self._newest: str | None = None
        self._ended: dict[str, None] = {}
        self._guard = threading.RLock()

    @property
    def current(self) -> str | None:
        """The id of the current run; costs the same however many runs are open."""
        link = _started_here.get()
        while link is not None:
            if link.writers is self.writers and link.run_id in self.writers:
                return link.run_id
            link = link.outer
        return self._newest

    def add(self, writer: RunWriter) -> None:
        """A run begins."""
        with self._guard:
            self.writers[writer.run_id] = writer
            self._order.append(writer.run_id)
            self._newest = writer.run_id
        _started_here.set(_Link(self.writers, writer.run_id, _open_link()))

    def pop(self, run_id: str) -> RunWriter | None:
        """The writer of a run that ends, for exactly one caller; None for all others."""
        with self._guard:
            writer = self.writers.pop(run_id, None)
            if writer is not None:
                self._remember(run_id)
                while self._order and self._order[-1] not in self.writers:
                    self._order.pop()
                self._newest = self._order[-1] if self._order else None
        return writer

    def drain(self) -> list[RunWriter]:
        """Every writer; none is open any more."""
        with self._guard:
            writers = list(self.writers.values())
            self._forget_all()
        return writers

    def has_ended(self, run_id: str) -> bool:
        """True for a run that this store has ended or let go of; of those long past it is forgotten."""
        return run_id in self._ended

    def forget_in_child(self) -> None:
        """After fork: the runs are the parent's, and so may be the lock."""
        self._guard = threading.RLock()
        self._forget_all()

    def _forget_all(self) -> None:
        for run_id in self.writers:
            self._remember(run_id)
        self.writers.clear()
        self._order.clear()
        self._newest = None

    def _remember(self, run_id: str) -> None:
        self._ended[run_id] = None
        if len(self._ended) > _MAX_REMEMBERED:
            del self._ended[next(iter(self._ended))]


def _open_link() -> _Link | None:
    """The innermost run of this context that is open, so that chains grow only with runs within runs."""
    link = _started_here.get()
    while link is not None and link.run_id not in link.writers:
        link = link.outer
    return link
