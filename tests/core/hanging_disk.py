"""A disk on which the files of some runs do not answer until they are let go; and one that refuses them."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


class Disk:
    """Stands before `os.pread`, by which event files are read."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._real = os.pread
        self._patch = patch
        self._hung: dict[str, threading.Event] = {}
        self._refused: dict[str, int] = {}
        self.entered = threading.Event()
        """Somebody has come to a file that hangs."""
        self.tries = 0
        """Reads that were refused."""
        patch.setattr(os, "pread", self._pread)

    def hang(self, run_id: str) -> None:
        """From now on whoever reads this run's events waits."""
        self._hung[run_id] = threading.Event()

    def answer(self) -> None:
        """Let everybody go on."""
        for event in self._hung.values():
            event.set()
        self._hung = {}

    def refuse(self, run_id: str, code: int) -> None:
        """From now on reading this run's events fails with this error."""
        self._refused[run_id] = code

    def allow(self) -> None:
        """Refuse nothing any more."""
        self._refused.clear()

    def _pread(self, fd: int, size: int, offset: int) -> bytes:
        run_id = Path(f"/proc/self/fd/{fd}").readlink().parent.name
        hung, code = self._hung.get(run_id), self._refused.get(run_id)
        if hung is not None:
            self.entered.set()
            assert hung.wait(60)
        if code is not None:
            self.tries += 1
            raise OSError(code, os.strerror(code))
        return self._real(fd, size, offset)


@contextmanager
def disk() -> Iterator[Disk]:
    """Everything answers again when the block is left."""
    with pytest.MonkeyPatch.context() as patch:
        found = Disk(patch)
        try:
            yield found
        finally:
            found.answer()
