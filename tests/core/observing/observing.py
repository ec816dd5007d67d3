"""A runs directory and somebody who looks at it, for tests of what is told about runs."""

from __future__ import annotations

from pathlib import Path

from buddy_core.clock import ManualClock
from buddy_core.metrics.collector import MetricsCollector
from buddy_core.observing.observer import Observer
from buddy_core.runs.facts import RunFacts
from buddy_core.testing import RunDirectoryBuilder

T0 = 1_767_890_000_000
MINUTE = 60_000


class Scene:
    """A runs directory at `T0`, and an observer of it."""

    def __init__(self, home: Path) -> None:
        self.runs = home / "runs"
        self.runs.mkdir()
        self.clock = ManualClock(T0)
        self.collector = MetricsCollector(clock=self.clock)
        self.observer = Observer(self.runs, self.collector, clock=self.clock)

    def run(self, suffix: str = "0a1b2c", *, at: int = T0, **more: str) -> RunDirectoryBuilder:
        return RunDirectoryBuilder(self.runs, started_at=at, suffix=suffix, metadata=more)

    def only(self) -> RunFacts:
        """The one run there is, after another look at the files."""
        self.observer.load()
        (run,) = self.observer.facts()
        return run

    def status(self) -> str:
        return self.only().status

    def later(self, minutes: float) -> str:
        """Let time pass without a look at the files; the status of the one run then."""
        self.clock.advance(minutes * MINUTE)
        self.observer.tick()
        return self.observer.facts()[0].status
