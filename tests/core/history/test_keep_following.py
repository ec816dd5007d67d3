"""Keeping whatever ends."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from buddy_core import RunStore
from buddy_core.clock import SystemClock
from buddy_core.errors import BuddyError, KeepFailed, RunNotFound
from buddy_core.runs.keeping import archive as archive_module
from buddy_core.runs.keeping import following
from buddy_core.runs.keeping.archive import Archive
from buddy_core.runs.keeping.copying import write_packed
from buddy_core.runs.keeping.following import Keeper, Told
from buddy_core.testing import RunDirectoryBuilder

NOW = SystemClock().now_ms()


class Following:
    """A keeper at work, and what it has told."""

    def __init__(self, tmp_path: Path) -> None:
        self.runs_dir = tmp_path / "runs"
        self.runs_dir.mkdir(exist_ok=True)
        self.archive = Archive(tmp_path / "kept")
        self.told: list[Told] = []
        self.keeper = Keeper(self.runs_dir, self.archive, tell=self.told.append, settle_ms=60, look_s=0.03)

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait for something, at most as long as the test may take."""
        while not holds():
            await asyncio.sleep(0.01)

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Follow for as long as this lasts."""
        task = asyncio.create_task(self.keeper.follow())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def following_now(tmp_path: Path) -> Following:
    return Following(tmp_path)


async def test_what_is_over_is_kept_at_once_and_what_ends_when_it_ends(following_now: Following) -> None:
    store = RunStore(following_now.runs_dir)
    with store.run("old") as old:
        pass
    async with following_now.at_work():
        await following_now.until(lambda: old.run_id in following_now.archive)
        with store.run("new") as new:
            await following_now.until(lambda: following_now.keeper.waiting == (new.run_id,))
            assert new.run_id not in following_now.archive
        await following_now.until(lambda: new.run_id in following_now.archive)
    assert [told.run_id for told in following_now.told if not isinstance(told, BuddyError)] == [
        old.run_id,
        new.run_id,
    ]
    assert following_now.keeper.waiting == ()


async def test_a_writer_that_dies_without_a_word_is_noticed(
    following_now: Following, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is written when a lock becomes free, so nothing is notified."""
    monkeypatch.setattr(archive_module, "YOUNG_MS", 0)
    store = RunStore(following_now.runs_dir)
    run_id = store.start_run("killed")
    async with following_now.at_work():
        await following_now.until(lambda: following_now.keeper.waiting == (run_id,))
        store.close()
        await following_now.until(lambda: run_id in following_now.archive)
    assert following_now.archive.manifest(run_id).facts.status == "interrupted"


async def test_totals_that_come_after_the_last_event_are_in_the_copy(following_now: Following) -> None:
    """The original writer ends a run in three files, one after the other."""
    run = RunDirectoryBuilder(following_now.runs_dir, started_at=NOW).tool("bash").without_metrics()
    run.event("run_end", {"status": "completed"}).write()
    async with following_now.at_work():
        await following_now.until(lambda: following_now.keeper.waiting == (run.run_id,))
        run.metrics(totalTokens=1234).summary(status="completed").write()
        await following_now.until(lambda: run.run_id in following_now.archive)
    assert following_now.archive.manifest(run.run_id).facts.total_tokens == 1234


async def test_a_run_that_is_removed_before_it_was_kept_is_told(following_now: Following) -> None:
    run = RunDirectoryBuilder(following_now.runs_dir, started_at=NOW)
    run.write()
    async with following_now.at_work():
        await following_now.until(lambda: following_now.keeper.waiting == (run.run_id,))
        shutil.rmtree(run.run_dir)
        await following_now.until(lambda: bool(following_now.told))
    assert isinstance(following_now.told[0], RunNotFound)
    assert following_now.archive.ids() == []


async def test_a_failure_is_told_once_and_tried_again(
    following_now: Following, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case 5: when the disk has room again the run is kept."""
    monkeypatch.setattr(following, "_FIRST_WAIT_MS", 20.0)
    monkeypatch.setattr(following, "_LONGEST_WAIT_MS", 20.0)
    inner, failures = write_packed, 0

    def full(*args: object) -> object:
        nonlocal failures
        failures += 1
        if failures < 4:
            raise OSError(28, "No space left on device")
        return inner(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(archive_module, "write_packed", full)
    run = RunDirectoryBuilder(following_now.runs_dir).end()
    run.write()
    async with following_now.at_work():
        await following_now.until(lambda: run.run_id in following_now.archive)
        await following_now.until(lambda: len(following_now.told) == 2)
    assert isinstance(following_now.told[0], KeepFailed)


async def test_runs_that_are_kept_already_are_not_told_again(following_now: Following) -> None:
    run = RunDirectoryBuilder(following_now.runs_dir).end()
    run.write()
    following_now.archive.keep(run.root, run.run_id)
    other = RunDirectoryBuilder(following_now.runs_dir, suffix="ffffff").end()
    other.write()
    async with following_now.at_work():
        await following_now.until(lambda: bool(following_now.told))
    assert [told.run_id for told in following_now.told if not isinstance(told, BuddyError)] == [other.run_id]
