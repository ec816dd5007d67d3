"""Asking the terminal what it can do, in a way that every terminal survives.

Three questions are put, each of which the monitor's own toolkit puts as well: about synchronized output (DECRQM 2026),
about the keyboard protocol (CSI ? u), and last the one that every terminal answers (primary device attributes). The
answer to the last is the end of the answers. Nothing is asked while keys are waiting: they would be taken for answers.
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec

ATTRIBUTES = "\x1b[c"
QUESTIONS = f"\x1b[?2026$p\x1b[?u{ATTRIBUTES}"
PATIENCE_S = 1.0
"""How long answers are waited for: a connection to another continent takes a third of that."""

WIDTHS = ("●│…≈▲⠿", "中文", "e\u0301")
"""Characters the screens are drawn with, wide ones, and a letter with a combining accent."""

EXPECTED = (6, 4, 1)
"""Columns that these take where everything is as it should be."""

_ENOUGH = 4096
_SYNC = re.compile(rb"\x1b\[\?2026;([0-4])\$y")
_KEYBOARD = re.compile(rb"\x1b\[\?(\d+)u")
_DEVICE = re.compile(rb"\x1b\[\?([\d;]*)c")
_PLACE = re.compile(rb"\x1b\[\d+;(\d+)R")
_CLIPBOARD = "52"

Ask = Callable[[str, re.Pattern[bytes]], bytes]
"""Write this, and give everything that comes until the pattern occurs, or nothing comes any more."""


class Answers(msgspec.Struct, frozen=True):
    """What the terminal said. None: it did not say."""

    synchronized: bool | None = None
    keyboard: bool | None = None
    clipboard: bool | None = None
    """It says of itself that it takes texts for the clipboard (device attribute 52)."""
    widths: tuple[int, ...] | None = None
    """Columns that each of `WIDTHS` takes."""


def asked(ask: Ask) -> Answers | None:
    """Put the questions by `ask`; None when not even the last was answered."""
    said = ask(QUESTIONS, _DEVICE)
    device = _DEVICE.search(said)
    if device is None:
        return None
    sync = _SYNC.search(said)
    attributes = device[1].decode("ascii").split(";")
    return Answers(
        synchronized=sync is not None and sync[1] in (b"1", b"2", b"3"),
        keyboard=_KEYBOARD.search(said) is not None,
        clipboard=True if _CLIPBOARD in attributes else None,
        widths=_widths(ask),
    )


def _widths(ask: Ask) -> tuple[int, ...] | None:
    """Where the cursor stands after each text, on a line that is wiped again."""
    found = []
    for text in WIDTHS:
        place = _PLACE.search(ask(f"\r{text}\x1b[6n\r\x1b[K", _PLACE))
        if place is None:
            return None
        found.append(int(place[1]) - 1)
    return tuple(found)


def ask_terminal(stdin: int = 0, stdout: int = 1, *, patience_s: float = PATIENCE_S) -> Answers | None:
    """What the terminal behind these two descriptors says; None where it says nothing or keys are waiting."""
    with contextlib.suppress(OSError, termios.error, ValueError), _listening(stdin):
        if select.select([stdin], [], [], 0)[0]:
            return None
        return asked(lambda question, end: _exchange(question, end, stdin, stdout, patience_s))
    return None


@contextmanager
def _listening(fd: int) -> Iterator[None]:
    """Without echo and line by line input; what comes late is thrown away at the end."""
    before = termios.tcgetattr(fd)
    quiet = termios.tcgetattr(fd)
    quiet[3] &= ~(termios.ICANON | termios.ECHO)
    termios.tcsetattr(fd, termios.TCSANOW, quiet)
    try:
        yield
    finally:
        termios.tcsetattr(fd, termios.TCSAFLUSH, before)


def _exchange(question: str, end: re.Pattern[bytes], stdin: int, stdout: int, patience_s: float) -> bytes:
    os.write(stdout, question.encode())
    said, until = b"", time.monotonic() + patience_s
    while len(said) < _ENOUGH and end.search(said) is None:
        left = until - time.monotonic()
        if left <= 0 or not select.select([stdin], [], [], left)[0]:
            break
        piece = os.read(stdin, 256)
        if not piece:
            break
        said += piece
    return said
