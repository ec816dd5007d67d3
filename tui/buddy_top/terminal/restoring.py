"""Putting the terminal right by force: line mode, its main screen, nothing more written; without ever waiting for it."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import termios
import time
from collections.abc import Iterator
from typing import Any

LEAVE_SEQUENCES = (
    "\x18"  # end whatever sequence was being written
    "\x1b[?2026l\x1b[?2004l\x1b[?7h\x1b[?2048l"
    "\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?1016l"
    "\x1b[<u\x1b[?1049l\x1b[?25h\x1b[?1004l\x1b[0m"
)
"""Everything that full-screen mode switched on, switched off again."""

_PAST_OTHERS_S = 0.3


def attributes_of(terminal: int) -> list[Any] | None:
    """How the terminal is set up now, for `restore_terminal`; None where it is none."""
    try:
        return termios.tcgetattr(terminal)
    except (OSError, termios.error):
        return None


def restore_terminal(terminal: int, attributes: list[Any] | None) -> None:
    """Put a terminal back to line mode and its main screen without ever waiting for it.

    What is still queued for it is thrown away: a terminal that does not read would block us.
    """
    with contextlib.suppress(OSError, termios.error, ValueError):
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTOU})  # else a background job would be stopped
        with _opened_again(terminal) as screen:
            _write_past_others(screen, LEAVE_SEQUENCES.encode())
    with contextlib.suppress(OSError, termios.error):
        if attributes is not None:
            termios.tcsetattr(terminal, termios.TCSANOW, attributes)


def _write_past_others(screen: int, data: bytes) -> None:
    """Throw away what is queued and write `data`, again and again for a moment.

    A thread that waits for room in the middle of a picture keeps every other from writing. Throwing away makes
    room, but only output that is stopped and started again wakes who waits for it.
    """
    end = time.monotonic() + _PAST_OTHERS_S
    left = b""
    while True:
        if not left:
            termios.tcflush(screen, termios.TCOFLUSH)
            left = data
        try:
            left = left[os.write(screen, left) :]
        except BlockingIOError:
            if time.monotonic() > end:
                return
            left = b""
            termios.tcflush(screen, termios.TCOFLUSH)
            termios.tcflow(screen, termios.TCOOFF)
            termios.tcflow(screen, termios.TCOON)
            time.sleep(0.001)
        else:
            if not left:
                return


@contextlib.contextmanager
def _opened_again(terminal: int) -> Iterator[int]:
    """The same terminal through a descriptor of our own: non-blocking mode must not stay with the shell."""
    screen = os.open(os.ttyname(terminal), os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        yield screen
    finally:
        os.close(screen)


def silence() -> None:
    """What is written to the terminal from now on leads nowhere.

    A driver that goes on drawing would stand on the main screen; and what is still buffered for a terminal that is
    gone cannot be written at the end of the process, which would then end with another exit code than agreed.
    """
    for stream in (sys.__stdout__, sys.__stderr__):  # Textual draws through the second
        with contextlib.suppress(OSError, ValueError, AttributeError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())  # type: ignore[union-attr]
            os.close(nowhere)
