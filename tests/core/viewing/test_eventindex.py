"""An index of a run says what a timeline says: the same rows, made when they are looked at."""

from __future__ import annotations

import gc
import json
import weakref
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from buddy_core.runs.reading.jsonl import JsonlReader, LineReader
from buddy_core.runs.timeline.index.eventindex import EventIndex
from buddy_core.runs.timeline.index.indexing import Indexer
from buddy_core.runs.timeline.index.indexlines import INDEX_LINES
from buddy_core.runs.timeline.index.indextail import IndexTail
from buddy_core.runs.timeline.index.rowmaker import UNREADABLE, RowMaker
from buddy_core.runs.timeline.timeline import TimelineBuilder, TimelineRow

NOW = 1_770_000_000_000
RUN = "run_mk5k1qoj_724ab2"


def line(kind: object, data: object, ts: object = NOW) -> bytes:
    return json.dumps({"ts": ts, "runId": RUN, "type": kind, "data": data}).encode() + b"\n"


def told(text: bytes) -> list[TimelineRow]:
    """What a timeline says of these bytes."""
    builder = TimelineBuilder(max_rows=10**6)
    builder.feed(JsonlReader().feed(text))
    return list(builder.rows())


def indexed(text: bytes, cut: int = 1 << 20) -> EventIndex:
    index = EventIndex()
    indexer, reader = Indexer(index), LineReader(INDEX_LINES)
    for start in range(0, len(text), cut):
        indexer.feed(reader.feed(text[start : start + cut]))
    return index


def written(root: Path, text: bytes) -> RowMaker:
    (root / RUN).mkdir(exist_ok=True)
    (root / RUN / "events.jsonl").write_bytes(text)
    return RowMaker(root, RUN)


def looked_at(root: Path, text: bytes, cut: int = 1 << 20) -> list[TimelineRow]:
    index, maker = indexed(text, cut), written(root, text)
    try:
        return maker.rows(index, range(index.rows))
    finally:
        maker.close()


KINDS = [
    "tool_call",
    "tool_result",
    "tool_call",
    "tool_result",
    "step_start",
    "step_end",
    "run_start",
    "run_end",
    "decision",
    "metric",
    "error",
    "patch_created",
    "patch_applied",
    "odd",
    "o" * 120,
    "",
]
NAMES = [
    *(
        "toolName",
        "name",
        "toolCallId",
        "callId",
        "id",
        "args",
        "step",
        "kind",
        "success",
        "passed",
        "message",
    ),
    *("durationMs", "latencyMs", "blockedBy", "status", "description", "error", "outputLength", "objective"),
]
VALUES: st.SearchStrategy[Any] = st.sampled_from(
    [
        "bash",
        "a",
        "b",
        "api_request",
        "tool_filter_block",
        "plan",
        "completed",
        "failed",
        "12",
        "\ud83c",
        "",
        "é",
    ]
) | (
    st.none()
    | st.booleans()
    | st.integers(-3, 2**70)
    | st.floats()
    | st.lists(st.integers(0, 9), max_size=2)
    | st.dictionaries(st.sampled_from(["command", "path"]), st.text(max_size=3), max_size=2)
)
TIMES: st.SearchStrategy[Any] = st.integers(NOW - 9, NOW + 99) | st.sampled_from(
    [0, -1, None, "x", 5, NOW // 1000]
)
RECORDS = st.builds(line, st.sampled_from(KINDS), st.dictionaries(st.sampled_from(NAMES), VALUES), TIMES)
USUAL = st.sampled_from(
    [
        line("tool_call", {"toolName": "bash", "toolCallId": "a", "args": {"command": "make"}}),
        line("tool_call", {"toolName": "bash", "args": {"command": "make"}}, NOW + 2),
        line(
            "tool_result", {"toolName": "bash", "toolCallId": "a", "success": False, "error": "no"}, NOW + 5
        ),
        line("tool_result", {"toolName": "bash", "success": True, "durationMs": 3}, NOW + 5),
        line("step_start", {"step": "plan"}),
        line("step_start", {"step": "act", "objective": "now"}),
        line("step_end", {"step": "plan", "passed": True}, NOW + 9),
        line("step_end", {"step": "act"}, NOW + 9),
        line("run_end", {"status": "completed"}),
    ]
)
DAMAGE = st.sampled_from(
    [
        b"\n",
        b"\0\0\0",
        b"\xef\xbb\xbf",
        b'{"ts":17',
        b"\xff\n",
        b"[]\n",
        b" ",
        b"{}\n",
        b'{"data": {"a": [',
        b"\r\n",
    ]
)
FILES = st.lists(USUAL | USUAL | RECORDS | DAMAGE | RECORDS.map(lambda text: text[:-1]), max_size=30)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(FILES, st.integers(1, 400))
def test_the_rows_of_any_file_are_those_of_its_timeline(tmp_path: Path, parts: list[bytes], cut: int) -> None:
    """Cases 30, 40 and 46: whatever stands in the file, and however it came."""
    text = b"".join(parts)
    assert looked_at(tmp_path, text, cut) == told(text)


LONG = b"".join(
    [
        line("run_start", {"objective": "Fix it"}),
        line("step_start", {"step": "plan"}, NOW + 1),
        line("tool_call", {"toolName": "bash", "toolCallId": "a", "args": {"command": "make"}}, NOW + 2),
        line("step_start", {"step": "inner"}, NOW + 3),
        line("tool_result", {"toolName": "bash", "toolCallId": "a", "success": False}, NOW + 4),
        line("decision", {"description": "again"}, NOW + 5),
        line("step_end", {"step": "inner"}, NOW + 6),
        line("error", {"message": "boom"}, NOW + 7),
        line("step_end", {"step": "plan", "passed": True}, NOW + 8),
        line("decision", {"description": "done"}, NOW + 9),
    ]
)
"""Ten events that make nine rows: 0 start, 1 plan, 2 call, 3 inner, 4 decision, 5 end, 6 error, 7 end, 8 decision."""


def test_what_went_wrong_is_found_without_reading() -> None:
    index = indexed(LONG)
    assert [index.next_wrong(row, 1) for row in (0, 2, 6)] == [2, 6, None]
    assert [index.next_wrong(row, -1) for row in (8, 6, 2)] == [6, 2, None]


def test_a_moment_is_found_by_halving_and_means_the_last_row_that_had_begun() -> None:
    index = indexed(LONG)
    assert [index.row_at(NOW + at) for at in (-5, 0, 2, 4, 99)] == [0, 0, 2, 3, 8]
    assert [index.events_until(NOW + at) for at in (-5, 4, 99)] == [0, 5, 10]


def test_steps_know_the_rows_inside_them() -> None:
    index = indexed(LONG)
    outer, inner = index.step_begun_at(1), index.step_begun_at(3)
    assert (outer, inner, index.step_begun_at(2)) == (0, 1, None)
    assert (index.inside(0), index.inside(1)) == ((2, 7), (4, 5))
    assert [index.depth(row) for row in range(9)] == [0, 0, 1, 1, 2, 1, 1, 0, 0]
    assert indexed(LONG[: LONG.index(b'"step_end"') - 60]).inside(0)[1] == 5, (
        "an open step reaches to the end"
    )


def test_rows_and_events_lead_to_one_another_and_to_the_file() -> None:
    index = indexed(LONG)
    assert [index.row_of_event(event) for event in (3, 4, 5)] == [3, None, 4]
    assert [index.event_at(index.offsets[5]), index.event_at(index.offsets[5] + 1)] == [5, None]
    assert index.tool_names.name(index.tools[2]) == "bash"
    assert index.kind_names.name(index.kinds[7]) == "error"


def test_a_call_that_was_shown_running_is_shown_answered_when_its_result_has_come(tmp_path: Path) -> None:
    cut = LONG.index(b'"tool_result"') - 60
    maker = written(tmp_path, LONG)
    index, reader = EventIndex(), LineReader(INDEX_LINES)
    indexer = Indexer(index)
    indexer.feed(reader.feed(LONG[:cut]))
    assert maker.rows(index, [2])[0].state == "running"
    indexer.feed(reader.feed(LONG[cut:]))
    assert maker.rows(index, [2])[0].state == "failed"
    maker.close()


def test_a_row_of_a_file_that_was_replaced_since_says_so(tmp_path: Path) -> None:
    index = indexed(LONG)
    maker = written(tmp_path, line("odd", {"a": 1}) * 20)
    assert {row.error for row in maker.rows(index, range(index.rows))} == {UNREADABLE}
    maker.close()
    (tmp_path / RUN / "events.jsonl").unlink()
    gone = RowMaker(tmp_path, RUN)
    assert gone.rows(index, [0])[0].error == UNREADABLE


def test_a_file_is_followed_while_it_grows_and_begun_anew_when_it_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / RUN / "events.jsonl"
    written(tmp_path, LONG[:-5])
    tail = IndexTail(tmp_path, RUN)
    assert tail.grow() and not tail.more
    before = tail.index
    assert before.rows == 8
    with path.open("ab") as file:
        file.write(LONG[-5:])
    assert tail.grow() and tail.index is before and before.rows == 9
    assert not tail.grow()
    path.write_bytes(line("odd", {}))
    assert tail.grow() and tail.index is not before and tail.index.rows == 1
    assert before.rows == 9, "whoever still looks at it sees what there was"
    tail.close()


def test_it_takes_at_most_forty_bytes_for_an_event() -> None:
    index = indexed(LONG * 100)
    assert index.resident <= 40 * len(index)


def test_an_index_that_nobody_looks_at_any_more_is_gone_at_once() -> None:
    gc.disable()  # a circle would be found, some minutes and megabytes later
    try:
        index = indexed(LONG)
        known = weakref.ref(index)
        del index
        assert known() is None
    finally:
        gc.enable()


def test_names_without_end_take_no_room_without_end(tmp_path: Path) -> None:
    many = b"".join(line("tool_call", {"toolName": f"t{number}"}) for number in range(10_050))
    index = indexed(many + b"".join(line(f"kind{number}", {}) for number in range(300)))
    assert len(index.tool_names) == 10_000
    assert len(index.kind_names) == 250
    rows = looked_at(tmp_path, many)
    assert rows[-1].title == "t10049"
