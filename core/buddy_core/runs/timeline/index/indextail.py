"""Follows one event file with an index: a piece at a time, so that whoever does it can stop, wait or show how far."""

from __future__ import annotations

from pathlib import Path

from buddy_core.runs.names import EVENTS_NAME
from buddy_core.runs.reading.accounting import Accounting
from buddy_core.runs.reading.tail import Tail
from buddy_core.runs.timeline.index.eventindex import EventIndex
from buddy_core.runs.timeline.index.indexing import Indexer
from buddy_core.runs.timeline.index.indexlines import INDEX_LINES

PIECE = 256 * 1024
"""Bytes read and indexed at once: a few milliseconds."""


class IndexTail:
    """The index of `root/run_id/events.jsonl` as far as it has been read. Not to be grown from two threads at once."""

    def __init__(self, root: Path, run_id: str) -> None:
        self.index = EventIndex()
        """Another object from the moment on at which the file was replaced by another one."""
        self.problem: str | None = None
        """Why the file cannot be read at present."""
        self.more = True
        """There is more to read at once."""
        self._indexer = Indexer(self.index)
        self._tail = Tail(root, run_id, EVENTS_NAME, dialect=INDEX_LINES)
        self.accounting: Accounting = self._tail.accounting
        """Of everything that was read."""

    @property
    def position(self) -> int:
        """Bytes of the file that were read."""
        return self._tail.position

    def grow(self, budget: int = PIECE) -> bool:
        """Read on, about `budget` bytes; `more` tells whether that was all. True where anything is new."""
        change = self._tail.poll(budget)
        if change.reset:
            self.index = EventIndex()
            self._indexer = Indexer(self.index)
        self._indexer.feed(change.batch)
        self.accounting, self.more = change.accounting, change.more
        changed = change.reset or bool(change.batch.events) or change.problem != self.problem
        self.problem = change.problem
        return changed

    def close(self) -> None:
        """Let go of the file; growing opens it again where it left off."""
        self._tail.close()


def index_run(root: Path, run_id: str) -> EventIndex:
    """The index of a whole run, read at once."""
    tail = IndexTail(root, run_id)
    try:
        while tail.more:
            tail.grow()
        return tail.index
    finally:
        tail.close()
