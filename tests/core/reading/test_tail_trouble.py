"""A file that is none, that is nearly endless, or cannot be read: the tail says so and goes on (cases 28, 29, 36, 37 and 76)."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from tests.core.tailed import RUN, append, line, numbers, poll_all

from buddy_core.runs.reading.descriptors import DescriptorPool
from buddy_core.runs.reading.tail import FileTail


def open_descriptors() -> int:
    return len(list(Path("/dev/fd").iterdir()))


def tells_of_holes(path: Path, hole: int) -> bool:
    with path.open("rb") as file:
        return os.lseek(file.fileno(), 1 << 20, os.SEEK_DATA) >= hole - (1 << 20)


def test_what_is_no_plain_file_is_a_problem_and_never_waited_on(
    events: Path, tail: FileTail, tmp_path: Path
) -> None:
    """Case 28."""
    secret = tmp_path / "secret"
    secret.write_bytes(line(666))
    os.mkfifo(events)
    assert tail.poll().problem == "events.jsonl: a pipe, not opened"
    events.unlink()
    events.mkdir()
    assert tail.poll().problem == "events.jsonl: a directory, not opened"
    events.rmdir()
    events.symlink_to(secret)
    change = tail.poll()
    assert (numbers(change), change.problem) == ([], "events.jsonl: a symbolic link, not opened")
    assert change.more is False
    events.unlink()
    append(events, line(1))
    assert numbers(tail.poll()) == [1]


def test_a_run_directory_replaced_by_a_link_is_not_followed(
    events: Path, tail: FileTail, tmp_path: Path
) -> None:
    """Case 76; what is open already is still read."""
    append(events, line(1))
    tail.poll()
    append(events, line(2))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "events.jsonl").write_bytes(line(666))
    events.parent.rename(tmp_path / "moved")
    events.parent.symlink_to(elsewhere)
    change = tail.poll()
    assert numbers(change) == [2]
    assert change.problem == "events.jsonl: not a directory"
    tail.close()
    change = tail.poll()
    assert (numbers(change), change.more, change.problem) == ([], False, "events.jsonl: not a directory")


def test_a_file_beside_the_runs_is_called_by_its_name_too(tmp_path: Path, pool: DescriptorPool) -> None:
    """Case 28."""
    (tmp_path / "turns.jsonl").mkdir()
    tail = FileTail(tmp_path, None, "turns.jsonl", descriptors=pool)
    assert tail.poll().problem == "turns.jsonl: a directory, not opened"


def test_the_root_may_be_the_users_own_link(events: Path, tmp_path: Path, pool: DescriptorPool) -> None:
    """Case 76."""
    append(events, line(1))
    (tmp_path / "link").symlink_to(events.parents[1])
    assert numbers(FileTail(tmp_path / "link", RUN, descriptors=pool).poll()) == [1]


def test_a_sparse_tebibyte_is_passed_over_without_reading_it(
    events: Path, tail: FileTail, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case 29."""
    hole = 1 << 40
    append(events, line(1))
    try:
        os.truncate(events, hole)
    except OSError:
        pytest.skip("the file system holds no file of this size")
    append(events, b"\n" + line(2))
    if not tells_of_holes(events, hole):
        pytest.skip("the file system does not tell of holes")
    read: list[int] = []
    real = os.pread

    def pread(fd: int, size: int, offset: int) -> bytes:
        found = real(fd, size, offset)
        read.append(len(found))
        return found

    monkeypatch.setattr(os, "pread", pread)
    (change,) = poll_all(tail, budget=4 << 20)
    assert numbers(change) == [1, 2]
    assert change.batch.offsets == [0, hole + 1]
    assert change.accounting.skipped["nul"] == hole - len(line(1)) + 1
    assert sum(read) < 2 << 20


def test_a_hole_to_the_end_of_the_file_is_passed_over_and_growth_after_it_seen(
    events: Path, tail: FileTail
) -> None:
    """Case 29: a NUL tail."""
    append(events, line(1))
    os.truncate(events, 1 << 30)
    (change,) = poll_all(tail, budget=4 << 20)
    assert change.accounting.seen == 1 << 30
    append(events, b"\n" + line(2))
    change = tail.poll()
    assert (numbers(change), change.reset) == ([2], False)


def test_where_a_file_system_tells_nothing_of_holes_they_are_read(
    events: Path, pool: DescriptorPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case 29: otherwise what stands behind the NUL bytes would be passed over with them."""

    def refuse(*_args: object) -> int:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))

    monkeypatch.setattr(os, "lseek", refuse)
    append(events, line(1) + bytes(3000) + b"\n" + line(2))
    tail = FileTail(events.parents[1], RUN, chunk=1000, descriptors=pool)
    assert numbers(tail.poll()) == [1, 2]


def test_where_nobody_tells_of_holes_they_are_read(
    events: Path, pool: DescriptorPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case 29: some systems know no SEEK_DATA."""
    monkeypatch.delattr(os, "SEEK_DATA")
    append(events, line(1))
    os.truncate(events, 100_000)
    append(events, b"\n" + line(2))
    changes = poll_all(FileTail(events.parents[1], RUN, chunk=4096, descriptors=pool), budget=10_000)
    assert [number for change in changes for number in numbers(change)] == [1, 2]
    assert changes[-1].accounting.skipped == {"nul": 100_000 - len(line(1)) + 1}


def test_growth_after_a_hole_is_no_rewrite(events: Path, pool: DescriptorPool) -> None:
    """Case 29: a hole that begins close behind a record."""
    page = 4096
    append(events, line(1, pad="a" * (page - 10 - len(line(1, pad="")))))
    assert events.stat().st_size == page - 10
    os.truncate(events, 100 * page)
    tail = FileTail(events.parents[1], RUN, chunk=page, descriptors=pool)
    poll_all(tail)
    append(events, b"\n" + line(2))
    changes = poll_all(tail)
    assert [number for change in changes for number in numbers(change)] == [2]
    assert not any(change.reset for change in changes)


def test_an_error_in_the_middle_of_a_file_loses_nothing(
    events: Path, pool: DescriptorPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case 36: EIO once, and persistently."""
    append(events, b"".join(line(number) for number in range(30)))
    tail = FileTail(events.parents[1], RUN, chunk=500, descriptors=pool)
    real, calls = os.pread, []

    def pread(fd: int, size: int, offset: int) -> bytes:
        calls.append(offset)
        if 5 <= len(calls) <= 7:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real(fd, size, offset)

    monkeypatch.setattr(os, "pread", pread)
    first = tail.poll()
    assert numbers(first) and first.more and first.problem is None
    second = tail.poll()
    assert (numbers(second), second.problem) == ([], "events.jsonl: input/output error")
    assert not second.more
    while not (change := tail.poll()).batch.events:
        assert change.problem
    assert numbers(first) + numbers(change) == list(range(30))
    assert not change.reset


def test_a_new_generation_is_told_even_when_its_first_read_fails(
    events: Path, tail: FileTail, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case 36: otherwise the old content would stand beside the new for ever."""
    append(events, line(1))
    tail.poll()
    events.write_bytes(line(2, pad="a" * 500))
    real = os.pread

    def pread(fd: int, size: int, offset: int) -> bytes:
        if offset == 0 and size > 1000:
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
        return real(fd, size, offset)

    monkeypatch.setattr(os, "pread", pread)
    failed = tail.poll()
    assert failed.reset and failed.problem == "events.jsonl: stale file handle"
    monkeypatch.undo()
    change = tail.poll()
    assert (numbers(change), change.reset) == ([2], False)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_a_problem_until_it_may(events: Path, tail: FileTail) -> None:
    """Case 36."""
    append(events, line(1))
    events.chmod(0)
    assert tail.poll().problem == "events.jsonl: permission denied"
    events.chmod(0o600)
    assert numbers(tail.poll()) == [1]


def test_no_more_descriptors_are_kept_open_than_the_pool_allows(tmp_path: Path) -> None:
    """Case 37: five hundred runs, four descriptors."""
    pool = DescriptorPool(limit=4)
    tails = []
    for number in range(50):
        run = tmp_path / f"run_{number}"
        run.mkdir()
        append(run / "events.jsonl", line(number))
        tails.append(FileTail(tmp_path, run.name, descriptors=pool))
    before = open_descriptors()
    for number, tail in enumerate(tails):
        assert numbers(tail.poll()) == [number]
    assert len(pool) == 4
    assert open_descriptors() == before + 4
    for number, tail in enumerate(tails):
        append(tmp_path / f"run_{number}" / "events.jsonl", line(number + 1))
        change = tail.poll()
        assert (numbers(change), change.reset) == ([number + 1], False)
    for tail in tails:
        tail.close()
    assert open_descriptors() == before


def test_out_of_descriptors_the_idle_ones_are_given_up(
    events: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case 37: EMFILE."""
    pool = DescriptorPool()
    append(events, line(1))
    append(tmp_path / "other", line(2))
    other = FileTail(tmp_path, None, "other", descriptors=pool)
    other.poll()
    tail = FileTail(events.parents[1], RUN, descriptors=pool)
    real = os.open

    def open_(path: str, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if path == "events.jsonl" and len(pool):
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        return real(path, flags, mode, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", open_)
    assert numbers(tail.poll()) == [1]
    assert other not in pool
    append(tmp_path / "other", line(3))
    assert numbers(other.poll()) == [3]
    other.close()
    tail.close()


def test_out_of_descriptors_for_a_look_at_the_name_the_idle_ones_are_given_up(
    events: Path, pool: DescriptorPool, tail: FileTail, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case 37."""
    append(events, line(1))
    append(tmp_path / "other", line(2))
    other = FileTail(tmp_path, None, "other", descriptors=pool)
    other.poll()
    real = os.open

    def open_(path: str | Path, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if len(pool):
            raise OSError(errno.ENFILE, os.strerror(errno.ENFILE))
        return real(path, flags, mode, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", open_)
    change = tail.poll()
    assert (numbers(change), change.problem) == ([1], None)
    assert other not in pool


def test_without_any_descriptor_left_the_problem_is_told_and_gets_better(
    events: Path, tail: FileTail, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case 37."""
    append(events, line(1))

    def refuse(*_args: object, **_kwargs: object) -> int:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", refuse)
        assert tail.poll().problem == "events.jsonl: too many open files"
    assert numbers(tail.poll()) == [1]
