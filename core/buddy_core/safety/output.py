"""Lines for a pipe or a plain terminal: printable, in a character set it can show, each written at once."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Protocol, TextIO, runtime_checkable

from buddy_core.safety.ascii import speaks_utf8, to_ascii
from buddy_core.safety.text import Plain, plain

LineWriter = Callable[[str], object]
"""Takes one line without its line break."""

MAX_LINE = 100_000
"""Characters of one line that are written; the rest is cut and marked."""


@runtime_checkable
class Writable(Protocol):
    """Anything text can be written to: a file, `io.StringIO`, `sys.stdout`."""

    def write(self, text: str, /) -> object:
        """Take some text."""
        ...


def line_writer(out: Writable | LineWriter | None = None) -> LineWriter:
    """A writer of safe lines to `out`: a file, a function that takes a line, or (None) standard output."""
    if out is None:
        import sys

        return stream_writer(sys.stdout)
    if isinstance(out, Writable):
        file = out
        return lambda line: file.write(_safe(line) + "\n")
    write = out
    return lambda line: write(_safe(line))


def stream_writer(stream: TextIO, *, env: Mapping[str, str] | None = None) -> LineWriter:
    """A writer of safe lines to a standard stream, flushed line by line.

    Falls back to ASCII where the locale or the stream cannot show UTF-8. Errors of the stream are raised.
    """
    utf8 = speaks_utf8(os.environ if env is None else env) and "utf" in (stream.encoding or "").lower()

    def write(line: str) -> None:
        safe = _safe(line)
        stream.write((safe if utf8 else to_ascii(safe)) + "\n")
        stream.flush()

    return write


def _safe(line: str) -> Plain:
    return plain(line, limit=MAX_LINE)
