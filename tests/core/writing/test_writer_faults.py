"""Two writers, forks, signals, a disk that does not keep, runs that cannot begin: cases 7, 11, 12, 16, 17 and C9."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from buddy_core.errors import RunClosed, StoreUnavailable
from buddy_core.runs.store.store import RunStore
from buddy_core.runs.watching.liveness import lock_state
from buddy_core.runs.writing import backlog, flusher
from buddy_core.runs.writing.flusher import MAX_DISCARDED, Flusher

RUN_ID = "run_mk5k1qoj_724ab2"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RunStore]:
    store = RunStore(tmp_path / "runs")
    yield store
    store.close()


def events(store: RunStore, run_id: str) -> list[dict[str, Any]]:
    data = (store.runs_dir / run_id / "events.jsonl").read_bytes()
    return [json.loads(line) for line in data.splitlines()]


def in_a_process(source: str, *args: str) -> subprocess.CompletedProcess[str]:
    """Run a program with the library; it must end by itself and with 0."""
    command = [sys.executable, "-c", textwrap.dedent(source), *args]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done


class TestDurability:
    """Case 7."""

    @pytest.fixture
    def broken(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
        """`fsync` fails as often as the list has entries; what other tests have left to ask of the disk is done with."""
        assert flusher.SHARED.wait(20)
        fsync, failures = os.fsync, [1]

        def failing(fd: int) -> None:
            if failures:
                failures.pop()
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            fsync(fd)

        monkeypatch.setattr(os, "fsync", failing)
        yield failures
        flusher.SHARED.wait(5)

    def test_one_failure_is_told_in_the_run_and_a_later_success_does_not_take_it_back(
        self, store: RunStore, broken: list[int]
    ) -> None:
        run_id = store.start_run("x")
        assert flusher.SHARED.wait(5)
        assert broken == []
        store.update_metrics(run_id, total_tokens=1)
        assert flusher.SHARED.wait(5)
        store.end_run(run_id, "completed")

        assert store.refused == {"durability lost": 1}
        told = [event for event in events(store, run_id) if event["data"].get("kind") == "durability_lost"]
        assert [event["type"] for event in told] == ["error"]
        summary = json.loads((store.runs_dir / run_id / "summary.json").read_bytes())
        assert summary["durabilityLost"] == "Input/output error"
        assert summary["status"] == "completed"

    def test_a_disk_that_keeps_nothing_is_told_of_once(self, store: RunStore, broken: list[int]) -> None:
        broken += [1] * 100
        run_id = store.start_run("x")
        for number in range(3):
            store.update_metrics(run_id, total_tokens=number)
            assert flusher.SHARED.wait(5)
        assert store.refused == {"durability lost": 1}
        broken.clear()

    def test_a_file_system_that_knows_no_fsync_is_no_failure(
        self, store: RunStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def unsupported(fd: int) -> None:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))

        monkeypatch.setattr(os, "fsync", unsupported)
        store.start_run("x")
        assert flusher.SHARED.wait(5)
        assert store.refused == {}


class TestNobodyWaitsForTheDisk:
    """Promise C9."""

    @pytest.fixture
    def stuck(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
        """`fsync` returns when the event is set, and not before."""
        released, asked = threading.Event(), threading.Event()
        fsync = os.fsync

        def waiting(fd: int) -> None:
            asked.set()
            released.wait(30)
            fsync(fd)

        monkeypatch.setattr(os, "fsync", waiting)
        released.asked = asked  # type: ignore[attr-defined]
        yield released
        released.set()
        flusher.SHARED.wait(5)

    def test_everything_goes_on_while_an_fsync_hangs(self, store: RunStore, stuck: threading.Event) -> None:
        """It would hang for ever if anything waited."""
        run_id = store.start_run("x")
        store.update_metrics(run_id, total_tokens=1)
        flusher.SHARED.wait(0)
        assert stuck.asked.wait(5)  # type: ignore[attr-defined]
        for number in range(100):
            assert store.emit(run_id, "tick", {"n": number})
            store.update_metrics(run_id, total_tokens=number)
        store.save_artifact(run_id, "plan.md", "x")
        store.end_run(run_id, "completed")
        second = store.start_run("y")
        store.end_run(second, "completed")
        assert not stuck.is_set()
        assert json.loads((store.runs_dir / run_id / "metrics.json").read_bytes())["totalTokens"] == 99

    def test_what_waits_is_bounded_by_the_number_of_files(
        self, store: RunStore, stuck: threading.Event
    ) -> None:
        before = len(list(Path("/dev/fd").iterdir()))
        run_id = store.start_run("x")
        for number in range(500):
            store.update_metrics(run_id, total_tokens=number)
        assert len(list(Path("/dev/fd").iterdir())) < before + MAX_DISCARDED + 20

    def test_a_process_ends_although_the_disk_does_not_answer(self, tmp_path: Path) -> None:
        done = in_a_process(
            """
            import os, sys, threading, time
            from buddy_core.runs.store.store import RunStore
            os.fsync = lambda fd: threading.Event().wait(60)
            with RunStore(sys.argv[1]).run("x") as run:
                run.emit("tick", {})
            print(time.monotonic())
            """,
            str(tmp_path / "runs"),
        )
        assert done.stderr == ""

    def test_the_same_file_is_asked_for_once_and_directories_last(self) -> None:
        asked: list[str] = []
        flush = Flusher(coalesce_s=30)

        def opened(name: str) -> int:
            return os.open("/dev/null" if name == "." else "/dev/zero", os.O_RDONLY)

        def noted(name: str) -> flusher.Failed:
            return lambda _error: asked.append(name)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(os, "fsync", _refuse)
            for name in ("a", "a", "b", ".", "a", ".", "c"):
                flush.submit((1, name), opened(name), noted(name))
            assert flush.wait(5)
        assert asked == ["b", "a", "c", "."]


def _refuse(_fd: int) -> None:
    raise OSError(errno.EIO, "no")


class TestOneWriter:
    def test_a_second_process_writes_a_run_of_its_own(self, store: RunStore, tmp_path: Path) -> None:
        """Cases 11 and 12: the same id is never adopted; no line of one is in the other's file."""
        run_id = store.start_run("mine")
        done = in_a_process(
            """
            import sys
            from buddy_core.runs.store.store import RunStore
            ids = [sys.argv[2]] * 5 + ["run_mk5k1qoj_ffffff"]
            store = RunStore(sys.argv[1], new_id=lambda _now: ids.pop(0))
            with store.run("theirs") as run:
                run.emit("tick", {})
            print(run.run_id)
            """,
            str(store.runs_dir),
            run_id,
        )
        assert done.stdout.strip() == "run_mk5k1qoj_ffffff"
        store.emit(run_id, "tick", {})
        assert {event["runId"] for event in events(store, run_id)} == {run_id}

    def test_ends_twice_and_late_updates_change_nothing(self, store: RunStore) -> None:
        """Case 16."""
        run_id = store.start_run("x")
        ended = threading.Barrier(8)

        def end() -> None:
            ended.wait()
            store.end_run(run_id, "failed")

        threads = [threading.Thread(target=end) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with pytest.raises(RunClosed):
            store.update_metrics(run_id, total_tokens=1)
        assert not store.emit(run_id, "late", {})
        assert [event["type"] for event in events(store, run_id)] == ["run_start", "run_end"]
        assert store.refused["run has ended"] == 8


class TestForks:
    """Case 17."""

    def test_a_child_forked_while_threads_record_neither_writes_nor_hangs(self, tmp_path: Path) -> None:
        """Every lock of the parent may be held at the moment of the fork."""
        done = in_a_process(
            """
            import os, signal, sys, threading, warnings
            from buddy_core.runs.store.store import RunStore
            warnings.simplefilter("ignore")
            store = RunStore(sys.argv[1])
            run_id = store.start_run("x")
            over = threading.Event()
            def record(number):
                while not over.is_set():
                    store.emit(run_id, "tick", {"n": number, "pid": os.getpid()})
                    store.emit("unknown", "tick", {})
                    store.update_metrics(run_id, total_tokens=number)
            threads = [threading.Thread(target=record, args=(n,)) for n in range(4)]
            [thread.start() for thread in threads]
            for _ in range(50):
                child = os.fork()
                if child == 0:
                    signal.alarm(20)
                    late = store.emit(run_id, "child", {})
                    with store.run("the child's own") as run:
                        mine = run.emit("tick", {})
                        run.update_metrics(total_tokens=1)
                    os._exit(0 if mine and not late else 7)
                assert os.waitpid(child, 0)[1] == 0
            over.set()
            [thread.join() for thread in threads]
            store.end_run(run_id, "completed")
            print(run_id)
            """,
            str(tmp_path / "runs"),
        )
        store = RunStore(tmp_path / "runs")
        run_id = done.stdout.strip()
        found = events(store, run_id)
        assert "child" not in {event["type"] for event in found}
        assert len({event["data"]["pid"] for event in found if event["type"] == "tick"}) == 1
        assert found[-1]["type"] == "run_end"

    def test_a_child_does_not_keep_its_dead_parents_lock(self, tmp_path: Path) -> None:
        """Promise C3: the child lives on, and the run is interrupted all the same."""
        done = in_a_process(
            """
            import os, signal, sys
            from buddy_core.runs.store.store import RunStore
            store = RunStore(sys.argv[1])
            run_id = store.start_run("x")
            read_end, write_end = os.pipe()
            if os.fork() == 0:
                signal.alarm(10)  # it outlives its parent, not the test
                os.close(1); os.close(2)
                os.read(read_end, 1)
                os._exit(0)
            print(run_id, flush=True)
            os._exit(0)
            """,
            str(tmp_path / "runs"),
        )
        assert lock_state(tmp_path / "runs" / done.stdout.strip()) == "free"

    def test_a_host_that_forks_is_not_warned_of_threads(self, tmp_path: Path) -> None:
        """Interpreters from 3.12 on warn whoever forks beside threads: there is none while nothing is flushed."""
        done = in_a_process(
            """
            import os, sys, warnings
            from buddy_core.runs.store.store import RunStore
            warnings.simplefilter("always")
            store = RunStore(sys.argv[1], max_runs=None)
            for _ in range(10):
                run_id = store.start_run("x")
                child = os.fork()
                if child == 0:
                    os._exit(0)
                os.waitpid(child, 0)
                store.update_metrics(run_id, total_tokens=1)
            """,
            str(tmp_path / "runs"),
        )
        assert done.stderr.count("multi-threaded") <= 2, "once in a while the disk is being asked just then"

    def test_what_waits_for_the_disk_is_asked_for_after_a_fork(self, tmp_path: Path) -> None:
        done = in_a_process(
            """
            import os, sys
            from buddy_core.runs.writing import flusher
            from buddy_core.runs.store.store import RunStore
            fsync, asked = os.fsync, []
            os.fsync = lambda fd: (asked.append(os.readlink(f"/proc/self/fd/{fd}")), fsync(fd))
            run_id = RunStore(sys.argv[1]).start_run("x")
            child = os.fork()
            if child == 0:
                flusher.SHARED.wait(5)
                os._exit(len(asked))
            assert os.waitpid(child, 0)[1] == 0, "the child asked for its parent's files"
            assert flusher.SHARED.wait(5)
            print(sorted(path.split("/")[-1] for path in asked if run_id in path.split("/")[-2]))
            """,
            str(tmp_path / "runs"),
        )
        assert done.stdout.strip() == "['events.jsonl', 'metrics.json', 'summary.json']"


class TestSignals:
    """A handler that records while the host records: it must neither hang nor spoil a line (promise C9)."""

    def test_handlers_that_record_in_the_midst_of_recording(self, store: RunStore) -> None:
        run_id = store.start_run("x")
        handled: list[bool] = []  # handlers may interrupt each other, too

        def handler(_number: int, _frame: FrameType | None) -> None:
            handled.append(store.emit(run_id, "signal", {}))
            store.update_metrics(run_id, failover_count=1)
            store.emit("unknown", "signal", {})

        before = signal.signal(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.003)
        acked = number = 0
        try:
            while len(handled) < 100 and number < 200_000:
                number += 1
                acked += store.emit(run_id, "tick", {"n": number})
                if number % 5 == 0:
                    store.update_metrics(run_id, total_tokens=number)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
        store.end_run(run_id, "completed")

        assert len(handled) >= 100
        assert len(events(store, run_id)) == acked + sum(handled) + 2
        metrics = json.loads((store.runs_dir / run_id / "metrics.json").read_bytes())
        assert metrics["failoverCount"] == 1

    def test_an_event_from_within_the_writing_of_what_waited_comes_after_it(
        self, store: RunStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A handler runs in the midst of the recovery from a full disk: nothing is written twice."""
        run_id = store.start_run("x")
        write, full = os.write, True

        def sometimes(fd: int, data: bytes) -> int:
            if full:
                raise OSError(errno.ENOSPC, "full")
            if b'"n":1' in data:
                assert not store.emit(run_id, "signal", {})
            return write(fd, data)

        monkeypatch.setattr(os, "write", sometimes)
        for number in range(3):
            assert not store.emit(run_id, "tick", {"n": number})
        full = False
        assert store.emit(run_id, "tick", {"n": 3})
        assert [event["data"].get("n", event["type"]) for event in events(store, run_id)] == [
            "run_start", 0, 1, 2, "signal", "decision", 3,
        ]  # fmt: skip


class TestRunsThatCannotBegin:
    @pytest.mark.parametrize("call", ["write", "rename", "mkdir", "fstat"])
    def test_they_are_reported_and_leave_nothing(
        self, store: RunStore, monkeypatch: pytest.MonkeyPatch, call: str
    ) -> None:
        """Case 5: on a full disk a run fails to start, with one error that says so."""
        store.end_run(store.start_run("before"), "completed")
        flusher.SHARED.wait(5)
        before = {path.name for path in store.runs_dir.iterdir()}
        descriptors = len(list(Path("/dev/fd").iterdir()))

        def full(*_args: object, **_kwargs: object) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        with monkeypatch.context() as patch:
            patch.setattr(os, call, full)
            with pytest.raises(StoreUnavailable, match="No space left"):
                store.start_run("x")
        assert {path.name for path in store.runs_dir.iterdir()} == before
        assert flusher.SHARED.wait(5)
        assert len(list(Path("/dev/fd").iterdir())) == descriptors
        assert store.current_run_id is None

    def test_a_full_disk_costs_an_update_and_not_the_old_file(
        self, store: RunStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run_id = store.start_run("x")
        store.update_metrics(run_id, total_tokens=1)

        def full(fd: int, data: bytes) -> int:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        with monkeypatch.context() as patch:
            patch.setattr(os, "write", full)
            with pytest.raises(StoreUnavailable):
                store.update_metrics(run_id, total_tokens=2)
        run_dir = store.runs_dir / run_id
        assert json.loads((run_dir / "metrics.json").read_bytes())["totalTokens"] == 1
        assert not list(run_dir.glob(".*"))
        store.update_metrics(run_id, prompt_tokens=3)
        assert json.loads((run_dir / "metrics.json").read_bytes())["totalTokens"] == 2


def test_what_waits_at_most_is_what_the_page_says() -> None:
    assert (backlog.MAX_WAITING, backlog.MAX_WAITING_BYTES) == (1_000, 1024 * 1024)
