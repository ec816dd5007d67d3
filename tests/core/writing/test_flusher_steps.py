"""The flusher step by step, with its thread played by the test: in what order, how often, and what is closed."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from buddy_core.runs.writing import flusher as module
from buddy_core.runs.writing.flusher import MAX_DISCARDED, Flusher

Opened = Callable[[], int]


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What threads were begun with; none runs."""
    begun: list[object] = []
    monkeypatch.setattr("_thread.start_new_thread", lambda work, _args: begun.append(work))
    return begun


@pytest.fixture
def flusher(threads: list[object]) -> Flusher:
    return Flusher(0.0)


@pytest.fixture
def opened(tmp_path: Path) -> Opened:
    return lambda: os.open(tmp_path, os.O_RDONLY)


def is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


def test_one_thread_is_begun_and_the_next_when_it_has_ended(
    flusher: Flusher, threads: list[object], opened: Opened
) -> None:
    flusher.later((1, "a"), opened(), id)
    flusher.later((1, "b"), opened(), id)
    flusher.discard(opened())
    assert threads == [flusher._run]
    flusher._run()
    flusher.discard(opened())
    assert threads == [flusher._run] * 2
    flusher._run()
    assert flusher.wait(0)


def test_a_directory_comes_after_its_files_and_everything_is_closed(flusher: Flusher, opened: Opened) -> None:
    done: list[int] = []
    fds = [opened() for _ in range(4)]
    for fd, key in zip(fds, ((1, "."), (1, "a"), (2, "."), (2, "a")), strict=True):
        flusher.later(key, fd, done.append)
    assert not flusher.wait(0)
    flusher._run()
    assert done == [fds[1], fds[3], fds[0], fds[2]]
    assert [is_open(fd) for fd in fds] == [False] * 4
    assert flusher.wait(0)


def test_a_newer_version_takes_the_place_of_what_waits(flusher: Flusher, opened: Opened) -> None:
    done: list[int] = []
    older, newer = opened(), opened()
    flusher.later((1, "a"), older, done.append)
    flusher.later((1, "a"), newer, done.append)
    assert is_open(older), "closing it may wait for the disk"
    flusher._run()
    assert done == [newer]
    assert (is_open(older), is_open(newer)) == (False, False)


def test_what_raises_ends_nothing(flusher: Flusher, opened: Opened) -> None:
    """Promise C9."""
    done: list[int] = []

    def fail(_fd: int) -> None:
        raise RuntimeError("no")

    first, second = opened(), opened()
    flusher.later((1, "a"), first, fail)
    flusher.later((1, "b"), second, done.append)
    flusher._run()
    assert done == [second]
    assert (is_open(first), is_open(second), flusher.wait(0)) == (False, False, True)


def test_no_more_than_so_many_replaced_files_are_held(flusher: Flusher, opened: Opened) -> None:
    """Promise C9."""
    fds = [opened() for _ in range(MAX_DISCARDED + 2)]
    for fd in fds:
        flusher.discard(fd)
    assert [is_open(fd) for fd in fds] == [False] * 2 + [True] * MAX_DISCARDED
    flusher._run()
    assert not any(map(is_open, fds))


@pytest.mark.parametrize(
    ("number", "told"),
    [(None, 0), (errno.EIO, 1), (errno.ENOSPC, 1), (errno.EINVAL, 0), (errno.ENOTSUP, 0), (errno.ENOSYS, 0)],
)
def test_a_disk_that_refuses_is_told_and_one_that_cannot_be_asked_is_not(
    flusher: Flusher, opened: Opened, monkeypatch: pytest.MonkeyPatch, number: int | None, told: int
) -> None:
    """Case 7."""
    failures: list[OSError] = []
    asked: list[int] = []

    def fsync(fd: int) -> None:
        asked.append(fd)
        if number is not None:
            raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fsync)
    flusher.submit((1, "a"), fd := opened(), failures.append)
    flusher._run()
    assert asked == [fd]
    assert [error.errno for error in failures] == [number] * told


def test_what_waits_in_a_forked_child_is_closed_and_never_done(
    flusher: Flusher, opened: Opened, threads: list[object]
) -> None:
    """Case 17."""
    done: list[int] = []
    waiting, replaced = opened(), opened()
    flusher.later((1, "a"), waiting, done.append, urgent=True)
    flusher.discard(replaced)
    flusher.reset()
    assert (is_open(waiting), is_open(replaced), flusher.wait(0)) == (False, False, True)
    assert (flusher._running, flusher._asking, flusher._urgent, flusher._forking) == (False,) * 4
    flusher.later((1, "a"), opened(), id)
    assert len(threads) == 2, "the parent's thread is not the child's"
    flusher._run()
    assert done == []


def test_a_fork_waits_for_no_thread_that_only_waits_and_nothing_is_lost(
    flusher: Flusher, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case 17."""
    done: list[int] = []
    flusher.before_fork()
    flusher.later((1, "a"), fd := opened(), done.append)
    assert flusher._take() == {}
    assert (is_open(fd), flusher._running) == (True, False)
    flusher.after_fork()
    flusher.later((1, "b"), other := opened(), done.append)
    flusher._run()
    assert done == [fd, other]


@pytest.mark.parametrize(
    ("running", "asking", "over"), [(True, False, False), (True, True, True), (False, False, True)]
)
def test_a_fork_waits_milliseconds_for_a_thread_that_neither_ends_nor_asks_the_disk(
    flusher: Flusher, monkeypatch: pytest.MonkeyPatch, running: bool, asking: bool, over: bool
) -> None:
    """Case 17."""
    waits: list[tuple[bool, float | None]] = []
    pauses: list[float] = []

    def wait_for(predicate: Callable[[], bool], timeout: float | None = None) -> None:
        waits.append((predicate(), timeout))

    monkeypatch.setattr(flusher._changed, "wait_for", wait_for)
    monkeypatch.setattr(time, "sleep", pauses.append)
    flusher._running, flusher._asking = running, asking
    flusher.before_fork()
    assert waits == [(over, 0.003)]
    assert pauses == [0.0005] * running, "a moment for one that has said that it ends"


@pytest.fixture
def waits(threads: list[object], monkeypatch: pytest.MonkeyPatch) -> tuple[Flusher, list[float]]:
    """A flusher, and how long its thread waited for newer versions, a quarter of a second each time."""
    now, waited = [1_000.0], list[float]()
    flusher = Flusher(0.5)

    def wait(seconds: float) -> None:
        assert not flusher._asking, "a fork would not wait for the thread"
        waited.append(seconds)
        now[0] += 0.25

    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(flusher._changed, "wait", wait)
    return flusher, waited


def test_only_what_is_urgent_does_not_wait_for_a_newer_version(
    waits: tuple[Flusher, list[float]], opened: Opened
) -> None:
    flusher, waited = waits
    hand_in: list[tuple[Callable[[], None], list[float]]] = [
        (lambda: flusher.later((1, "a"), opened(), id), [0.5, 0.25]),
        (lambda: flusher.later((1, "a"), opened(), id, urgent=True), []),
        (lambda: flusher.submit((1, "a"), opened(), print), [0.5, 0.25]),
        (lambda: flusher.submit((1, "a"), opened(), print, urgent=True), []),
        (lambda: flusher.later((1, "a"), opened(), id, urgent=False), [0.5, 0.25]),
    ]
    for submit, expected in hand_in:
        waited.clear()
        submit()
        flusher._run()
        assert waited == expected


def test_what_is_urgent_takes_the_others_along(waits: tuple[Flusher, list[float]], opened: Opened) -> None:
    flusher, waited = waits
    done: list[int] = []
    flusher.later((1, "a"), opened(), done.append, urgent=True)
    flusher.later((1, "b"), opened(), done.append)
    flusher._run()
    assert (len(done), waited) == (2, [])


def test_who_waits_for_the_disk_waits_for_no_newer_version(
    waits: tuple[Flusher, list[float]], opened: Opened
) -> None:
    flusher, waited = waits
    flusher.later((1, "a"), opened(), id)
    assert not flusher.wait(0)
    waited.clear()
    flusher._run()
    assert waited == []


def test_what_comes_while_the_disk_is_asked_waits_like_any_other(
    waits: tuple[Flusher, list[float]], opened: Opened
) -> None:
    """Case 17: the thread, which asks nobody meanwhile, ends for a fork."""
    flusher, waited = waits
    flusher.later((1, "a"), opened(), lambda _fd: flusher.later((1, "b"), opened(), id), urgent=True)
    flusher._run()
    assert waited == [0.5, 0.25]


def test_it_is_not_done_while_the_disk_is_asked(
    flusher: Flusher, threads: list[object], opened: Opened
) -> None:
    said: list[bool] = []
    flusher.later((1, "a"), opened(), lambda _fd: said.append(flusher.wait(0)))
    flusher._run()
    flusher.later((1, "a"), opened(), lambda _fd: flusher.discard(opened()))
    flusher._run()
    assert said == [False]
    assert len(threads) == 2, "the thread that asks closes what is let go of meanwhile"
    assert flusher.wait(0)


def test_it_is_not_done_while_one_of_two_threads_closes(
    flusher: Flusher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is about to end still closes what was let go of; the next has begun by then."""
    closed: list[int] = []
    done: list[bool] = []

    def close(fd: int) -> None:
        closed.append(fd)
        if fd == 7:
            flusher.discard(8)
            flusher._close_discarded()
            done.append(flusher.wait(0))

    monkeypatch.setattr(module, "close_quietly", close)
    flusher.discard(7)
    flusher._close_discarded()
    assert (closed, done, flusher.wait(0)) == ([7, 8], [False], True)


def test_a_host_without_standard_input_has_a_file_of_number_nought(
    flusher: Flusher, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[int] = []
    monkeypatch.setattr(module, "close_quietly", closed.append)
    for fd in range(MAX_DISCARDED):
        flusher.discard(fd)
    assert closed == []
    flusher.discard(MAX_DISCARDED)
    flusher.discard(MAX_DISCARDED + 1)
    assert closed == [0, 1]
