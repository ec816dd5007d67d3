"""A damaged line cut into pieces: where each begins and ends, and why what is no record is none (case 30, C4)."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec
import pytest

from buddy_core.runs.reading import salvage
from buddy_core.runs.reading.accounting import Repair
from buddy_core.runs.reading.salvage import _TOKEN, BOM, MAX_ATTEMPTS, dissect, repair
from buddy_core.runs.records.wire import EVENTS, StructDialect, WireEvent

TS = 1_767_890_000_000
R = b'{"ts":1767890000001,"runId":"r","type":"a","data":{"x":[1]}}'
BARE = b'{"ts":1767890000001,"type":"a"}'
NESTS = b'{"ts":1767890000001,"runId":"r","type":"a","data":{"list":['


def told(line: bytes, *, file_start: bool = False) -> list[tuple[bytes, str]]:
    """The pieces as their bytes, each with its reason, or `record`."""
    pieces = dissect(line, EVENTS, None, lambda _: None, file_start=file_start)
    assert b"".join(line[piece.start : piece.end] for piece in pieces) == line
    return [(line[piece.start : piece.end], piece.reason or "record") for piece in pieces]


@pytest.mark.parametrize(
    ("pieces", "reasons"),
    [
        ([], []),
        ([b" \t\r\v\f"], ["blank"]),
        ([b"\0\0"], ["nul"]),
        ([b"\0 \0", b" "], ["nul", "blank"]),
        ([b" \0", b"x\0"], ["nul", "invalid"]),
        ([b"\0", b" x "], ["nul", "invalid"]),
        ([R], ["record"]),
        ([b" ", R, b" "], ["blank", "record", "blank"]),
        ([R, b"\0", b" ", R], ["record", "nul", "blank", "record"]),
        ([b"\0", R, b" ", R], ["nul", "record", "blank", "record"]),
        ([R, R, R], ["record"] * 3),
        ([b"x", R, b"x"], ["invalid", "record", "invalid"]),
        ([R, b"null"], ["record", "invalid"]),
        ([b"5 ", R], ["invalid", "record"]),
        ([R, b"{", R], ["record", "torn", "record"]),
        ([R, b"\0", b"{", R], ["record", "nul", "torn", "record"]),
        ([b'{"a":1}'], ["record"]),
        ([b'{"a":1}', R], ["record", "record"]),
        ([b" ", b'{"a":1}'], ["blank", "record"]),
        ([R, b" \0", b'{"a":1}'], ["record", "nul", "record"]),
        ([b'x{"a":1}'], ["invalid"]),
        ([b"{"], ["torn"]),
        ([b'{"a'], ["torn"]),
        ([b'{"a\\"'], ["torn"]),
        ([b'{"a":"\\\\"'], ["torn"]),
        ([b'{"a":[1]'], ["torn"]),
        ([b'{"a":[1}'], ["torn"]),
        ([b"{]"], ["invalid"]),
        ([b"{]}"], ["invalid"]),
        ([b'{"a" 1}'], ["invalid"]),
        ([b'{"a" X}'], ["invalid"]),
        ([b'{"a":X'], ["torn"]),
        ([b'{"a" "1}'], ["torn"]),
        ([b"[1]"], ["not_object"]),
        ([b" \0", b"[1] "], ["nul", "not_object"]),
        ([b"[1"], ["invalid"]),
        ([b'"x"'], ["not_object"]),
        ([b"null"], ["not_object"]),
        ([b"5 "], ["not_object"]),
        ([b"nul"], ["invalid"]),
        ([BOM + R[:3]], ["invalid"]),
    ],
)
def test_a_line_is_cut_where_something_else_begins(pieces: list[bytes], reasons: list[str]) -> None:
    assert told(b"".join(pieces)) == list(zip(pieces, reasons, strict=True))


def test_a_byte_order_mark_is_a_piece_of_its_own_at_the_beginning_of_a_file() -> None:
    """Case 31."""
    assert told(BOM + R, file_start=True) == [(BOM, "bom"), (R, "record")]
    assert told(BOM, file_start=True) == [(BOM, "bom")]
    assert told(BOM + R) == [(BOM, "invalid"), (R, "record")]
    assert told(R, file_start=True) == [(R, "record")]
    assert [piece.reason for piece in dissect(BOM + R, EVENTS, None, lambda _: None)] == ["invalid", None]


@pytest.mark.parametrize(
    ("torn", "taken"),
    [
        (NESTS, True),
        (NESTS + b"1,", True),
        (NESTS + b"1", True),
        (NESTS + b'"x', True),
        (NESTS + b"],", True),
        (NESTS + b'],"y":', True),
        (NESTS.replace(b'"r"', b'"other"'), False),
        (NESTS.replace(b'"r"', b'"other"') + b"1,", False),
        (NESTS.replace(b'"r"', b'"other"') + b"{},", False),
        (NESTS.replace(b'"r"', b'"other"') + b"1", True),
        (NESTS.replace(b'"r"', b'"other"') + b"],", True),
        (NESTS.replace(b'"r"', b'"other"') + b'],"y":', False),
        (NESTS.replace(b'"r"', b'"other"') + b'],"y', True),
        (NESTS.replace(b'"r"', b'"other"') + b"]}", True),
        (NESTS.replace(b'"r"', b'"other"') + b"]}}", True),
        (NESTS.replace(b'"data"', b'"else"').replace(b'"r"', b'"other"'), True),
        (NESTS.replace(b'"runId":"r",', b""), False),
        (NESTS.replace(b"1767890000001", b"1767890000002"), False),
        (NESTS.replace(b"1767890000001", b"1767890000000"), True),
        (NESTS.replace(b'"ts":1767890000001', b'"ts": 1767890000002'), False),
        (NESTS.replace(b"1767890000001", b"1e300"), True),
        (NESTS.replace(b'"runId":"r"', b'"runId": "r"'), True),
    ],
)
def test_behind_a_torn_record_that_waits_for_a_value_only_the_next_of_its_run_is_taken(
    torn: bytes, taken: bool
) -> None:
    """Case 30: anything else may as well be part of it."""
    closed = torn.endswith(b"]}}")
    assert (told(torn + R) == [(torn, "record" if closed else "torn"), (R, "record")]) == taken
    assert any(reason == "record" for _, reason in told(torn + R)) == taken


@pytest.mark.parametrize(("ts", "taken"), [(b"1767890000000", False), (b"1767890000001", True)])
def test_where_no_record_names_a_run_the_times_decide(ts: bytes, taken: bool) -> None:
    """Case 30."""
    torn, record = NESTS.replace(b'"runId":"r",', b""), BARE.replace(b"1767890000001", ts)
    assert ((record, "record") in told(torn + record)) == taken


def test_what_a_torn_record_holds_is_looked_for_in_it_alone() -> None:
    """Case 30: not in the record before it, and not in the one behind the next."""
    torn = b'{"ts":1767890000001,"runId":"other","type":'
    assert told(R + torn + R) == [(R, "record"), (torn, "torn"), (R, "record")]
    nameless = NESTS.replace(b'"runId":"r",', b"")
    assert told(nameless + BARE + R) == [(nameless, "torn"), (BARE, "record"), (R, "record")]
    timeless = b'{"ts":1e300,"runId":"r","type":"a"}'
    older = R.replace(b"1767890000001", b"1767890000000")
    assert told(NESTS + timeless + older)[:2] == [(NESTS, "torn"), (timeless, "record")]


@pytest.mark.parametrize(
    "begun", [b'x{"runId":"other","data":{"list":[', b'{"runId":"other","data":1},"list":[']
)
def test_the_inside_of_what_began_in_another_shape_is_no_record_either(begun: bytes) -> None:
    """Case 30: whatever the torn object in the middle of a line looks like, and where it began."""
    assert not any(reason == "record" for _, reason in told(begun + R))
    assert told(R + b"x" + begun + R) == [(R, "record"), (b"x" + begun + R, "invalid")]


def test_the_record_behind_one_that_does_not_fit_is_found() -> None:
    """Case 30: one object that is no record of this file says nothing of the next."""

    class Row(msgspec.Struct):
        name: str

    line = b'{"name":[]}{"name":"x"}'
    pieces = dissect(line, StructDialect(Row), None, lambda _: None)
    assert [(line[piece.start : piece.end], piece.record) for piece in pieces] == [
        (b'{"name":[]}', None),
        (b'{"name":"x"}', Row("x")),
    ]


@pytest.mark.parametrize("after", [b",", b"}", b"]", b" ,", b"\0]"])
def test_what_goes_on_like_the_inside_of_an_object_is_inside_of_one(after: bytes) -> None:
    """Case 30."""
    for before in (b"", b"x", b"{", NESTS[:30]):
        assert not any(reason == "record" for _, reason in told(before + R + after))


@pytest.mark.parametrize("after", [b"x", b"{", b"[", b'"', b":", b"5", R, b" \0x"])
def test_what_cannot_go_on_an_object_is_rubbish_behind_a_record(after: bytes) -> None:
    """Case 30."""
    for before in (b"", b"x", b"{", NESTS[:30], NESTS):
        assert (R, "record") in told(before + R + after)


def test_of_very_many_beginnings_the_first_are_tried() -> None:
    """Case 43: the record behind them is not found, and nothing takes long."""
    assert (R, "record") in told(BARE[:-1] * (MAX_ATTEMPTS - 1) + R)
    assert (R, "record") not in told(BARE[:-1] * MAX_ATTEMPTS + R)


def test_no_part_of_a_torn_record_is_looked_at_for_each_of_the_many_that_follow_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Case 43: hostile text must not cost time that grows with its square."""
    looked_at: list[str] = []

    class Counting:
        def finditer(self, text: str, begin: int, end: int) -> Iterator[re.Match[str]]:
            for match in _TOKEN.finditer(text, begin, end):
                looked_at.append(match.group())
                yield match

    monkeypatch.setattr(salvage, "_TOKEN", Counting())
    torn = NESTS.replace(b'"r"', b'"other"') + b"1," * 2000 + b'"y":'
    line = torn + (R + b"x:") * (MAX_ATTEMPTS + 8)
    assert told(line) == [(line, "torn")]
    assert 2 * 4000 < len(looked_at) < 3 * 4000, "once to find out what follows it, once for the reason"


def test_a_record_in_the_middle_has_the_shape_the_writer_gives_it() -> None:
    """Case 30: with and without a run id, and with a space behind colon and comma as other writers have it."""
    for record in (R, BARE, b'{"ts": 1767890000001, "runId": "r", "type": "a", "data": {}}'):
        assert told(b"x" + record) == [(b"x", "invalid"), (record, "record")]
    assert told(b'x{"type":"a","ts":1767890000001}') == [(b'x{"type":"a","ts":1767890000001}', "invalid")]


def test_the_time_before_is_that_of_the_record_before_also_on_the_same_line() -> None:
    """Case 40."""
    timeless = b'{"ts":null,"type":"a"}'
    pieces = dissect(R + timeless, EVENTS, None, lambda _: None)
    assert [piece.record.ts for piece in pieces if piece.record] == [TS + 1, TS + 1]
    before = WireEvent(TS + 7)
    (piece,) = dissect(timeless, EVENTS, before, lambda _: None)
    assert piece.record is not None and piece.record.ts == TS + 7


@pytest.mark.parametrize(
    ("raw", "mended", "repairs"),
    [
        (b"plain", b"plain", []),
        (rb"\ud83c\udf00 \\ud83c \n", rb"\ud83c\udf00 \\ud83c \n", []),
        (rb"\ud83c", rb"\ufffd", ["surrogate"]),
        (rb"\uDF00\uD83C", rb"\ufffd\ufffd", ["surrogate"]),
        (rb"\ud83c\ud83c\udf00", rb"\ufffd\ud83c\udf00", ["surrogate"]),
        (rb"\ud7ff\ue000", rb"\ud7ff\ue000", []),
        (rb"\udbff\udfff\uDBFF\uDFFF", rb"\udbff\udfff\uDBFF\uDFFF", []),
        (rb"\udbff\ue000", rb"\ufffd\ue000", ["surrogate"]),
        (b"\xff", "\ufffd".encode(), ["utf8"]),
        (b"\\udc00\xc5\xbc\xc5", rb"\ufffd" + "ż\ufffd".encode(), ["surrogate", "utf8"]),
    ],
)
def test_half_characters_and_bad_bytes_become_marks(raw: bytes, mended: bytes, repairs: list[Repair]) -> None:
    """Cases 31 and 45."""
    assert repair(raw) == (mended, repairs)


def test_every_repair_of_a_record_is_counted_once() -> None:
    counted: list[Repair] = []
    dissect(rb'{"ts":"1767890000001","type":"\ud83c"}' + b'{"type":"\xff\xff"}', EVENTS, None, counted.append)
    assert counted == ["fields", "surrogate", "time", "utf8"]


def test_of_what_is_no_record_no_repair_is_counted() -> None:
    counted: list[Repair] = []
    dissect(b'{"a":"\xff \\ud83c"', EVENTS, None, counted.append)
    assert counted == []
