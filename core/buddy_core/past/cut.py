"""A file of JSON lines as it stood at a moment: its lines up to the first that was written later.

Read with the reader that follows growing files, and fed with exactly the bytes that were there, so what it says
of damage is what was to be said then. A line whose last record came later is not there yet.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Generic

from buddy_core.past.moment import Believed
from buddy_core.runs.reading.accounting import Accounting
from buddy_core.runs.reading.jsonl import MAX_LINE, Batch, Dialect, LineReader, R
from buddy_core.runs.reading.tail import BUDGET, CHUNK, Change, Taker
from buddy_core.safety.paths import open_beneath


class CutFile(Generic[R]):
    """Grows with the moment, which only goes forward; to go back another one is made.

    Args:
        root: A directory without links in its path; nothing beneath it is followed.
        parts: The file beneath it.
        dialect: How its lines are read.
        time_of: The time that a record gives; None for none.
        believed: Which of those times count.
    """

    def __init__(
        self,
        root: Path,
        *parts: str,
        dialect: Dialect[R],
        time_of: Callable[[R], int | None],
        believed: Believed,
        chunk: int = CHUNK,
    ) -> None:
        self._root = root
        self._parts = parts
        self._time_of = time_of
        self._believed = believed
        self._chunk = chunk
        self._reader = LineReader(dialect)
        self._ahead: _Ahead | None = None
        self._looked: Batch[R] | None = None  # the whole of it, when all of it is due
        self._at_ms = 0
        self._most: int | None = None
        self.given = 0
        """Records handed out so far."""
        self.whole = False
        """The file was read to its end, or there is none."""

    @property
    def accounting(self) -> Accounting:
        """The account of what was there."""
        return self._reader.accounting()

    @property
    def last_at(self) -> int:
        """When the last record was written that was looked at."""
        return self._believed.last

    @property
    def due(self) -> bool:
        """True when there is more to read as of the moment, or there may be."""
        if self._ahead is None:
            return not self.whole
        return self._ahead.due(self._at_ms, self._most) > self._ahead.done

    @property
    def held_back(self) -> bool:
        """True when a record of the moment is not there because no more were asked for."""
        return self._ahead is not None and self._ahead.due(self._at_ms, None) > self._ahead.done

    def advance(self, at_ms: int, most: int | None = None) -> None:
        """Let the moment be `at_ms`; with `most` it is that of so many records, whatever the time."""
        self._at_ms, self._most = at_ms, most

    def poll(self, budget_bytes: int = BUDGET) -> Change[R]:
        """Read what was written between the moment before and this one, up to about `budget_bytes`."""
        batch: Batch[R] = Batch()
        more, problem = False, None
        if self.due:
            try:
                fd = open_beneath(self._root, *self._parts)
            except OSError as error:
                self.whole = True
                missing = isinstance(error, FileNotFoundError)
                problem = None if missing else f"{self._parts[-1]}: {error.strerror or error}"
            else:
                try:
                    more = self._read(fd, budget_bytes, batch)
                finally:
                    os.close(fd)
        self.given += len(batch)
        return Change(batch, self.accounting, more=more, problem=problem)

    def pass_on(self, budget_bytes: int, take: Taker[R]) -> Change[R]:
        """As `poll`, but the records go to `take`, and the change itself has none."""
        change = self.poll(budget_bytes)
        take(change.batch, False)
        return replace(change, batch=Batch())

    def close(self) -> None:
        """Nothing is kept open between two polls."""

    def _read(self, fd: int, budget: int, batch: Batch[R]) -> bool:
        before = self._reader.position
        while self._reader.position - before < budget:
            ahead = self._ahead or self._look(fd, self.given + len(batch))
            if ahead is None:
                self.whole = True
                return False
            if not self._take(ahead, batch):
                return False
        return True

    def _look(self, fd: int, given: int) -> _Ahead | None:
        """Read what comes next, to see when it was written; None at the end of the file.

        What is all due, as most is, goes straight into the reader's state and waits in `_ahead.batch`.
        """
        position, size = self._reader.position, self._chunk
        while True:
            data = os.pread(fd, size, position)
            end = data.rfind(b"\n") + 1
            if end or len(data) < size or size > MAX_LINE:
                break
            size *= 4
        if not data:
            return None
        if end and os.fstat(fd).st_size > position + len(data):
            data = data[:end]  # a line is there or not: never a half of it, unless the file ends so
        twin = self._reader.twin()
        batch = twin.feed(data)
        times = [self._believed.take(self._time_of(record)) for record in batch.events]
        self._ahead = _Ahead(data, position, batch.offsets, times, given)
        if self._ahead.due(self._at_ms, self._most) == len(times):
            self._reader, self._looked = twin, batch
        return self._ahead

    def _take(self, ahead: _Ahead, batch: Batch[R]) -> bool:
        """Hand out what is due of what was looked at; False when the rest came later."""
        due = ahead.due(self._at_ms, self._most)
        whole = due == len(ahead.times)
        if self._looked is not None:
            batch.extend(self._looked)
        else:
            end = len(ahead.data) if whole else ahead.line_of(due)
            batch.extend(self._reader.feed(ahead.data[self._reader.position - ahead.position : end]))
        self._looked = None
        ahead.done = due
        if whole:
            self._ahead = None
        return whole


class _Ahead:
    """A piece of the file of which not everything was there yet."""

    __slots__ = ("_before", "_offsets", "data", "done", "position", "times")

    def __init__(self, data: bytes, position: int, offsets: list[int], times: list[int], before: int) -> None:
        self.data = data
        self.position = position
        self.times = times
        """When each of its records was written; never less than the one before."""
        self.done = 0
        """Records of it that are due, though one that shares its line with a later one is not there yet."""
        self._offsets = offsets
        self._before = before  # records handed out before this piece

    def due(self, at_ms: int, most: int | None) -> int:
        """How many of the records have happened by a moment, or belong to the first `most` of the file."""
        if most is None:
            return bisect_right(self.times, at_ms)
        return max(0, min(len(self.times), most - self._before))

    def line_of(self, record: int) -> int:
        """Where in the piece the line begins that holds a record."""
        offset = max(0, self._offsets[record] - self.position)
        return self.data.rfind(b"\n", 0, offset) + 1
