"""One writer a run, and readers that ask for the lock never keep a writer from it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from buddy_core.errors import RunLocked
from buddy_core.runs.store.store import RunStore
from buddy_core.runs.writing import lock
from buddy_core.runs.writing.lock import LOCK_NAME, RunLock


@pytest.fixture
def run_fd(tmp_path: Path) -> Iterator[int]:
    fd = os.open(tmp_path, os.O_RDONLY)
    yield fd
    os.close(fd)


def held(run_dir: Path, how: int) -> int:
    fd = os.open(run_dir / LOCK_NAME, os.O_RDWR | os.O_CREAT)
    fcntl.flock(fd, how)
    return fd


def test_a_reader_that_asks_at_the_wrong_moment_does_not_stop_a_writer(
    tmp_path: Path, run_fd: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asking = held(tmp_path, fcntl.LOCK_SH)
    monkeypatch.setattr(lock.time, "sleep", lambda seconds: os.close(asking))

    RunLock(run_fd).release()


def test_a_run_without_a_summary_runs_as_long_as_its_lock_is_held(tmp_path: Path) -> None:
    """Nobody wrote a word about it, so the lock alone tells whether it is at work."""
    writer, reader = RunStore(tmp_path), RunStore(tmp_path)
    run_id = writer.start_run("Begin")
    (tmp_path / run_id / "summary.json").unlink()
    assert [run.status for run in reader.list_runs()] == ["running"]
    writer.close()
    (tmp_path / run_id / "summary.json").unlink(missing_ok=True)
    record = reader.get_run(run_id)
    assert record is not None
    assert record.summary.status == "interrupted"
    assert [run.status for run in reader.list_runs()] == ["interrupted"]
    (tmp_path / run_id / LOCK_NAME).unlink()
    assert [run.status for run in reader.list_runs()] == [
        "running"
    ]  # a writer that takes no lock may be at work
    (tmp_path / run_id / "events.jsonl").unlink()
    assert [run.status for run in reader.list_runs()] == ["running"]  # it may be about to begin
    reader.close()


def test_a_second_writer_is_refused(tmp_path: Path, run_fd: int) -> None:
    """Case 11."""
    writing = held(tmp_path, fcntl.LOCK_EX)
    with pytest.raises(RunLocked):
        RunLock(run_fd)
    os.close(writing)

    RunLock(run_fd).release()
