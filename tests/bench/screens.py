"""Programs on a terminal of their own, timed: when bytes leave them, what CPU and memory they take.

No terminal emulator stands in between: what is timed is the program, not the drawing of its bytes.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Iterator, Sequence
from typing import Self

import psutil

ENVIRONMENT = {
    "TERM": "xterm-256color",
    "COLORTERM": "truecolor",
    "LANG": "C.UTF-8",
    "PATH": os.environ["PATH"],
    "HOME": os.environ.get("HOME", "/"),
    "TZ": "UTC",
    **({"PYTHONPATH": os.environ["PYTHONPATH"]} if "PYTHONPATH" in os.environ else {}),
}
"""The same for every program, and nothing else of the caller's."""

_ESCAPES = re.compile(
    rb"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI
    rb"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"  # OSC
    rb"|\x1b[PX^_].*?\x1b\\"  # DCS and its kin
    rb"|\x1b[ -/]*[0-OQ-WYZ\\`-~]"  # the rest, but no beginning of one of those
)
_INK = re.compile(rb"[!-~\x80-\xff]")
_LONGEST_WAIT_S = 30.0
_KEPT_BYTES = 2000
_OVERLAP = 4096
"""So much of what was searched already is searched again: the words may have come in pieces."""


class Screen:
    """One program in one pty, from its start; ends with the `with` block."""

    def __init__(self, argv: Sequence[str], *, size: tuple[int, int] = (120, 40)) -> None:
        columns, rows = size
        self._terminal, inner = pty.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.out = bytearray()
        """Every byte that came out; clear it at will."""
        self.started = time.perf_counter()
        self._child = subprocess.Popen(
            list(argv), stdin=inner, stdout=inner, stderr=inner, env=ENVIRONMENT, start_new_session=True
        )
        os.close(inner)
        self.process = psutil.Process(self._child.pid)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def read(self, seconds: float) -> float | None:
        """Take what comes within that time; the moment at which it came, or None."""
        if not select.select([self._terminal], [], [], max(0.0, seconds))[0]:
            return None
        at = time.perf_counter()
        try:
            self.out += os.read(self._terminal, 65536)
        except OSError as error:
            raise RuntimeError(f"the program has ended: {bytes(self.out)[-_KEPT_BYTES:]!r}") from error
        return at

    def forget(self) -> None:
        """Keep only the end of what came out, for the case that the program says why it fails."""
        del self.out[:-_KEPT_BYTES]

    def rest(self, seconds: float) -> None:
        """Let the program run for a while, reading what it draws."""
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            self.read(left)
            self.forget()

    def until(self, pattern: bytes, *, seconds: float = _LONGEST_WAIT_S) -> float:
        """The moment at which `pattern` had come out completely."""
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            at = self.read(end - time.perf_counter())
            if at is not None and pattern in self.out:
                return at
        raise RuntimeError(f"{pattern!r} never came; the last of what did: {bytes(self.out)[-400:]!r}")

    def until_words(self, words: str, *, seconds: float = _LONGEST_WAIT_S) -> float:
        """The moment at which `words` could be read, whatever colours or movements came in between; or TimeoutError."""
        end, wanted, seen = time.perf_counter() + seconds, words.encode(), 0
        at: float | None = time.perf_counter()
        while time.perf_counter() < end:
            if at is not None and wanted in _ESCAPES.sub(b"", bytes(self.out[max(0, seen - _OVERLAP) :])):
                return at
            seen = len(self.out)
            at = self.read(end - time.perf_counter())
        raise TimeoutError(f"“{words}” never came; the last of what did: {bytes(self.out)[-400:]!r}")

    def until_ink(self) -> float:
        """The moment of the first character a person can see."""
        while True:
            at = self.read(_LONGEST_WAIT_S)
            if at is None:
                raise RuntimeError("nothing was drawn")
            if has_ink(bytes(self.out)):
                return at

    def type(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self._terminal, keys)

    def cpu_s(self) -> float:
        """CPU seconds of the program so far, all its threads, to the microsecond where the system tells."""
        return cpu_seconds(self.process)

    def end(self) -> None:
        """End the program and let go of the terminal."""
        with contextlib.suppress(ProcessLookupError):
            self._child.send_signal(signal.SIGTERM)
        deadline = time.perf_counter() + 3
        while self._child.poll() is None and time.perf_counter() < deadline:
            with contextlib.suppress(RuntimeError):
                self.read(0.02)
        self._child.kill()
        self._child.wait()
        os.close(self._terminal)


@contextlib.contextmanager
def screens(*argvs: Sequence[str], size: tuple[int, int] = (120, 40)) -> Iterator[list[Screen]]:
    """Several programs side by side, each on a terminal of its own, all painted once."""
    with contextlib.ExitStack() as stack:
        opened = [stack.enter_context(Screen(argv, size=size)) for argv in argvs]
        for screen in opened:
            screen.until_ink()
        yield opened


def rest_together(opened: Sequence[Screen], seconds: float) -> None:
    """Let several programs run for a while, reading what each draws."""
    by_fd = {screen._terminal: screen for screen in opened}
    end = time.perf_counter() + seconds
    while (left := end - time.perf_counter()) > 0:
        for fd in select.select(list(by_fd), [], [], left)[0]:
            by_fd[fd].read(0)
            by_fd[fd].forget()


def has_ink(data: bytes) -> bool:
    """True when `data` prints at least one character that is no blank."""
    text = _ESCAPES.sub(b"", data)
    return _INK.search(text.split(b"\x1b")[0]) is not None


def cpu_seconds(process: psutil.Process) -> float:
    """CPU seconds a process has used. Linux keeps a clock per process that counts nanoseconds."""
    try:
        return time.clock_gettime((~process.pid << 3) | 2)
    except OSError:
        times = process.cpu_times()
        return float(times.user + times.system)
