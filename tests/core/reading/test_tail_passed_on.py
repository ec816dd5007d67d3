"""Records handed on chunk by chunk are those that a poll gives, and nothing of them is kept."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.core.tailed import TS, append, event_file, line, numbers, own_pool, tail_of

from buddy_core.runs.reading.descriptors import DescriptorPool
from buddy_core.runs.reading.jsonl import Batch, WireEvent
from buddy_core.runs.reading.tail import FileTail, TailChange


class Told:
    """Pieces as a tail hands them on: the numbers of their records, and whether a generation begins with them."""

    def __init__(self) -> None:
        self.pieces: list[tuple[list[int], bool]] = []

    def __call__(self, batch: Batch[WireEvent], reset: bool) -> None:
        self.pieces.append(([event.ts - TS for event in batch.events], reset))

    @property
    def numbers(self) -> list[int]:
        return [number for piece, _ in self.pieces for number in piece]


def passed_on(tail: FileTail, budget: int = 1 << 20) -> tuple[Told, TailChange]:
    told = Told()
    change = tail.pass_on(budget, told)
    assert not change.batch.events
    return told, change


@given(st.lists(st.binary(max_size=40) | st.integers(0, 9).map(line), max_size=30), st.integers(20, 400))
@settings(max_examples=100, deadline=None)
def test_what_is_passed_on_is_what_a_poll_gives(
    tmp_path_factory: pytest.TempPathFactory, parts: list[bytes], chunk: int
) -> None:
    events = event_file(tmp_path_factory.mktemp("passed"))
    events.write_bytes(b"".join(parts))
    with own_pool() as pool:
        whole = tail_of(events, pool).poll()
    with own_pool() as pool:
        tail = FileTail(events.parents[1], events.parent.name, chunk=chunk, descriptors=pool)
        told, change = passed_on(tail)
    assert told.numbers == numbers(whole)
    assert change.accounting == whole.accounting
    assert all(piece for piece, _ in told.pieces), "nothing is no news"


def test_whoever_polls_afterwards_is_given_the_records_again(events: Path, tail: FileTail) -> None:
    append(events, line(1))
    told, _ = passed_on(tail)
    append(events, line(2))
    assert (told.numbers, numbers(tail.poll())) == ([1], [2])


def test_a_new_generation_is_told_with_its_first_piece_and_only_once(
    events: Path, pool: DescriptorPool
) -> None:
    tail = FileTail(events.parents[1], events.parent.name, chunk=100, descriptors=pool)
    append(events, line(1))
    passed_on(tail)
    events.unlink()
    events.write_bytes(b"".join(map(line, range(5, 9))))
    pieces: list[tuple[list[int], bool]] = []
    more = True
    while more:
        told, change = passed_on(tail)
        pieces += told.pieces
        assert not change.reset
        more = change.more
    assert [reset for _, reset in pieces] == [True] + [False] * (len(pieces) - 1)
    assert [number for piece, _ in pieces for number in piece] == [5, 6, 7, 8]


def test_a_file_that_began_anew_and_has_no_record_is_told_all_the_same(events: Path, tail: FileTail) -> None:
    append(events, line(1))
    passed_on(tail)
    events.write_bytes(b"{")
    told, change = passed_on(tail)
    assert (told.pieces, change.reset) == ([], True)


def test_an_error_in_the_middle_of_a_long_line_is_met_by_the_next_poll(
    events: Path, pool: DescriptorPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case 36: what was read before it is not read again."""
    tail = FileTail(events.parents[1], events.parent.name, chunk=100, descriptors=pool)
    append(events, line(1, pad="x" * 1000))
    real = os.pread

    def pread(fd: int, size: int, offset: int) -> bytes:
        if offset > 150:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real(fd, size, offset)

    monkeypatch.setattr(os, "pread", pread)
    first = tail.poll()
    assert (first.more, first.problem) == (True, None)
    assert first.accounting.pending > 0
    assert tail.poll().problem == "events.jsonl: input/output error"
    monkeypatch.undo()
    assert numbers(tail.poll()) == [1]
