"""Several processes with one runs directory, and processes that fork while they record.

`BUDDY_PROCESS_EVENTS` (events that each of the writing processes emits, 1500) makes the tests longer; with
8000 two threads add 2000 times each to one total.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from buddy_core.clock import ManualClock
from buddy_core.errors import RunClosed, RunLocked, RunNotFound
from buddy_core.runs.names import run_id_at
from buddy_core.runs.store.active import get_active_run_store, set_active_run_store
from buddy_core.runs.store.store import RunStore
from buddy_core.runs.writing.writer import RunWriter

EVENTS = int(os.environ.get("BUDDY_PROCESS_EVENTS", "1500"))
NOW = 1_770_000_000_000

PREPARE = """
import os, sys
from buddy_core.clock import ManualClock
from buddy_core.runs.names import run_id_at
from buddy_core.runs.store.store import RunStore
"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RunStore]:
    store = RunStore(tmp_path / "runs", max_runs=None, durable=False)
    yield store
    store.close()


def start(code: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PREPARE + code, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(children: Sequence[subprocess.Popen[str]]) -> list[str]:
    told = [child.communicate(timeout=120) for child in children]
    assert [child.returncode for child in children] == [0] * len(children), [err for _, err in told]
    return [out.strip() for out, _ in told]


def in_a_fork(body: Callable[[], object]) -> object:
    """What `body` returns in a forked child, by way of JSON."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.write(writing, json.dumps(body()).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        told = pipe.read()
    os.waitpid(pid, 0)
    return json.loads(told)


def raw_lines(store: RunStore, run_id: str) -> list[dict[str, Any]]:
    data = (store.runs_dir / run_id / "events.jsonl").read_bytes()
    assert data.endswith(b"\n")
    return [json.loads(line) for line in data.splitlines()]


class TestSideBySide:
    WRITER = """
store = RunStore(sys.argv[1], max_runs=None, durable=False)
name, number = sys.argv[2], int(sys.argv[3])
import threading
def work(thread):
    with store.run(f"{name}.{thread}") as run:
        for n in range(number // 8):
            assert run.emit("note", {"by": f"{name}.{thread}", "n": n, "pad": "x" * (n % 900)})
        run.save_artifact("log.txt", name)
        run.add_metrics(total_tokens=n + 1)
threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert not store.refused, store.refused
"""

    def test_three_processes_of_eight_threads_lose_and_mix_nothing(self, store: RunStore) -> None:
        finish([start(self.WRITER, store.runs_dir, name, EVENTS) for name in "abc"])
        listed = store.list_runs(100)
        assert {run.objective for run in listed} == {f"{name}.{n}" for name in "abc" for n in range(8)}
        for run in listed:
            lines = raw_lines(store, run.run_id)
            notes = [line["data"] for line in lines if line["type"] == "note"]
            assert [(note["by"], note["n"]) for note in notes] == [
                (run.objective, n) for n in range(EVENTS // 8)
            ]
            assert {line["runId"] for line in lines} == {run.run_id}
            assert (run.status, run.event_count, run.artifact_count) == ("completed", len(lines), 1)
            record = store.get_run(run.run_id)
            assert record is not None
            assert record.metrics is not None
            assert record.metrics.total_tokens == EVENTS // 8

    def test_a_list_never_lacks_a_run_that_was_there_before(self, store: RunStore) -> None:
        """Case 14, for lists: while another process starts and ends runs."""
        writer = start(
            "store = RunStore(sys.argv[1], max_runs=None, durable=False)\n"
            "for n in range(60):\n    with store.run(str(n)) as run: print(run.run_id, flush=True)\n",
            store.runs_dir,
        )
        assert writer.stdout is not None
        known: set[str] = set()
        for line in writer.stdout:
            listed = store.list_runs(1_000)
            known.add(line.strip())
            assert known <= {run.run_id for run in listed}
            assert all(run.status in ("running", "completed") for run in listed)
            assert all(run.objective != "" or run.status == "running" for run in listed)
        finish([writer])

    def test_the_same_id_drawn_by_many_gives_each_a_directory_of_its_own(self, store: RunStore) -> None:
        """Case 12: clocks and chance agree; the directory is made by exactly one."""
        code = """
ids = iter(run_id_at(1_770_000_000_000 + n // 3, "abcdef") for n in range(300))
store = RunStore(sys.argv[1], max_runs=None, new_id=lambda _now: next(ids), durable=False)
sys.stdin.read(1)
for n in range(10):
    run_id = store.start_run(sys.argv[2])
    assert store.emit(run_id, "note", {"by": sys.argv[2]})
    print(run_id)
"""
        children = [start(code, store.runs_dir, name) for name in "abcd"]
        for child in children:
            assert child.stdin is not None
            child.stdin.write("g")
            child.stdin.flush()
        taken = [told.split() for told in finish(children)]
        assert len({run_id for ids in taken for run_id in ids}) == 40
        for name, ids in zip("abcd", taken, strict=True):
            for run_id in ids:
                assert [line["data"].get("by", name) for line in raw_lines(store, run_id)] == [name, name]

    def test_the_run_of_another_process_is_locked_until_it_ends_and_closed_afterwards(
        self, store: RunStore
    ) -> None:
        """Cases 11 and 13: one writer a run, so totals have one writer too."""
        code = """
store = RunStore(sys.argv[1], durable=False)
run_id = store.start_run("theirs")
print(run_id, flush=True)
sys.stdin.readline()
store.end_run(run_id, "failed")
print("ended", flush=True)
"""
        writer = start(code, store.runs_dir)
        assert writer.stdin is not None
        assert writer.stdout is not None
        run_id = writer.stdout.readline().strip()
        for call in (
            lambda: store.end_run(run_id, "completed"),
            lambda: store.save_artifact(run_id, "plan.md", "x"),
            lambda: store.update_metrics(run_id, total_tokens=1),
            lambda: store.add_metrics(run_id, total_tokens=1),
        ):
            with pytest.raises(RunLocked):
                call()
        assert not store.emit(run_id, "note", {})
        writer.stdin.write("\n")
        writer.stdin.flush()
        assert writer.stdout.readline() == "ended\n"
        store.end_run(run_id, "completed")
        with pytest.raises(RunClosed):
            store.update_metrics(run_id, total_tokens=1)
        assert store.refused == {"unknown run": 1, "run has ended": 1}
        assert store.list_runs()[0].status == "failed"
        finish([writer])

    def test_a_run_whose_writer_was_killed_is_no_run_of_this_store(self, store: RunStore) -> None:
        """Case 16: nobody ends it in its writer's name."""
        writer = start(
            "print(RunStore(sys.argv[1]).start_run('x'), flush=True); sys.stdin.read()", store.runs_dir
        )
        assert writer.stdout is not None
        run_id = writer.stdout.readline().strip()
        writer.kill()
        writer.communicate()
        with pytest.raises(RunNotFound):
            store.end_run(run_id, "completed")

    def test_an_end_is_remembered_by_the_disk_when_the_store_has_forgotten_it(self, store: RunStore) -> None:
        """Case 16: ended twice, with a thousand other runs in between."""
        run_id = store.start_run("one")
        store.end_run(run_id, "completed")
        store._open._ended.clear()
        store.end_run(run_id, "failed")
        assert store.refused == {"run has ended": 1}


class TestUpdates:
    def test_two_threads_that_add_to_the_totals_lose_nothing(self, store: RunStore) -> None:
        """Case 13: the file is rewritten each time."""
        run_id = store.start_run("one")

        def work() -> None:
            for _ in range(EVENTS // 4):
                store.add_metrics(run_id, total_tokens=1, failover_count=2, my_own=0.5)

        threads = [threading.Thread(target=work) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        found = json.loads((store.runs_dir / run_id / "metrics.json").read_bytes())
        assert (found["totalTokens"], found["failoverCount"], found["myOwn"]) == (
            2 * (EVENTS // 4),
            4 * (EVENTS // 4),
            EVENTS // 4,
        )

    @pytest.mark.parametrize("nonsense", [float("nan"), float("inf"), -5, "many", None, 10**400], ids=repr)
    def test_adding_nonsense_adds_nothing(self, store: RunStore, nonsense: Any) -> None:
        run_id = store.start_run("one")
        store.add_metrics(run_id, total_tokens=5)
        store.add_metrics(run_id, total_tokens=nonsense)
        record = store.get_run(run_id)
        assert record is not None
        assert record.metrics is not None
        assert record.metrics.total_tokens == 5


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
class TestForks:
    """Case 17."""

    def test_the_child_has_no_run_open_and_may_record_its_own(self, store: RunStore) -> None:
        outer = store.start_run("parent")

        def child() -> list[object]:
            refused = [store.emit(outer, "note", {}), store.append_event("note", {}), store.current_run_id]
            store.end_run(outer, "failed")
            with store.run("child") as run:
                assert store.append_event("note", {"by": "child"})
                assert get_active_run_store() is store
            return [*refused, store.current_run_id, run.run_id]

        *told, childs = in_a_fork(child)  # type: ignore[misc]
        assert told == [False, False, None, None]
        assert [event.type for event in store.get_events(str(childs))] == ["run_start", "note", "run_end"]
        assert store.emit(outer, "note", {"by": "parent"})
        assert [event.type for event in store.get_events(outer)] == ["run_start", "note"]
        store.end_run(outer, "completed")
        assert store.refused == {}

    def test_the_child_leaves_the_parents_with_statement_without_ending_its_run(
        self, store: RunStore
    ) -> None:
        def child() -> object:
            context.__exit__(None, None, None)
            return store.refused

        context = store.run("parent")
        run = context.__enter__()
        assert in_a_fork(child) == {}
        assert store.list_runs()[0].status == "running"
        assert run.emit("note", {})
        context.__exit__(None, None, None)
        assert store.list_runs()[0].status == "completed"

    def test_the_child_of_a_process_whose_threads_are_recording_does_not_hang(self, store: RunStore) -> None:
        """A lock that another thread held at the fork would stay locked in the child for ever."""
        run_id = store.start_run("parent")
        stop = threading.Event()

        def work() -> None:
            while not stop.is_set():
                store.emit("run_zz_000000", "note", {})
                store.emit(run_id, "note", {})
                store.add_listener(print)()
                with store.run("inner"):
                    set_active_run_store(None)

        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(10):
                assert in_a_fork(lambda: _records_something(store)) == "recorded"
        finally:
            stop.set()
            for thread in threads:
                thread.join()

    @pytest.mark.parametrize("whose", ["_open", "_listeners", "_end_listeners", "_housekeeper", ""])
    def test_a_lock_that_a_thread_of_the_parent_held_is_free_in_the_child(
        self, store: RunStore, whose: str
    ) -> None:
        owner = getattr(store, whose) if whose else store
        lock = owner._idle if whose == "_housekeeper" else owner._guard
        held, done = threading.Event(), threading.Event()

        def hold() -> None:
            with lock:
                held.set()
                done.wait()

        def child() -> str:
            signal.alarm(20)
            store.add_listener(print)()
            store.add_end_listener(print)()
            store.prune()
            return _records_something(store)

        store.start_run("parent")
        holder = threading.Thread(target=hold)
        holder.start()
        held.wait()
        try:
            assert in_a_fork(child) == "recorded"
        finally:
            done.set()
            holder.join()

    def test_listeners_of_the_parent_hear_nothing_of_the_child(self, store: RunStore) -> None:
        heard: list[str] = []
        store.add_listener(lambda event: heard.append(event.type))
        in_a_fork(lambda: _records_something(store))
        assert heard == []

    @pytest.mark.parametrize("method", ["fork", "spawn"])
    def test_a_worker_of_multiprocessing_records_into_runs_of_its_own(
        self, store: RunStore, method: str
    ) -> None:
        code = """
import multiprocessing
def work(number):
    store = RunStore(sys.argv[1], max_runs=None, durable=False)
    with store.run(f"worker {number}") as run:
        run.emit("note", {"number": number})
    return run.run_id
if __name__ == "__main__":
    store = RunStore(sys.argv[1], max_runs=None, durable=False)
    with store.run("parent") as parent, multiprocessing.get_context(sys.argv[2]).Pool(2) as pool:
        ids = pool.map(work, range(6))
        assert len(set(ids)) == 6
        parent.emit("note", {})
    print(parent.run_id)
"""
        script = store.runs_dir.parent / "workers.py"
        script.write_text(PREPARE + code)
        child = subprocess.run(
            [sys.executable, script, store.runs_dir, method], capture_output=True, text=True, check=False
        )
        assert child.returncode == 0, child.stderr
        listed = {run.objective: run for run in store.list_runs()}
        assert listed.keys() == {"parent", *(f"worker {number}" for number in range(6))}
        assert {run.status for run in listed.values()} == {"completed"}
        assert [event.type for event in store.get_events(child.stdout.strip())] == [
            "run_start", "note", "run_end",
        ]  # fmt: skip


def test_ids_of_runs_that_start_in_one_millisecond_keep_their_order(tmp_path: Path) -> None:
    store = RunStore(tmp_path, max_runs=None, clock=ManualClock(NOW), durable=False)
    ids = [store.start_run(str(number)) for number in range(50)]
    assert ids == sorted(ids)
    assert [run.objective for run in store.list_runs(3)] == ["49", "48", "47"]
    assert {run.started_at for run in store.list_runs(50)} == {NOW}
    assert ids[0].startswith(run_id_at(NOW, "")[:-1])
    store.close()


def test_a_directory_that_a_prune_carries_off_before_it_is_locked_is_not_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case 81: the run begins again in another one, and no acknowledged event is in the trash."""
    carried: list[str] = []

    class CarriedOff(RunWriter):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            if not carried:
                carried.append(self.run_id)
                (tmp_path / ".trash").mkdir()
                (tmp_path / self.run_id).rename(tmp_path / ".trash" / f"{self.run_id}.0123456789abcdef")

    monkeypatch.setattr("buddy_core.runs.store.store.RunWriter", CarriedOff)
    store = RunStore(tmp_path, durable=False)
    run_id = store.start_run("one")
    assert carried != [run_id]
    assert store.emit(run_id, "note", {})
    assert [event.type for event in RunStore(tmp_path).get_events(run_id)] == ["run_start", "note"]
    store.close()


def test_a_run_that_a_prune_holds_the_lock_of_begins_again_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case 81."""
    refused: list[int] = []

    class Refused(RunWriter):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            if not refused:
                refused.append(1)
                raise RunLocked("another process is writing this run")
            super().__init__(*args, **kwargs)

    monkeypatch.setattr("buddy_core.runs.store.store.RunWriter", Refused)
    store = RunStore(tmp_path, durable=False)
    assert store.emit(store.start_run("one"), "note", {})
    assert refused
    store.close()


def _records_something(store: RunStore) -> str:
    store.emit("run_zz_000000", "note", {})
    with store.run("child") as run:
        return "recorded" if run.emit("note", {}) else "refused"
