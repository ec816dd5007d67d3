"""What a store answers: errors that name the run, lists that are of this moment, and last words before an end."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import threading
import time
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from buddy_core.clock import ManualClock
from buddy_core.errors import RunClosed, RunLocked, RunNotFound, StoreUnavailable
from buddy_core.runs.model import RunEvent, RunMetadata
from buddy_core.runs.store import store as store_module
from buddy_core.runs.store import store_reading, streaming
from buddy_core.runs.store.store import RunStore
from buddy_core.testing import RunDirectoryBuilder

NOW = 1_770_000_000_000
UNKNOWN = "run_mk5k1qoj_724ab2"
LONG = "run_" + "x" * 60


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RunStore]:
    store = RunStore(tmp_path / "runs", max_runs=None, clock=ManualClock(NOW), durable=False)
    yield store
    store.close()


class TestErrors:
    @pytest.mark.parametrize("run_id", [UNKNOWN, LONG])
    def test_about_a_run_there_is_not_name_the_beginning_of_what_was_asked_for(
        self, store: RunStore, run_id: str
    ) -> None:
        with pytest.raises(RunNotFound) as refused:
            store.fork_run(run_id, "retry")
        assert str(refused.value) == f"no run {run_id[:40]!r} to fork in {store.runs_dir}"
        with pytest.raises(RunNotFound) as refused:
            store.end_run(run_id, "completed")
        assert str(refused.value) == f"this store is not writing a run {run_id[:40]!r}"

    def test_about_a_run_that_has_ended_say_so_also_when_it_is_gone_from_the_disk(
        self, store: RunStore
    ) -> None:
        """Case 16."""
        run_id = store.start_run("one")
        store.end_run(run_id, "completed")
        words = f"run {run_id} has ended; nothing more can be recorded into it"
        for others in (store, RunStore(store.runs_dir, durable=False)):
            with pytest.raises(RunClosed) as refused:
                others.save_artifact(run_id, "plan.md", "late")
            assert str(refused.value) == words
        shutil.rmtree(store.runs_dir / run_id)
        with pytest.raises(RunClosed, match=words):
            store.update_metrics(run_id, total_tokens=1)

    def test_about_a_run_that_somebody_else_records_say_that_it_is_locked(self, store: RunStore) -> None:
        run_id = store.start_run("one")
        with pytest.raises(RunLocked) as refused:
            RunStore(store.runs_dir, durable=False).end_run(run_id, "completed")
        assert str(refused.value) == f"another process is recording run {run_id}"


class TestWhatIsRead:
    def test_of_a_run_of_its_own_is_what_it_is_now_whatever_the_disk_says(self, store: RunStore) -> None:
        run_id = store.start_run("one")
        store.update_metrics(run_id, total_tokens=7)
        for name in ("summary.json", "metrics.json"):
            (store.runs_dir / run_id / name).unlink()
        assert [run.objective for run in store.list_runs()] == ["one"]
        found = store.get_run(run_id)
        assert found is not None
        assert found.metrics is not None
        assert (found.summary.objective, found.metrics.total_tokens) == ("one", 7)

    def test_are_twenty_runs_unless_another_number_is_asked_for(self, store: RunStore) -> None:
        for number in range(21):
            store.end_run(store.start_run(str(number)), "completed")
        for limit, wanted in ((-1, 0), (0, 0), (1, 1), (21, 21)):
            assert len(store.list_runs(limit)) == wanted
            assert len(asyncio.run(store.list_runs_async(limit))) == wanted
        assert len(store.list_runs()) == len(asyncio.run(store.list_runs_async())) == 20

    def test_is_no_artifact_longer_than_the_limit(
        self, store: RunStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Promise C9."""
        monkeypatch.setattr(store_reading, "MAX_TEXT_ARTIFACT_BYTES", 4)
        run_id = store.start_run("one")
        for content, read in (("four", "four"), ("five!", None)):
            store.save_artifact(run_id, "a.txt", content)
            assert store.get_artifact(run_id, "a.txt") == read

    def test_is_nothing_under_a_name_that_is_no_run_id(self, store: RunStore) -> None:
        store.end_run(run_id := store.start_run("one"), "completed")
        shutil.copytree(store.runs_dir / run_id, store.runs_dir / "notes")
        assert store.get_events("notes") == store.get_events(f"{run_id}/../notes") == []

    async def test_in_pieces_leaves_other_tasks_their_turn_after_so_many_events(
        self, store: RunStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Promise C9."""
        with store.run("one") as run:
            for _ in range(5):
                run.emit("note", {})
        turns: list[float] = []

        async def turn(seconds: float) -> None:
            turns.append(seconds)

        monkeypatch.setattr(streaming, "BREATH", 2)
        monkeypatch.setattr(asyncio, "sleep", turn)
        assert len([event async for event in store.stream_events(run.run_id)]) == 7
        assert turns == [0, 0, 0]

    async def test_as_it_grows_ends_when_by_the_clock_of_the_store_nobody_writes_it(
        self, tmp_path: Path
    ) -> None:
        """Promise C3: without a lock, and silent for an hour."""
        now_ms = time.time_ns() // 1_000_000
        run = RunDirectoryBuilder(tmp_path, started_at=now_ms)
        run.tool("bash").write()
        store = RunStore(tmp_path, clock=ManualClock(now_ms + 2 * 3_600_000))
        async with asyncio.timeout(20):
            types = [event.type async for event in store.stream_events(run.run_id)]
        assert types[0] == "run_start"


class TestWhatIsRefused:
    def test_by_the_disk_is_counted_as_that(self, store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
        """Case 5."""

        def full(*_args: object) -> int:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        run_id = store.start_run("one")
        with monkeypatch.context() as patch:
            patch.setattr(os, "write", full)
            assert store.emit(run_id, "note", {}) is False
            store.end_run(run_id, "completed")
        assert store.refused == {"write failed": 2}

    def test_because_the_run_ends_at_this_moment_is_counted_as_that(self, store: RunStore) -> None:
        """Case 16: its writer is closed and still at hand."""
        run_id = store.start_run("one")
        store._writers[run_id].close()
        assert store.emit(run_id, "note", {}) is False
        assert store.refused == {"run has ended": 1}
        with pytest.raises(RunClosed):
            store.save_artifact(run_id, "plan.md", "late")


class TestAPrune:
    def test_of_what_is_no_directory_says_so(self, tmp_path: Path) -> None:
        path = tmp_path / "runs"
        for why in ("No such file or directory", "Not a directory"):
            with pytest.raises(StoreUnavailable) as refused:
                RunStore(path).prune()
            assert str(refused.value) == f"cannot prune {path}: {why}"
            path.write_bytes(b"")

    def test_that_goes_on_is_waited_for_as_long_as_is_said(self, store: RunStore) -> None:
        assert store.wait_for_prune(0)
        store._housekeeper._working = True
        assert not store.wait_for_prune(0)
        store._housekeeper._working = False


class TestAnOpenRun:
    def test_has_the_objective_and_the_metadata_it_was_started_with(self, store: RunStore) -> None:
        with store.run("one", {"tags": ["demo"]}) as run:
            pass
        found = store.get_run(run.run_id)
        assert found is not None
        assert (found.summary.objective, found.summary.metadata) == ("one", RunMetadata(tags=("demo",)))

    def test_takes_text_that_is_no_unicode_with_a_mark_in_its_place(self, store: RunStore) -> None:
        """Case 45."""
        path = store.save_artifact(store.start_run("one"), "a.txt", "caf\udce9 \N{SNOWMAN}")
        assert path.read_bytes() == "caf? \N{SNOWMAN}".encode()

    def test_tells_when_it_began(self, store: RunStore) -> None:
        run_id = store.start_run("one")
        assert store.started_at(run_id) == NOW
        store.end_run(run_id, "completed")
        assert store.started_at(run_id) is store.started_at(UNKNOWN) is None

    def test_that_is_a_fork_begins_with_the_decision(self, store: RunStore) -> None:
        fork = store.fork_run(store.start_run("one"), "retry")
        assert [event.type for event in store.get_events(fork)] == ["run_start", "decision"]

    def test_adds_to_its_own_totals(self, store: RunStore) -> None:
        with store.run("one") as run:
            run.add_metrics(total_tokens=3)
            run.add_metrics(total_tokens=4)
        found = store.get_run(run.run_id)
        assert found is not None
        assert found.metrics is not None
        assert found.metrics.total_tokens == 7

    def test_has_calls_that_succeed_unless_they_say_something_else(self, store: RunStore) -> None:
        with store.run("one") as run:
            with run.tool("bash") as call:
                assert (call.name, call.error, call.output_length) == ("bash", None, None)
            with run.tool("bash") as other:
                other.returned()
        for one, result in zip((call, other), store.get_events(run.run_id)[2:5:2], strict=True):
            assert len(one.call_id) == len("call_") + 16
            assert result.data == {
                "toolName": "bash", "toolCallId": one.call_id, "success": True, "durationMs": 0,
            }  # fmt: skip

    def test_that_fails_without_a_message_names_the_kind_of_the_failure(self, store: RunStore) -> None:
        with pytest.raises(ZeroDivisionError), store.run("one") as run:
            raise ZeroDivisionError
        assert store.get_events(run.run_id)[1].data == {"message": "ZeroDivisionError"}


class TestLastWords:
    def test_may_be_had_of_each_run_before_its_end_is_recorded(self, store: RunStore) -> None:
        store.add_end_listener(lambda run_id: store.emit(run_id, "last", {}))
        run_id = store.start_run("one")
        store.end_run(run_id, "completed")
        store.end_run(run_id, "failed")
        assert [event.type for event in store.get_events(run_id)] == ["run_start", "last", "run_end"]

    def test_that_cannot_be_had_hurt_nobody(self, store: RunStore) -> None:
        """Case 90."""
        heard: list[str] = []

        def fail(_run_id: str) -> None:
            raise RuntimeError("no")

        store.add_end_listener(fail)
        store.add_end_listener(heard.append)
        run_id = store.start_run("one")
        store.end_run(run_id, "completed")
        assert heard == [run_id]

    def test_end_with_what_asked_for_them_and_with_nothing_else(self, store: RunStore) -> None:
        """Also where the same callback asks twice."""
        heard: list[str] = []
        others: list[str] = []
        remove = store.add_end_listener(heard.append)
        store.add_end_listener(others.append)
        store.add_end_listener(heard.append)
        for number in range(1, 3):
            remove()
            run_id = store.start_run("one")
            store.end_run(run_id, "completed")
            assert len(heard) == len(others) == number

    def test_are_followed_by_the_end_as_it_is_recorded(self, tmp_path: Path) -> None:
        """Also where time goes on between any two looks at the clock."""

        class Running(ManualClock):
            def now_ms(self) -> int:
                self.advance(1)
                return super().now_ms()

        store = RunStore(tmp_path, clock=Running(NOW), durable=False)
        heard: list[RunEvent] = []
        store.add_listener(heard.append)
        with store.run("one") as run:
            run.emit("note", {})
        assert heard == store.get_events(run.run_id)


class TestTheStoreOfAForkedChild:
    """Case 17; here without a fork, the rest is told by tests that fork."""

    @pytest.mark.parametrize("whose", ["_open", "_listeners", "_end_listeners", "_housekeeper", ""])
    def test_has_locks_that_nobody_holds(self, store: RunStore, whose: str) -> None:
        def lock() -> Any:
            owner: Any = getattr(store, whose) if whose else store
            return owner._idle if whose == "_housekeeper" else owner._guard

        holder = threading.Thread(target=lock().acquire)
        holder.start()
        holder.join()
        assert not lock().acquire(blocking=False)
        store._forget_in_child()
        assert lock().acquire(blocking=False)
        lock().release()

    def test_has_no_thread_at_work_and_none_asked_for(self, store: RunStore) -> None:
        keeper = store._housekeeper
        keeper._working = keeper._again = keeper._taking = True
        assert not keeper.wait(0)
        store._forget_in_child()
        assert keeper.wait(0)
        assert (keeper._again, keeper._taking) == (False, False)

    def test_has_no_run_open(self, store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(store_module, "_stores", weakref.WeakSet([store]))
        run_id = store.start_run("one")
        writer = store._writers[run_id]
        store_module._forget_in_child()
        assert not store.is_open(run_id)
        assert store.current_run_id is None
        with pytest.raises(RunClosed):
            store.update_metrics(run_id, total_tokens=1)
        writer.close()
