"""The files of a run, byte for byte what the original's types promise its own viewer, and safe from rewrites.

The original declares `RunSummary`, `RunMetrics`, `RunMetadata` and `RunEvent`; its `run list`, `run show` and
`run tail` print their fields without asking whether they are there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from buddy_core.clock import ManualClock
from buddy_core.runs.model import RunMetadata, RunMetrics
from buddy_core.runs.store.store import RunStore

NOW = 1_770_000_000_000
SUMMARY = ["runId", "objective", "status", "startedAt", "eventCount", "artifactCount"]
METRICS = [
    "totalTokens", "promptTokens", "completionTokens", "totalCost", "durationMs", "toolCallCount", "failoverCount",
]  # fmt: skip
METADATA = {
    "channel": "terminal", "userId": "u", "sessionId": "s", "cwd": "/src", "tags": ["headless", "gpt-5.5"],
    "parentRolloutId": "run_a_000000", "forkReason": "retry",
}  # fmt: skip


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def store(tmp_path: Path, clock: ManualClock) -> Iterator[RunStore]:
    store = RunStore(tmp_path / "runs", clock=clock, durable=False)
    yield store
    store.close()


def path(store: RunStore, run_id: str, name: str) -> Path:
    return store.runs_dir / run_id / name


def fields(store: RunStore, run_id: str, name: str) -> dict[str, Any]:
    found = json.loads(path(store, run_id, name).read_bytes())
    assert isinstance(found, dict)
    return found


def add(store: RunStore, run_id: str, name: str, more: dict[str, Any]) -> None:
    """What another program may do to a file of a run that this store is writing."""
    path(store, run_id, name).write_text(json.dumps(fields(store, run_id, name) | more))


class TestTheSummary:
    def test_has_the_fields_of_the_original_in_its_order(self, store: RunStore, clock: ManualClock) -> None:
        run_id = store.start_run("one")
        assert list(fields(store, run_id, "summary.json")) == SUMMARY
        clock.advance(5)
        store.end_run(run_id, "completed")
        assert list(fields(store, run_id, "summary.json")) == [*SUMMARY, "endedAt"]
        with_metadata = store.start_run("two", METADATA)
        store.end_run(with_metadata, "failed")
        assert list(fields(store, with_metadata, "summary.json")) == [*SUMMARY, "metadata", "endedAt"]

    def test_has_the_types_of_the_original(self, store: RunStore, clock: ManualClock) -> None:
        run_id = store.start_run("one", METADATA)
        clock.advance(1_234.5)
        store.save_artifact(run_id, "plan.md", "x")
        store.end_run(run_id, "cancelled")
        found = fields(store, run_id, "summary.json")
        assert found == {
            "runId": run_id, "objective": "one", "status": "cancelled", "startedAt": NOW, "eventCount": 3,
            "artifactCount": 1, "metadata": METADATA, "endedAt": NOW + 1_234,
        }  # fmt: skip
        numbers = [found[name] for name in ("startedAt", "endedAt", "eventCount", "artifactCount")]
        assert [type(number) for number in numbers] == [int] * 4

    def test_is_indented_by_two_like_the_originals(self, store: RunStore) -> None:
        run_id = store.start_run("é – ✓")
        text = path(store, run_id, "summary.json").read_text("utf-8")
        assert text == json.dumps(json.loads(text), indent=2, ensure_ascii=False)

    def test_is_there_with_the_metrics_before_the_start_returns(self, store: RunStore) -> None:
        run_id = store.start_run("one")
        assert sorted(entry.name for entry in (store.runs_dir / run_id).iterdir()) == [
            "artifacts", "events.jsonl", "metrics.json", "run.lock", "summary.json",
        ]  # fmt: skip


class TestTheMetrics:
    def test_have_the_fields_of_the_original_in_its_order_all_zero(self, store: RunStore) -> None:
        found = fields(store, store.start_run("one"), "metrics.json")
        assert list(found) == METRICS
        assert set(found.values()) == {0}

    def test_are_whole_numbers_but_for_the_cost(self, store: RunStore, clock: ManualClock) -> None:
        run_id = store.start_run("one")
        store.save_metrics(run_id, RunMetrics(1, 2, 3, 0.5, 0, 4, 5))
        clock.advance(77.7)
        store.end_run(run_id, "completed")
        assert fields(store, run_id, "metrics.json") == dict(
            zip(METRICS, (1, 2, 3, 0.5, 77, 4, 5), strict=True)
        )
        whole = [
            type(value)
            for name, value in fields(store, run_id, "metrics.json").items()
            if name != "totalCost"
        ]
        assert whole == [int] * 6


class TestAnEvent:
    def test_is_one_compact_line_in_the_originals_order(self, store: RunStore) -> None:
        run_id = store.start_run("one", METADATA)
        store.emit(run_id, "tool_call", {"toolName": "bash", "args": {"command": "ls\n\u2028"}})
        store.end_run(run_id, "completed")
        lines = path(store, run_id, "events.jsonl").read_text("utf-8").split("\n")
        assert lines.pop() == ""
        parsed = [json.loads(line) for line in lines]
        assert [list(event) for event in parsed] == [["ts", "runId", "type", "data"]] * 3
        assert [json.dumps(event, separators=(",", ":"), ensure_ascii=False) for event in parsed] == lines
        assert parsed[0]["data"] == {"objective": "one", "metadata": METADATA}
        assert parsed[-1]["data"] == {"status": "completed"}

    def test_has_an_object_for_data_whatever_was_handed_in(self, store: RunStore) -> None:
        """The original's viewer looks into `data` without asking."""
        run_id = store.start_run("one")
        for data in (None, 5, "text", [1], (1, 2), {"a": 1}, object()):
            assert store.emit(run_id, "note", data)
        assert all(isinstance(event.data, dict) for event in store.get_events(run_id))

    @settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        data=st.dictionaries(
            st.text(max_size=8),
            st.recursive(
                st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
                | st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
                lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
                max_leaves=8,
            ),
            max_size=5,
        )
    )  # fmt: skip
    def test_reads_back_as_it_was_handed_in(
        self, tmp_path_factory: pytest.TempPathFactory, data: dict[str, Any]
    ) -> None:
        store = RunStore(tmp_path_factory.getbasetemp() / "events", max_runs=0, durable=False)
        run_id = store.start_run("one")
        assert store.emit(run_id, "note", data)
        assert store.get_events(run_id)[1].data == data
        line = path(store, run_id, "events.jsonl").read_bytes().split(b"\n")[1]
        assert json.loads(line)["data"] == data
        store.close()


class TestUnknownFields:
    def test_that_the_agent_states_are_written_and_read_back(self, store: RunStore) -> None:
        run_id = store.start_run("one", RunMetadata(cwd="/src", extra={"team": "core", "nested": {"a": [1]}}))
        store.update_metrics(run_id, reasoning_tokens=7)
        store.end_run(run_id, "completed")
        assert fields(store, run_id, "summary.json")["metadata"] == {
            "team": "core", "nested": {"a": [1]}, "cwd": "/src",
        }  # fmt: skip
        assert fields(store, run_id, "metrics.json")["reasoningTokens"] == 7
        record = RunStore(store.runs_dir).get_run(run_id)
        assert record is not None
        assert record.metrics is not None
        assert (record.summary.metadata.extra["team"], record.metrics.extra) == (
            "core",
            {"reasoningTokens": 7},
        )

    def test_that_another_program_added_survive_every_rewrite(self, store: RunStore) -> None:
        run_id = store.start_run("one", {"cwd": "/src"})
        add(store, run_id, "summary.json", {"pinned": True, "metadata": {"cwd": "/src", "title": "Login"}})
        add(store, run_id, "metrics.json", {"energyWh": 1.5})
        store.save_artifact(run_id, "plan.md", "x")
        store.update_metrics(run_id, total_tokens=3)
        store.end_run(run_id, "completed")
        summary = fields(store, run_id, "summary.json")
        assert (summary["pinned"], summary["metadata"]) == (True, {"cwd": "/src", "title": "Login"})
        assert (summary["status"], summary["artifactCount"]) == ("completed", 1)
        assert fields(store, run_id, "metrics.json")["energyWh"] == 1.5
        assert fields(store, run_id, "metrics.json")["totalTokens"] == 3

    def test_that_are_known_are_the_writers_own_whatever_another_program_says(self, store: RunStore) -> None:
        run_id = store.start_run("one")
        add(store, run_id, "summary.json", {"status": "completed", "runId": "../../x", "objective": "other"})
        add(store, run_id, "metrics.json", {"totalTokens": 99})
        store.save_artifact(run_id, "plan.md", "x")
        store.update_metrics(run_id, total_cost=1.0)
        found = fields(store, run_id, "summary.json")
        assert (found["status"], found["runId"], found["objective"]) == ("running", run_id, "one")
        assert fields(store, run_id, "metrics.json")["totalTokens"] == 0

    @pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"\x00" * 100, b'{"a":1}' * 200_000], ids=len)
    def test_of_a_file_that_was_damaged_are_none_and_the_file_is_whole_again(
        self, store: RunStore, damage: bytes
    ) -> None:
        """Case 48."""
        run_id = store.start_run("one")
        path(store, run_id, "summary.json").write_bytes(damage)
        path(store, run_id, "metrics.json").write_bytes(damage)
        store.end_run(run_id, "completed")
        assert list(fields(store, run_id, "summary.json")) == [*SUMMARY, "endedAt"]
        assert list(fields(store, run_id, "metrics.json")) == METRICS

    def test_are_not_read_through_a_link(self, store: RunStore, tmp_path: Path) -> None:
        """Case 76."""
        secret = tmp_path / "secret.json"
        secret.write_text('{"token": "s3cret"}')
        run_id = store.start_run("one")
        path(store, run_id, "summary.json").unlink()
        path(store, run_id, "summary.json").symlink_to(secret)
        store.end_run(run_id, "completed")
        assert "token" not in fields(store, run_id, "summary.json")
        assert secret.read_text() == '{"token": "s3cret"}'

    def test_of_a_parent_are_inherited_by_its_fork(self, store: RunStore) -> None:
        parent = store.start_run("one", {"team": "core", "tags": ["a"]})
        fork = store.fork_run(parent, "retry", {"tags": ["b"]})
        assert fields(store, fork, "summary.json")["metadata"] == {
            "team": "core", "tags": ["b"], "parentRolloutId": parent, "forkReason": "retry",
        }  # fmt: skip
