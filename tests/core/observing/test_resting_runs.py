"""Runs that are long over keep nothing of their files in memory, and count exactly once when they grow after all."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.core.history_home import DAY, MINUTE, NOW, PRICES, Home, differences, numbers
from tests.watching import following

from buddy_core.clock import ManualClock
from buddy_core.history.keeper import RunHistory
from buddy_core.metrics.collector import MetricsCollector
from buddy_core.metrics.window import Window
from buddy_core.observing.company import QUIET_MS
from buddy_core.observing.observer import Observer
from buddy_core.testing import RunDirectoryBuilder


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def observer_of(home: Home, *, remembers: bool = False) -> tuple[MetricsCollector, Observer]:
    collector = MetricsCollector(clock=home.clock, prices=PRICES)
    history = RunHistory(home.history, clock=home.clock) if remembers else None
    return collector, Observer(home.runs, collector, clock=home.clock, history=history)


def finished(home: Home, number: int, *, minutes_ago: float = 120.0, end: bool = True) -> RunDirectoryBuilder:
    run = RunDirectoryBuilder(
        home.runs, started_at=int(NOW - minutes_ago * MINUTE) - number, suffix=f"{number:06x}"
    )
    run.tool("bash", took_ms=40).request(prompt=500, cost=0.25).tool("edit", took_ms=9, error="exit 1")
    run.metrics(totalTokens=90_000, promptTokens=80_000, completionTokens=10_000)
    if end:
        run.end()
    run.write()
    return run


def recounted(home: Home) -> MetricsCollector:
    """By an observer that has seen nothing before."""
    collector, observer = observer_of(home)
    observer.load()
    observer.close()
    return collector


def test_what_is_over_rests_and_is_listed_as_before(home: Home) -> None:
    runs = [finished(home, number) for number in range(5)]
    young = finished(home, 9, minutes_ago=1)
    live = finished(home, 10, minutes_ago=0.5, end=False)
    _, observer = observer_of(home)
    observer.load()
    assert observer._runs.resting == len(runs)
    assert {facts.run_id for facts in observer.facts()} == {run.run_id for run in (*runs, young, live)}
    assert (observer.sources().loaded, observer.sources().total) == (7, 7)
    home.clock.advance(QUIET_MS)
    observer.tick()
    assert observer._runs.resting == len(runs) + 1
    observer.close()


@pytest.mark.parametrize("remembers", [False, True])
def test_a_run_that_rests_and_grows_is_counted_on_exactly(home: Home, remembers: bool) -> None:
    runs = [finished(home, number) for number in range(3)]
    collector, observer = observer_of(home, remembers=remembers)
    observer.load()
    before = observer.by_id()[runs[1].run_id]
    for more in range(3):  # the second time it is awake
        runs[1].tool("late", took_ms=more).write()
        observer.load()
        assert differences(numbers(collector), numbers(recounted(home))) == []
    assert observer.by_id()[runs[1].run_id].tool_calls == before.tool_calls + 3
    assert observer._runs.resting == 2
    observer.close()


async def test_a_run_that_was_given_up_and_goes_on_comes_to_life(home: Home) -> None:
    home.clock = ManualClock(NOW + DAY)
    run = finished(home, 1, end=False)
    collector, observer = observer_of(home)
    async with following(observer) as until:
        await until(lambda: bool(observer.facts()))
        assert observer.facts()[0].status == "interrupted"
        assert observer._runs.resting == 1
        run.tool("late", took_ms=1).write()  # with times of yesterday, for its clock is wrong
        await until(lambda: observer.facts()[0].status == "running")
    assert collector.view(Window.ALL, now_ms=NOW + DAY).total_tool_calls == 3


def test_a_turn_that_comes_late_finds_the_run_that_rests(home: Home) -> None:
    run = RunDirectoryBuilder(home.runs, started_at=NOW - 60 * MINUTE, suffix="00000a")
    run.tool("bash", took_ms=60_000).metrics(totalTokens=900, promptTokens=800, completionTokens=100)
    run.end().write()
    collector, observer = observer_of(home)
    observer.load()
    assert observer._runs.resting == 1
    home.turn(59.5)
    observer.load()
    observer.close()
    (facts,) = observer.facts()
    assert facts.model == "gpt-5.5"
    assert collector.view(Window.ALL, now_ms=NOW).total_requests == 1


def test_a_run_that_rests_and_is_removed_is_gone(home: Home) -> None:
    runs = [finished(home, number) for number in range(3)]
    _, observer = observer_of(home)
    observer.load()
    shutil.rmtree(runs[0].run_dir)
    observer.load()
    observer.close()
    assert (observer.sources().total, len(observer.facts()), observer._runs.resting) == (2, 2, 2)


def test_a_file_that_takes_the_place_of_one_that_rests_is_history_too(home: Home) -> None:
    home.clock = ManualClock(NOW + DAY)
    run = finished(home, 1, end=False)
    _, observer = observer_of(home)
    observer.load()
    assert observer._runs.resting == 1
    copy = run.events_file.with_suffix(".new")
    copy.write_bytes(run.events_file.read_bytes() * 2)
    copy.replace(run.events_file)
    observer.load()
    observer.close()
    assert observer.facts()[0].status == "interrupted"
