"""What an observer must not mistake: history for life, and a run half read for one that is loaded."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.watching import following

from buddy_core.clock import ManualClock
from buddy_core.metrics.collector import MetricsCollector
from buddy_core.observing.observation import READ_BYTES
from buddy_core.observing.observer import Observer
from buddy_core.runs.facts import RunFacts
from buddy_core.testing import RunDirectoryBuilder

T0 = 1_767_890_000_000
HOUR = 3_600_000


@contextmanager
def observing(runs_dir: Path) -> Iterator[Observer]:
    clock = ManualClock(T0)
    observer = Observer(runs_dir, MetricsCollector(clock=clock), clock=clock)
    try:
        yield observer
    finally:
        observer.close()


@pytest.fixture
def old(tmp_path: Path) -> RunDirectoryBuilder:
    """A run of two hours ago whose writer never recorded an end."""
    runs = tmp_path / "runs"
    runs.mkdir()
    run = RunDirectoryBuilder(runs, started_at=T0 - 2 * HOUR, suffix="0a1b2c")
    run.tool("bash").write()
    return run


def only(observer: Observer) -> RunFacts | None:
    runs = observer.facts()
    return runs[0] if runs else None


async def test_an_old_run_that_is_moved_into_the_directory_does_not_come_to_life(
    old: RunDirectoryBuilder, tmp_path: Path
) -> None:
    away = tmp_path / "away"
    old.run_dir.rename(away)
    with observing(tmp_path / "runs") as observer:
        async with following(observer) as until:
            await until(lambda: observer._caught_up)
            away.rename(old.run_dir)
            await until(lambda: only(observer) is not None)

            assert observer.facts()[0].status == "interrupted"
            assert observer.facts()[0].tool_calls == 1


async def test_an_old_run_whose_directory_went_away_and_came_back_is_as_dead_as_before(
    old: RunDirectoryBuilder, tmp_path: Path
) -> None:
    with observing(tmp_path / "runs") as observer:
        async with following(observer) as until:
            await until(lambda: observer._caught_up)
            shutil.move(tmp_path / "runs", tmp_path / "away")
            await until(lambda: only(observer) is None)
            shutil.move(tmp_path / "away", tmp_path / "runs")
            await until(lambda: only(observer) is not None)

            assert observer.facts()[0].status == "interrupted"


async def test_a_file_that_is_replaced_by_older_content_is_no_sign_of_life(
    old: RunDirectoryBuilder, tmp_path: Path
) -> None:
    with observing(tmp_path / "runs") as observer:
        async with following(observer) as until:
            await until(lambda: observer._caught_up)
            events = old.run_dir / "events.jsonl"
            copy = tmp_path / "copy"
            copy.write_bytes(events.read_bytes().splitlines(keepends=True)[0])
            copy.rename(events)
            await until(lambda: observer.facts()[0].event_count == 1)

            assert observer.facts()[0].status == "interrupted"


async def test_a_run_of_which_only_a_part_has_been_read_is_not_yet_loaded(
    old: RunDirectoryBuilder, tmp_path: Path
) -> None:
    """Case 22: the numbers of a long file are not all there while the rest of it waits."""
    line = (old.run_dir / "events.jsonl").read_bytes().splitlines(keepends=True)[1]
    with (old.run_dir / "events.jsonl").open("ab") as events:
        events.write(line * (3 * READ_BYTES // len(line)))
    pictures: list[tuple[int, int]] = []
    with observing(tmp_path / "runs") as observer:

        def look() -> None:
            sources = observer.sources()
            pictures.append((sources.loaded, observer.facts()[0].event_count if observer.facts() else 0))

        observer._look_everywhere()
        while observer._queue:
            observer._read_next()
            observer._publish()
            look()

    whole = pictures[-1][1]
    assert len(pictures) >= 3
    assert {loaded for loaded, events in pictures if events < whole} == {0}
    assert pictures[-1] == (1, whole)
