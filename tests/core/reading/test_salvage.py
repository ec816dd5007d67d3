"""What is recovered from damaged lines, and what is not mistaken for a record (cases 30, 40, 43 to 46)."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from buddy_core.runs.reading import salvage
from buddy_core.runs.reading.jsonl import EventBatch, JsonlReader, WireEvent, payload
from buddy_core.runs.records.wire import EVENTS, moment_ms

TS = 1_767_890_000_000
RUN = "run_mk000000_aaaaaa"


def record(number: int, kind: str = "tool_call", **data: object) -> bytes:
    event = {"ts": TS + number, "runId": RUN, "type": kind, "data": data}
    return json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode()


def read(text: bytes) -> tuple[EventBatch, JsonlReader]:
    reader = JsonlReader()
    batch = reader.feed(text)
    account = reader.accounting()
    assert account.balanced and account.pending == 0
    return batch, reader


def only(text: bytes) -> WireEvent:
    batch, _ = read(text + b"\n")
    assert len(batch) == 1
    return batch.events[0]


TORN = record(
    1,
    "tool_result",
    toolName="bash",
    ok=True,
    error='say "żółć" \\ {"a":[1,{}]}',
    args={"list": [1, [2, {}]], "n": None},
)
NEXT = record(2, "tool_call", toolName="edit", args={"path": "a{b}.py", "ts": 5})


def test_a_record_spliced_into_a_torn_one_is_recovered_wherever_the_tear_is() -> None:
    """Case 30: every position of the tear."""
    for tear in range(1, len(TORN)):
        batch, reader = read(TORN[:tear] + NEXT + b"\n")
        assert [event.ts for event in batch.events] == [TS + 2], TORN[:tear]
        assert batch.offsets == [tear]
        account = reader.accounting()
        assert account.skipped == {"torn": tear}
        assert (account.recovered_lines, account.skipped_lines) == (1, 0)


def test_two_torn_records_before_an_intact_one_do_not_hide_it() -> None:
    """Case 30."""
    for first in range(1, len(TORN), 3):
        for second in range(1, len(TORN), 5):
            batch, _ = read(TORN[:first] + TORN[:second] + NEXT + b"\n")
            assert [event.ts for event in batch.events] == [TS + 2], (first, second)


def test_records_without_a_newline_between_them_are_all_read() -> None:
    """Case 30: `}{`."""
    batch, reader = read(b"  ".join(record(number) for number in range(5)) + b"\n")
    assert [event.ts - TS for event in batch.events] == [0, 1, 2, 3, 4]
    assert reader.accounting().recovered_lines == 5
    assert reader.accounting().notes == ("5 records recovered from damaged lines",)


def test_a_torn_record_alone_is_counted_as_torn() -> None:
    for tear in range(1, len(TORN)):
        batch, reader = read(TORN[:tear] + b"\n")
        assert not batch
        assert reader.accounting().skipped == {"torn": tear + 1}
        assert reader.accounting().skipped_lines == 1


INNER = {"ts": TS + 9, "runId": RUN, "type": "tool_call", "data": {}}


def test_a_record_inside_an_intact_one_is_never_taken_for_one() -> None:
    """Case 30, the other way round: an agent that prints a log of its own."""
    batch, _ = read(record(1, output=[INNER, INNER], nested={"deep": INNER}) + b"\n")
    assert [event.ts for event in batch.events] == [TS + 1]


@pytest.mark.parametrize(
    "inner", [INNER | {"runId": "run_other"}, {key: INNER[key] for key in ("ts", "type", "data")}]
)
def test_a_record_inside_a_torn_one_is_never_taken_for_one(inner: dict[str, Any]) -> None:
    """Case 30: torn at every position, also exactly behind the inner record."""
    whole = record(1, output=[inner, 1], nested={"deep": inner}, tail="x" * 10)
    for tear in range(1, len(whole)):
        batch, _ = read(whole[:tear] + b"\n")
        assert not batch, whole[:tear]


def test_a_record_of_the_same_run_inside_a_torn_one_is_not_taken_when_more_follows() -> None:
    """Case 30: only a tear exactly behind the inner record could be a splice as well."""
    whole = record(1, output=[INNER, 1], nested={"deep": INNER}, tail="x" * 10)
    inner = json.dumps(INNER, separators=(",", ":")).encode()
    for tear in range(1, len(whole)):
        if not whole[:tear].endswith(inner):
            batch, _ = read(whole[:tear] + b"\n")
            assert not batch, whole[:tear]


@pytest.mark.parametrize("before", [b"", b'"deep":', b'"a","deep":', b'{"x":1},', b"5,", b"}"])
@pytest.mark.parametrize("after", [b',"x":1}}', b"}}", b"]}", b" , 5"])
def test_a_record_that_goes_on_like_the_inside_of_another_is_none(before: bytes, after: bytes) -> None:
    """Case 30: the end of a record on a line of its own, as rotation and a write in between leave it."""
    batch, reader = read(before + record(1) + after + b"\n")
    assert not batch
    assert reader.accounting().skipped_lines == 1


@pytest.mark.parametrize(
    "end", [b'{"toolName":"bash"}}', b'{"path":"a"},"durationMs":5}}', b"{}}", b"{} ]}}"]
)
def test_the_end_of_a_record_is_no_event_though_it_begins_like_one(end: bytes) -> None:
    """Case 30."""
    batch, reader = read(end + b"\n" + record(1) + b"\n")
    assert [event.ts for event in batch.events] == [TS + 1]
    assert reader.accounting().skipped == {"invalid": len(end) + 1}


def test_the_next_record_may_be_torn_anywhere_behind_the_one_that_is_recovered() -> None:
    """Case 30."""
    for tear in range(1, len(NEXT)):
        batch, _ = read(TORN[:60] + record(5) + b" " + NEXT[:tear] + b"\n")
        assert [event.ts for event in batch.events] == [TS + 5], NEXT[:tear]


@pytest.mark.parametrize(("number", "taken"), [(0, False), (1, True), (2, True)])
def test_where_the_torn_record_waits_for_a_value_only_a_younger_record_is_the_next_one(
    number: int, taken: bool
) -> None:
    """Case 30: what an agent copies from its log is older than the record that holds the copy."""
    batch, _ = read(record(1, deep=[])[:-3] + record(number) + b"\n")
    assert bool(batch) == taken


def test_a_record_in_the_text_of_another_is_no_record() -> None:
    text = json.dumps(INNER)
    for tear in range(1, len(record(1, output=text))):
        batch, _ = read(record(1, output=text)[:tear] + b"\n")
        assert not batch


def test_rubbish_around_a_record_is_counted_and_the_record_read() -> None:
    batch, reader = read(b"warning: x\x00\x00" + record(1) + b"\x00\x00 rubbish\n")
    assert [event.ts for event in batch.events] == [TS + 1]
    account = reader.accounting()
    assert account.skipped == {"invalid": 12 + 8, "nul": 2}
    assert account.recovered_lines == 1


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"[1,2]", "not_object"),
        (b"null", "not_object"),
        (b'"text"', "not_object"),
        (b"17", "not_object"),
        (b"nonsense", "invalid"),
        (b"{]}", "invalid"),
        (b"{bad:1}", "invalid"),
        (b'{"ts":1', "torn"),
        (b"{", "torn"),
        (b"\0\0\0", "nul"),
        (b" \t\r", "blank"),
    ],
)
def test_a_line_without_a_record_is_skipped_for_a_reason(text: bytes, reason: str) -> None:
    """Cases 44 and 47."""
    batch, reader = read(text + b"\n" + record(1) + b"\n")
    assert len(batch) == 1
    account = reader.accounting()
    assert account.skipped == {reason: len(text) + 1}
    assert account.skipped_lines == (reason != "blank")
    assert bool(account.notes) == (reason != "blank")


@pytest.mark.parametrize(
    ("ts", "expected"),
    [
        (b"1767890000001", TS + 1),
        (b'"1767890000001"', TS + 1),
        (b"1767890000001.9", TS + 1),
        (b"1.767890000001e12", TS + 1),
        (b"1767890000", TS),
        (b"1767890000.5", TS + 500),
        (b"1767890000001234", TS + 1),
        (b"1767890000001234567", TS + 1),
        (b'"2026-01-08T16:33:20.001Z"', TS + 1),
        (b'"2026-01-08T17:33:20.001+01:00"', TS + 1),
    ],
)
def test_a_time_is_understood_in_other_forms_and_units(ts: bytes, expected: int) -> None:
    """Case 40."""
    assert only(b'{"ts":%s,"type":"a"}' % ts).ts == expected


@pytest.mark.parametrize(
    "ts",
    [b"-1", b"1e300", b"-1e300", b"1" * 400, b"NaN", b"Infinity", b"-Infinity", b'"soon"', b'""', b"null", b"true", b"[]", b"{}",
     b"0", b"5", b"99999999999999999999", b"300000000000000"],
)  # fmt: skip
def test_an_unusable_time_becomes_the_time_of_the_event_before(ts: bytes) -> None:
    """Case 40: order is file order, and no OverflowError."""
    batch, reader = read(record(1) + b"\n" + b'{"ts":%s,"type":"a","data":{}}\n' % ts + record(2) + b"\n")
    assert [event.ts for event in batch.events] == [TS + 1, TS + 1, TS + 2]
    assert "1 record without a usable time" in reader.accounting().notes


def test_without_an_event_before_it_an_unusable_time_is_zero() -> None:
    assert only(b'{"type":"a"}').ts == 0


def test_a_clock_that_starts_at_zero_is_believed_while_no_real_time_was_seen() -> None:
    batch, reader = read(b'{"ts":0,"type":"a"}\n{"ts":5,"type":"b"}\n{"ts":70000,"type":"c"}\n')
    assert [event.ts for event in batch.events] == [0, 5, 70000]
    assert reader.accounting().notes == ()


def test_the_time_before_is_remembered_over_chunks() -> None:
    reader = JsonlReader()
    reader.feed(record(7) + b"\n")
    assert reader.feed(b'{"ts":null,"type":"a"}\n').events[0].ts == TS + 7


@given(value=st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.integers()))
def test_any_value_at_all_is_a_time_or_none(value: object) -> None:
    """Case 40."""
    moment = moment_ms(value)
    assert moment is None or 0 <= moment <= 253_402_300_799_999


def test_missing_fields_and_fields_of_another_type_cost_a_note_and_not_the_event() -> None:
    """Case 46."""
    batch, reader = read(
        b'{}\n{"ts":1767890000001}\n{"ts":1767890000002,"type":7,"runId":[],"data":null}\n'
        b'{"ts":1767890000003,"type":"a","data":"[REDACTED]"}\n{"ts":1767890000004,"type":"a","data":[1]}\n'
    )
    assert [event.type for event in batch.events] == ["", "", "", "a", "a"]
    assert [event.run_id for event in batch.events] == [None] * 5
    assert [payload(event.data) for event in batch.events] == [
        {},
        {},
        {"value": None},
        {"value": "[REDACTED]"},
        {"value": [1]},
    ]
    assert reader.accounting().skipped == {}


def test_strange_keys_are_kept_and_the_last_of_doubled_keys_wins() -> None:
    """Case 46."""
    event = only(
        b'{"ts":1767890000001,"type":"a","type":"b","__proto__":{},"data":{"__proto__":1,"":2,"x":1,"x":2}}'
    )
    assert event.type == "b"
    assert payload(event.data) == {"__proto__": 1, "": 2, "x": 2}


@pytest.mark.parametrize(
    ("escaped", "shown"),
    [
        (rb"ok \ud83c", "ok \ufffd"),
        (rb"\ud83c\ud83c", "\ufffd\ufffd"),
        (rb"\udf00 \n", "\ufffd \n"),
        (rb"\ud83c\udf00", "\U0001f300"),
        (rb"\\ud83c \ud83c", "\\ud83c \ufffd"),
        (rb"\\\ud83c", "\\\ufffd"),
        (rb"\uD83C\u0041", "\ufffdA"),
    ],
)
def test_half_a_character_is_shown_as_a_mark(escaped: bytes, shown: str) -> None:
    """Case 45: JavaScript cuts strings in the middle of a character."""
    event = only(b'{"ts":1767890000001,"type":"a","data":{"x":"' + escaped + b'"}}')
    assert payload(event.data) == {"x": shown}
    msgspec.json.decode(event.data)


def test_half_a_character_in_a_damaged_line_is_mended_too() -> None:
    batch, reader = read(
        TORN[:50] + b'{"ts":1767890000001,"runId":"r","type":"a","data":{"x":"\\udc00\xff"}}\n'
    )
    assert payload(batch.events[0].data) == {"x": "\ufffd\ufffd"}
    assert len(reader.accounting().notes) == 4


@pytest.mark.parametrize(
    "bomb",
    [
        b"[" * 200_000,
        b'{"a":' * 100_000,
        b'{"ts":1767890000001,"type":"a","data":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"ts":1767890000001,"type":"a","data":' * 20_000,
        b'{"ts":1767890000001,"type":"a","data":[' * 20_000 + b"]}" * 20_000,
    ],
)
def test_a_nesting_bomb_is_skipped_and_the_next_record_read(bomb: bytes) -> None:
    """Case 43."""
    batch, reader = read(bomb + b"\n" + record(1) + b"\n")
    assert batch.events[-1].ts == TS + 1
    assert len(batch) <= 2
    assert reader.accounting().balanced


def test_a_line_of_a_thousand_beginnings_is_tried_in_a_few_places_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Case 43: hostile text must not cost time that grows with its square."""
    tried: list[int] = []
    close = salvage._close
    monkeypatch.setattr(salvage, "_close", lambda text, begin: (tried.append(begin), close(text, begin))[1])
    read(b'{"ts":1767890000001,"type":"a","data":[0,' * 1000 + b"\n")
    assert len(tried) == salvage.MAX_ATTEMPTS


@pytest.mark.parametrize(
    "number", [b"NaN", b"Infinity", b"-Infinity", b"1e999", b"9" * 5000, b"-" + b"9" * 5000]
)
def test_numbers_that_json_cannot_hold_become_unknown(number: bytes) -> None:
    """Case 44."""
    event = only(b'{"ts":1767890000001,"type":"a","data":{"x":%s,"y":1}}' % number)
    assert payload(event.data) == {"x": None, "y": 1}


def test_a_number_within_bounds_is_exact() -> None:
    event = only(b'{"ts":"1767890000001","type":"a","data":{"x":9007199254740992,"y":-0,"z":0.1}}')
    assert payload(event.data) == {"x": 2**53, "y": 0, "z": 0.1}


def test_control_characters_in_a_string_are_kept_for_the_screen_to_defuse() -> None:
    event = only(b'{"ts":1767890000001,"type":"a","data":{"x":"a\x1b\x00\tb"}}')
    assert payload(event.data) == {"x": "a\x1b\x00\tb"}


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"nope", b"[" * 200_000, b"[" * 990 + b"]" * 990, b"\xff", b'"\\ud83c"']
)
def test_a_payload_never_raises(raw: bytes) -> None:
    assert isinstance(payload(raw), dict)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(value=JSON, ascii_only=st.booleans())
def test_any_json_value_on_a_line_is_a_record_or_counted(value: object, ascii_only: bool) -> None:
    """Case 47."""
    text = json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    batch, reader = read(text + b"\n")
    assert len(batch) == isinstance(value, dict)
    assert reader.accounting().skipped_lines == (not isinstance(value, dict))


@settings(max_examples=300, deadline=None)
@given(
    value=st.fixed_dictionaries(
        {}, optional={"ts": JSON, "type": JSON, "runId": JSON, "data": JSON, "other": JSON}
    )
)
def test_any_fields_at_all_make_an_event_that_can_be_used(value: dict[str, Any]) -> None:
    """Case 46: what comes out is valid, whatever went in."""
    event = only(json.dumps(value).encode())
    assert isinstance(event.ts, int) and isinstance(event.type, str)
    assert isinstance(event.run_id, str | None)
    json.dumps([event.type, event.run_id, payload(event.data)], ensure_ascii=False).encode("utf-8")


@settings(max_examples=500, deadline=None)
@given(torn=st.binary(max_size=60), number=st.integers(0, 1000))
def test_whatever_comes_before_it_on_the_line_an_intact_record_is_read(torn: bytes, number: int) -> None:
    """Case 30: any bytes but a newline, unless they make the record part of something larger."""
    start = torn.replace(b"\n", b"").replace(b"{", b"").replace(b"[", b"")
    batch, _ = read(start + record(number) + b"\n")
    assert batch.events[-1].ts == TS + number


def test_the_shape_of_a_record_is_that_of_the_original_writer_and_of_our_own() -> None:
    assert EVENTS.shape.match(record(1).decode())
    assert EVENTS.shape.match('{"ts":1,"type":"a"')
    assert EVENTS.shape.match('{"ts": 1, "runId": "r", "type": "a"')
    assert not EVENTS.shape.match('{"ts":{"a":1},"type":"a"')
