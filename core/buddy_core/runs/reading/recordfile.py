"""One of the small JSON files of a run as it is followed: read again when it was replaced, by its inode, time and size."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Generic, TypeVar

from buddy_core.runs.records.smallfiles import MAX_RECORD_BYTES
from buddy_core.safety.paths import open_at

V = TypeVar("V")


class RecordFile(Generic[V]):
    """A small JSON file that is replaced as a whole; its last good value outlives a bad one."""

    __slots__ = ("_name", "_parse", "_signature", "problem", "value")

    def __init__(self, name: str, parse: Callable[[bytes], V | None]) -> None:
        self._name = name
        self._parse = parse
        self._signature: tuple[int, int, int] | None = None
        self.value: V | None = None
        self.problem: str | None = None
        """Why `value` is old or missing, in words; None when all is well or there is no file."""

    def refresh(self, run_fd: int) -> None:
        """Read the file in the open run directory if it has changed since the last time."""
        try:
            found = os.stat(self._name, dir_fd=run_fd, follow_symlinks=False)
            signature = (found.st_ino, found.st_mtime_ns, found.st_size)
            if signature != self._signature:
                self._take(self._read(run_fd))
                self._signature = signature
        except FileNotFoundError:
            self._signature = None
        except OSError as error:
            self.problem = f"{self._name} cannot be read: {error.strerror or error}"

    def _take(self, data: bytes) -> None:
        value = self._parse(data)
        if value is not None:
            self.value, self.problem = value, None
            return
        kept = "; what it said before is shown" if self.value is not None else ""
        self.problem = f"{self._name} is no JSON object{kept}"

    def _read(self, run_fd: int) -> bytes:
        """The file, or so much of it that it is too large; asking for no more saves a megabyte of memory."""
        fd = open_at(run_fd, self._name)
        try:
            return os.read(fd, min(os.fstat(fd).st_size, MAX_RECORD_BYTES) + 1)
        finally:
            os.close(fd)
