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
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from buddy_core.runs.artifacts import ARTIFACTS_NAME, list_artifacts
from buddy_core.runs.viewing.search import MAX_ARTIFACT
from buddy_core.runs.writing.eventlog import EVENTS_NAME
from buddy_core.safety.paths import open_beneath

MAX_WORDS = 1_000_000
"""Different words kept of one run; a run with more is always searched in its files."""

MAX_EVENTS = 1024 * 1024 * 1024
"""Bytes of one event file that are read for the index; a longer one is always searched itself."""

_BLOCK = 1024 * 1024
_HEAD = 8192
_SEAM = 1_000  # what is asked for is no longer
_LETTERS = b"abcdefghijklmnopqrstuvwxyz0123456789_"
_FOLDED = bytes(sign if sign in _LETTERS else ord(" ") for sign in bytes(range(256)).lower())
_ALIKE = tuple(
    (sign.encode(), plain)
    for sign, plain in (("\u212a", b"k"), ("\u017f", b"s"), ("\u0131", b"i"), ("\u0130", b"i"))
)
_ESCAPE = re.compile(rb"\\u(00[2-7][0-9a-f]|212a|017f|013[01])", re.IGNORECASE)
_ALIKE_CODES = {0x212A: b"k", 0x17F: b"s", 0x130: b"i", 0x131: b"i"}
_WORD = re.compile(r"[a-z0-9_]{3,}", re.ASCII)


class TextWords(NamedTuple):
    """The words of one run."""

    words: str
    """Different ones, a space between two."""
    size: int
    """Bytes read."""
    complete: bool
    """False when the run must always be searched itself."""


def words_in_files(root: Path, run_id: str) -> TextWords:
    """Read the events and artifacts of a run beneath `root` (a real path). Files that cannot be read hold none."""
    found = {b"unnamed"}  # stands for tools without a name, and in no file
    size = 0
    files: list[tuple[tuple[str, ...], int]] = [((run_id, EVENTS_NAME), MAX_EVENTS)]
    files += [
        ((run_id, ARTIFACTS_NAME, info.name), MAX_ARTIFACT + _BLOCK) for info in list_artifacts(root / run_id)
    ]
    for parts, limit in files:
        for block in _blocks(root, parts):
            if parts[1] == ARTIFACTS_NAME and b"\0" in block[:_HEAD]:
                break  # no text: it is not searched either
            found.update(_words(block))
            size, limit = size + len(block), limit - len(block)
            if len(found) > MAX_WORDS or (limit < 0 and parts[1] == EVENTS_NAME):
                return TextWords("", size, False)
            if limit < 0:
                break
    return TextWords(b" ".join(word for word in found if len(word) > 2).decode("ascii"), size, True)


def trigrams(text: str) -> frozenset[str]:
    """The groups of three letters that every file with this text must have; none means that any file may."""
    found = _WORD.findall(text.lower()) if text.isascii() else _WORD.findall(_only_ascii(text).lower())
    return frozenset(word[at : at + 3] for word in found for at in range(len(word) - 2))


def _only_ascii(text: str) -> str:
    return "".join(sign if sign.isascii() else " " for sign in text)


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
    """A file in blocks that end where no word does; nothing when it is no plain file, or cannot be read."""
    try:
        fd = open_beneath(root, *parts)
    except (OSError, ValueError):
        return
    rest, size = b"", os.fstat(fd).st_size
    try:
        while chunk := _read(fd, size):
            cut = max(chunk.rfind(b"\n"), chunk.rfind(b" "), chunk.rfind(b",")) + 1
            if cut == 0 and len(rest) < _BLOCK:
                rest += chunk
            elif cut == 0:
                yield rest
                rest = rest[-_SEAM:] + chunk
            else:
                yield rest + chunk[:cut]
                rest = chunk[cut:]
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
