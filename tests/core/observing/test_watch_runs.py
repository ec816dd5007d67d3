"""Of very many runs the newest are read, with whatever grows or appears; the others are left alone and counted."""

from __future__ import annotations

import errno
import json
import os
import resource
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.core.history_home import DAY, MINUTE, NOW, PRICES, Home, differences, numbers, until_it_rests
from tests.watching import following

from buddy_core.clock import ManualClock
from buddy_core.history.keeper import RunHistory
from buddy_core.metrics.collector import MetricsCollector
from buddy_core.metrics.window import Window
from buddy_core.observing.observer import Observer
from buddy_core.prometheus.exporter import PrometheusExporter
from buddy_core.runs.doctor import doctor
from buddy_core.runs.watching.notify import PollingNotifier
from buddy_core.runs.watching.watch import RunsWatch
from buddy_core.testing import RunDirectoryBuilder

YEAR_AGO_S = NOW / 1000 - 365 * 86_400


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def fill(home: Home, runs: int, *, minutes_apart: float = 3.0) -> list[RunDirectoryBuilder]:
    """Runs whose files were written long ago, the newest first."""
    made = [home.run(number, minutes_ago=minutes_apart * (number + 1), seed=number) for number in range(runs)]
    for run in made:
        run.write()
        age(run)
    return made


def age(run: RunDirectoryBuilder) -> None:
    for file in run.run_dir.iterdir():
        os.utime(file, (YEAR_AGO_S, YEAR_AGO_S))


def grow(run: RunDirectoryBuilder, calls: int = 1) -> None:
    """Append calls that were not there, as an agent does."""
    lines = [
        {"toolName": "late", "success": True, "durationMs": 7, "toolCallId": f"late{number}"}
        for number in range(calls)
    ]
    with run.events_file.open("a") as file:
        for data in lines:
            event = {"ts": NOW, "runId": run.run_id, "type": "tool_result", "data": data}
            file.write(json.dumps(event) + "\n")


def observed(home: Home, watch_runs: int, *, keeps: bool = False) -> tuple[MetricsCollector, Observer]:
    """An observer that has read everything it is to read; `keeps`: and stored it."""
    collector = MetricsCollector(clock=home.clock, prices=PRICES)
    history = RunHistory(home.history, clock=home.clock) if keeps else None
    observer = Observer(home.runs, collector, clock=home.clock, watch_runs=watch_runs, history=history)
    observer.load()
    if history is not None and history._writer is not None:
        until_it_rests(history._writer)
    return collector, observer


def recount(home: Home, runs: list[RunDirectoryBuilder]) -> MetricsCollector:
    """What is counted in a directory that holds nothing but these runs."""
    elsewhere = home.path / "recount" / "runs"
    shutil.rmtree(elsewhere, ignore_errors=True)
    for run in runs:
        shutil.copytree(run.run_dir, elsewhere / run.run_id)
    collector = MetricsCollector(clock=home.clock, prices=PRICES)
    observer = Observer(elsewhere, collector, clock=home.clock)
    observer.load()
    observer.close()
    return collector


def test_the_newest_runs_are_counted_and_nothing_of_the_others(home: Home) -> None:
    runs = fill(home, 12)
    collector, observer = observed(home, 5)
    observer.close()
    sources = observer.sources()
    assert [facts.run_id for facts in observer.facts()] == [run.run_id for run in runs[:5]]
    assert (sources.loaded, sources.total, sources.left_alone, sources.found) == (5, 5, 7, 12)
    assert sources.complete
    assert differences(numbers(collector), numbers(recount(home, runs[:5]))) == []


@pytest.mark.parametrize("watch_runs", [0, 12, 99])
def test_where_there_are_no_more_than_that_all_are_counted(home: Home, watch_runs: int) -> None:
    runs = fill(home, 12)
    collector, observer = observed(home, watch_runs)
    observer.close()
    assert (observer.sources().left_alone, observer.sources().part_of(None)) == (0, None)
    assert differences(numbers(collector), numbers(recount(home, runs))) == []


async def test_a_run_that_grows_is_counted_from_then_on_and_wholly(home: Home) -> None:
    runs = fill(home, 8)
    collector = MetricsCollector(clock=home.clock, prices=PRICES)
    watch = RunsWatch(home.runs, newest=3, sweep_ms=20)
    observer = Observer(home.runs, collector, clock=home.clock, watch=watch)
    async with following(observer) as until:
        await until(lambda: observer.sources().loaded == 3)
        grow(runs[6], 2)
        await until(lambda: observer.sources().loaded == 4)
        grow(runs[6])  # and is followed like any other
        await until(lambda: collector.view(Window.ALL, now_ms=NOW).total_tool_calls == calls_in(home, runs))
    assert (observer.sources().total, observer.sources().left_alone) == (4, 4)


def calls_in(home: Home, runs: list[RunDirectoryBuilder]) -> int:
    counted = recount(home, [*runs[:3], runs[6]])
    return counted.view(Window.ALL, now_ms=NOW).total_tool_calls


async def test_a_run_that_appears_is_counted_whatever_its_id_says(home: Home) -> None:
    fill(home, 6)
    collector = MetricsCollector(clock=home.clock)
    observer = Observer(home.runs, collector, clock=home.clock, watch_runs=2)
    async with following(observer) as until:
        await until(lambda: observer.sources().loaded == 2)
        old = RunDirectoryBuilder(home.runs, started_at=NOW - 90 * DAY, suffix="0dd0dd")
        old.tool("bash", took_ms=1).end().write()
        await until(lambda: old.run_id in observer.by_id())
    assert (observer.sources().total, observer.sources().left_alone) == (3, 4)


async def test_a_run_that_is_removed_is_not_left_alone_any_more(home: Home) -> None:
    runs = fill(home, 6)
    observer = Observer(home.runs, MetricsCollector(clock=home.clock), clock=home.clock, watch_runs=2)
    async with following(observer) as until:
        await until(lambda: observer.sources().left_alone == 4)
        shutil.rmtree(runs[5].run_dir)
        await until(lambda: observer.sources().left_alone == 3)


def test_a_second_look_takes_in_what_has_grown_in_between(home: Home) -> None:
    runs = fill(home, 6)
    collector, observer = observed(home, 2)
    observer.load()
    assert observer.sources().left_alone == 4
    grow(runs[4])
    observer.load()
    observer.close()
    assert [facts.run_id for facts in observer.facts()] == [runs[at].run_id for at in (0, 1, 4)]
    assert differences(numbers(collector), numbers(recount(home, [*runs[:2], runs[4]]))) == []


def test_words_say_of_which_runs_numbers_are_where_older_ones_could_matter(home: Home) -> None:
    fill(home, 12, minutes_apart=3.0)
    collector, observer = observed(home, 5)
    observer.close()
    sources = observer.sources()
    assert sources.part_of(None) == "the newest 5 of 12 runs"
    assert sources.part_of(NOW - 60 * MINUTE) == "the newest 5 of 12 runs"
    assert sources.part_of(NOW - 10 * MINUTE) is None  # every run of that time was read
    text = PrometheusExporter(collector, sources=observer.sources).export()
    assert "codebuddy_runs_counted 5.0" in text
    assert "codebuddy_runs_left_alone 7.0" in text
    (note,) = (found for found in doctor(home.runs, watch_runs=5).findings if found.kind == "watch_runs")
    assert note.message == "the monitor's numbers are of the newest 5 of 12 runs"
    assert not any(found.kind == "watch_runs" for found in doctor(home.runs, watch_runs=12).findings)


# The history


def test_a_run_that_is_left_alone_is_not_told_of_by_the_history(home: Home) -> None:
    runs = fill(home, 9)
    observed(home, 0, keeps=True)[1].close()
    home.prune(runs.pop())
    collector, observer = observed(home, 3, keeps=True)
    observer.close()
    sources = observer.sources()
    assert (sources.total, sources.left_alone, sources.history_runs) == (3, 5, 1)
    whole, _ = observed(home, 0, keeps=True)
    assert sources.history_problem is None
    assert calls(whole) - calls(collector) == sum(own_calls(home, run) for run in runs[3:])


def test_a_run_that_was_left_alone_is_remembered_when_it_is_pruned_later(home: Home) -> None:
    runs = fill(home, 9)
    before, observer = observed(home, 0, keeps=True)
    observer.close()
    home.clock.advance(2 * 366 * DAY)  # far older than what is told run by run
    observed(home, 3, keeps=True)[1].close()
    home.clock.advance(-2 * 366 * DAY)
    home.prune(*runs[3:])
    after, observer = observed(home, 3, keeps=True)
    observer.close()
    assert observer.sources().history_runs == 6
    assert differences(numbers(before), numbers(after)) == []


def test_a_run_that_the_history_knows_and_that_grows_counts_once(home: Home) -> None:
    runs = fill(home, 9)
    observed(home, 0, keeps=True)[1].close()
    collector, observer = observed(home, 3, keeps=True)
    grow(runs[7])
    observer.load()
    observer.close()
    assert differences(numbers(collector), numbers(recount(home, [*runs[:3], runs[7]]))) == []


def calls(collector: MetricsCollector) -> int:
    return collector.view(Window.ALL, now_ms=NOW).total_tool_calls


def own_calls(home: Home, run: RunDirectoryBuilder) -> int:
    return calls(recount(home, [run]))


# Limits of the machine


@contextmanager
def few_descriptors(limit: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.slow  # alone: how many are open is the whole process's, and others come and go in it
def test_very_many_runs_are_read_with_few_descriptors(home: Home) -> None:
    """Case 37: what is open is bounded, however many runs there are, and however many of them are not over."""
    for number in range(120):
        run = RunDirectoryBuilder(home.runs, started_at=NOW - 1000 * number, suffix=f"{number:06x}")
        run.tool("bash", took_ms=5).write()
    open_now = sum(1 for _ in Path("/proc/self/fd").iterdir())
    collector = MetricsCollector(clock=ManualClock(NOW))
    with few_descriptors(open_now + 24):
        observer = Observer(home.runs, collector, clock=ManualClock(NOW), watch_runs=100)
        observer.load()
        observer.close()
    assert (observer.sources().loaded, observer.sources().left_alone) == (100, 20), observer.sources()
    assert collector.view(Window.ALL, now_ms=NOW).total_tool_calls == 100


def test_a_directory_that_cannot_be_listed_at_that_moment_is_looked_at_again(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case 37: a single look finds no descriptor, since something else in the process has them all."""
    fill(home, 3)
    real, refused = os.open, []

    def open_(path: object, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if path == "." and len(refused) < 2:
            refused.append(path)
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        return real(str(path), flags, mode, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", open_)
    observer = Observer(home.runs, MetricsCollector(clock=home.clock), clock=home.clock)
    observer.load()
    observer.close()
    assert (observer.sources().loaded, observer.sources().problem, len(refused)) == (3, None, 2)


@pytest.mark.slow
def test_five_hundred_live_runs_are_followed_under_a_limit_of_forty_descriptors(home: Home) -> None:
    """Case 37: the runs grow all at once, and nothing is lost."""
    clock = ManualClock(NOW)
    runs = [
        RunDirectoryBuilder(home.runs, started_at=NOW - number, suffix=f"{number:06x}")
        for number in range(500)
    ]
    for run in runs:
        run.tool("bash", took_ms=0).metrics(totalTokens=70, promptTokens=70).write()
    collector = MetricsCollector(clock=clock)
    with few_descriptors(40):
        observer = Observer(home.runs, collector, clock=clock)
        observer.load()
        for run in runs:
            run.tool("bash", took_ms=0).write()
        observer.load()
        observer.close()
    view = collector.view(Window.ALL, now_ms=NOW)
    assert (view.total_tool_calls, view.total_tokens) == (1_000, 500 * 70)
    assert {facts.status for facts in observer.facts()} == {"running"}
    assert not any(facts.integrity.notes for facts in observer.facts())


@pytest.mark.slow
async def test_ten_thousand_runs_need_no_more_watches_than_there_are_live_ones(home: Home) -> None:
    """Case 32: the kernel has few watches to give."""
    for number in range(10_000):
        RunDirectoryBuilder(home.runs, started_at=NOW - DAY - number, suffix=f"{number:06x}").end().write()
    live = RunDirectoryBuilder(home.runs, started_at=NOW, suffix="ffffff")
    live.tool("bash", took_ms=1).write()
    notifier = Counting()
    watch = RunsWatch(home.runs, newest=500, notifier=notifier, sweep_ms=50)
    observer = Observer(home.runs, MetricsCollector(clock=home.clock), clock=home.clock, watch=watch)
    async with following(observer) as until:
        await until(lambda: observer.sources().loaded == 500)
        live.tool("bash", took_ms=1).write()
        await until(lambda: observer.by_id()[live.run_id].tool_calls == 2)
    assert observer.sources().mode == "notify"
    assert notifier.most <= 3  # the directory, the one beside it with the turns, and the run that lives


class Counting(PollingNotifier):
    """Counts the directories that are watched at once, and refuses more than ten as the kernel would."""

    most = 0

    def watch(self, path: Path) -> None:
        if len(self._paths) >= 10:
            raise OSError(errno.ENOSPC, "no more watches")
        super().watch(path)
        self.most = max(self.most, len(self._paths))
