"""One run as lines: joined, indented, bounded, and true to the file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buddy_core.runs.reading.jsonl import JsonlReader
from buddy_core.runs.timeline.record import read_record, stands_alone
from buddy_core.runs.timeline.timeline import TimelineBuilder, TimelineRow, load_timeline
from buddy_core.testing import RunDirectoryBuilder

NOW = 1_770_000_000_000


@pytest.fixture
def run(tmp_path: Path) -> RunDirectoryBuilder:
    return RunDirectoryBuilder(tmp_path, started_at=NOW)


def rows_of(run: RunDirectoryBuilder, **options: int) -> tuple[TimelineRow, ...]:
    return load_timeline(run.write(), **options).rows


def line(type: str, data: object, ts: int = NOW) -> bytes:
    return json.dumps({"ts": ts, "runId": "run_x", "type": type, "data": data}).encode() + b"\n"


def build(*lines: bytes) -> list[TimelineRow]:
    """Rows of lines that are fed one at a time, as a live run is."""
    builder, reader = TimelineBuilder(), JsonlReader()
    for one in lines:
        builder.feed(reader.feed(one))
    return list(builder.rows())


class TestCallsAndResults:
    def test_are_one_line_with_what_both_say(self, run: RunDirectoryBuilder) -> None:
        run.wait(1_500).tool("bash", {"command": "pytest -q"}, took_ms=900, output=1_842)
        row = rows_of(run)[1]
        assert (row.kind, row.state, row.title, row.detail) == ("tool_call", "ok", "bash", "pytest -q")
        assert (row.at_ms, row.since_start_ms, row.gap_ms) == (NOW + 1_500, 1_500, 1_500)
        assert (row.duration_ms, row.output_bytes, row.error) == (900, 1_842, None)

    def test_a_failure_carries_its_text(self, run: RunDirectoryBuilder) -> None:
        run.tool("bash", {"command": "make"}, error="Exit code 2\nmake: *** [all] Error 1")
        row = rows_of(run)[1]
        assert (row.state, row.error) == ("failed", "Exit code 2\nmake: *** [all] Error 1")

    def test_a_call_is_running_until_its_result_comes_and_keeps_its_place(self) -> None:
        call = line("tool_call", {"toolName": "bash", "toolCallId": "a", "args": {"command": "make"}})
        other = line("decision", {"description": "meanwhile"})
        result = line("tool_result", {"toolName": "bash", "toolCallId": "a", "success": True}, NOW + 70)
        assert [row.state for row in build(call, other)] == ["running", "info"]
        joined = build(call, other, result)
        assert [(row.kind, row.state) for row in joined] == [("tool_call", "ok"), ("decision", "info")]
        assert joined[0].duration_ms == 70, "without a recorded duration the two times tell"

    def test_parallel_calls_of_one_tool_are_joined_by_id(self, run: RunDirectoryBuilder) -> None:
        first = run.call("view_file", {"path": "a"})
        second = run.call("view_file", {"path": "b"})
        run.result("view_file", second, took_ms=2).result("view_file", first, took_ms=9)
        assert [(row.detail, row.duration_ms) for row in rows_of(run)[1:]] == [("a", 9), ("b", 2)]

    def test_without_ids_the_oldest_call_of_that_tool_is_meant(self) -> None:
        joined = build(
            line("tool_call", {"name": "bash", "args": {"command": "one"}}),
            line("tool_call", {"name": "view_file", "args": {"path": "p"}}),
            line("tool_call", {"name": "bash", "args": {"command": "two"}}),
            line("tool_result", {"name": "bash", "success": False, "durationMs": 5}),
        )
        assert [(row.detail, row.state) for row in joined] == [
            ("one", "failed"), ("p", "running"), ("two", "running"),
        ]  # fmt: skip

    def test_a_result_without_a_call_has_a_line_of_its_own(self) -> None:
        (row,) = build(line("tool_result", {"toolName": "bash", "blockedBy": "filter", "success": False}))
        assert (row.kind, row.state, row.title, row.detail) == (
            "tool_result", "refused", "bash", "blocked by filter",
        )  # fmt: skip

    def test_a_call_without_a_result_is_refused_when_the_run_ends(self, run: RunDirectoryBuilder) -> None:
        run.call("bash", {"command": "rm -rf /"})
        run.end()
        row = rows_of(run)[1]
        assert (row.state, row.error) == ("refused", "no result was recorded before the run ended")


class TestSteps:
    def test_indent_what_is_inside_and_take_their_time(self, run: RunDirectoryBuilder) -> None:
        run.step("plan", "Think first").wait(300).tool("search", {"pattern": "x"}, took_ms=100)
        run.step_end("plan", outputLength=40, passed=True).event("decision", {"description": "go"})
        rows = rows_of(run)[1:]
        assert [(row.kind, row.depth) for row in rows] == [
            ("step_start", 0), ("tool_call", 1), ("step_end", 0), ("decision", 0),
        ]  # fmt: skip
        assert [(row.state, row.duration_ms) for row in rows[::2]] == [("ok", 400), ("ok", 400)]
        assert rows[0].detail == "plan: Think first"
        assert rows[1].step_id == "plan:1"
        assert rows[3].step_id is None

    def test_a_missing_end_is_taken_from_the_step_around_it(self, run: RunDirectoryBuilder) -> None:
        run.step("outer").step("inner").step_end("outer").event("decision", {})
        rows = rows_of(run)[1:]
        assert [(row.kind, row.state, row.depth) for row in rows] == [
            ("step_start", "info", 0), ("step_start", "info", 1), ("step_end", "info", 0), ("decision", "info", 0),
        ]  # fmt: skip

    def test_an_end_that_was_never_begun_changes_nothing(self, run: RunDirectoryBuilder) -> None:
        run.step("outer").step_end("other").event("decision", {})
        assert [row.depth for row in rows_of(run)[1:]] == [0, 1, 1]


@pytest.mark.parametrize(
    ("type", "data", "title", "detail", "state"),
    [
        ("run_start", {"objective": "Fix it"}, "run start", "Fix it", "info"),
        ("run_end", {"status": "failed"}, "run end", "failed", "failed"),
        ("run_end", {"status": "completed", "finalAnswer": "Done"}, "run end", "completed: Done", "ok"),
        ("decision", {"description": "go"}, "decision", "go", "info"),
        (
            "decision",
            {"kind": "fork", "parentRunId": "run_a", "reason": "retry"},
            "decision",
            "fork of run_a: retry",
            "info",
        ),
        (
            "decision",
            {"kind": "provider_fallback", "from": "a", "to": "b", "toModel": "m", "reason": "529"},
            "decision",
            "fallback from a to b m: 529",
            "info",
        ),
        (
            "decision",
            {"kind": "tool_filter_block", "tool": "bash"},
            "decision",
            'tool filter block: {"tool":"bash"}',
            "refused",
        ),
        ("patch_created", {"artifact": "plan.md", "path": "/x/plan.md"}, "patch created", "plan.md", "info"),
        ("patch_applied", {"filesApplied": 1}, "patch applied", "1 file", "info"),
        ("patch_applied", {"filesApplied": ["a", "b"]}, "patch applied", "2 files: a, b", "info"),
        (
            "metric",
            {
                "kind": "api_request",
                "provider": "p",
                "model": "m",
                "promptTokens": 1200,
                "completionTokens": 30,
            },
            "api request",
            "p/m: 1,200 tokens in, 30 out",
            "ok",
        ),
        (
            "metric",
            {"kind": "api_request", "provider": "p", "model": "m", "success": False},
            "api request",
            "p/m: failed",
            "failed",
        ),
        ("metric", {"kind": "value", "name": "depth", "value": 3}, "metric", "depth = 3", "info"),
        ("lesson_added", {"text": "Run the tests"}, "lesson added", '{"text":"Run the tests"}', "info"),
        ("", {}, "(no type)", "", "info"),
    ],
)
def test_each_type_says_what_matters(type: str, data: object, title: str, detail: str, state: str) -> None:
    (row,) = build(line(type, data))
    assert (row.title, row.detail, row.state) == (title, detail, state)


@pytest.mark.parametrize("data", [{"message": "boom"}, {"error": "boom"}])
def test_errors_stand_out(data: object) -> None:
    (row,) = build(line("error", data))
    assert (row.state, row.error) == ("error", "boom")


def test_the_clock_going_back_makes_no_negative_times() -> None:
    """Case 40."""
    rows = build(line("a", {}, NOW), line("b", {}, NOW - 60_000), line("c", {}, NOW + 5))
    assert [(row.since_start_ms, row.gap_ms) for row in rows] == [(0, None), (0, 0), (5, 60_005)]


def test_only_the_newest_rows_are_kept_and_late_results_find_theirs(run: RunDirectoryBuilder) -> None:
    old = run.call("bash", {"command": "old"})
    for number in range(50):
        run.event("decision", {"description": str(number)})
    new = run.call("bash", {"command": "new"})
    run.result("bash", old, took_ms=1).result("bash", new, took_ms=2)
    timeline = load_timeline(run.write(), max_rows=10)
    assert len(timeline.rows) == 10
    assert timeline.hidden == 43
    assert [row.index for row in timeline.rows] == list(range(43, 53))
    assert (timeline.rows[-1].detail, timeline.rows[-1].duration_ms) == ("new", 2)


def test_the_rows_are_the_same_object_until_something_is_fed(run: RunDirectoryBuilder) -> None:
    builder, reader = TimelineBuilder(), JsonlReader()
    builder.feed(reader.feed(line("a", {})))
    before = builder.rows()
    builder.feed(reader.feed(b""))
    assert builder.rows() is before
    builder.feed(reader.feed(line("b", {})))
    assert len(before) == 1, "what was handed out does not change"
    assert len(builder.rows()) == 2


def test_a_row_leads_back_to_its_records(run: RunDirectoryBuilder) -> None:
    run.tool("bash", {"command": "make"}, took_ms=7)
    row = rows_of(run)[1]
    assert json.loads(read_record(run.run_dir, row.offset))["data"]["args"] == {"command": "make"}
    assert row.result_offset is not None
    assert json.loads(read_record(run.run_dir, row.result_offset))["data"]["durationMs"] == 7
    assert read_record(run.run_dir, row.offset, limit=5) == b'{"ts"'


@pytest.mark.parametrize(
    ("before", "after", "alone"),
    [
        (b"", b"\n", True),
        (b"", b" \r\n", True),
        (b"\xef\xbb\xbf", b"\n", True),
        (b"\n", b"\n", True),
        (b"x\n", b"", True),
        (b"{", b"\n", False),
        (b"\0", b"\n", False),
        (b"\n\xef\xbb\xbf", b"\n", False),
        (b"", b"{}\n", False),
        (b"", b"\0\n", False),
    ],
)
@pytest.mark.parametrize("record", [b'{"ts":1767890000000,"type":"a","data":{}}', b'{"type":"\xff \\ud83c"}'])
def test_a_record_that_shares_its_line_does_not_stand_alone(
    before: bytes, record: bytes, after: bytes, alone: bool, run: RunDirectoryBuilder
) -> None:
    """Case 30: it was recovered, and is flagged."""
    run.write()
    run.events_file.write_bytes(before + record + after)
    assert stands_alone(run.run_dir, len(before)) == alone


def test_where_no_record_is_nothing_stands_alone(run: RunDirectoryBuilder) -> None:
    run.write()
    run.events_file.write_bytes(b'{"ts":\n' + b"[" * 100_000)
    assert not stands_alone(run.run_dir, 0)
    assert not stands_alone(run.run_dir, 7)


def test_damage_is_told_and_the_rest_is_shown(run: RunDirectoryBuilder) -> None:
    """Case 30."""
    run.raw(b'{"ts":1,"type":"tool_ca\n').event("decision", {"description": "after"})
    timeline = load_timeline(run.write())
    assert [row.detail for row in timeline.rows] == ["Fix the flaky login test", "after"]
    assert timeline.accounting.skipped_lines == 1
    assert timeline.accounting.balanced


def test_a_run_without_events_has_no_rows(tmp_path: Path) -> None:
    assert load_timeline(tmp_path / "run_mk5k1qoj_724ab2").rows == ()


KINDS = [
    "tool_call",
    "tool_result",
    "step_start",
    "step_end",
    "run_end",
    "decision",
    "metric",
    "error",
    "odd",
]
NAMES = ["toolName", "toolCallId", "args", "step", "kind", "success", "passed", "message", "durationMs", "id"]
VALUES: st.SearchStrategy[Any] = st.sampled_from(["bash", "a", "b", "api_request", "plan", "\ud83c", ""]) | (
    st.none() | st.booleans() | st.integers() | st.floats() | st.lists(st.integers(), max_size=2)
)


@given(
    st.lists(
        st.tuples(st.sampled_from(KINDS), st.dictionaries(st.sampled_from(NAMES), VALUES), st.integers(0, 9)),
        max_size=30,
    ),
    st.integers(1, 30),
)
def test_any_sequence_of_records_gives_sound_rows_however_it_is_cut(
    records: list[tuple[str, dict[str, Any], int]], cut: int
) -> None:
    """Case 46: whatever stands in the payloads, and whether they come at once or one by one."""
    lines = [line(kind, data, NOW + ts) for kind, data, ts in records]
    whole, parts = TimelineBuilder(max_rows=12), TimelineBuilder(max_rows=12)
    whole.feed(JsonlReader().feed(b"".join(lines)))
    reader = JsonlReader()
    for start in range(0, len(lines), cut):
        parts.feed(reader.feed(b"".join(lines[start : start + cut])))
    assert whole.rows() == parts.rows()
    assert whole.hidden == parts.hidden
    rows = whole.rows()
    assert [row.index for row in rows] == list(range(whole.hidden, whole.hidden + len(rows)))
    for row in rows:
        assert row.depth >= 0
        assert row.since_start_ms >= 0
        assert len(row.detail) <= 1_000
        f"{row.title}{row.detail}{row.error}".encode()
