"""The dashboard in plain text, once or again and again: for pipes, cron mail and status lines."""

from __future__ import annotations

import atexit
import os
import shutil
import threading
from collections.abc import Callable
from datetime import tzinfo

from buddy_core.clock import Clock, SystemClock
from buddy_core.metrics.collector import MetricsCollector, get_metrics_collector
from buddy_core.metrics.dashboard.glance import Glance
from buddy_core.metrics.dashboard.marks import in_ascii
from buddy_core.metrics.dashboard.picture import picture
from buddy_core.metrics.dashboard.tables import MOST_ROWS
from buddy_core.metrics.recording.forks import OnePerProcess
from buddy_core.metrics.window import Window
from buddy_core.safety.ascii import speaks_utf8

SHORTEST_MS, LONGEST_MS = 20, 86_400_000
"""Bounds of the interval between two pictures: a slip of the pen neither spins nor overflows a timer."""

STOP_S = 1.0
"""How long `stop_live_refresh` waits for a picture that is just being written."""

_SLICES = 30


class TerminalDashboard:
    """Draws a collector (None: the process's, whichever that is then) as aligned plain text.

    Sparklines of the last quarter of an hour, and bars, are drawn unless `sparklines` is false; with
    ASCII characters where `utf8` is false (None: as the environment says). Unknown numbers are `–`.
    """

    def __init__(
        self,
        collector: MetricsCollector | None = None,
        *,
        clock: Clock | None = None,
        tz: tzinfo | None = None,
        sparklines: bool = True,
        utf8: bool | None = None,
    ) -> None:
        self._collector = collector
        self._clock: Clock = clock or SystemClock()
        self._tz = tz
        self._sparklines = sparklines
        self._utf8 = speaks_utf8(os.environ) if utf8 is None else utf8
        self._lock = threading.RLock()
        self._refresh: _Refresh | None = None
        self.write_failures = 0
        """Times a picture could not be written, which ended the live refresh."""

    def render(self, width: int = 80) -> str:
        """One picture, its lines at most `width` cells wide (below 40 counts as 40), without a last line break."""
        lines = picture(self._glance(), width, self._tz)
        text = "\n".join(lines)
        return text if self._utf8 else in_ascii(text)

    def _glance(self) -> Glance:
        collector = get_metrics_collector() if self._collector is None else self._collector
        now = self._clock.now_ms()
        return Glance(
            now_ms=now,
            state=collector.get_dashboard_state(),
            view=collector.view(Window.ALL),
            session=collector.get_session_metrics(),
            errors=collector.get_recent_errors(MOST_ROWS),
            activity=collector.activity(Window.M15, _SLICES) if self._sparklines else None,
        )

    @property
    def is_live(self) -> bool:
        """True while pictures are being written."""
        refresh = self._refresh
        return refresh is not None and refresh.is_alive()

    def start_live_refresh(self, interval_ms: float = 1000, write: Callable[[str], object] = print) -> None:
        """Hand a picture to `write` at once and then every `interval_ms`, from a daemon thread.

        Pictures are as wide as the terminal, 80 columns where there is none. A `write` that raises ends
        it quietly. Starting again replaces what ran before.
        """
        interval_s = min(max(SHORTEST_MS, interval_ms), LONGEST_MS) / 1000
        with self._lock:
            self.stop_live_refresh()
            self._refresh = _Refresh(lambda: self._write(write), interval_s)
            # A daemon thread that prints while the interpreter goes away can abort it.
            atexit.register(self.stop_live_refresh)
            self._refresh.start()

    def _write(self, write: Callable[[str], object]) -> bool:
        try:
            write(self.render(shutil.get_terminal_size((80, 24)).columns))
        except Exception:  # noqa: BLE001 - a closed pipe, a full disk, a host's own function
            self.write_failures += 1
            return False
        return True

    def stop_live_refresh(self) -> None:
        """Write no more pictures; waits for one being written, at most a moment. May be called at any time."""
        with self._lock:
            refresh, self._refresh = self._refresh, None
        atexit.unregister(self.stop_live_refresh)
        if refresh is not None:
            refresh.stop()


class _Refresh(threading.Thread):
    """Calls `work` at once and then at an interval until it says False or somebody says stop."""

    def __init__(self, work: Callable[[], bool], interval_s: float) -> None:
        super().__init__(name="buddy-dashboard", daemon=True)
        self._work = work
        self._interval_s = interval_s
        self._stopped = threading.Event()

    def run(self) -> None:
        while not self._stopped.is_set() and self._work():
            self._stopped.wait(self._interval_s)

    def stop(self) -> None:
        """End the thread after the picture it is writing."""
        self._stopped.set()
        if self is not threading.current_thread() and self.is_alive():
            self.join(STOP_S)


_dashboards = OnePerProcess(TerminalDashboard)


def get_terminal_dashboard() -> TerminalDashboard:
    """The dashboard of this process's collector, made at the first call."""
    return _dashboards.get()
