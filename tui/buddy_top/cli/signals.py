"""Signals that end a command: it leaves the way Ctrl-C lets it leave, and its exit code is 128 plus their number."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_ENDING = (signal.SIGTERM, signal.SIGHUP)


@contextmanager
def signals_as_interrupts(arrived: list[int]) -> Iterator[None]:
    """SIGTERM and SIGHUP raise `KeyboardInterrupt`, so that whatever was begun is cleaned up; `arrived` says which.

    One that is ignored (`nohup`) stays ignored.
    """

    def arrive(number: int, _frame: FrameType | None) -> None:
        arrived.append(number)
        raise KeyboardInterrupt

    heeded = [number for number in _ENDING if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, arrive) for number in heeded}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def code_of(arrived: list[int]) -> int:
    """The exit code after an interrupt: that of the signal that came first, else that of Ctrl-C."""
    return 128 + (arrived[0] if arrived else signal.SIGINT)
