"""A real terminal for tests: a pty, a terminal emulator that draws what comes out, and every byte kept."""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
import sys
import termios
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pexpect
import psutil
import pyte

DEADLINE_S = 20.0
"""How long a condition may take to come true before the test fails; generous, since machines are busy."""

_BEYOND_PYTE = re.compile(rb"\x1b\[[<>=][0-9;]*[a-zA-Z]|\x1b\[\?[0-9;]*\$p")

ENVIRONMENT = {
    "TERM": "xterm-256color",
    "LANG": "C.UTF-8",
    "TZ": "UTC",
    "XDG_CONFIG_HOME": os.devnull,
    "XDG_STATE_HOME": os.devnull,
    **{name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ},
}


def _heed_signals() -> None:
    """In the child: what a background job of a shell, or `nohup`, has the tests ignore is not ignored by the program."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)


class Terminal:
    """One program in one pty. `out` holds every byte it ever wrote; not `drawn`, its screen stays empty and costs nothing."""

    def __init__(
        self,
        argv: Sequence[str],
        *,
        size: tuple[int, int] = (80, 24),
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        drawn: bool = True,
    ) -> None:
        self.columns, self.rows = size
        self.out = bytearray()
        self._drawn = drawn
        self._screen = pyte.Screen(self.columns, self.rows)
        self._stream = pyte.ByteStream(self._screen)
        self.child = pexpect.spawn(
            argv[0],
            list(argv[1:]),
            dimensions=(self.rows, self.columns),
            env={**ENVIRONMENT, **(env or {})},  # type: ignore[arg-type]
            cwd=cwd,
            timeout=DEADLINE_S,
            echo=True,
            preexec_fn=_heed_signals,
        )
        self.attributes_before = self.attributes()

    def text(self) -> str:
        """What a person sees now."""
        return "\n".join(line.rstrip() for line in self._screen.display)

    def cells(self) -> list[list[str]]:
        """The screen cell by cell; the second cell of a wide character is empty."""
        return [[self._screen.buffer[y][x].data for x in range(self.columns)] for y in range(self.rows)]

    def attributes(self) -> list[object]:
        """The terminal's settings, as `stty` would tell them."""
        return termios.tcgetattr(self.child.child_fd)

    def read(self, seconds: float = 0.05) -> bool:
        """Take what has come; False when the program has closed its end."""
        if not select.select([self.child.child_fd], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self.child.child_fd, 65536)
        except OSError:  # Linux says EIO when the last writer has gone
            return False
        if not data:
            return False
        self.out += data
        if self._drawn:
            self._stream.feed(_BEYOND_PYTE.sub(b"", data))
        return True

    def until(self, condition: Callable[[str], object] | str, *, seconds: float = DEADLINE_S) -> str:
        """Read until the screen fulfils `condition` (or shows that text); the screen's text."""
        holds = (lambda text: condition in text) if isinstance(condition, str) else condition
        end = time.monotonic() + seconds
        while not holds(self.text()):
            alive = self.read()
            if not alive and not holds(self.text()):
                raise AssertionError(f"the program ended before {condition!r}:\n{self.text()}")
            if time.monotonic() > end:
                raise AssertionError(f"never saw {condition!r}:\n{self.text()}")
        return self.text()

    def until_sent(self, pattern: bytes, *, seconds: float = DEADLINE_S) -> None:
        """Read until these bytes have come out."""
        end = time.monotonic() + seconds
        while pattern not in self.out:
            assert self.read(), f"the program ended before it sent {pattern!r}"
            assert time.monotonic() < end, f"never sent {pattern!r}"

    def type(self, keys: str | bytes) -> None:
        """Send keys, as a keyboard would."""
        self.child.send(keys)

    def resize(self, columns: int, rows: int) -> None:
        """Give the terminal another size."""
        self.columns, self.rows = columns, rows
        self.child.setwinsize(rows, columns)
        self._screen.resize(rows, columns)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the program alone."""
        os.kill(self.child.pid, number)

    def hang_up(self) -> None:
        """Close the terminal under the program, as a lost connection does."""
        self.child.ptyproc.fileobj.close()
        self.child.ptyproc.closed = self.child.closed = True
        self.child.child_fd = -1

    def exit_code(self, *, seconds: float = DEADLINE_S) -> int:
        """Read to the end and say how the program ended; a death by signal n is 128 + n."""
        end = time.monotonic() + seconds
        while (status := self.ended()) is None:
            if self.child.child_fd >= 0 and not self.read(0.02):
                time.sleep(0.005)
            assert time.monotonic() < end, f"still running:\n{self.text()}"
        self.drain()
        return status

    def drain(self) -> None:
        """Take everything that has been written so far."""
        while self.child.child_fd >= 0 and self._more_to_read():
            pass

    def is_stopped(self) -> bool:
        """True while it is stopped, by whatever signal."""
        with contextlib.suppress(psutil.NoSuchProcess):
            return psutil.Process(self.child.pid).status() == psutil.STATUS_STOPPED
        return False

    def kill(self) -> None:
        """End the program if it still runs; afterwards nothing of it is left."""
        if self.ended() is None:
            os.kill(self.child.pid, signal.SIGKILL)
            self.child.wait()
        if not self.child.closed:
            self.hang_up()

    def ended(self) -> int | None:
        """The exit code if the program has ended, without reading what it wrote."""
        if self.child.isalive():
            return None
        return 128 + self.child.signalstatus if self.child.signalstatus else self.child.exitstatus

    def _more_to_read(self) -> bool:
        size = len(self.out)
        return self.read(0.02) and len(self.out) > size


@contextlib.contextmanager
def terminal(
    *argv: str,
    size: tuple[int, int] = (80, 24),
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    drawn: bool = True,
) -> Iterator[Terminal]:
    """A terminal that runs `python ARGV…` and leaves nothing behind."""
    opened = Terminal([sys.executable, *argv], size=size, env=env, cwd=cwd, drawn=drawn)
    try:
        yield opened
    finally:
        opened.kill()
