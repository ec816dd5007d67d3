"""Content that replaces other content begins anew: rewritten, rotated, deleted, created again (cases 24 to 27)."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from tests.core.tailed import RUN, append, line, numbers, poll_all

from buddy_core.runs.reading import tail as tail_module
from buddy_core.runs.reading.descriptors import DescriptorPool
from buddy_core.runs.reading.tail import FileTail


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


def test_a_rewrite_between_the_comparison_and_the_first_read_is_read_at_the_next_poll(
    events: Path, tail: FileTail, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case 24: the last bytes are compared again with the new ones, in one call."""
    append(events, line(1))
    tail.poll()
    append(events, line(2))
    real, reads = os.pread, []

    def pread(fd: int, size: int, offset: int) -> bytes:
        reads.append(offset)
        if len(reads) == 3:
            events.write_bytes(line(3) + line(4) + line(5))
        return real(fd, size, offset)

    monkeypatch.setattr(os, "pread", pread)
    first, second = tail.poll(), tail.poll()
    assert (numbers(first), first.reset, first.more) == ([], False, True)
    assert (numbers(second), second.reset, second.more) == ([3, 4, 5], True, False)


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


def test_of_a_file_rewritten_before_it_was_renamed_nothing_is_mixed_in(events: Path, tail: FileTail) -> None:
    """Cases 24 and 25: what was there before is gone, and what is there now has no name to be followed by."""
    append(events, line(1))
    tail.poll()
    events.write_bytes(line(2) + line(3))
    events.rename(events.with_name("events.jsonl.1"))
    append(events, line(4))
    old, new = tail.poll(), tail.poll()
    assert (numbers(old), old.reset, old.more, old.gone) == ([], False, True, False)
    assert (numbers(new), new.reset, new.more) == ([4], True, False)


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
    assert (numbers(change), change.gone, change.more) == ([], True, False)


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


def test_a_new_file_that_was_given_the_number_of_the_one_that_is_gone_is_a_new_one(
    events: Path, tail: FileTail, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case 26: many file systems give it to the next file that is made."""
    append(events, line(1))
    old = events.stat()
    tail.poll()
    events.unlink()
    assert tail.poll().gone
    events.write_bytes(line(1) + line(2))
    monkeypatch.setattr(tail_module, "_identity", lambda _found: (old.st_dev, old.st_ino))
    assert numbers(tail.poll()) == [1, 2]


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
