"""What every command prints with: safe lines, JSON, one-line complaints, and outputs that close or are full."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
from collections.abc import Iterable

from buddy_core.errors import StoreUnavailable
from buddy_core.safety.output import LineWriter, stream_writer

DONE, FAILED, NO_SUCH_RUN, BROKEN_PIPE = 0, 1, 3, 128 + signal.SIGPIPE


def writer() -> LineWriter:
    """Writes lines to standard output, made printable; raises `StoreUnavailable` when it is closed."""
    if sys.stdout is None:
        raise StoreUnavailable("standard output is closed: there is nowhere to print to")
    return stream_writer(sys.stdout)


def print_lines(lines: Iterable[str]) -> None:
    """Print lines that may hold observed text."""
    write = writer()
    for line in lines:
        write(line)


def print_text(ascii_text: str) -> None:
    """Print JSON, which is longer than a line may be and safe as it is."""
    writer()
    sys.stdout.write(ascii_text + "\n")
    sys.stdout.flush()


def terminal_width() -> int | None:
    """Columns of the terminal; None for a pipe, where lines may be long."""
    return shutil.get_terminal_size().columns if sys.stdout is not None and sys.stdout.isatty() else None


def complain(error: object, code: int) -> int:
    """Say in one line on stderr what went wrong; returns `code`, the exit code."""
    if sys.stderr is not None:
        with contextlib.suppress(OSError, ValueError):
            stream_writer(sys.stderr)(f"buddy-top: {error}")
    return code


def report(error: Exception, *, debug: bool) -> int:
    """Say that the program itself broke, with a traceback only when asked for; returns the exit code."""
    from buddy_top.terminal.crash import crash_lines, report_of

    if sys.stderr is not None:
        write = stream_writer(sys.stderr)
        with contextlib.suppress(OSError, ValueError):
            for line in crash_lines([report_of(error)], debug=debug):
                write(line)
    return FAILED


def abandon_output() -> None:
    """What is still buffered cannot be written; without this the interpreter would complain at its end."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
