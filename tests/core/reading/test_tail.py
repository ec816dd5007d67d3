"""A growing file is followed: what was added, in pieces of the budget, and lines of other kinds (cases 20 to 23; C4)."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest
from tests.core.tailed import RUN, append, line, numbers, poll_all

from buddy_core.runs.reading.descriptors import DescriptorPool
from buddy_core.runs.reading.jsonl import EVENTS, StructDialect
from buddy_core.runs.reading.tail import FileTail, Tail


def test_a_file_that_is_not_there_yet_is_waited_for(events: Path, tail: FileTail) -> None:
    change = tail.poll()
    assert (numbers(change), change.gone, change.problem, change.reset) == ([], False, None, False)
    assert not change.more
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


def test_a_long_line_is_skipped_and_the_next_one_read(events: Path, tail: FileTail) -> None:
    """Case 23."""
    append(events, b"x" * (3 << 20) + b"\n" + line(1))
    changes = poll_all(tail, budget=1 << 20)
    assert [number for change in changes for number in numbers(change)] == [1]
    assert changes[-1].batch.offsets == [(3 << 20) + 1]
    assert changes[-1].accounting.skipped == {"oversize": (3 << 20) + 1}


@pytest.mark.parametrize("budget", [-1, 0, 1])
def test_the_least_budget_gives_a_byte(events: Path, tail: FileTail, budget: int) -> None:
    append(events, line(1))
    change = tail.poll(budget)
    assert (tail.position, change.more) == (1, True)
    changes = poll_all(tail, budget)
    assert [number for change in changes for number in numbers(change)] == [1]
    assert len(changes) == len(line(1)) - 1


def test_reads_that_give_less_than_was_asked_for_are_no_end(
    events: Path, tail: FileTail, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case 20: signals and network file systems do that."""
    append(events, b"".join(line(number) for number in range(20)))
    real = os.pread
    monkeypatch.setattr(os, "pread", lambda fd, size, offset: real(fd, min(size, 200), offset))
    change = tail.poll()
    assert (numbers(change), change.more) == (list(range(20)), False)


def test_a_size_that_is_never_there_is_not_waited_for(
    events: Path, tail: FileTail, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case 34: some file systems state one."""
    append(events, line(1))
    real = os.pread
    size = len(line(1))
    append(events, line(2))
    monkeypatch.setattr(os, "pread", lambda fd, wanted, at: real(fd, max(0, min(wanted, size - at)), at))
    change = tail.poll()
    assert (numbers(change), change.more) == ([1], False)


def test_places_are_left_out_where_nobody_asks_for_them(events: Path, pool: DescriptorPool) -> None:
    append(events, line(1))
    change = Tail(events.parents[1], RUN, events.name, dialect=EVENTS, places=False, descriptors=pool).poll()
    assert (len(change.batch), change.batch.offsets) == (1, [])


def test_how_long_a_line_may_be_is_for_the_caller_to_say(events: Path, pool: DescriptorPool) -> None:
    append(events, line(1, pad="a" * 100) + line(2))
    tail = FileTail(events.parents[1], RUN, max_line=len(line(2)), descriptors=pool)
    change = tail.poll()
    assert numbers(change) == [2]
    assert change.accounting.skipped == {"oversize": len(line(1, pad="a" * 100))}


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
