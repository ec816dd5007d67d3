"""One growing file and what is done to it (cases 20 to 30, 36 and 37; promises C2, C4 and C7)."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from buddy_core.runs.reading.descriptors import DescriptorPool
from buddy_core.runs.reading.jsonl import StructDialect, payload
from buddy_core.runs.reading.tail import FileTail, Tail, TailChange

TS = 1_767_890_000_000
RUN = "run_mk000000_aaaaaa"


def line(number: int, **data: object) -> bytes:
    body = msgspec.json.encode({"ts": TS + number, "runId": RUN, "type": "tool_call", "data": data})
    return body + b"\n"


@pytest.fixture
def events(tmp_path: Path) -> Path:
    """The path of an event file that does not exist yet, in a run directory that does."""
    run = tmp_path / "runs" / RUN
    run.mkdir(parents=True)
    return run / "events.jsonl"


@pytest.fixture
def pool() -> Iterator[DescriptorPool]:
    pool = DescriptorPool()
    yield pool
    pool.clear()


@pytest.fixture
def tail(events: Path, pool: DescriptorPool) -> FileTail:
    return FileTail(events.parents[1], RUN, "events.jsonl", descriptors=pool)


def open_descriptors() -> int:
    return len(list(Path("/dev/fd").iterdir()))


def tells_of_holes(path: Path, hole: int) -> bool:
    with path.open("rb") as file:
        return os.lseek(file.fileno(), 1 << 20, os.SEEK_DATA) >= hole - (1 << 20)


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def numbers(change: TailChange) -> list[int]:
    return [event.ts - TS for event in change.batch.events]


def poll_all(tail: FileTail, budget: int = 4096) -> list[TailChange]:
    changes = [tail.poll(budget)]
    while changes[-1].more:
        changes.append(tail.poll(budget))
    assert all(change.accounting.balanced for change in changes)
    return changes


def test_a_file_that_is_not_there_yet_is_waited_for(events: Path, tail: FileTail) -> None:
    change = tail.poll()
    assert (numbers(change), change.gone, change.problem, change.reset) == ([], False, None, False)
    append(events, line(1))
    change = tail.poll()
    assert (numbers(change), change.gone, change.reset) == ([1], False, False)
    assert change.accounting.generation == 1


def test_each_poll_gives_what_was_added_since_the_last(events: Path, tail: FileTail) -> None:
    append(events, line(1) + line(2)[:20])
    change = tail.poll()
    assert numbers(change) == [1]
    assert change.accounting.pending == 20
    assert numbers(tail.poll()) == []
    append(events, line(2)[20:])
    change = tail.poll()
    assert numbers(change) == [2]
    assert change.batch.offsets == [len(line(1))]
    assert change.accounting.delivered == change.accounting.seen == tail.position


def test_a_long_file_is_read_in_pieces_of_the_budget(events: Path, tail: FileTail) -> None:
    """Case 22: the others get their turn in between."""
    append(events, b"".join(line(number) for number in range(2000)))
    changes = poll_all(tail, budget=10_000)
    assert [number for change in changes for number in numbers(change)] == list(range(2000))
    assert len(changes) == -(-events.stat().st_size // 10_000)
    assert [change.more for change in changes] == [True] * (len(changes) - 1) + [False]


@pytest.mark.parametrize("shift", range(-8, 9))
def test_a_line_across_the_edge_of_a_chunk_is_read_whole(
    events: Path, pool: DescriptorPool, shift: int
) -> None:
    """Case 20: every position around the edge, inside UTF-8 and escapes."""
    chunk = 1024
    special = line(2, text='żółć 😀 \\ " \n')[:-1] + b"\r\n"
    padding = chunk - len(line(1)) - len(special) // 2 + shift
    append(events, line(1, pad="a" * (padding - 8)) + special + line(3))
    tail = FileTail(events.parents[1], RUN, chunk=chunk, descriptors=pool)
    (change,) = poll_all(tail, budget=10 * chunk)
    assert numbers(change) == [1, 2, 3]
    assert payload(change.batch.events[1].data) == {"text": 'żółć 😀 \\ " \n'}


@pytest.mark.parametrize(
    "fresh", [b"", line(9), line(9) * 2, line(9) * 5], ids=["empty", "shorter", "same size", "longer"]
)
def test_a_file_rewritten_in_place_is_a_new_generation(events: Path, tail: FileTail, fresh: bytes) -> None:
    """Case 24: nothing of the old content is mixed into the new."""
    append(events, line(1) + line(2))
    tail.poll()
    with events.open("r+b") as file:
        file.truncate(0)
        file.write(fresh)
    change = tail.poll()
    assert change.reset
    assert numbers(change) == [9] * fresh.count(b"\n")
    assert change.accounting.generation == 2
    assert change.accounting.seen == len(fresh)
    assert not tail.poll().reset


def test_a_rewrite_that_keeps_the_beginning_is_noticed_by_the_last_bytes_read(
    events: Path, tail: FileTail
) -> None:
    """Case 24: the first bytes are the same, and so is the size."""
    head = line(1, pad="a" * 400)
    append(events, head + line(2))
    tail.poll()
    with events.open("r+b") as file:
        file.seek(len(head))
        file.write(line(3))
    change = tail.poll()
    assert change.reset
    assert numbers(change) == [1, 3]


def test_a_rewrite_that_keeps_the_end_is_noticed_by_the_first_bytes(events: Path, tail: FileTail) -> None:
    """Case 24."""
    foot = line(2, pad="a" * 400)
    append(events, line(1) + foot)
    tail.poll()
    events.write_bytes(line(3) + foot)
    assert numbers(tail.poll()) == [3, 2]


def test_a_rewrite_between_two_reads_of_one_poll_is_not_mixed_in(
    events: Path, pool: DescriptorPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case 24: the file changes while it is being read."""
    append(events, b"".join(line(number) for number in range(20)))
    tail = FileTail(events.parents[1], RUN, chunk=500, descriptors=pool)
    real, reads = os.pread, []

    def pread(fd: int, size: int, offset: int) -> bytes:
        reads.append(offset)
        if len(reads) == 5:
            events.write_bytes(b"".join(line(number) for number in range(100, 130)))
        return real(fd, size, offset)

    monkeypatch.setattr(os, "pread", pread)
    changes = poll_all(tail, budget=10_000)
    assert [change.reset for change in changes] == [False, True]
    assert numbers(changes[1]) == list(range(100, 130))
    assert all(number < 20 for number in numbers(changes[0]))


def test_truncation_of_what_was_not_read_yet_is_no_new_generation(events: Path, tail: FileTail) -> None:
    append(events, line(1))
    tail.poll()
    append(events, line(2))
    os.truncate(events, len(line(1)))
    append(events, line(3))
    change = tail.poll()
    assert (numbers(change), change.reset) == ([3], False)


def test_a_file_that_was_renamed_is_read_to_its_end_before_the_new_one(events: Path, tail: FileTail) -> None:
    """Case 25: rename rotation."""
    append(events, line(1))
    tail.poll()
    append(events, line(2))
    events.rename(events.with_name("events.jsonl.1"))
    append(events.with_name("events.jsonl.1"), line(3))
    append(events, line(4))
    old, new = poll_all(tail)
    assert (numbers(old), old.reset, old.more) == ([2, 3], False, True)
    assert (numbers(new), new.reset, new.accounting.generation) == ([4], True, 2)


def test_copytruncate_is_a_new_generation(events: Path, tail: FileTail) -> None:
    """Case 25."""
    append(events, line(1))
    tail.poll()
    shutil.copy(events, events.with_name("events.jsonl.1"))
    os.truncate(events, 0)
    assert tail.poll().reset
    append(events, line(2))
    change = tail.poll()
    assert (numbers(change), change.reset) == ([2], False)


def test_a_deleted_file_is_read_to_its_end_and_then_gone(events: Path, tail: FileTail) -> None:
    """Case 27: a run is pruned while it is read."""
    append(events, line(1))
    tail.poll()
    append(events, line(2))
    shutil.rmtree(events.parent)
    change = tail.poll()
    assert (numbers(change), change.gone, change.more, change.problem) == ([2], True, False, None)
    change = tail.poll()
    assert (numbers(change), change.gone) == ([], True)


def test_a_long_deleted_file_is_read_within_the_budget_too(events: Path, tail: FileTail) -> None:
    append(events, line(0))
    tail.poll()
    append(events, b"".join(line(number) for number in range(1, 200)))
    events.unlink()
    changes = poll_all(tail, budget=1000)
    assert [number for change in changes for number in numbers(change)] == list(range(1, 200))
    assert [change.gone for change in changes] == [False] * (len(changes) - 1) + [True]


@pytest.mark.parametrize("evicted", [False, True])
def test_a_file_deleted_and_created_again_is_a_new_one(events: Path, tail: FileTail, evicted: bool) -> None:
    """Case 26: the file system gives the new file the inode of the old one when nobody holds that open."""
    append(events, line(1) + line(2))
    tail.poll()
    if evicted:
        tail.close()
    events.unlink()
    append(events, line(3) + line(4) + line(5))
    changes = poll_all(tail)
    assert [number for change in changes for number in numbers(change)] == [3, 4, 5]
    assert changes[-1].reset
    assert changes[-1].accounting.generation == 2


def test_a_file_that_comes_back_after_it_was_gone_is_a_new_one_even_if_it_is_equal(
    events: Path, tail: FileTail
) -> None:
    """Case 26."""
    append(events, line(1))
    tail.poll()
    events.unlink()
    assert tail.poll().gone
    append(events, line(1))
    change = tail.poll()
    assert (numbers(change), change.reset, change.gone) == ([1], True, False)


def test_a_copy_put_in_place_of_the_file_is_a_new_one(events: Path, tail: FileTail) -> None:
    """Case 25: the inode tells, even when nobody holds the old file open."""
    append(events, line(1))
    tail.poll()
    tail.close()
    copy = events.with_name("copy")
    shutil.copy(events, copy)
    copy.replace(events)
    change = tail.poll()
    assert (numbers(change), change.reset) == ([1], True)


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
    assert numbers(tail.poll()) == []


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


def test_a_long_line_is_skipped_and_the_next_one_read(events: Path, tail: FileTail) -> None:
    """Case 23."""
    append(events, b"x" * (3 << 20) + b"\n" + line(1))
    changes = poll_all(tail, budget=1 << 20)
    assert [number for change in changes for number in numbers(change)] == [1]
    assert changes[-1].batch.offsets == [(3 << 20) + 1]
    assert changes[-1].accounting.skipped == {"oversize": (3 << 20) + 1}


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


def test_a_closed_tail_goes_on_where_it_left_off(events: Path, tail: FileTail, pool: DescriptorPool) -> None:
    append(events, line(1))
    tail.poll()
    tail.close()
    tail.close()
    assert len(pool) == 0
    append(events, line(2))
    change = tail.poll()
    assert (numbers(change), change.reset) == ([2], False)


class Turn(msgspec.Struct, frozen=True):
    at: str


def test_a_tail_follows_other_kinds_of_lines_beside_the_runs(tmp_path: Path, pool: DescriptorPool) -> None:
    """`turn-metrics.jsonl` lies beside the runs and has lines of its own."""
    (tmp_path / "turn-metrics.jsonl").write_bytes(b'{"at":"a"}\n{"at":"b"}{"at":"c"}\n')
    tail = Tail(tmp_path, None, "turn-metrics.jsonl", dialect=StructDialect(Turn), descriptors=pool)
    change = tail.poll()
    assert change.batch.events == [Turn("a"), Turn("b"), Turn("c")]
    assert change.accounting.recovered_lines == 2
