"""Reading keys without waking up in between: a monitor that nobody touches costs next to nothing.

Textual looks ten times a second whether there is a key, which is nearly all that an idle app of its kind
uses. Here the thread sleeps until there is one, or until it is told to end.
"""

from __future__ import annotations

import contextlib
import os
import selectors
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterator
from threading import Event

from textual import constants
from textual._parser import ParseError
from textual._xterm_parser import XTermParser
from textual.message import Message

from buddy_top.terminal.replies import ReplyFilter

_MOMENT_S = constants.ESCAPE_DELAY + 0.005
"""After this time an escape is a key, and no longer the beginning of one."""

_CHUNK = 4096


class Bell(Event):
    """An event that one can also wait for with a selector."""

    def __init__(self) -> None:
        super().__init__()
        self._ears, self._clapper = os.pipe()
        os.set_blocking(self._ears, False)
        os.set_blocking(self._clapper, False)

    def fileno(self) -> int:
        """Readable while the event is set."""
        return self._ears

    def set(self) -> None:
        """Wake whoever waits."""
        if self.is_set():
            return
        super().set()
        with contextlib.suppress(OSError):
            os.write(self._clapper, b"!")

    def clear(self) -> None:
        """Be silent again."""
        super().clear()
        with contextlib.suppress(OSError):
            os.read(self._ears, _CHUNK)

    def __del__(self) -> None:
        os.close(self._ears)
        os.close(self._clapper)


def read_keys(terminal: int, ended: Bell, emit: Callable[[Message], None], *, debug: bool = False) -> None:
    """Hand what is typed on `terminal` to `emit`, key by key, until `ended` is set."""
    parser = XTermParser(debug)
    for text in _typed(terminal, ended):
        for message in parser.feed(text) if text else ():
            emit(message)
        for message in parser.tick():
            emit(message)
    with contextlib.suppress(EOFError, ParseError):
        for _ in parser.feed(""):
            pass


def _typed(terminal: int, ended: Bell) -> Iterator[str]:
    """What comes, as it comes and without replies; a moment after the last, what was held back, or nothing."""
    decode, replies = getincrementaldecoder("utf-8")("replace").decode, ReplyFilter()
    wait: float | None = None
    with selectors.SelectSelector() as selector:  # the one kind that takes a terminal on every platform
        selector.register(terminal, selectors.EVENT_READ)
        selector.register(ended.fileno(), selectors.EVENT_READ)
        while not ended.is_set():
            ready = [key.fd for key, _ in selector.select(wait)]
            if terminal in ready:
                typed = _read(terminal)
                if not typed:
                    return  # the terminal is gone, and would stay readable for ever
                yield replies.feed(decode(typed))
                wait = replies.patience_s or _MOMENT_S
            elif not ready:
                held_back = replies.give_up()
                yield held_back
                wait = _MOMENT_S if held_back else None


def _read(terminal: int) -> bytes:
    """What was typed; nothing where there is no terminal any more."""
    try:
        return os.read(terminal, _CHUNK)
    except OSError:
        return b""
