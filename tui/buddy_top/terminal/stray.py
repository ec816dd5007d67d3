"""The screen for the screen alone: what libraries write to stdout or stderr meanwhile goes elsewhere.

A warning, a faulthandler dump or a child process writes to descriptors 1 and 2 without asking anyone; in
the middle of a frame that is a torn screen. While the monitor runs both descriptors lead to an anonymous
temporary file, and the screen is drawn through a private copy of the terminal's descriptor.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from typing import IO, Self, TextIO

from buddy_core.safety.text import Plain, plain_lines

_KEPT_BYTES = 64 * 1024
_OUTPUTS = (1, 2)


class StrayOutput:
    """A context manager around the life of the screen; afterwards `lines()` tells what was written."""

    def __init__(self) -> None:
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the screen
        self._saved: dict[int, int] = {}
        self._tail = b""

    def __enter__(self) -> Self:
        _flush()
        self._streams = (
            sys.stdout,
            sys.stderr,
        )  # left by a task that is cut off, Textual's stand-ins would stay
        self._screen: TextIO = os.fdopen(os.dup(1), "w", encoding="utf-8", errors="replace", newline="")
        self._python_outputs = sys.__stdout__, sys.__stderr__
        sys.__stdout__ = sys.__stderr__ = self._screen  # type: ignore[misc]
        self._divert()
        return self

    def __exit__(self, *_: object) -> None:
        _flush()
        sys.stdout, sys.stderr = self._streams
        self._restore()
        sys.__stdout__, sys.__stderr__ = self._python_outputs  # type: ignore[misc]
        with contextlib.suppress(OSError, ValueError):  # the terminal may be gone
            self._screen.close()
        size = self._log.seek(0, os.SEEK_END)
        self._log.seek(max(0, size - _KEPT_BYTES))
        self._tail = self._log.read()
        self._log.close()

    @contextlib.contextmanager
    def lifted(self) -> Iterator[None]:
        """For a while the outputs are the terminal again, for a pager or an editor."""
        _flush()
        self._restore()
        try:
            yield
        finally:
            self._divert()

    def lines(self) -> list[Plain]:
        """The end of what was written, made printable; empty while the screen is up."""
        return plain_lines(self._tail, limit_lines=200, limit_width=400)

    def _divert(self) -> None:
        for number in _OUTPUTS:
            self._saved[number] = os.dup(number)
            os.dup2(self._log.fileno(), number)

    def _restore(self) -> None:
        for number, copy in self._saved.items():
            os.dup2(copy, number)
            os.close(copy)
        self._saved.clear()


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
