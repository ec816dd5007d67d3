"""From an error into its run: the cursor comes to lie on the call that failed, not on its neighbour."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from buddy_core.runs.timeline.index.eventindex import EventIndex
from buddy_core.runs.timeline.index.indextail import index_run
from buddy_core.runs.timeline.index.moments import row_of_moment
from buddy_core.runs.timeline.timeline import TimelineRow, load_timeline
from buddy_core.testing import RunDirectoryBuilder

START = 1_767_890_000_000


def read(run: RunDirectoryBuilder) -> tuple[EventIndex, Sequence[TimelineRow]]:
    return index_run(run.run_dir.parent, run.run_id), load_timeline(run.run_dir).rows


def test_of_parallel_calls_the_one_that_failed_at_that_moment_is_meant(tmp_path: Path) -> None:
    run = RunDirectoryBuilder(tmp_path, started_at=START)
    for number in range(3):
        run.event(
            "tool_call",
            {"toolName": "bash", "toolCallId": str(number), "args": {"command": f"make {number}"}},
        )
    for number, success in ((0, False), (2, False), (1, True)):
        run.wait(100)
        result = {"toolName": "bash", "toolCallId": str(number), "success": success, "error": "Exit code 1"}
        run.event("tool_result", result | {"durationMs": run.now_ms - START})
    run.end().write()
    index, rows = read(run)

    assert rows[row_of_moment(index, START + 100)].detail == "make 0"
    assert rows[row_of_moment(index, START + 200)].detail == "make 2"


def test_a_call_that_is_named_is_found_among_those_that_ended_with_it(tmp_path: Path) -> None:
    run = RunDirectoryBuilder(tmp_path, started_at=START)
    for number in range(3):
        data = {"toolName": "bash", "toolCallId": str(number), "args": {"command": f"make {number}"}}
        run.event("tool_call", data).wait(100)
    for number, took in ((0, 1_300.5), (1, 1_200.0), (2, 1_100.0)):
        if not number:
            run.wait(1_000)
        result = {"toolName": "bash", "toolCallId": str(number), "success": number > 0, "durationMs": took}
        run.event("tool_result", result)
    run.end().write()
    index, rows = read(run)

    for number, took in ((0, 1_300.5), (1, 1_200.0), (2, 1_100.0)):
        assert rows[row_of_moment(index, START + 1_300, ("bash", took))].detail == f"make {number}"
    assert rows[row_of_moment(index, START + 1_300, ("search", 7.0))].detail == "make 0", "the failure, then"


def test_without_a_failure_at_that_moment_it_is_the_last_row_that_had_begun(tmp_path: Path) -> None:
    run = RunDirectoryBuilder(tmp_path, started_at=START)
    for number in range(3):
        run.wait(1_000).tool("bash", {"command": f"make {number}"})
    run.end().write()
    index, rows = read(run)

    found = row_of_moment(index, rows[2].at_ms + 1)
    assert found == 2
    assert row_of_moment(index, START - 1) == 0
    assert row_of_moment(EventIndex(), START) == 0
