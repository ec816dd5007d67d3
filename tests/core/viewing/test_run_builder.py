"""The shipped test helpers: what they build is what the format says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from buddy_core.runs.names import is_run_id, started_at_of
from buddy_core.runs.records.smallfiles import parse_metrics, parse_summary
from buddy_core.testing import RunDirectoryBuilder, sample_runs

NOW = 1_770_000_000_000


def events(run_dir: Path) -> list[dict[str, Any]]:
    lines = (run_dir / "events.jsonl").read_bytes().splitlines()
    return [json.loads(line) for line in lines if line.startswith(b'{"ts"') and line.endswith(b"}")]


def test_a_built_run_has_the_files_and_fields_of_the_original(tmp_path: Path) -> None:
    run = RunDirectoryBuilder(tmp_path, started_at=NOW, metadata={"tags": ["bugfix"]})
    run.tool("bash", {"command": "make"}, took_ms=250).artifact("plan.md", "# Plan").end()
    run_dir = run.write()
    summary = parse_summary((run_dir / "summary.json").read_bytes(), run_dir.name)
    assert summary is not None
    assert (summary.status, summary.started_at, summary.ended_at) == ("completed", NOW, NOW + 250)
    assert (summary.event_count, summary.artifact_count) == (5, 1)
    assert [event["type"] for event in events(run_dir)] == [
        "run_start", "tool_call", "tool_result", "patch_created", "run_end",
    ]  # fmt: skip
    assert started_at_of(run_dir.name) == NOW


def test_totals_are_the_sums_of_the_requests_unless_said_otherwise(tmp_path: Path) -> None:
    run = RunDirectoryBuilder(tmp_path, started_at=NOW)
    run.request(prompt=900, completion=100, cost=0.01).request(prompt=50, completion=50, cost=0.02).end()
    metrics = parse_metrics((run.write() / "metrics.json").read_bytes())
    assert metrics is not None
    assert (metrics.total_tokens, metrics.total_cost) == (1100, 0.03)


def test_a_live_run_is_played_by_writing_again(tmp_path: Path) -> None:
    run = RunDirectoryBuilder(tmp_path, started_at=NOW)
    run_dir = run.write()
    call_id = run.call("bash", {"command": "sleep 1"})
    run.write()
    assert events(run_dir)[-1]["data"]["toolCallId"] == call_id
    run.wait(1_000).result("bash", call_id, took_ms=1_000).write()
    assert [event["ts"] for event in events(run_dir)] == [NOW, NOW, NOW + 1_000]


def test_sample_runs_are_the_same_bytes_each_time(tmp_path: Path) -> None:
    ids = sample_runs(tmp_path / "a", now_ms=NOW)
    assert sample_runs(tmp_path / "b", now_ms=NOW) == ids
    assert len(ids) == 12
    assert all(is_run_id(run_id) for run_id in ids)
    for run_id in ids:
        for name in ("events.jsonl", "summary.json", "metrics.json"):
            first = (tmp_path / "a" / run_id / name).read_bytes().replace(b"/a/", b"/b/")
            assert first == (tmp_path / "b" / run_id / name).read_bytes()


def test_sample_runs_lie_in_the_past_in_order(tmp_path: Path) -> None:
    for run_id in sample_runs(tmp_path, now_ms=NOW):
        times = [event["ts"] for event in events(tmp_path / run_id)]
        assert times == sorted(times)
        assert times[-1] <= NOW


def test_sample_runs_hold_every_recorded_state(tmp_path: Path) -> None:
    sample_runs(tmp_path, now_ms=NOW)
    words = [json.loads(path.read_bytes())["status"] for path in tmp_path.glob("*/summary.json")]
    assert {word: words.count(word) for word in set(words)} == {
        "running": 4, "completed": 5, "failed": 2, "cancelled": 1,
    }  # fmt: skip
