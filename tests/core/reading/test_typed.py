"""The reader that decodes payloads with their lines finds what the plain reader finds, in any file."""

from __future__ import annotations

import json
from dataclasses import asdict
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buddy_core.runs.folding.calls import argument_of
from buddy_core.runs.folding.fold import RunFold
from buddy_core.runs.reading.jsonl import EVENTS, Batch, LineReader
from buddy_core.runs.records.payloads import plain_payload
from buddy_core.runs.records.typed import TYPED_EVENTS, CallLine, ResultLine
from buddy_core.runs.records.wire import WireEvent

RUN = "run_mk000001_aaaaaa"
T0 = 1_767_890_000_000
LATER = T0 + 10**9


def line(kind: object, data: object, ts: object = T0, **more: object) -> bytes:
    return json.dumps({"ts": ts, "runId": RUN, "type": kind, "data": data} | more).encode() + b"\n"


def read(dialect: Any, *chunks: bytes) -> tuple[Batch[Any], LineReader[Any]]:
    """All records of the chunks, and the reader with its account."""
    reader: LineReader[Any] = LineReader(dialect, max_line=4_000)
    batch: Batch[Any] = Batch()
    for chunk in chunks:
        batch.extend(reader.feed(chunk))
    return batch, reader


def folded(batch: Batch[Any], fresh: list[bool] | None = None) -> tuple[dict[str, Any], dict[str, Any]]:
    """Everything a fold of the batch says, and its harvest with every column in order of time."""
    fold = RunFold(RUN)
    found = fold.feed(batch, now_ms=LATER, fresh=fresh)
    harvest = asdict(found)
    for tool, column in found.tools.items():
        harvest["tools"][tool]["calls"] = [argument_of(tool, call) for call in column.calls]
    names = [name for name in RunFold.__slots__ if not name.startswith("_")]
    state = {name: getattr(fold, name) for name in names} | {"step": fold.step}
    state["open"] = [
        (call.name, call.at_ms, plain_payload(call.data).get("args")) for call in fold.open_calls
    ]
    return state, harvest


def same(text: bytes, *cuts: int) -> None:
    """Both readers give the same records, the same account and the same numbers."""
    edges = [0, *sorted(cut % (len(text) + 1) for cut in cuts), len(text)]
    chunks = [text[a:b] for a, b in pairwise(edges)]
    plain, plain_reader = read(EVENTS, *chunks)
    typed, typed_reader = read(TYPED_EVENTS, *chunks)
    assert [event.ts for event in typed.events] == [event.ts for event in plain.events]
    assert (typed.identities, typed.offsets) == (plain.identities, plain.offsets)
    assert typed_reader.accounting() == plain_reader.accounting()
    assert typed_reader.accounting().balanced
    assert repr(folded(typed)) == repr(folded(plain))  # NaN is not equal to itself


def test_calls_and_results_in_the_writers_shape_are_decoded_at_once() -> None:
    text = line("tool_call", {"toolName": "bash", "toolCallId": "a", "args": {"command": "ls"}})
    text += line("tool_result", {"toolName": "bash", "toolCallId": "a", "success": True, "durationMs": 3})

    batch, _ = read(TYPED_EVENTS, text)

    assert [type(event) for event in batch.events] == [CallLine, ResultLine]
    same(text)


@pytest.mark.parametrize(
    "odd",
    [
        line("tool_result", {"toolName": "bash", "toolCallId": "a", "durationMs": "12"}),
        line("tool_call", "[REDACTED]"),
        line("metric", {"kind": "api_request", "promptTokens": 1.5}),
        line("step_start", []),
        line("a_type_of_tomorrow", {"x": 1}),
        line("tool_call", {}).replace(b'"type"', b'"type": "error", "type"'),
        b'{"ts": %d}\n' % T0,
        line(7, {}),
        line(None, {}),
        line("tool_call", {}, ts="soon"),
    ],
)
def test_a_line_of_another_shape_is_read_as_the_plain_reader_reads_it(odd: bytes) -> None:
    """Case 46."""
    same(line("tool_call", {"toolCallId": "a", "toolName": "bash"}) + odd + line("run_end", {"status": "x"}))


def test_a_type_nobody_knows_is_no_damage() -> None:
    batch, reader = read(TYPED_EVENTS, line("a_type_of_tomorrow", {"x": 1}))

    assert [type(event) for event in batch.events] == [WireEvent]
    assert (reader.accounting().skipped_lines, reader.accounting().notes) == (0, ())


def test_a_reader_told_so_notes_no_offsets() -> None:
    reader = LineReader(TYPED_EVENTS, places=False)

    batch = reader.feed(line("tool_call", {}) + b"rubbish\n" + line("error", {}))

    assert (len(batch.events), batch.offsets, len(batch.identities)) == (2, [], 2)
    assert reader.accounting().balanced


_IDS = st.sampled_from(["a", "b", "", None, 7])
_SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 10**20), st.floats(), st.sampled_from(["x", "7"])
)
_DATA = st.one_of(
    _SCALARS,
    st.fixed_dictionaries(
        {},
        optional={
            "toolName": st.sampled_from(["bash", "grep", None, 5]),
            "name": st.sampled_from(["bash", "queue"]),
            "toolCallId": _IDS,
            "callId": _IDS,
            "id": _IDS,
            "args": _SCALARS,
            "success": st.one_of(st.booleans(), _SCALARS),
            "durationMs": _SCALARS,
            "error": st.sampled_from(["boom", "", None]),
            "kind": st.sampled_from(["api_request", "value", "fork", 1]),
            "provider": st.sampled_from(["p", ""]),
            "promptTokens": _SCALARS,
            "cost": _SCALARS,
            "value": _SCALARS,
            "step": st.sampled_from(["one", "two", 3]),
            "status": st.sampled_from(["completed", 1]),
        },
    ),
)
_KINDS = st.sampled_from(
    ["tool_call", "tool_result", "metric", "step_start", "step_end", "error", "run_end", "decision", "later"]
)
_LINES = st.one_of(
    st.builds(line, _KINDS, _DATA, st.integers(T0 - 5, T0 + 5)),
    st.builds(line, _KINDS, _DATA, st.sampled_from([0, "soon", 1.5, -1])),
    st.sampled_from([b"\n", b"\0\0\0\n", b"rubbish\n", b'{"ts": 1', b"\xff\xfe\n", b"x" * 5_000 + b"\n"]),
)


@given(st.lists(_LINES, max_size=12), st.lists(st.integers(0, 10**4), max_size=3))
def test_both_readers_agree_on_any_file_however_it_is_cut(lines: list[bytes], cuts: list[int]) -> None:
    """Cases 2, 44 and 46."""
    same(b"".join(lines), *cuts)


@given(st.lists(_LINES, max_size=12))
def test_told_that_each_record_is_new_a_fold_does_what_it_does_when_told_that_all_are(
    lines: list[bytes],
) -> None:
    batch, _ = read(TYPED_EVENTS, b"".join(lines))
    one_by_one = folded(batch, [True] * len(batch.events))

    assert repr(one_by_one) == repr(folded(batch))
