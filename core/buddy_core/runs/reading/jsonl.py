"""A bounded reader of JSON lines: chunks of bytes in, records with their places out, every byte accounted.

A chunk of lines is cut, hashed and decoded in a few passes that run in C; only a line that the strict
decoder refuses leaves that path for `salvage`. Memory is bounded by the chunk and `max_line`: a longer
line is skipped while it streams by, and a run of NUL bytes at the beginning of a line is never kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from copy import copy, deepcopy
from dataclasses import dataclass, field
from io import BytesIO
from itertools import accumulate
from typing import TYPE_CHECKING, Generic, TypeAlias

from buddy_core.runs.reading.accounting import Accounting, Ledger, Reason
from buddy_core.runs.records.wire import EVENTS, Dialect, EventDialect, R, StructDialect, WireEvent, payload

if TYPE_CHECKING:
    from buddy_core.runs.reading.salvage import Piece

__all__ = [
    "EVENTS",
    "MAX_LINE",
    "Accounting",
    "Batch",
    "Dialect",
    "EventBatch",
    "EventDialect",
    "JsonlReader",
    "LineReader",
    "R",
    "StructDialect",
    "WireEvent",
    "payload",
]

MAX_LINE = 1024 * 1024
"""Bytes of the longest line that is read; the library's own writer never makes a longer one."""


@dataclass(slots=True)
class Batch(Generic[R]):
    """Records in file order, in three parallel lists."""

    events: list[R] = field(default_factory=list)
    identities: list[int] = field(default_factory=list)
    """A hash of each record's bytes, and of a newline: equal for equal bytes, within this process only."""
    offsets: list[int] = field(default_factory=list)
    """Where each record begins in the file, in bytes; empty where the reader was told not to note it."""

    def __len__(self) -> int:
        return len(self.events)

    def extend(self, other: Batch[R]) -> None:
        """Append the records of `other`."""
        self.events += other.events
        self.identities += other.identities
        self.offsets += other.offsets


EventBatch: TypeAlias = Batch[WireEvent]
"""Records of `events.jsonl`."""


class LineReader(Generic[R]):
    """Turns the bytes of one generation of one file into records; any split into chunks gives the same."""

    def __init__(
        self, dialect: Dialect[R], *, max_line: int = MAX_LINE, generation: int = 1, places: bool = True
    ) -> None:
        self._dialect = dialect
        self._places = places
        self._max_line = max_line
        self._generation = generation
        self._ledger = Ledger()
        self._parts: list[bytes] = []  # the unterminated line; joined once, when its newline comes
        self._pending = 0
        self._after_nul = False  # the unterminated line began with NUL bytes, which are accounted already
        self._oversize = False  # inside a line that is too long: skip to its newline
        self._previous: R | None = None

    @property
    def position(self) -> int:
        """Bytes fed so far: the file offset of the next chunk."""
        return self._ledger.seen

    @property
    def pending(self) -> int:
        """Bytes held back until the newline of their line comes."""
        return self._pending

    def accounting(self) -> Accounting:
        """The account of everything fed so far."""
        return self._ledger.close(self._generation, self._pending)

    def twin(self) -> LineReader[R]:
        """Another reader in the same state: what one of them is fed, the other knows nothing of."""
        other = copy(self)
        other._ledger = deepcopy(self._ledger)
        other._parts = list(self._parts)
        return other

    def feed(self, chunk: bytes) -> Batch[R]:
        """Take the next bytes of the file and return the records whose lines they complete."""
        batch: Batch[R] = Batch()
        self._ledger.seen += len(chunk)
        chunk = self._leave_oversize(chunk)
        lines = BytesIO(chunk).readlines()  # with their newlines; splitting looks at each byte by itself
        rest = b"" if chunk.endswith(b"\n") or not lines else lines.pop()
        if lines:
            start = self.position - len(chunk) - self._pending
            lines[0] = b"".join([*self._parts, lines[0]])
            self._read_lines(lines, self._screened(chunk, lines), start, batch)
            self._hold_nothing()
        self._hold(rest)
        return batch

    def feed_nul(self, size: int) -> Batch[R]:
        """Take `size` NUL bytes that nobody had to read: a hole in a sparse file."""
        if size <= 0 or (self._pending and self._pending + size <= self._max_line):
            return self.feed(bytes(max(0, size)))
        self._ledger.seen += size
        if self._oversize:
            self._ledger.extend("oversize", size)
        elif self._pending:
            self._enter_oversize(size)
        else:
            self._skip_nul(size)
        return Batch()

    def _leave_oversize(self, chunk: bytes) -> bytes:
        if not self._oversize:
            return chunk
        end = chunk.find(b"\n") + 1
        self._oversize = end == 0
        skipped = end or len(chunk)
        self._ledger.extend("oversize", skipped)
        return chunk[skipped:]

    def _enter_oversize(self, more: int = 0) -> None:
        self._skip_long(self._pending + more)
        self._hold_nothing()
        self._oversize = True

    def _skip_long(self, size: int) -> None:
        self._ledger.skip("oversize", size)
        self._ledger.skipped_lines += 1

    def _hold_nothing(self) -> None:
        self._parts = []
        self._pending = 0
        self._after_nul = False

    def _hold(self, rest: bytes) -> None:
        if not self._pending and rest.startswith(b"\0"):
            kept = rest.lstrip(b"\0")
            self._skip_nul(len(rest) - len(kept))
            rest = kept
        if rest:
            self._parts.append(rest)
            self._pending += len(rest)
        if self._pending > self._max_line:
            self._enter_oversize()

    def _skip_nul(self, size: int) -> None:
        enter = self._ledger.extend if self._after_nul else self._ledger.skip
        enter("nul", size)
        self._after_nul = True

    def _read_lines(self, lines: list[bytes], screened: list[bytes], start: int, batch: Batch[R]) -> None:
        sizes = list(map(len, lines))
        stream = map(self._dialect.bulk, screened)
        starts = list(accumulate(sizes, initial=start)) if self._places else []
        done = 0
        while done < len(lines):
            bad = done + _take(stream, batch.events)
            batch.identities += map(hash, lines[done:bad])
            if self._places:
                batch.offsets += starts[done:bad]
            self._ledger.delivered += sum(sizes[done:bad])
            if bad < len(lines):
                starts = starts or list(accumulate(sizes, initial=start))
                self._read_line(lines[bad], screened[bad], starts[bad], batch, first=bad == 0)
            done = bad + 1
        if batch.events:
            self._previous = batch.events[-1]

    def _read_line(self, line: bytes, screened: bytes, start: int, batch: Batch[R], *, first: bool) -> None:
        """Read a line that `bulk` refuses: it is damaged, or `strict` takes it; `first` of its chunk."""
        try:
            record = self._dialect.strict(screened)
        except (ValueError, RecursionError):
            self._salvage(line[:-1], start, batch, after_nul=self._after_nul and first)
            return
        batch.events.append(record)
        self._enter(line[:-1], start, batch)
        self._ledger.delivered += 1

    def _enter(self, text: bytes, start: int, batch: Batch[R]) -> None:
        """Account for the bytes of a record that begins at `start`."""
        batch.identities.append(hash(text + b"\n"))  # as of a whole line
        if self._places:
            batch.offsets.append(start)
        self._ledger.delivered += len(text)

    def _screened(self, chunk: bytes, lines: list[bytes]) -> list[bytes]:
        """`lines` with those emptied that must not reach the strict decoder, which refuses an empty line.

        They are those of `chunk`, the first of them perhaps with a beginning from before.
        """
        screened, first = lines, lines[0]
        if len(chunk) + len(first) > self._max_line and max(map(len, lines)) > self._max_line + 1:
            screened = [line if len(line) <= self._max_line + 1 else b"" for line in screened]
        if not ((chunk.isascii() or _is_utf8(chunk)) and (first.isascii() or _is_utf8(first))):
            # The decoder does not look inside `data`.
            screened = [line if _is_utf8(line) else b"" for line in screened]
        return [b"", *screened[1:]] if self._after_nul else screened

    def _salvage(self, line: bytes, start: int, batch: Batch[R], *, after_nul: bool) -> None:
        """Read a line the decoder refused; `after_nul`: NUL bytes before it are accounted already."""
        from buddy_core.runs.reading.salvage import dissect  # most files have no such line

        text = line.lstrip(b"\0")
        if len(text) < len(line):
            enter = self._ledger.extend if after_nul else self._ledger.skip
            enter("nul", len(line) - len(text))
            after_nul = True
        if len(text) > self._max_line:
            self._skip_long(len(text) + 1)
            return
        previous = batch.events[-1] if batch.events else self._previous
        pieces = dissect(
            text, self._dialect, previous, self._ledger.mend, file_start=start == 0 and not after_nul
        )
        self._enter_pieces(pieces, text, start + len(line) - len(text), batch, after_nul)

    def _enter_pieces(
        self, pieces: list[Piece[R]], text: bytes, start: int, batch: Batch[R], after_nul: bool
    ) -> None:
        records = [piece for piece in pieces if piece.record is not None]
        for piece in pieces:
            if piece.reason is not None:
                self._ledger.skip(piece.reason, piece.end - piece.start)
        for piece in records:
            self._enter(text[piece.start : piece.end], start + piece.start, batch)
        batch.events += [piece.record for piece in records if piece.record is not None]
        damage = {piece.reason for piece in pieces} - {None, "blank", "bom"}
        self._end_line(len(records), damaged=bool(damage) or after_nul, last=_last_reason(pieces, after_nul))

    def _end_line(self, records: int, *, damaged: bool, last: Reason) -> None:
        """Enter the newline, with the records or else with what was skipped last."""
        if not records:
            self._ledger.extend(last, 1)
            self._ledger.skipped_lines += damaged
            return
        self._ledger.delivered += 1
        if damaged or records > 1:
            self._ledger.mend("recovered", records)


class JsonlReader(LineReader[WireEvent]):
    """A `LineReader` for `events.jsonl`."""

    def __init__(self, *, max_line: int = MAX_LINE) -> None:
        super().__init__(EVENTS, max_line=max_line)


def _take(stream: Iterable[R], events: list[R]) -> int:
    """Append what `stream` gives until it ends or a line fails; returns how many there were."""
    before = len(events)
    with suppress(ValueError, RecursionError):
        events.extend(stream)  # keeps what came before the failure, and the stream goes on after it
    return len(events) - before


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _last_reason(pieces: list[Piece[R]], after_nul: bool) -> Reason:
    reason = pieces[-1].reason if pieces else None
    if after_nul and reason in (None, "blank"):
        return "nul"
    return reason or "blank"
