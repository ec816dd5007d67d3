"""The JSON of the command line: exact names, unknown as null, the same numbers as everywhere, ASCII."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import pytest

from buddy_core.clock import ManualClock
from buddy_core.metrics.collector import MetricsCollector
from buddy_core.metrics.looking.model import DashboardState, ProviderMetrics, ToolMetrics
from buddy_core.metrics.model import ErrorRecord
from buddy_core.metrics.window import Window
from buddy_core.observing.observer import Observer
from buddy_core.runs.model import RunMetrics
from buddy_core.runs.viewing.entries import event_entry, run_entry
from buddy_core.runs.viewing.joined import joined_events
from buddy_core.testing import RunDirectoryBuilder, sample_runs
from buddy_top.export.documents import joined_entry, once_document, runs_document, show_document, to_text

NOW = 1_767_890_000_000

RUN_NAMES = [
    "run_id",
    "objective",
    "status",
    "recorded_status",
    "started_at",
    "ended_at",
    "duration_ms",
    "event_count",
    "tool_calls",
    "tool_failures",
    "errors",
    "total_tokens",
    "prompt_tokens",
    "completion_tokens",
    "total_cost",
    "model",
    "tags",
    "parent_run_id",
    "artifacts",
    "integrity",
    "estimated_cost",
    "problem",
]


@pytest.fixture
def observed(tmp_path: Path) -> tuple[MetricsCollector, Observer]:
    clock = ManualClock(NOW)
    sample_runs(tmp_path, now_ms=NOW)
    collector = MetricsCollector(clock=clock)
    observer = Observer(tmp_path, collector, clock=clock)
    observer.load()
    observer.close()
    return collector, observer


def once(observed: tuple[MetricsCollector, Observer], window: Window = Window.ALL) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(to_text(once_document(*observed, window, now_ms=NOW)))
    return document


def names_of(kind: type) -> list[str]:
    return [field.name for field in dataclasses.fields(kind)]


def test_a_run_has_the_promised_names_in_their_order(observed: tuple[MetricsCollector, Observer]) -> None:
    for facts in observed[1].facts():
        entry = run_entry(facts)
        assert list(entry) == RUN_NAMES
        assert list(entry["integrity"]) == ["skipped_lines", "recovered_lines", "pending_bytes", "notes"]


def test_a_list_says_its_version_and_its_time(observed: tuple[MetricsCollector, Observer]) -> None:
    document = json.loads(to_text(runs_document(observed[1].facts(), now_ms=NOW)))
    assert list(document) == ["schema_version", "generated_at", "runs"]
    assert (document["schema_version"], document["generated_at"]) == (1, NOW)
    assert [run["run_id"] for run in document["runs"]] == [facts.run_id for facts in observed[1].facts()]


def test_one_picture_has_every_part_under_the_names_of_its_type(
    observed: tuple[MetricsCollector, Observer],
) -> None:
    document = once(observed)
    for part in ("state", "providers", "tools", "errors", "runs", "sources", "window"):
        assert part in document
    assert document["window"] == "all"
    assert list(document["state"]) == names_of(DashboardState)
    assert list(document["providers"][0]) == names_of(ProviderMetrics)
    assert list(document["tools"][0]) == names_of(ToolMetrics)
    assert list(document["errors"][0]) == names_of(ErrorRecord)
    assert list(document["runs"][0]) == RUN_NAMES


def test_the_numbers_are_those_of_the_view(observed: tuple[MetricsCollector, Observer]) -> None:
    for window in Window:
        view = observed[0].view(window, now_ms=NOW)
        document = once(observed, window)
        assert document["totals"]["total_tokens"] == view.total_tokens
        assert document["totals"]["total_cost"] == view.total_cost
        assert [tool["total_calls"] for tool in document["tools"]] == [
            tool.total_calls for tool in view.tools
        ]
        assert sum(group["count"] for group in document["error_groups"]) == sum(
            one.count for one in view.errors
        )


def test_errors_are_those_of_the_window(observed: tuple[MetricsCollector, Observer]) -> None:
    since = observed[0].view(Window.H1, now_ms=NOW).since_ms
    assert since is not None
    assert all(error["timestamp"] >= since for error in once(observed, Window.H1)["errors"])
    assert len(once(observed)["errors"]) > len(once(observed, Window.H1)["errors"])


def test_unknown_is_null_and_zero_is_zero(tmp_path: Path) -> None:
    RunDirectoryBuilder(tmp_path, started_at=NOW - 1000).tool("bash").end().write()
    observer = Observer(tmp_path, MetricsCollector(), clock=ManualClock(NOW))
    observer.load()
    observer.close()
    entry = json.loads(to_text(runs_document(observer.facts(), now_ms=NOW)))["runs"][0]
    assert (entry["total_tokens"], entry["total_cost"], entry["model"]) == (None, None, None)
    assert (entry["tool_failures"], entry["errors"]) == (0, 0)


def test_a_shown_run_has_its_metrics_and_joined_events(tmp_path: Path) -> None:
    run = RunDirectoryBuilder(tmp_path, started_at=NOW - 5000).tool("bash", {"command": "ls"})
    run.call("bash", {"command": "sleep"})
    run.write()
    observer = Observer(tmp_path, MetricsCollector(), clock=ManualClock(NOW))
    observer.load()
    observer.close()
    events = [joined_entry(joined) for joined in joined_events(tmp_path, run.run_id)]
    document = json.loads(
        to_text(show_document(observer.facts()[0], RunMetrics(total_tokens=7), events, now_ms=NOW))
    )
    assert list(document) == ["schema_version", "generated_at", "run", "metrics", "events"]
    assert list(document["run"]) == RUN_NAMES
    assert document["metrics"] == {
        "total_tokens": 7,
        **dict.fromkeys(
            ("prompt_tokens", "completion_tokens", "total_cost", "duration_ms", "tool_call_count")
        ),
        "failover_count": 0,
    }, "zeros that nobody logged are null"
    start, answered, unanswered = document["events"]
    assert "result" not in start
    assert answered["result"]["data"]["success"] is True
    assert unanswered["result"] is None


def test_no_character_outside_ascii_and_no_control_leaves(tmp_path: Path) -> None:
    """Cases 55 to 58 and 61."""
    run = RunDirectoryBuilder(tmp_path, objective="\x1b]0;x\x07 \x9b \u202e ✓ \x7f").raw(
        b'{"ts":1,"type":"decision","data":{"description":"\\ud83c \\u001b","n":NaN,"big":1e999}}\n'
    )
    run.write()
    for joined in joined_events(tmp_path, run.run_id):
        text = to_text(joined_entry(joined), compact=True)
        assert text.isascii()
        assert text.isprintable()
        json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


def test_what_json_cannot_say_is_null() -> None:
    assert json.loads(to_text({"n": math.nan, "i": math.inf, "s": "\udc80"})) == {
        "n": None,
        "i": None,
        "s": "\ufffd",
    }


def test_an_event_stands_under_the_id_of_its_directory(tmp_path: Path) -> None:
    """Case 75."""
    run = RunDirectoryBuilder(tmp_path).raw(b'{"ts":1,"runId":"../../etc","type":"decision","data":{}}\n')
    run.write()
    assert {event_entry(joined.event)["run_id"] for joined in joined_events(tmp_path, run.run_id)} == {
        run.run_id
    }
