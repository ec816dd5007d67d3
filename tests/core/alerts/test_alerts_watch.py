"""Watching for alerts live: what is read, how often it is summed, and that a half-read directory says nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from buddy_core.alerts import watch
from buddy_core.alerts.limits import Limits
from buddy_core.alerts.model import NO_ALERTS
from buddy_core.alerts.watch import SUMS_MS, AlertWatch
from buddy_core.clock import ManualClock
from buddy_core.metrics.collector import MetricsCollector
from buddy_core.metrics.looking.model import WindowView
from buddy_core.metrics.window import Window
from buddy_core.observing.observer import Observer
from buddy_core.runs.reading.tail import Change, FileTail
from buddy_core.runs.records.wire import WireEvent
from buddy_core.testing import RunDirectoryBuilder

NOW = 1_767_961_867_000
MINUTE = 60_000


class Counting(MetricsCollector):
    """Counts how often it is asked for sums."""

    asked = 0

    def view(self, window: Window, *, now_ms: int | None = None) -> WindowView:
        self.asked += 1
        return super().view(window, now_ms=now_ms)


class Seen:
    """A watch on a directory, and what it says at a moment."""

    def __init__(self, runs: Path, limits: Limits) -> None:
        self.clock = ManualClock(NOW)
        self.collector = Counting(clock=self.clock)
        self.observer = Observer(runs, self.collector, clock=self.clock)
        self.watch = AlertWatch(self.observer, self.collector, limits)

    def rules(self, after_ms: int = 0) -> list[str]:
        self.clock.set_wall(self.clock.now_ms() + after_ms)
        self.observer.load()
        self.observer.tick()
        return [alert.rule for alert in self.watch.check(self.clock.now_ms()).alerts]


@contextmanager
def watching(runs: Path, limits: Limits | None = None) -> Iterator[Seen]:
    seen = Seen(runs, limits or Limits())
    try:
        yield seen
    finally:
        seen.watch.close()
        seen.observer.close()


def a_run(runs: Path, same: int = 0) -> RunDirectoryBuilder:
    made = RunDirectoryBuilder(runs, started_at=NOW - MINUTE)
    for _ in range(same):
        made.tool("bash", {"command": "npm test"})
    made.write()
    return made


def test_before_every_run_is_read_nothing_is_said(tmp_path: Path) -> None:
    a_run(tmp_path, same=4)
    with watching(tmp_path) as seen:
        assert seen.rules() == ["repeating"]
        RunDirectoryBuilder(tmp_path, started_at=NOW, suffix="bbbbbb").write()
        seen.observer._take(seen.observer._watch.scan())
        seen.observer._publish()
        assert seen.observer.sources().total == 2
        assert seen.watch.check(NOW) == NO_ALERTS
        assert seen.rules() == ["repeating"]


def test_sums_are_made_anew_only_when_something_changed_and_not_at_once(tmp_path: Path) -> None:
    made = a_run(tmp_path, same=1)
    with watching(tmp_path, Limits(cost_per_hour=1.0)) as seen:
        seen.rules()
        first = seen.collector.asked
        assert first == 2, "a quarter of an hour, and the budget"
        seen.rules()
        seen.rules(SUMS_MS)
        assert seen.collector.asked == first, "nothing happened"
        made.request(cost=2.0).write()
        assert seen.rules(1) == ["cost_per_hour"]
        made.request(cost=2.0).write()
        seen.rules(SUMS_MS - 1)
        assert seen.collector.asked == 2 * first
        seen.rules(1)
        assert seen.collector.asked == 3 * first
        seen.rules(MINUTE)
        assert seen.collector.asked == 4 * first, "a window slides by the minute"


def test_events_are_read_on_only_when_there_are_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = a_run(tmp_path, same=4)
    polls: list[int] = []

    class Tail(FileTail):
        def poll(self, budget_bytes: int = 0) -> Change[WireEvent]:
            polls.append(budget_bytes)
            return super().poll(budget_bytes)

    monkeypatch.setattr(watch, "FileTail", Tail)
    with watching(tmp_path) as seen:
        for _ in range(3):
            assert seen.rules(1) == ["repeating"]
        assert len(polls) == 1
        made.tool("grep", {"pattern": "x"}).write()
        assert seen.rules(1) == []
        assert len(polls) == 2


def test_a_long_run_is_read_a_piece_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "PIECE_BYTES", 2_000)
    made = a_run(tmp_path)
    for number in range(20):
        made.tool("bash", {"command": f"{number}"})
    for _ in range(4):
        made.tool("bash", {"command": "npm test"})
    made.write()
    with watching(tmp_path) as seen:
        told = [seen.rules(1) for _ in range(8)]
        assert told[0] == []
        assert told[-1] == ["repeating"]


def test_a_file_that_takes_the_place_of_another_is_looked_at_by_itself(tmp_path: Path) -> None:
    made = a_run(tmp_path, same=4)
    with watching(tmp_path) as seen:
        assert seen.rules() == ["repeating"]
        events = made.events_file.read_bytes().splitlines(keepends=True)
        other = made.run_dir / "other"
        other.write_bytes(b"".join(events[:8]))
        other.replace(made.events_file)
        seen.rules(1)  # the old file is read to its end first
        assert seen.rules(1) == [], "three calls with a result, not seven"
        with made.events_file.open("ab") as file:
            file.write(b"".join(events[8:]))
        assert seen.rules(1) == ["repeating"]


def test_a_run_that_ends_stalls_or_goes_away_goes_in_circles_no_more(tmp_path: Path) -> None:
    made = a_run(tmp_path, same=4)
    with watching(tmp_path) as seen:
        assert seen.rules() == ["repeating"]
        assert sorted(seen.rules(11 * MINUTE)) == ["repeating", "stalled"]
        made.end().write()
        assert seen.rules() == []
        assert seen.watch._circles._followed == {}
