"""Follow one growing file, whatever is done to it: appended to, truncated, rewritten, rotated, deleted.

Content that replaces other content begins a new generation, with an account of its own; nothing of two
generations ever meets in one record. A replacement is noticed by the inode, by a size below what was
read, and by comparing the first bytes and the last bytes read with what stands there now. The last are
read in the same call as the new bytes, so even a rewrite between two reads cannot be mistaken for growth.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeAlias

from buddy_core.runs.reading.descriptors import OUT_OF_DESCRIPTORS, SHARED, DescriptorPool
from buddy_core.runs.reading.jsonl import (
    EVENTS,
    MAX_LINE,
    Accounting,
    Batch,
    Dialect,
    LineReader,
    R,
    WireEvent,
)
from buddy_core.safety.paths import NotPlainFile, open_beneath, real_root, stat_beneath

CHUNK = 256 * 1024
"""Bytes asked for in one read."""

BUDGET = 4 * 1024 * 1024
"""Bytes after which one poll returns, so that a long file does not keep the others waiting."""

_HEAD = 256
_SEAM = 128


@dataclass(frozen=True, slots=True)
class Change(Generic[R]):
    """What one poll found."""

    batch: Batch[R]
    accounting: Accounting
    """Of the whole generation the batch belongs to, up to the end of the batch."""
    reset: bool = False
    """A new generation begins with this batch: everything before it is void."""
    gone: bool = False
    """The file existed and does not any more; all that could be read of it has been."""
    more: bool = False
    """Poll again at once: the budget was used up, or a new file waits behind the old one."""
    problem: str | None = None
    """Why the file cannot be read at present, in a few words; it is tried again at the next poll."""


Taker: TypeAlias = Callable[[Batch[R], bool], None]
"""Is told the records of a chunk, and whether a new generation begins with them, see `Change.reset`."""

TailChange: TypeAlias = Change[WireEvent]
"""What one poll of an event file found."""


class Tail(Generic[R]):
    """Follows `root/run_id/name`, or `root/name` without a run id, as records of one dialect.

    `root` may be the user's symbolic link and is resolved here, once; nothing beneath it is followed. Not
    to be polled from two threads at once. Without `places` the offsets of records are not noted.
    """

    def __init__(
        self,
        root: Path,
        run_id: str | None,
        name: str,
        *,
        dialect: Dialect[R],
        max_line: int = MAX_LINE,
        chunk: int = CHUNK,
        descriptors: DescriptorPool = SHARED,
        places: bool = True,
    ) -> None:
        self._root = real_root(root)
        self._parts = (name,) if run_id is None else (run_id, name)
        self._dialect = dialect
        self._places = places
        self._max_line = max_line
        self._chunk = chunk
        self._descriptors = descriptors
        self._fd: int | None = None  # only while polling; between polls the pool has it
        self._generation = 0
        self._file: tuple[int, int] | None = None  # device and inode of this generation
        self._reset_due = False  # a generation began that no change has told of yet
        self._taker: Taker[R] | None = None  # only while records are passed on
        self._begin()

    @property
    def accounting(self) -> Accounting:
        """The account of the present generation."""
        return self._reader.accounting()

    @property
    def position(self) -> int:
        """Bytes of the present generation that were read."""
        return self._reader.position

    def close(self) -> None:
        """Let go of the file; a later poll opens it again where it left off."""
        fd = self._descriptors.take(self)
        if fd is not None:
            os.close(fd)

    def poll(self, budget_bytes: int = BUDGET) -> Change[R]:
        """Read what is new, up to about `budget_bytes`. Never raises `OSError`: see `Change.problem`."""
        self._fd = self._descriptors.take(self)
        try:
            return self._poll(max(1, budget_bytes))
        except OSError as error:
            self._drop()
            return self._change(Batch(), problem=self._explain(error))
        finally:
            if self._fd is not None:
                self._descriptors.put(self, self._fd)
                self._fd = None

    def pass_on(self, budget_bytes: int, take: Taker[R]) -> Change[R]:
        """As `poll`, but the records of each chunk go to `take` at once, and the change itself has none.

        Whoever lets go of them before the next chunk is read works on memory that the processor still has at hand.
        """
        self._taker = take
        try:
            return self.poll(budget_bytes)
        finally:
            self._taker = None

    def _poll(self, budget: int) -> Change[R]:
        standing, problem = self._standing()
        if problem is not None:
            return self._drain(budget, problem=problem)
        if self._fd is not None and standing != _identity(os.fstat(self._fd)):
            return self._finish_old(budget, gone=standing is None)
        if standing is None:
            self._over = self._file is not None
            return self._change(Batch(), gone=self._over)
        return self._follow(budget)

    def _standing(self) -> tuple[tuple[int, int] | None, str | None]:
        """What stands under the name now: device and inode, None for nothing, or else the problem."""
        try:
            return _identity(stat_beneath(self._root, *self._parts)), None
        except FileNotFoundError:
            return None, None
        except OSError as error:
            if error.errno in OUT_OF_DESCRIPTORS and self._descriptors:
                self._descriptors.clear()
                return self._standing()
            return None, self._explain(error)

    def _follow(self, budget: int) -> Change[R]:
        if self._fd is None:
            self._fd = self._open()
        found = _identity(os.fstat(self._fd))
        if self._over or self._file not in (None, found) or self._rewritten(self._fd):
            self._begin()
            self._reset_due = True
        self._file = found
        batch: Batch[R] = Batch()
        try:
            more = self._read(self._fd, budget, batch)
        except _Rewritten:
            more = True
        return self._change(batch, more=more)

    def _finish_old(self, budget: int, *, gone: bool) -> Change[R]:
        """Read a file that lost its name to its end, then let it go."""
        change = self._drain(budget)
        if change.more:
            return change
        self._drop()
        self._over = True
        return self._change(change.batch, gone=gone, more=not gone)

    def _drain(self, budget: int, *, problem: str | None = None) -> Change[R]:
        batch: Batch[R] = Batch()
        more = False
        if self._fd is not None:
            with suppress(_Rewritten):
                more = self._read(self._fd, budget, batch)
        return self._change(batch, more=more, problem=problem)

    def _open(self) -> int:
        try:
            return open_beneath(self._root, *self._parts)
        except OSError as error:
            if error.errno not in OUT_OF_DESCRIPTORS:
                raise
            self._descriptors.clear()
            return open_beneath(self._root, *self._parts)

    def _begin(self) -> None:
        self._generation += 1
        self._reader = LineReader(
            self._dialect, max_line=self._max_line, generation=self._generation, places=self._places
        )
        self._head = b""
        self._seam = b""
        self._over = False  # the file is gone: what appears next under its name is another one

    def _rewritten(self, fd: int) -> bool:
        """True when what was read is no longer what stands there; a shorter file gives too few bytes to be equal."""
        if os.pread(fd, len(self._head), 0) != self._head:
            return True
        return os.pread(fd, len(self._seam), self.position - len(self._seam)) != self._seam

    def _read(self, fd: int, budget: int, batch: Batch[R]) -> bool:
        """Read into `batch`; True when the budget ended before the file did.

        An error after the first chunk is left for the next poll to meet, so that no record is lost to it.
        """
        begin = self.position
        while True:
            try:
                fresh = self._fresh(fd, min(self._chunk, budget))
            except (OSError, _Rewritten):
                if self.position == begin:
                    raise
                return True
            if fresh:
                self._take(fresh, batch)
                if fresh.endswith(b"\0"):
                    self._skip_hole(fd, batch)
            if not fresh or os.fstat(fd).st_size <= self.position:
                return False
            budget -= len(fresh)
            if budget <= 0:
                return True

    def _fresh(self, fd: int, wanted: int) -> bytes:
        overlap = len(self._seam)
        found = os.pread(fd, wanted + overlap, self.position - overlap)
        if not found.startswith(self._seam):
            raise _Rewritten
        return found[overlap:]

    def _take(self, fresh: bytes, batch: Batch[R]) -> None:
        if len(self._head) == self.position:
            self._head = (self._head + fresh[:_HEAD])[:_HEAD]
        self._seam = (self._seam + fresh[-_SEAM:])[-_SEAM:]
        self._enter(self._reader.feed(fresh), batch)

    def _enter(self, fed: Batch[R], batch: Batch[R]) -> None:
        if self._taker is None:
            batch.extend(fed)
        elif fed.events:
            reset, self._reset_due = self._reset_due, False
            self._taker(fed, reset)

    def _skip_hole(self, fd: int, batch: Batch[R]) -> None:
        """Pass over a hole of a sparse file without reading it."""
        size = _data_after(fd, self.position) - self.position
        if size > 0:
            self._enter(self._reader.feed_nul(size), batch)
            self._seam = (self._seam + bytes(min(size, _SEAM)))[-_SEAM:]

    def _drop(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _change(
        self, batch: Batch[R], *, gone: bool = False, more: bool = False, problem: str | None = None
    ) -> Change[R]:
        reset, self._reset_due = self._reset_due, False
        return Change(batch, self.accounting, reset=reset, gone=gone, more=more, problem=problem)

    def _explain(self, error: OSError) -> str:
        words = f"{error.kind}, not opened" if isinstance(error, NotPlainFile) else str(error.strerror)
        return f"{self._parts[-1]}: {words[:1].lower()}{words[1:]}"


class FileTail(Tail[WireEvent]):
    """Follows an event file: `FileTail(runs_dir, run_id, "events.jsonl")`."""

    def __init__(
        self,
        root: Path,
        run_id: str | None,
        name: str = "events.jsonl",
        *,
        max_line: int = MAX_LINE,
        chunk: int = CHUNK,
        descriptors: DescriptorPool = SHARED,
    ) -> None:
        super().__init__(
            root, run_id, name, dialect=EVENTS, max_line=max_line, chunk=chunk, descriptors=descriptors
        )


class _Rewritten(Exception):
    """The bytes just before the place to read from are no longer those that were read."""


def _identity(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino


def _data_after(fd: int, position: int) -> int:
    """Where the next bytes that are stored begin: `position` itself where the file has no hole there."""
    seek_data = getattr(os, "SEEK_DATA", None)
    if seek_data is None:
        return position
    try:
        return os.lseek(fd, position, seek_data)
    except OSError as error:  # ENXIO: nothing is stored from here to the end
        return os.fstat(fd).st_size if error.errno == errno.ENXIO else position
