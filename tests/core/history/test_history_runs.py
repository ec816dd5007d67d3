"""A run counts once, whoever tells of it: its files as long as they are there, the history when they are not."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.core.history_home import NOW, Home, differences, numbers
from tests.watching import following

from buddy_core.clock import ManualClock
from buddy_core.history.keeper import PENDING_MS, RunHistory
from buddy_core.history.packing import decompress
from buddy_core.metrics.collector import MetricsCollector
from buddy_core.metrics.window import Window
from buddy_core.observing.observer import Observer
from buddy_core.testing import RunDirectoryBuilder


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def run_of(home: Home, suffix: str, calls: int = 3, *, end: bool = True) -> RunDirectoryBuilder:
    """A run of this minute, without anything by chance."""
    run = RunDirectoryBuilder(home.runs, started_at=NOW - 30_000, suffix=suffix)
    for _ in range(calls):
        run.tool("bash", took_ms=10)
    if end:
        run.end()
    run.write()
    return run


def calls(collector: MetricsCollector) -> int:
    return collector.view(Window.ALL).total_tool_calls


def rows(home: Home, question: str) -> list[tuple[object, ...]]:
    with contextlib.closing(sqlite3.connect(home.history)) as connection:
        return connection.execute(question).fetchall()


@contextlib.contextmanager
def watching(home: Home) -> Iterator[tuple[Observer, MetricsCollector]]:
    collector = MetricsCollector(clock=home.clock)
    observer = Observer(
        home.runs, collector, clock=home.clock, history=RunHistory(home.history, clock=home.clock)
    )
    try:
        yield observer, collector
    finally:
        observer.close()


def test_a_pruned_run_is_told_of_with_what_it_says_of_itself(home: Home) -> None:
    run = run_of(home, "00000a")
    home.monitor()
    home.prune(run)

    collector, observer = home.monitor()
    sources = observer.sources()
    assert calls(collector) == 3
    assert (sources.history, sources.history_runs, sources.history_problem) == (home.history, 1, None)
    assert sources.history_since_ms == NOW - 30_000 + 10
    assert sources.complete
    assert observer.facts() == ()


def test_a_run_that_is_still_there_is_counted_from_its_files_alone(home: Home) -> None:
    run_of(home, "00000a")
    first, _ = home.monitor()
    second, observer = home.monitor()
    assert differences(numbers(first), numbers(second)) == []
    assert observer.sources().history_runs == 0


def test_a_run_that_has_not_changed_is_not_stored_again(home: Home) -> None:
    run_of(home, "00000a")
    run_of(home, "00000b", end=False)
    home.monitor()
    before = rows(home, "SELECT id, run_id, data FROM segments")
    home.monitor()
    assert rows(home, "SELECT id, run_id, data FROM segments") == before
    assert len(before) == 2


def test_a_run_that_went_on_while_nobody_watched_is_stored_as_it_is_now(home: Home) -> None:
    run = run_of(home, "00000a", end=False)
    home.monitor()
    run.tool("edit").end().write()
    home.monitor()
    home.prune(run)
    collector, _ = home.monitor()
    assert calls(collector) == 4
    assert len(rows(home, "SELECT * FROM segments")) == 1


def test_a_run_that_comes_back_between_two_starts_is_counted_once(home: Home, tmp_path: Path) -> None:
    run = run_of(home, "00000a")
    home.monitor()
    shutil.move(run.run_dir, tmp_path / "away")
    home.monitor()
    shutil.move(tmp_path / "away", run.run_dir)
    collector, observer = home.monitor()
    assert (calls(collector), observer.sources().history_runs) == (3, 0)


async def test_a_run_that_comes_back_under_our_eyes_is_counted_once_and_what_it_does_then_as_well(
    home: Home, tmp_path: Path
) -> None:
    run = run_of(home, "00000a", end=False)
    run.request(cost=0.5).error("broken").metrics(totalCost=2.0).write()
    home.monitor()
    shutil.move(run.run_dir, tmp_path / "away")
    with watching(home) as (observer, collector):
        async with following(observer) as until:
            await until(lambda: observer.sources().complete and calls(collector) == 3)
            told = numbers(collector)

            shutil.move(tmp_path / "away", run.run_dir)
            await until(lambda: bool(observer.facts()))
            await until(lambda: observer._caught_up and not observer._queue)
            assert differences(numbers(collector), told) == []

            run.tool("bash").end().metrics(totalCost=2.0).write()
            await until(lambda: calls(collector) == 4 and bool(observer.facts()[0].ended_at))
    home.prune(run)
    collector, _ = home.monitor()
    assert calls(collector) == 4
    assert collector.get_total_cost() == pytest.approx(2.0)


async def test_a_runs_directory_that_is_not_there_at_first_is_not_counted_twice_when_it_is(
    home: Home, tmp_path: Path
) -> None:
    run_of(home, "00000a")
    first, _ = home.monitor()
    shutil.move(home.runs, tmp_path / "away")
    with watching(home) as (observer, collector):
        async with following(observer) as until:
            await until(lambda: observer.sources().complete)
            assert calls(collector) == 3
            shutil.move(tmp_path / "away", home.runs)
            await until(lambda: len(observer.facts()) == 1)
            await until(lambda: observer._caught_up and not observer._queue)
            assert differences(numbers(collector), numbers(first)) == []


async def test_a_run_that_came_and_went_while_somebody_watched_is_kept(home: Home) -> None:
    with watching(home) as (observer, collector):
        async with following(observer) as until:
            await until(lambda: observer.sources().complete)
            run = run_of(home, "00000a", end=False)
            await until(lambda: calls(collector) == 3)
            run.tool("bash").write()
            await until(lambda: calls(collector) == 4)
            home.prune(run)
            await until(lambda: not observer.facts())
    collector, observer = home.monitor()
    assert (calls(collector), observer.sources().history_runs) == (4, 1)


def test_what_a_live_run_brings_is_stored_before_long(home: Home) -> None:
    clock = ManualClock(NOW)
    run = run_of(home, "00000a", end=False)
    history = RunHistory(home.history, clock=clock)
    observer = Observer(home.runs, MetricsCollector(clock=clock), clock=clock, history=history)
    observer.load()
    for _ in range(20):
        run.tool("bash").write()
        observer.load()
        clock.advance(PENDING_MS)
        observer.tick()
    assert history._pending == {}
    observer.close()
    assert rows(home, "SELECT count(*) < 17 FROM segments") == [(1,)], "small pieces are packed together"
    home.prune(run)
    assert calls(home.monitor()[0]) == 23


def test_what_is_held_back_is_stored_at_the_end(home: Home) -> None:
    run = run_of(home, "00000a", end=False)
    with watching(home) as (observer, _):
        observer.load()
        run.tool("bash").write()
        home.turn(0.1)
        observer.load()
        run.tool("bash").write()
        home.turn(0.1)
        observer.load()
    home.prune(run)
    (home.path / "turn-metrics.jsonl").unlink()
    collector, _ = home.monitor()
    assert (calls(collector), collector.view(Window.ALL).total_requests) == (5, 2)


def test_a_long_run_is_kept_in_pieces_and_not_stored_again(home: Home) -> None:
    run = RunDirectoryBuilder(home.runs, started_at=NOW - 30_000)
    run.tool("bash", took_ms=1)
    lines, run._lines[:] = run._lines[-2:], run._lines[:1]
    run._lines += [line.replace(b"0001", b"%05d" % n) for n in range(9_000) for line in lines]
    run.end().write()
    home.monitor()
    before = rows(home, "SELECT id FROM segments")
    assert len(before) > 1
    home.monitor()
    assert rows(home, "SELECT id FROM segments") == before
    home.prune(run)
    assert calls(home.monitor()[0]) == 9_000


def test_turns_that_left_their_file_are_told_of_and_those_in_it_are_not_doubled(home: Home) -> None:
    for tokens in (10, 20, 20, 30):
        home.turn(5, tokens)
    home.monitor()
    (home.path / "turn-metrics.jsonl").unlink()
    home.turn(5, 20)
    home.turn(1, 40)
    collector, observer = home.monitor()
    (provider,) = collector.view(Window.ALL).providers
    assert (provider.total_requests, provider.prompt_tokens) == (5, 120)
    assert (observer.sources().history_turns, observer.sources().turn_requests) == (3, 5)
    (home.path / "turn-metrics.jsonl").unlink()
    assert home.monitor()[0].view(Window.ALL).total_requests == 5


def test_tokens_of_a_run_are_not_counted_beside_its_turns_that_left_their_file(home: Home) -> None:
    run_of(home, "00000a").metrics(totalTokens=107, promptTokens=100, completionTokens=7).write()
    home.turn(0.49, 100)
    assert home.monitor()[0].get_total_tokens() == 107
    (home.path / "turn-metrics.jsonl").unlink()
    assert home.monitor()[0].get_total_tokens() == 107


def test_two_runs_directories_share_a_history_and_know_nothing_of_each_other(
    home: Home, tmp_path: Path
) -> None:
    other = Home(tmp_path / "other")
    other.history = home.history
    gone = [run_of(home, "00000a", calls=2), run_of(other, "00000a", calls=5)]
    home.monitor()
    other.monitor()
    home.prune(*gone)
    assert (calls(home.monitor()[0]), calls(other.monitor()[0])) == (2, 5)
    link = tmp_path / "link"
    link.symlink_to(home.path)
    home.runs = link / "runs"
    assert calls(home.monitor()[0]) == 2, "a root is known by its real path"


def test_who_only_reads_changes_and_makes_nothing(home: Home) -> None:
    run = run_of(home, "00000a")
    collector, observer = home.monitor(writes=False)
    assert (calls(collector), observer.sources().history_problem) == (3, None)
    assert not home.history.parent.exists()
    home.monitor()
    home.prune(run)
    before = home.history.read_bytes()
    assert calls(home.monitor(writes=False)[0]) == 3
    assert home.history.read_bytes() == before


def test_a_second_monitor_only_reads_and_finds_nothing_wrong(home: Home) -> None:
    gone = run_of(home, "00000a")
    home.monitor()
    home.prune(gone)
    run_of(home, "00000b", calls=1)
    with watching(home) as (first, _):
        first.load()
        collector, second = home.monitor()
        assert (calls(collector), second.sources().history_problem) == (4, None)
        assert first.sources().history_problem is None


def test_without_a_history_nothing_is_kept(home: Home) -> None:
    run_of(home, "00000a")
    _, observer = home.monitor(history=False)
    assert observer.sources().history is None
    assert not home.history.parent.exists()


def test_secrets_are_not_stored(home: Home) -> None:
    """Case 83: errors and names of a history are masked before they are stored."""
    secret = "sk-ant-api03-" + "a1B2c3D4" * 6
    run = RunDirectoryBuilder(home.runs, started_at=NOW - 30_000)
    run.error(f"refused: Authorization: Bearer {secret}").tool(f"bash {secret}", error=f"token={secret}")
    run.event("metric", {"kind": "value", "name": "x", "value": 1, "labels": {"key": secret}})
    run.event("error", {"message": "x", "stack": secret, "password": secret}).end().write()
    home.turn(1, model=secret)
    home.monitor()
    stored = rows(home, "SELECT data FROM segments UNION ALL SELECT data FROM turns")
    assert len(stored) == 2
    for (data,) in stored:
        assert isinstance(data, bytes)
        assert secret.encode() not in decompress(data)


def test_the_files_are_private(home: Home) -> None:
    """Case 80."""
    run_of(home, "00000a")
    before = os.umask(0)
    try:
        home.monitor()
    finally:
        os.umask(before)
    assert {file.stat().st_mode & 0o777 for file in home.history.parent.iterdir()} == {0o600}
    assert home.history.parent.stat().st_mode & 0o777 == 0o700
