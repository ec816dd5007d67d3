"""What calls were about is let go of as they are read, but for those that can be listed: no list shows the difference."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from buddy_core.clock import ManualClock
from buddy_core.metrics.collector import MetricsCollector
from buddy_core.metrics.counting.calls import NO_FLOOR
from buddy_core.metrics.looking.model import ToolDepth
from buddy_core.metrics.window import Window
from buddy_core.observing.observer import Observer
from buddy_core.runs.folding import observed
from buddy_core.runs.folding.harvest import Harvest, ListedAbove
from buddy_core.testing import RunDirectoryBuilder

NOW = 1_767_890_123_456
HOUR = 3_600_000


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Six runs of the last hours, of 300 calls each; every call says which it is."""
    chance = random.Random(3)
    for number in range(6):
        run = RunDirectoryBuilder(tmp_path, started_at=NOW - (number + 1) * HOUR // 2, suffix=f"{number:06x}")
        for call in range(300):
            tool = chance.choice(["bash", "view_file"])
            argument = {"command" if tool == "bash" else "path": f"call {call} of run {number}"}
            run.tool(tool, argument, took_ms=int(chance.lognormvariate(6, 2)))
        run.write()
    return tmp_path


def depths(runs: Path) -> list[ToolDepth]:
    clock = ManualClock(NOW)
    collector = MetricsCollector(clock=clock)
    observer = Observer(runs, collector, clock=clock)
    observer.load()
    observer.close()
    return [collector.tool_depth(tool, window) for tool in ("bash", "view_file") for window in Window]


def test_the_lists_are_those_of_whoever_keeps_every_argument(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(observed, "CHUNK", 4_000)
    told = depths(runs)
    monkeypatch.setattr(MetricsCollector, "listed_above", lambda *_: NO_FLOOR)
    assert told == depths(runs)
    assert all(call.argument for depth in told for call in depth.slowest + depth.latest)


def test_of_calls_that_are_long_surpassed_no_line_is_kept(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are most of what was read: a run of 100,000 calls is counted in the memory of a few."""
    kept: list[int] = []
    real = Harvest.let_go_of_calls

    def let_go(self: Harvest, listed_above: ListedAbove) -> None:
        real(self, listed_above)
        kept.append(sum(call is not None for column in self.tools.values() for call in column.calls))

    monkeypatch.setattr(Harvest, "let_go_of_calls", let_go)
    depths(runs)
    assert len(kept) == 6
    assert kept[0] == 300, "of the newest run any may be listed"
    assert max(kept[1:]) < 100
