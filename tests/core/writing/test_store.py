"""`RunStore`: what it acknowledges is on the disk, in the original's format, private, and only there."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from buddy_core.clock import ManualClock
from buddy_core.errors import BadArtifactName, RunClosed, RunNotFound, StoreUnavailable
from buddy_core.runs.model import RunMetadata, RunMetrics
from buddy_core.runs.names import run_id_at
from buddy_core.runs.store.store import RunStore
from buddy_core.settings import Settings

NOW = 1_770_000_000_000


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def store(tmp_path: Path, clock: ManualClock) -> RunStore:
    return RunStore(tmp_path / "runs", clock=clock, durable=False)


def lines(store: RunStore, run_id: str) -> list[dict[str, Any]]:
    data = (store.runs_dir / run_id / "events.jsonl").read_bytes()
    assert data.endswith(b"\n")
    return [json.loads(line) for line in data.splitlines()]


def json_file(store: RunStore, run_id: str, name: str) -> dict[str, Any]:
    fields = json.loads((store.runs_dir / run_id / name).read_bytes())
    assert isinstance(fields, dict)
    return fields


def test_a_run_leaves_the_files_of_the_original_writer(store: RunStore, clock: ManualClock) -> None:
    run_id = store.start_run("Fix the login", {"tags": ["bugfix"], "session_id": "s-1"})
    clock.advance(250)
    assert store.emit(run_id, "tool_call", {"toolName": "bash", "toolCallId": "t1", "args": {}})
    path = store.save_artifact(run_id, "plan.md", "# Plan")
    store.update_metrics(run_id, total_tokens=1200, total_cost=0.25)
    store.end_run(run_id, "completed")

    assert [(line["type"], line["ts"]) for line in lines(store, run_id)] == [
        ("run_start", NOW), ("tool_call", NOW + 250), ("patch_created", NOW + 250), ("run_end", NOW + 250),
    ]  # fmt: skip
    assert list(lines(store, run_id)[0]) == ["ts", "runId", "type", "data"]
    assert lines(store, run_id)[2]["data"] == {"artifact": "plan.md", "path": str(path)}
    assert json_file(store, run_id, "summary.json") == {
        "runId": run_id,
        "objective": "Fix the login",
        "status": "completed",
        "startedAt": NOW,
        "eventCount": 4,
        "artifactCount": 1,
        "metadata": {"sessionId": "s-1", "tags": ["bugfix"]},
        "endedAt": NOW + 250,
    }
    assert json_file(store, run_id, "metrics.json") == {
        "totalTokens": 1200,
        "promptTokens": 0,
        "completionTokens": 0,
        "totalCost": 0.25,
        "durationMs": 250,
        "toolCallCount": 1,
        "failoverCount": 0,
    }
    assert path.read_text() == "# Plan"


def test_what_was_recorded_reads_back(store: RunStore, clock: ManualClock) -> None:
    first = store.start_run("one", RunMetadata(channel="terminal", extra={"team": "core"}))
    store.save_artifact(first, "log.txt", b"caf\xe9")
    clock.advance(1_000)
    second = store.start_run("two")
    store.emit(second, "error", {"message": "boom"})

    assert [run.run_id for run in store.list_runs()] == [second, first]
    assert [run.run_id for run in store.list_runs(limit=1)] == [second]
    record = store.get_run(first)
    assert record is not None
    assert record.summary.metadata == RunMetadata(channel="terminal", extra={"team": "core"})
    assert (record.summary.event_count, record.artifacts) == (2, ("log.txt",))
    assert [(event.type, event.ts) for event in store.get_events(second)] == [
        ("run_start", NOW + 1_000), ("error", NOW + 1_000),
    ]  # fmt: skip
    assert store.get_events(second)[1].data == {"message": "boom"}
    assert store.get_artifact(first, "log.txt") == "caf�"


def test_what_does_not_exist_reads_as_nothing(store: RunStore) -> None:
    assert store.list_runs() == []
    assert store.get_run("run_mk5k1qoj_724ab2") is None
    assert store.get_run("../etc") is None
    assert store.get_events("../etc") == []
    assert store.get_artifact("run_mk5k1qoj_724ab2", "plan.md") is None
    assert not store.runs_dir.exists(), "reading makes nothing"


def test_late_and_unknown_events_are_counted_and_never_raise(store: RunStore) -> None:
    """Case 16: the first status wins, later ends and events are counted."""
    run_id = store.start_run("one")
    store.end_run(run_id, "failed")
    store.end_run(run_id, "completed")
    assert not store.emit(run_id, "error", {})
    assert not store.emit("run_mk5k1qoj_724ab2", "error", {})
    assert store.refused == {"run has ended": 2, "unknown run": 1}
    assert json_file(store, run_id, "summary.json")["status"] == "failed"


def test_what_cannot_be_recorded_says_why(store: RunStore) -> None:
    run_id = store.start_run("one")
    store.end_run(run_id, "completed")
    with pytest.raises(RunClosed):
        store.save_artifact(run_id, "plan.md", "late")
    with pytest.raises(RunClosed):
        store.update_metrics(run_id, total_tokens=1)
    with pytest.raises(RunNotFound):
        store.save_metrics("run_mk5k1qoj_724ab2", RunMetrics())
    with pytest.raises(RunNotFound):
        store.end_run("run_mk5k1qoj_724ab2", "completed")
    with pytest.raises(RunNotFound):
        store.fork_run("run_mk5k1qoj_724ab2", "retry")
    with pytest.raises(ValueError, match="completed, failed, cancelled"):
        store.end_run(run_id, "stalled")  # type: ignore[arg-type]


def test_the_current_run_is_the_newest_that_has_not_ended(store: RunStore) -> None:
    assert store.current_run_id is None
    assert not store.append_event("error", {})
    first, second = store.start_run("one"), store.start_run("two")
    assert store.current_run_id == second
    assert store.append_event("error", {"message": "in two"})
    store.end_run(second, "completed")
    assert store.current_run_id == first
    assert [event.type for event in store.get_events(second)] == ["run_start", "error", "run_end"]


def test_a_fork_inherits_from_its_parent_and_says_so(store: RunStore) -> None:
    parent = store.start_run("Fix the login", {"tags": ["bugfix"], "cwd": "/src", "team": "core"})
    fork = store.fork_run(parent, "retry", {"cwd": "/tmp/copy"})
    summary = json_file(store, fork, "summary.json")
    assert summary["objective"] == "[fork:retry] Fix the login"
    assert summary["metadata"] == {
        "tags": ["bugfix"], "cwd": "/tmp/copy", "team": "core", "parentRolloutId": parent, "forkReason": "retry",
    }  # fmt: skip
    assert lines(store, fork)[1]["data"] == {"kind": "fork", "parentRunId": parent, "reason": "retry"}


class TestTheContextManager:
    def test_ends_completed(self, store: RunStore) -> None:
        with store.run("one") as run:
            assert run.emit("decision", {"description": "go"})
            run.save_artifact("plan.md", "x")
            run.update_metrics(total_tokens=3)
        assert json_file(store, run.run_id, "summary.json")["status"] == "completed"
        assert json_file(store, run.run_id, "metrics.json")["totalTokens"] == 3

    def test_ends_failed_on_an_exception_and_records_it(self, store: RunStore) -> None:
        with pytest.raises(RuntimeError), store.run("one") as run:
            raise RuntimeError("the model went away")
        assert lines(store, run.run_id)[1]["data"] == {"message": "RuntimeError: the model went away"}
        assert json_file(store, run.run_id, "summary.json")["status"] == "failed"

    def test_ends_cancelled_on_an_interrupt(self, store: RunStore) -> None:
        with pytest.raises(KeyboardInterrupt), store.run("one") as run:
            raise KeyboardInterrupt
        assert json_file(store, run.run_id, "summary.json")["status"] == "cancelled"


class TestFilesAndPaths:
    def test_are_private_whatever_the_umask(self, store: RunStore) -> None:
        """Case 80."""
        before = os.umask(0)
        try:
            run_id = store.start_run("one")
            store.save_artifact(run_id, "plan.md", "x")
        finally:
            os.umask(before)
        for path in [store.runs_dir, *store.runs_dir.rglob("*")]:
            mode = stat.S_IMODE(path.stat().st_mode)
            assert mode == (0o700 if path.is_dir() else 0o600), path

    def test_an_existing_directory_is_never_adopted(self, tmp_path: Path, clock: ManualClock) -> None:
        """Case 12: two runs that draw the same id get two directories."""
        ids = iter([run_id_at(NOW, "aaaaaa"), run_id_at(NOW, "aaaaaa"), run_id_at(NOW, "bbbbbb")])
        store = RunStore(tmp_path, clock=clock, new_id=lambda _now: next(ids))
        assert store.start_run("one") == run_id_at(NOW, "aaaaaa")
        assert store.start_run("two") == run_id_at(NOW, "bbbbbb")

    def test_a_link_planted_as_artifact_is_replaced_and_not_followed(self, store: RunStore) -> None:
        """Case 76."""
        victim = store.runs_dir.parent / "victim"
        victim.write_text("untouched")
        run_id = store.start_run("one")
        artifacts = store.runs_dir / run_id / "artifacts"
        (artifacts / "plan.md").symlink_to(victim)
        (artifacts / ".plan.md.tmp").symlink_to(victim)
        store.save_artifact(run_id, "plan.md", "mine")
        assert victim.read_text() == "untouched"
        assert (artifacts / "plan.md").read_text() == "mine"
        assert not (artifacts / "plan.md").is_symlink()

    @pytest.mark.parametrize("name", ["../x", "/etc/x", "a/../../x", "..", ".", "", ".lock", "-rf", "a\nb"])
    def test_a_bad_artifact_name_is_refused_before_anything_is_touched(
        self, store: RunStore, name: str
    ) -> None:
        """Case 74."""
        run_id = store.start_run("one")
        before = sorted(store.runs_dir.parent.rglob("*"))
        with pytest.raises(BadArtifactName):
            store.save_artifact(run_id, name, "x")
        if "/" in name or name in (
            "",
            ".",
            "..",
        ):  # other writers are freer: only what leads away is not read
            with pytest.raises(BadArtifactName):
                store.get_artifact(run_id, name)
        assert sorted(store.runs_dir.parent.rglob("*")) == before

    def test_a_runs_directory_that_is_a_file_is_named_in_the_error(self, tmp_path: Path) -> None:
        (tmp_path / "runs").write_text("")
        with pytest.raises(StoreUnavailable, match="cannot record below"):
            RunStore(tmp_path / "runs").start_run("one")

    def test_without_a_home_nothing_is_made_anywhere(self) -> None:
        """Case 10."""
        store = RunStore(settings=Settings.from_env({"HOME": "relative"}))
        with pytest.raises(StoreUnavailable, match="CODEBUDDY_RUNS_DIR"):
            store.start_run("one")
        assert not store.runs_dir.exists()

    def test_a_reader_never_sees_a_mixture_of_two_summaries(self, store: RunStore) -> None:
        """Case 14: a file is replaced in one step, so that an open one stays as it was."""
        run_id = store.start_run("one")
        path = store.runs_dir / run_id / "metrics.json"
        with path.open("rb") as old:
            store.update_metrics(run_id, total_tokens=7)
            assert json.loads(old.read())["totalTokens"] == 0
        assert json.loads(path.read_bytes())["totalTokens"] == 7
        assert [entry.name for entry in path.parent.iterdir() if entry.name.endswith(".tmp")] == []


def test_two_threads_lose_no_event_and_tear_no_line(store: RunStore) -> None:
    run_id = store.start_run("one")

    def work(name: int) -> None:
        for number in range(500):
            assert store.emit(run_id, "decision", {"thread": name, "number": number, "pad": "x" * 200})

    threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store.end_run(run_id, "completed")
    found = {(line["data"]["thread"], line["data"]["number"]) for line in lines(store, run_id)[1:-1]}
    assert len(found) == 2_000
    assert json_file(store, run_id, "summary.json")["eventCount"] == 2_002


WRITER = """
import sys
from buddy_core.runs.store.store import RunStore
store = RunStore(sys.argv[1])
run_id = store.start_run("killed")
number = 0
while store.emit(run_id, "decision", {"number": number}):
    sys.stdout.buffer.write(b"%d\\n" % number)
    sys.stdout.buffer.flush()
    number += 1
"""


def test_an_acknowledged_event_survives_sigkill(tmp_path: Path) -> None:
    """Cases 1 and C1: every number that the writer acknowledged before it was killed is in the file."""
    child = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE)
    assert child.stdout is not None
    acknowledged = [int(child.stdout.readline()) for _ in range(200)]
    child.send_signal(signal.SIGKILL)
    acknowledged += [int(line) for line in child.stdout.read().splitlines()]
    child.stdout.close()
    child.wait()
    reader = RunStore(tmp_path)
    (run,) = reader.list_runs()
    numbers = [event.data["number"] for event in reader.get_events(run.run_id)[1:]]
    assert numbers[: len(acknowledged)] == acknowledged
    assert run.status == "running", "the writer's last word"


def test_a_forked_child_writes_nothing_and_keeps_no_lock(tmp_path: Path) -> None:
    """Case 17: the run belongs to the parent; its lock is free as soon as the parent is gone."""
    script = """
import os, sys, time
from buddy_core.runs.store.store import RunStore
store = RunStore(sys.argv[1])
run_id = store.start_run("forked")
if os.fork() == 0:
    recorded = store.emit(run_id, "decision", {})
    store.end_run(run_id, "completed")
    os.write(1, b"child wrote" if recorded else b"child silent")
    os.close(1)
    sys.stdin.read()
    os._exit(0)
os.close(1)
"""
    child = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        assert child.stdout.read() == b"child silent"
        child.wait()
        (run,) = RunStore(tmp_path).list_runs()
        assert run.status == "running"
        assert [event.type for event in RunStore(tmp_path).get_events(run.run_id)] == ["run_start"]
        lock_test = f"import fcntl; fcntl.flock(open({str(tmp_path / run.run_id / 'run.lock')!r}), 6)"
        subprocess.run([sys.executable, "-c", lock_test], check=True)
    finally:
        child.stdin.close()
        child.stdout.close()


def test_closing_lets_go_of_open_runs_without_ending_them(store: RunStore) -> None:
    run_id = store.start_run("one")
    store.close()
    assert not store.emit(run_id, "error", {})
    assert json_file(store, run_id, "summary.json")["status"] == "running"
    assert store.current_run_id is None


def test_recording_loads_neither_asyncio_nor_a_screen() -> None:
    code = "import sys; from buddy_core import RunStore; print(*({'asyncio', 'textual', 'rich'} & set(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == ""
