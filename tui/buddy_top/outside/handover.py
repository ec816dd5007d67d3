"""The terminal goes to another program and comes back as it was, whatever becomes of either.

The loop goes on meanwhile: events are collected, signals end the monitor (and the program with it), and the
driver throws away what would be drawn. Ctrl-C and ctrl-\\ belong to the program; ctrl-z stops both.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator, Sequence
from typing import IO, TYPE_CHECKING, Any

from buddy_top.terminal.restoring import restore_terminal

if TYPE_CHECKING:
    from buddy_top.terminal.safe_app import SafeApp

QUICK_S = 0.5
"""A pager that is back within this has only printed (`cat`, `less -F`): what it printed is left to be read."""

_END_S = 0.5
_THEIRS = frozenset((signal.SIGINT, signal.SIGQUIT))
_ASK = b"\n[enter] goes back to buddy-top "


async def hand_over(app: SafeApp, argv: Sequence[str], *, text: IO[bytes] | None = None) -> int:
    """Run a program in the terminal and return its exit code (negative: the signal that ended it).

    Args:
        text: Its input; it is a pager then, and what it only printed stays until enter is pressed.

    Raises:
        OSError: It cannot be started.
        SuspendNotSupported: There is no terminal to hand over.
    """
    failed: OSError | None = None
    code = 0
    with app.suspend(), app.deaf_to(_THEIRS):
        terminal = _terminal()
        attributes = termios.tcgetattr(terminal)
        try:
            code = await _run(argv, text, terminal, attributes)
        except asyncio.CancelledError:  # the monitor ends, and nothing is drawn any more
            restore_terminal(terminal, attributes)
            raise
        except OSError as error:  # raised later: what leaves the block by force leaves the screen suspended
            failed = error
    if failed is not None:
        raise failed
    return code


async def _run(argv: Sequence[str], text: IO[bytes] | None, terminal: int, attributes: list[Any]) -> int:
    begun = time.monotonic()
    process = subprocess.Popen(argv, stdin=text)  # noqa: ASYNC220 - it is waited for in a thread
    code = await _end_of(process)
    with contextlib.suppress(
        termios.error
    ):  # what a killed program leaves must not be taken for the settings
        termios.tcsetattr(terminal, termios.TCSADRAIN, attributes)
    if text is not None and code == 0 and time.monotonic() - begun < QUICK_S:
        await _enter(terminal)
    return code


async def _end_of(process: subprocess.Popen[bytes]) -> int:
    """Wait without holding up the loop; when that is cancelled, the program is ended."""
    try:
        return await asyncio.to_thread(process.wait)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGCONT)
            process.terminate()
            try:
                process.wait(_END_S)
            except subprocess.TimeoutExpired:
                process.kill()


async def _enter(terminal: int) -> None:
    """Wait for a line; the end of input is one."""
    loop = asyncio.get_running_loop()
    pressed: asyncio.Future[None] = loop.create_future()
    with _reading(loop, terminal, lambda: _settle(pressed)):
        os.write(1, _ASK)
        await pressed
        os.read(terminal, 4096)


def _settle(pressed: asyncio.Future[None]) -> None:
    if not pressed.done():
        pressed.set_result(None)


@contextlib.contextmanager
def _reading(loop: asyncio.AbstractEventLoop, terminal: int, heard: Callable[[], None]) -> Iterator[None]:
    loop.add_reader(terminal, heard)
    try:
        yield
    finally:
        loop.remove_reader(terminal)


def _terminal() -> int:
    return sys.__stdin__.fileno() if sys.__stdin__ is not None else 0
