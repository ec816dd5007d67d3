"""The demonstration with everything it needs: a directory of its own and a thread; gone when it ends."""

from __future__ import annotations

import secrets
import shutil
import tempfile
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from buddy_core.clock import Clock
from buddy_core.errors import StoreUnavailable
from buddy_top.demo.agent import DemoAgent


class Demonstration:
    """A context manager that records runs into `runs_dir` while it is open, and then removes them.

    On entry the directory is made and a day of finished runs is written at once; the rest happens in a daemon thread. `close` may be
    called from any thread and more than once, also while the program is being ended by a signal.

    Args:
        seed: The same runs for the same seed; None for others every time.
        speed: How many times faster than life.
    """

    def __init__(self, *, seed: int | None = None, speed: float = 1.0, clock: Clock | None = None) -> None:
        self._home = Path(tempfile.gettempdir(), f"buddy-top-demo-{secrets.token_hex(6)}")
        self.runs_dir = self._home / "runs"
        """Where the runs are recorded."""
        self._agent = DemoAgent(self.runs_dir, seed=seed, clock=clock, speed=speed)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._play, name="demonstration", daemon=True)

    def __enter__(self) -> Self:
        try:
            self._home.mkdir(mode=0o700)
            self._agent.begin()
            self._thread.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self, timeout_s: float = 1.0) -> None:
        """Stop playing and remove the directory; waits at most `timeout_s` for the thread."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        self._agent.close()
        self._remove()

    def abandon(self) -> None:
        """Remove the directory when the process is about to end, from a signal handler.

        It takes no lock: the code that was interrupted may hold any of them.
        """
        self._stop.set()
        self._remove()

    def _remove(self) -> None:
        """Empty the directory until it is gone: a thread that still writes may fill it up again meanwhile."""
        for _ in range(50):
            shutil.rmtree(self._home, ignore_errors=True)
            if not self._home.exists():
                return
            time.sleep(0.02)

    def _play(self) -> None:
        """Ends quietly when the directory is taken away, by `close` or by somebody who cleans up."""
        try:
            while not self._stop.wait(self._agent.step() / 1000):
                pass
        except StoreUnavailable:
            return
