"""The JSONL reader: any cutting into chunks gives the same records, and every byte is accounted (C4)."""

from __future__ import annotations

import json
from itertools import pairwise

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.core.reading.damaged_lines import DAMAGE, TS, facts, line, read

from buddy_core.runs.reading.jsonl import (
    EVENTS,
    EventBatch,
    JsonlReader,
    LineReader,
    StructDialect,
    WireEvent,
    payload,
)


def test_intact_lines_become_events_with_their_places() -> None:
    batch, reader = read(line(1, a=1) + line(2))
    assert [event.ts for event in batch.events] == [TS + 1, TS + 2]
    assert batch.events[0].run_id == "run_mk000000_aaaaaa"
    assert payload(batch.events[0].data) == {"a": 1}
    assert batch.offsets == [0, len(line(1, a=1))]
    account = reader.accounting()
    assert (account.seen, account.delivered, account.pending, account.notes) == (
        reader.position,
        reader.position,
        0,
        (),
    )


def test_equal_records_have_equal_identities_and_others_have_not() -> None:
    batch, _ = read(line(1) + line(2) + line(1))
    first, second, third = batch.identities
    assert first == third != second


def test_a_line_is_held_back_until_its_newline_comes() -> None:
    """Case 21."""
    reader = JsonlReader()
    assert not reader.feed(line(1)[:-1])
    assert reader.pending == reader.accounting().pending == len(line(1)) - 1
    assert [event.ts for event in reader.feed(b"\n").events] == [TS + 1]
    assert reader.pending == 0
    assert not reader.feed(b"")


@settings(max_examples=300, deadline=None)
@given(
    pieces=st.lists(
        st.sampled_from(DAMAGE) | st.binary(max_size=12) | st.integers(0, 400).map(bytes), max_size=12
    ),
    cuts=st.lists(st.integers(0, 4000), max_size=6),
    max_line=st.sampled_from([10, 280, 1024]),
)
@example(pieces=[b"\0 \0\xef\xbb\xbf{}\n"], cuts=[1], max_line=280)
def test_no_input_and_no_cutting_loses_a_byte(pieces: list[bytes], cuts: list[int], max_line: int) -> None:
    """Promise C4, over any bytes at all."""
    text = b"".join(pieces)
    edges = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    whole, reader = read(text, max_line=max_line)
    parts, other = read(*(text[a:b] for a, b in pairwise(edges)), max_line=max_line)
    assert facts(parts) == facts(whole)
    assert other.accounting() == reader.accounting()
    assert reader.accounting().seen == len(text)
    assert whole.offsets == sorted(set(whole.offsets))
    json.dumps([[event.type, event.run_id, payload(event.data)] for event in whole.events]).encode("utf-8")


def test_a_line_too_long_is_skipped_without_being_kept() -> None:
    """Case 23: one oversize entry, and the offset of the next record is exact."""
    reader = JsonlReader(max_line=1000)
    for _ in range(1000):
        assert not reader.feed(b"x" * 1000)
        assert reader.pending <= 1000
    batch = reader.feed(b"\n" + line(1))
    assert batch.offsets == [1_000_001]
    account = reader.accounting()
    assert account.skipped == {"oversize": 1_000_001}
    assert account.skipped_lines == 1
    assert account.notes == ("1 line too long to read skipped (1,000,001 bytes)",)


def test_every_line_too_long_is_counted() -> None:
    """Case 23: those that come in one chunk, and those that come in several."""
    _, reader = read(b"x" * 200 + b"\n" + b"y" * 150 + b"\n", b"z" * 150, b"z\n", line(1), max_line=100)
    account = reader.accounting()
    assert account.skipped == {"oversize": 201 + 151 + 152}
    assert account.skipped_lines == 3
    assert account.notes == ("3 lines too long to read skipped (504 bytes)",)


def test_nul_bytes_at_the_beginning_of_a_line_are_never_kept() -> None:
    """Case 29: a run of NUL bytes longer than any line, then a record."""
    reader = JsonlReader(max_line=1000)
    for _ in range(50):
        reader.feed(bytes(1000))
        assert reader.pending == 0
    batch = reader.feed(line(1))
    assert batch.offsets == [50_000]
    account = reader.accounting()
    assert account.skipped == {"nul": 50_000}
    assert (account.recovered_lines, account.skipped_lines) == (1, 0)
    assert account.notes[0] == "1 run of NUL bytes skipped (50,000 bytes)"


@pytest.mark.parametrize("before", [b"", line(1), line(1)[:30], b"\0\0", b"x" * 200])
@pytest.mark.parametrize("hole", [-1, 0, 1, 50, 119, 120, 121, 5000])
def test_a_hole_counts_like_the_nul_bytes_it_stands_for(before: bytes, hole: int) -> None:
    """Case 29."""
    after = b"\n" + line(2)
    whole, reader = read(before + bytes(max(0, hole)) + after, max_line=150)
    jumper = JsonlReader(max_line=150)
    parts = jumper.feed(before)
    parts.extend(jumper.feed_nul(hole))
    parts.extend(jumper.feed(after))
    assert facts(parts) == facts(whole)
    assert jumper.accounting() == reader.accounting()


@pytest.mark.parametrize("before", [b"", line(1), line(1)[:30], b"x" * 200])
def test_a_hole_of_a_tebibyte_takes_no_room(before: bytes) -> None:
    """Case 29."""
    hole = 1 << 40
    reader = JsonlReader(max_line=150)
    reader.feed(before)
    assert not reader.feed_nul(hole)
    assert reader.pending == 0
    assert reader.feed(b"\n" + line(2)).offsets == [len(before) + hole + 1]
    assert reader.accounting().balanced


def test_a_byte_order_mark_is_one_only_at_the_beginning_of_the_file() -> None:
    """Case 31."""
    batch, reader = read(b"\xef\xbb\xbf" + line(1) + b"\xef\xbb\xbf" + line(2))
    assert [event.ts for event in batch.events] == [TS + 1, TS + 2]
    assert reader.accounting().skipped == {"bom": 3, "invalid": 3}
    assert reader.accounting().recovered_lines == 1


def test_only_a_newline_ends_a_line() -> None:
    """Case 31: not CR, not U+2028, not a form feed."""
    text = line(1, text="a\u2028b\u0085c")[:-1] + b"\r\n"
    batch, reader = read(text)
    assert payload(batch.events[0].data) == {"text": "a\u2028b\u0085c"}
    assert reader.accounting().delivered == len(text)


def test_utf16_is_no_json_and_is_counted() -> None:
    """Case 31."""
    text = "".join(['{"ts":1767890000000,"type":"a","data":{}}\n'] * 2).encode("utf-16")
    batch, reader = read(text)
    assert not batch
    account = reader.accounting()
    assert account.balanced and account.skipped_lines >= 1


def test_bad_bytes_in_the_payload_are_marked_and_counted() -> None:
    """Case 31: the fast decoder does not look inside `data`, so the reader must."""
    batch, reader = read(
        line(1) + b'{"ts":1767890000001,"type":"error","data":{"message":"\xff\xc0\x80"}}\n' + line(2)
    )
    assert [event.ts for event in batch.events] == [TS + 1, TS + 1, TS + 2]
    assert payload(batch.events[1].data) == {"message": "\ufffd\ufffd\ufffd"}
    assert reader.accounting().notes == ("1 record with invalid UTF-8, shown with marks",)
    assert reader.accounting().delivered == reader.position


@settings(max_examples=200, deadline=None)
@given(
    data=st.dictionaries(st.text(max_size=5), st.text(max_size=20) | st.integers(-(2**53), 2**53) | st.none())
)
def test_what_json_writes_is_read_back_as_it_was(data: dict[str, object]) -> None:
    record = {"ts": TS, "runId": "r", "type": "metric", "data": data}
    for ascii_only in (True, False):
        text = json.dumps(record, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass") + b"\n"
        batch, reader = read(text)
        assert payload(batch.events[0].data) == data
        assert reader.accounting().notes == ()


class Turn(msgspec.Struct, frozen=True):
    at: str
    tokens: int = 0


def test_other_kinds_of_lines_are_read_with_the_same_account() -> None:
    reader: LineReader[Turn] = LineReader(StructDialect(Turn))
    text = b'{"at":"a","tokens":1}\n{"at":"b","tokens":"2"}\n{"at":5}\n{"at":"c"}{"at":"d"}\n[]\n{"at":"e"'
    batch = reader.feed(text)
    assert batch.events == [Turn("a", 1), Turn("b", 2), Turn("c"), Turn("d")]
    assert batch.offsets == [text.index(b'{"at":"%s"' % name) for name in (b"a", b"b", b"c", b"d")]
    account = reader.accounting()
    assert account.balanced
    assert account.skipped == {"invalid": 9, "not_object": 3}
    assert account.pending == 9


def test_a_batch_of_wire_events_is_an_event_batch() -> None:
    batch: EventBatch = JsonlReader().feed(line(1))
    assert len(batch) == 1
    assert isinstance(batch.events[0], WireEvent)


@pytest.mark.parametrize("before", [b"", line(1), line(1)[:30], b"\0\0", b"x" * 300])
def test_a_twin_goes_on_by_itself(before: bytes) -> None:
    """What one of the two is fed, the other knows nothing of."""
    first = JsonlReader(max_line=150)
    first.feed(before)
    untouched = first.accounting()
    second = first.twin()
    told = second.feed(b"\n" + line(2) + b"x\n" + line(3)[:9])
    assert first.accounting() == untouched
    whole, reader = read(before + b"\n" + line(2) + b"x\n" + line(3)[:9], max_line=150)
    assert facts(told) == facts(whole)[-len(told) :]
    assert second.accounting() == reader.accounting()
    assert (
        facts(first.feed(b"\n" + line(4)))[-1:] == facts(read(before + b"\n" + line(4), max_line=150)[0])[-1:]
    )


def test_without_places_the_records_and_the_account_are_the_same() -> None:
    placed, reader = read(b"".join(DAMAGE))
    bare: LineReader[WireEvent] = LineReader(EVENTS, places=False)
    batch = bare.feed(b"".join(DAMAGE))
    assert (batch.events, batch.identities, batch.offsets) == (placed.events, placed.identities, [])
    assert bare.accounting() == reader.accounting()


def test_a_record_freed_from_a_damaged_line_is_the_one_that_stands_on_a_line_of_its_own() -> None:
    """Case 30: should its file be replaced by a whole one, it is not counted again."""
    record = b'{"ts":1767890000000,"runId":"run_mk000001_aaaaaa","type":"tool_call","data":{}}'
    whole, damaged = JsonlReader().feed(record + b"\n"), JsonlReader().feed(b'{"ts":17678' + record + b"\n")

    assert whole.identities == damaged.identities
