"""The housekeeper of a store, step by step: what the start of a run does, and what it leaves to the thread."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from buddy_core.clock import ManualClock
from buddy_core.runs.pruning import housekeeping
from buddy_core.runs.pruning.housekeeping import REST_S, START_MS, Housekeeper
from buddy_core.runs.pruning.prune import PruneReport

NOW = 1_770_000_000_000
KEEP = 7


class Passes:
    """Stands for `prune_below`: remembers how it was called, and answers what it is told to."""

    def __init__(self) -> None:
        self.report = PruneReport()
        self.called: list[tuple[int, int | None, Path, int]] = []
        self.patience: list[Any] = []

    def __call__(self, root_fd: int, keep: int | None, *, root: Path, now_ms: int, patience: Any) -> Any:
        os.fstat(root_fd)
        self.called.append((root_fd, keep, root, now_ms))
        self.patience.append(patience)
        return self.report

    @property
    def kept(self) -> list[int | None]:
        """What each pass was to keep."""
        return [keep for _, keep, _, _ in self.called]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> Passes:
    passes = Passes()
    monkeypatch.setattr(housekeeping, "prune_below", passes)
    return passes


@pytest.fixture
def keeper(tmp_path: Path, clock: ManualClock) -> Housekeeper:
    (tmp_path / "link").symlink_to(tmp_path)
    return Housekeeper(tmp_path / "link", KEEP, clock)


@pytest.fixture
def root_fd(tmp_path: Path) -> Iterator[int]:
    fd = os.open(tmp_path, os.O_RDONLY)
    yield fd
    os.close(fd)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """The descriptors that threads were started with, which do not run."""
    fds: list[int] = []
    monkeypatch.setattr("_thread.start_new_thread", lambda _work, args: fds.append(*args))
    yield fds
    for fd in fds:
        os.close(fd)


def test_no_limit_below_zero_is_taken(tmp_path: Path, clock: ManualClock) -> None:
    with pytest.raises(ValueError, match=r"^max_runs must be None \(keep all\), 0 or more$"):
        Housekeeper(tmp_path, -1, clock)
    Housekeeper(tmp_path, 0, clock)


def test_where_all_are_kept_nothing_is_looked_at(
    tmp_path: Path, clock: ManualClock, passes: Passes, root_fd: int
) -> None:
    keeper = Housekeeper(tmp_path, None, clock)
    keeper.run_started(root_fd)
    assert keeper.prune(root_fd) == PruneReport()
    assert passes.called == []


def test_a_prune_takes_its_time(keeper: Housekeeper, passes: Passes, root_fd: int, tmp_path: Path) -> None:
    passes.report = PruneReport(leftover=3)
    assert keeper.prune(root_fd) is passes.report
    assert passes.called == [(root_fd, KEEP, tmp_path.resolve(), NOW)]
    assert (passes.patience[0].hurried, passes.patience[0].over) == (False, False)


def test_the_start_of_a_run_has_a_few_milliseconds(
    keeper: Housekeeper, passes: Passes, root_fd: int, tmp_path: Path, clock: ManualClock
) -> None:
    """Promise C9."""
    clock.advance(1_000)
    keeper.run_started(root_fd)
    assert passes.called == [(root_fd, KEEP, tmp_path.resolve(), NOW + 1_000)]
    (patience,) = passes.patience
    assert patience.hurried
    over = []
    for ms in (START_MS / 2, START_MS / 4, START_MS / 4):
        clock.advance(ms)
        over.append(patience.over)
    assert over == [False, False, True]


@pytest.mark.parametrize(
    ("report", "left"),
    [
        (PruneReport(), []),
        (PruneReport(leftover=1), [False]),
        (PruneReport(finished=False), [True]),
        (PruneReport(leftover=1, finished=False), [True]),
    ],
    ids=str,
)
def test_a_thread_takes_apart_what_is_left_and_takes_more_only_where_there_was_no_time(
    keeper: Housekeeper,
    passes: Passes,
    root_fd: int,
    started: list[int],
    report: PruneReport,
    left: list[bool],
) -> None:
    passes.report = report
    keeper.run_started(root_fd)
    assert len(started) == len(left)
    assert root_fd not in started, "the thread has a descriptor of its own"
    assert [keeper._taking] * len(left) == left
    assert keeper.wait(0) == (not left)


def test_a_thread_that_is_at_work_is_told_to_look_again(
    keeper: Housekeeper, root_fd: int, started: list[int], passes: Passes
) -> None:
    for taking in (False, True, False):
        keeper._go_on(root_fd, taking=taking)
    assert len(started) == 1
    keeper._work(os.dup(root_fd))
    assert passes.kept == [KEEP], "once for all three, and one of them had no time"
    keeper._go_on(root_fd, taking=False)
    assert len(started) == 2
    keeper._work(os.dup(root_fd))
    assert passes.kept == [KEEP, None]
    assert keeper.wait(0)


def test_the_thread_lets_others_work_between_its_pieces_of_work(
    keeper: Housekeeper, root_fd: int, started: list[int], passes: Passes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Promise C9; a prune that somebody waits for does not."""
    rests: list[float] = []
    monkeypatch.setattr(time, "sleep", rests.append)
    keeper.prune(root_fd)
    keeper._go_on(root_fd, taking=False)
    keeper._work(os.dup(root_fd))
    for patience in passes.patience:
        patience.rest()
    assert rests == [REST_S]


def test_the_thread_closes_what_it_was_given(
    keeper: Housekeeper, root_fd: int, started: list[int], passes: Passes
) -> None:
    own = os.dup(root_fd)
    keeper._go_on(root_fd, taking=False)
    keeper._work(own)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(own)


def test_without_a_thread_nothing_stays_open_and_the_next_start_tries_again(
    keeper: Housekeeper, root_fd: int, passes: Passes, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[int] = []

    def refused(_work: object, args: tuple[int]) -> None:
        tried.append(*args)
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr("_thread.start_new_thread", refused)
    passes.report = PruneReport(leftover=1)
    for _ in range(2):
        keeper.run_started(root_fd)
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(tried[-1])
        assert keeper.wait(0)
    assert len(tried) == 2


def test_what_stands_in_the_way_is_counted_by_its_words(
    keeper: Housekeeper, root_fd: int, started: list[int], passes: Passes
) -> None:
    passes.report = PruneReport(problems={"a": "busy", "b": "busy", "c": "no such file"})
    keeper.prune(root_fd)
    assert keeper.problems == {"busy": 2, "no such file": 1}
    keeper.run_started(root_fd)
    keeper._go_on(root_fd, taking=True)
    keeper._work(os.dup(root_fd))
    assert keeper.problems == {"busy": 6, "no such file": 3}
