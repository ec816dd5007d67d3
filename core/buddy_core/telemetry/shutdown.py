"""Ways out of a process, each of which may cost telemetry two seconds at the most: its end, and SIGTERM.

The SDKs' own handlers are not used: OpenTelemetry's waits up to 30 seconds. SIGTERM gets a handler only where the
host has none (one it has is called after sending was begun, and decides), only from the main thread, and the process
still dies of the signal, so that whoever sent it sees 143. SIGINT needs nothing: it ends in an exception and a usual
exit. `os._exit` and SIGKILL lose what was not sent yet.

Python runs a handler between two steps of the main thread: a host whose main thread sits in an extension written in
C dies of SIGTERM only when that returns. One that does may set SIGTERM back to `signal.SIG_DFL`.
"""

from __future__ import annotations

import _thread
import atexit
import os
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

EXIT_BUDGET_S = 1.2
"""What the end of the process waits for dead back ends: less than two seconds, with room for the interpreter, which
needs 0.2 to 0.4 s to end with both SDKs loaded."""


class WaysOut:
    """Calls `finish` on the way out, and `hasten` when a handler of the host's will decide.

    Args:
        finish: Sends what waits, within the seconds given.
        hasten: Begins to send, without waiting.
    """

    def __init__(self, finish: Callable[[float], None], hasten: Callable[[], None]) -> None:
        self._finish = finish
        self._hasten = hasten
        self._before: Any = None
        self._installed = False

    def install(self) -> None:
        """Take part in the end of this process; called twice it does nothing more."""
        if self._installed:
            return
        self._installed = True
        atexit.register(self._at_exit)
        if threading.current_thread() is threading.main_thread():
            self._take_sigterm()

    def remove(self) -> None:
        """Take no part any more; the signal's handler goes back to what it was."""
        atexit.unregister(self._at_exit)
        self._installed = False
        if threading.current_thread() is threading.main_thread() and self._is_ours():
            signal.signal(signal.SIGTERM, self._before)

    def _take_sigterm(self) -> None:
        self._before = signal.getsignal(signal.SIGTERM)
        # SIG_IGN is the host's decision, None a handler that was not set from Python: both are left alone.
        if self._before is signal.SIG_DFL or callable(self._before):
            signal.signal(signal.SIGTERM, self._on_sigterm)

    def _is_ours(self) -> bool:
        return signal.getsignal(signal.SIGTERM) == self._on_sigterm

    def _at_exit(self) -> None:
        self._finish(EXIT_BUDGET_S)

    def _on_sigterm(self, number: int, frame: FrameType | None) -> None:
        if callable(self._before):
            self._hasten_aside()
            self._before(number, frame)
        elif self._is_ours():
            self._finish_aside()
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGTERM)
        else:
            # A handler set later has called this one as its predecessor: it decides what becomes of the process.
            self._hasten_aside()

    def _hasten_aside(self) -> None:
        _thread.start_new_thread(self._hasten, ())

    def _finish_aside(self) -> None:
        """Finish in a thread: the interrupted code may hold a lock that finishing needs, and would wait for ever."""
        done: list[bool] = []

        def finish() -> None:
            self._finish(EXIT_BUDGET_S)
            done.append(True)

        _thread.start_new_thread(finish, ())
        deadline = time.monotonic() + EXIT_BUDGET_S + 0.2
        while not done and time.monotonic() < deadline:
            time.sleep(0.005)
