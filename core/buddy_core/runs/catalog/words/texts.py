"""Which words stand in the files of a run: what the full-text index is made of, and how it is asked.

A word is a run of ASCII letters, digits and `_`, at least three of them, in small letters. What is asked for is a part
of such words; other letters are left to the files. The index may name a run too many, never one too few:
letters written as escapes are read both ways, and letters beyond ASCII that Python's search without case
takes for ASCII letters are written as those. Numbers are the one exception: `1e5` is found as it is written,
not as the 100000.0 that it means.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from buddy_core.runs.artifacts.files import list_artifacts
from buddy_core.runs.names import ARTIFACTS_NAME, EVENTS_NAME
from buddy_core.runs.searching.artifacts import MAX_ARTIFACT
from buddy_core.safety.paths import open_beneath

MAX_EVENTS = 256 * 1024 * 1024
"""Bytes of one event file that are read for the index; a run with a longer one is always searched itself."""

SEGMENT = 32 * 1024
"""Bytes whose words are one document: of long documents each has every group of letters, which says nothing."""

_BLOCK = 256 * 1024
_LONGEST_LINE = 2 * 1024 * 1024
_HEAD = 8192
_LETTERS = b"abcdefghijklmnopqrstuvwxyz0123456789_"
_FOLDED = bytes(sign if sign in _LETTERS else ord(" ") for sign in bytes(range(256)).lower())
_ALIKE = tuple(
    (sign.encode(), plain)
    for sign, plain in (("\u212a", b"k"), ("\u017f", b"s"), ("\u0131", b"i"), ("\u0130", b"i"))
)
_ESCAPE = re.compile(rb"\\u(00[2-7][0-9a-f]|212a|017f|013[01])", re.IGNORECASE)
_ALIKE_CODES = {0x212A: b"k", 0x17F: b"s", 0x130: b"i", 0x131: b"i"}
_WORD = re.compile(r"[a-z0-9_]{3,}", re.ASCII)


class Unindexable(Exception):
    """A run too long for the index, or with lines that are: it must always be searched itself."""


@dataclass(slots=True)
class TextReader:
    """Reads the events and artifacts of runs beneath `root` (a real path), and counts what it read."""

    root: Path
    read_bytes: int = 0

    def segments(self, run_id: str) -> Iterator[str]:
        """The different words of each piece of the run's files, a space between two; every line is in one piece.

        Files that cannot be read hold no words. Raises `Unindexable`.
        """
        found = {b"unnamed"}  # stands for tools without a name, and in no file
        size = 0
        for lines in self._pieces(run_id):
            found.update(_words(lines))
            size += len(lines)
            if size >= SEGMENT:
                yield _joined(found)
                found, size = set(), 0
        yield _joined(found)

    def _pieces(self, run_id: str) -> Iterator[bytes]:
        """All files of a run in pieces of whole lines, hardly longer than a segment."""
        yield from self._file((run_id, EVENTS_NAME), MAX_EVENTS)
        for info in list_artifacts(self.root / run_id):
            yield from self._file((run_id, ARTIFACTS_NAME, info.name), None)

    def _file(self, parts: tuple[str, ...], limit: int | None) -> Iterator[bytes]:
        read = 0
        for block in _blocks(self.root, parts):
            if limit is None and read == 0 and b"\0" in block[:_HEAD]:
                return  # no text: it is not searched either
            read += len(block)
            self.read_bytes += len(block)
            if limit is not None and read > limit:
                raise Unindexable
            at = 0
            while at < len(block):
                end = block.find(b"\n", at + SEGMENT) + 1 or len(block)
                yield block[at:end]
                at = end
            if limit is None and read > MAX_ARTIFACT:
                return  # no more of it is searched


def trigrams(text: str) -> frozenset[str]:
    """The groups of three letters that every file with this text must have; none means that any file may."""
    found = _WORD.findall(text.lower()) if text.isascii() else _WORD.findall(_only_ascii(text).lower())
    return frozenset(word[at : at + 3] for word in found for at in range(len(word) - 2))


def _only_ascii(text: str) -> str:
    return "".join(sign if sign.isascii() else " " for sign in text)


def _joined(words: Iterable[bytes]) -> str:
    return b" ".join(word for word in words if len(word) > 2).decode("ascii")


def _words(block: bytes) -> list[bytes]:
    """Words of a block of whole lines, some of them many times."""
    if not block.isascii():
        for sign, plain in _ALIKE:
            if sign in block:
                block = block.replace(sign, plain)
    words = block.translate(_FOLDED).split()
    if b"\\u" in block and _ESCAPE.search(block):
        words += _ESCAPE.sub(_unescaped, block).translate(_FOLDED).split()
    return words


def _unescaped(found: re.Match[bytes]) -> bytes:
    code = int(found.group(1), 16)
    return _ALIKE_CODES.get(code) or bytes([code])


def _blocks(root: Path, parts: tuple[str, ...]) -> Iterator[bytes]:
    """A file in blocks of whole lines; nothing when it is no plain file, or cannot be read."""
    try:
        fd = open_beneath(root, *parts)
    except (OSError, ValueError):
        return
    rest, size = b"", os.fstat(fd).st_size
    try:
        while chunk := _read(fd, size):
            cut = chunk.rfind(b"\n") + 1
            if cut:
                yield rest + chunk[:cut]
                rest = chunk[cut:]
            else:
                rest += chunk
                if len(rest) > _LONGEST_LINE:
                    raise Unindexable
    finally:
        os.close(fd)
    if rest:
        yield rest


def _read(fd: int, size: int) -> bytes:
    """The next bytes; asking a small file for no more than it has saves most of the time that takes."""
    try:
        return os.read(fd, min(size + 1, _BLOCK))
    except OSError:
        return b""
