"""A file of a run as it stands, line by line, at any size: where lines begin is noted now and then, the rest is looked up.

One mark for each piece that is read, some 16 bytes in 64 kB, so that a file of a million lines costs 60 kB and any of its
lines is found by reading one piece. Nothing is decoded but what is asked for.
"""

from __future__ import annotations

import os
from array import array
from bisect import bisect_right
from pathlib import Path
from typing import Final, Literal, NamedTuple

import msgspec

from buddy_core.safety.paths import open_beneath, stat_beneath

RawName = Literal["events.jsonl", "summary.json", "metrics.json"]
RAW_NAMES: Final[tuple[RawName, ...]] = ("events.jsonl", "summary.json", "metrics.json")

PIECE: Final = 64 * 1024

SHOWN_BYTES = 4_096
"""Of each line of a page."""

WHOLE_BYTES = 64 * 1024
"""Of the one line that is read as a whole; also the longest that is decoded to see whether it is damaged."""

LineState = Literal["ok", "damaged", "unfinished", "blank"]

_decode = msgspec.json.Decoder().decode


class RawLine(NamedTuple):
    """One line, without the newline that ends it."""

    number: int
    """From 0."""
    offset: int
    size: int
    """Bytes; more than `text` has where the line is long."""
    text: bytes
    """Its beginning, as it stands."""
    state: LineState
    """`ok` of a line too long to be decoded says only that it begins and ends like an object."""


class RawFile:
    """One file of one run; raises `OSError` from `open` when it is not there or no plain file. Close it.

    `grow` reads on; lines that were found stay where they are. A file that is replaced or becomes shorter
    is another one: `is_stale` says so, and whoever wants to go on opens it anew.
    """

    def __init__(self, run_dir: Path, name: RawName) -> None:
        self.name = name
        self._run_dir = run_dir
        self._fd = open_beneath(run_dir.parent, run_dir.name, name)
        self._inode = os.fstat(self._fd).st_ino
        self._numbers = array("q", [0])
        self._offsets = array("q", [0])
        self._ends = 0  # newlines so far
        self._last_start = 0
        self.read_bytes = 0
        """How far lines are known."""

    @property
    def size(self) -> int:
        """Bytes there are now."""
        return os.fstat(self._fd).st_size

    @property
    def lines(self) -> int:
        """Lines found so far, with one that is not finished."""
        return self._ends + (self.read_bytes > self._last_start)

    def is_stale(self) -> bool:
        """True when what stands under the name is not this file any more, or less of it."""
        try:
            found = stat_beneath(self._run_dir.parent, self._run_dir.name, self.name)
        except OSError:
            return True
        return found.st_ino != self._inode or found.st_size < self.read_bytes

    def grow(self, budget: int) -> bool:
        """Find lines in the next `budget` bytes; True when there are more."""
        end = self.read_bytes + budget
        while self.read_bytes < end:
            piece = os.pread(self._fd, PIECE, self.read_bytes)
            if not piece:
                return False
            self._take(piece)
        return self.size > self.read_bytes

    def page(self, first: int, count: int) -> list[RawLine]:
        """Lines `first` to `first + count`, as far as there are."""
        last = min(first + count, self.lines)
        number, offset = self._mark(max(0, first))
        found: list[RawLine] = []
        window, at = b"", offset
        while number < last:
            end = window.find(b"\n", offset - at) + at
            if end < at and (at < offset or not window):
                window, at = os.pread(self._fd, PIECE, offset), offset
                end = window.find(b"\n") + at
            if end < at:
                end = self._end_of(number)
            if number >= first:
                found.append(self._line(number, offset, end, SHOWN_BYTES))
            number, offset = number + 1, end + 1
        return found

    def line(self, number: int) -> RawLine | None:
        """One line with more of its text; None where there is none."""
        found = self.page(number, 1)
        return (
            None
            if not found
            else self._line(number, found[0].offset, found[0].offset + found[0].size, WHOLE_BYTES)
        )

    def find(self, needle: str, first: int, step: int, budget: int) -> tuple[int | None, int]:
        """The next line from `first` on (`step` 1) or back (-1) that holds all words of `needle`, in any case.

        Returns its number, or None, and where to look on; -1 when everything has been looked at. At most
        about `budget` bytes are read.
        """
        words = [word.encode("utf-8", "replace") for word in needle.casefold().split()]
        number = first
        while words and 0 <= number < self.lines and budget > 0:
            block, lines = self._block(number)
            order = range(number - block, len(lines)) if step > 0 else range(number - block, -1, -1)
            for at in order:
                text = lines[at].decode("utf-8", "replace").casefold().encode("utf-8", "replace")
                if all(word in text for word in words):
                    return block + at, block + at
            budget -= sum(map(len, lines)) + 1
            number = block + len(lines) if step > 0 else block - 1
        return None, number if words and 0 <= number < self.lines else -1

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._fd)

    def _take(self, piece: bytes) -> None:
        first = piece.find(b"\n")
        if first >= 0:
            self._numbers.append(self._ends + 1)
            self._offsets.append(self.read_bytes + first + 1)
            self._ends += piece.count(b"\n")
            self._last_start = self.read_bytes + piece.rfind(b"\n") + 1
        self.read_bytes += len(piece)

    def _mark(self, number: int) -> tuple[int, int]:
        """The last place known to begin a line at or before line `number`."""
        at = bisect_right(self._numbers, number) - 1
        return self._numbers[at], self._offsets[at]

    def _end_of(self, number: int) -> int:
        """Where a line ends in whose piece no newline is: the next mark is right behind it, or the file ends."""
        at = bisect_right(self._numbers, number)
        return self._offsets[at] - 1 if at < len(self._offsets) else self.read_bytes

    def _line(self, number: int, offset: int, end: int, limit: int) -> RawLine:
        size = end - offset
        text = os.pread(self._fd, min(size, WHOLE_BYTES), offset)
        state: LineState = "unfinished" if number >= self._ends else "ok"
        if state == "ok" and self.name == "events.jsonl":
            state = _state(text) if size <= WHOLE_BYTES else self._state_of_long(text, end)
        return RawLine(number, offset, size, text[:limit], state)

    def _state_of_long(self, beginning: bytes, end: int) -> LineState:
        last = os.pread(self._fd, 1, end - 1)
        return "ok" if beginning.startswith(b"{") and last == b"}" else "damaged"

    def _block(self, number: int) -> tuple[int, list[bytes]]:
        """The lines from the mark before `number` up to the next, each cut where one is very long."""
        at = bisect_right(self._numbers, number) - 1
        begin = self._offsets[at]
        end = self._offsets[at + 1] if at + 1 < len(self._offsets) else self.read_bytes
        block = os.pread(self._fd, min(end - begin, 16 * PIECE), begin)
        count = (self._numbers[at + 1] if at + 1 < len(self._numbers) else self.lines) - self._numbers[at]
        lines = block.split(b"\n")[:count]
        return self._numbers[at], lines + [b""] * (count - len(lines))


def _state(text: bytes) -> LineState:
    """Whether a line is one JSON object, and nothing else."""
    if not text.strip():
        return "blank"
    try:
        return "ok" if isinstance(_decode(text), dict) else "damaged"
    except (ValueError, RecursionError):
        return "damaged"
