"""`with run.tool(...)` and `with run.step(...)`: what is recorded is what happened, however the body ends."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from buddy_core import Run, RunStore
from buddy_core.clock import ManualClock
from buddy_core.runs.timeline.timeline import load_timeline


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1_770_000_000_000)


@pytest.fixture
def store(tmp_path: Path, clock: ManualClock) -> RunStore:
    return RunStore(tmp_path / "runs", clock=clock, durable=False)


def events(run: Run) -> list[tuple[str, dict[str, Any]]]:
    """Type and data of what was recorded, but for the start and the end of the run."""
    lines = (run.store.runs_dir / run.run_id / "events.jsonl").read_text().splitlines()
    told = [json.loads(line) for line in lines]
    return [(e["type"], e["data"]) for e in told if e["type"] not in ("run_start", "run_end")]


def test_a_call_is_recorded_with_its_arguments_duration_and_outcome(
    store: RunStore, clock: ManualClock
) -> None:
    with store.run("Fix it") as run, run.tool("bash", {"command": "pytest -x"}) as call:
        clock.advance(812)
        call.returned("2 passed")
    [(called, args), (came, result)] = events(run)
    assert (called, came) == ("tool_call", "tool_result")
    assert args == {"toolName": "bash", "toolCallId": call.call_id, "args": {"command": "pytest -x"}}
    assert result == {
        "toolName": "bash", "toolCallId": call.call_id, "success": True, "durationMs": 812, "outputLength": 8,
    }  # fmt: skip


def test_a_call_that_says_it_failed_has_failed(store: RunStore) -> None:
    with store.run("Fix it") as run, run.tool("bash") as call:
        call.returned(b"", error="exit code 1")
    result = events(run)[1][1]
    assert (result["success"], result["error"], result["outputLength"]) == (False, "exit code 1", 0)


@pytest.mark.parametrize("error", [ValueError("no such file"), KeyboardInterrupt(), asyncio.CancelledError()])
def test_an_exception_is_the_failure_of_its_call_and_goes_on(store: RunStore, error: BaseException) -> None:
    seen: list[Run] = []
    with pytest.raises(type(error)), store.run("Fix it") as run:
        seen.append(run)
        with run.step("test"), run.tool("bash"):
            raise error
    told = dict(events(seen[0]))
    assert told["tool_result"]["success"] is False
    assert told["tool_result"]["error"].startswith(type(error).__name__)
    assert told["step_end"] == {"step": "test", "passed": False, "error": told["tool_result"]["error"]}


def test_an_exception_that_cannot_be_printed_does_no_harm(store: RunStore) -> None:
    """Case 18."""

    class Hostile(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no")

    with store.run("Fix it") as run:
        with pytest.raises(Hostile), run.tool("bash"):
            raise Hostile
        assert events(run)[1][1]["error"] == "Hostile"


def test_calls_at_the_same_time_keep_their_own_results(store: RunStore, clock: ManualClock) -> None:
    with store.run("Fix it") as run, run.tool("view_file") as slow, run.tool("view_file") as quick:
        clock.advance(5)
        quick.returned("abc")
        slow.returned("abcdef", error="late")
    assert slow.call_id != quick.call_id
    rows = load_timeline(store.runs_dir / run.run_id).rows
    calls = [(row.state, row.output_bytes) for row in rows if row.title == "view_file"]
    assert calls == [("failed", 6), ("ok", 3)]


def test_steps_hold_what_happens_in_them(store: RunStore) -> None:
    with store.run("Fix it") as run, run.step("plan", "Find the cause"), run.tool("search"):
        pass
    assert events(run)[0] == ("step_start", {"step": "plan", "objective": "Find the cause"})
    assert events(run)[-1] == ("step_end", {"step": "plan", "passed": True})
    depths = {row.title: row.depth for row in load_timeline(store.runs_dir / run.run_id).rows}
    assert depths["search"] == 1


def test_after_the_end_of_the_run_nothing_is_raised_into_the_agent(store: RunStore) -> None:
    """C9."""
    with store.run("Fix it") as run:
        pass
    with run.step("late"), run.tool("bash") as call:
        call.returned("x")
    assert events(run) == []
    assert store.refused["run has ended"] == 4
