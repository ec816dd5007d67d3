"""Which store, and which run of it, code means that is handed neither."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import buddy_core
from buddy_core.runs.store.active import get_active_run_store, reset_run_store, set_active_run_store
from buddy_core.runs.store.store import RunStore


@pytest.fixture(autouse=True)
def _nobody_active() -> Iterator[None]:
    """Whatever other tests of this process have left, and nothing is left for others."""
    set_active_run_store(None)
    reset_run_store()
    yield
    set_active_run_store(None)
    reset_run_store()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RunStore]:
    store = RunStore(tmp_path / "runs", durable=False)
    yield store
    store.close()


class TestTheActiveStore:
    def test_is_the_one_that_was_set(self, store: RunStore) -> None:
        assert get_active_run_store() is None
        set_active_run_store(store)
        assert get_active_run_store() is store
        set_active_run_store(None)
        assert get_active_run_store() is None

    def test_is_by_itself_the_one_that_records(self, store: RunStore) -> None:
        """As the original does: a tool finds the run that is going on without being told."""
        run_id = store.start_run("one")
        assert get_active_run_store() is store
        inner = store.start_run("two")
        store.end_run(inner, "completed")
        assert get_active_run_store() is store, "a run is still open"
        store.end_run(run_id, "completed")
        assert get_active_run_store() is None

    def test_that_was_set_stays_until_it_is_closed(self, store: RunStore, tmp_path: Path) -> None:
        other = RunStore(tmp_path / "other", durable=False)
        set_active_run_store(store)
        with other.run("elsewhere"):
            assert get_active_run_store() is store
        with store.run("here"):
            pass
        assert get_active_run_store() is store
        store.close()
        assert get_active_run_store() is None

    def test_ending_a_run_of_another_store_takes_nothing_away(self, store: RunStore, tmp_path: Path) -> None:
        other = RunStore(tmp_path / "other", durable=False)
        first = other.start_run("first")
        with store.run("second"):
            other.end_run(first, "completed")
            assert get_active_run_store() is store

    def test_is_public(self) -> None:
        assert buddy_core.set_active_run_store is set_active_run_store
        assert buddy_core.get_active_run_store is get_active_run_store


class TestTheSharedStore:
    def test_is_made_once_from_the_environment(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CODEBUDDY_RUNS_DIR", str(tmp_path / "mine"))
        found = [RunStore.get_instance() for _ in range(3)]
        assert found[0].runs_dir == tmp_path / "mine"
        assert found[0] is found[1] is found[2]
        assert not (tmp_path / "mine").exists(), "nothing is made before the first run"

    def test_is_one_for_threads_that_ask_at_once(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("CODEBUDDY_RUNS_DIR", str(tmp_path))
        gate = threading.Barrier(8)

        def ask() -> RunStore:
            gate.wait()
            return RunStore.get_instance()

        with ThreadPoolExecutor(8) as pool:
            asked = [pool.submit(ask) for _ in range(8)]
        assert len({id(one.result()) for one in asked}) == 1

    def test_is_another_after_a_reset(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CODEBUDDY_RUNS_DIR", str(tmp_path / "first"))
        first = RunStore.get_instance()
        run_id = first.start_run("one")
        reset_run_store()
        monkeypatch.setenv("CODEBUDDY_RUNS_DIR", str(tmp_path / "second"))
        assert RunStore.get_instance().runs_dir == tmp_path / "second"
        assert not first.emit(run_id, "note", {})

    def test_resetting_without_one_does_nothing(self) -> None:
        reset_run_store()


class TestTheCurrentRun:
    def test_of_each_store_is_its_own(self, store: RunStore, tmp_path: Path) -> None:
        other = RunStore(tmp_path / "other", durable=False)
        mine = store.start_run("mine")
        assert other.current_run_id is None
        theirs = other.start_run("theirs")
        assert (store.current_run_id, other.current_run_id) == (mine, theirs)
        other.end_run(theirs, "completed")
        assert (store.current_run_id, other.current_run_id) == (mine, None)

    def test_is_the_innermost_that_is_open_in_whatever_order_they_end(self, store: RunStore) -> None:
        ids = [store.start_run(str(number)) for number in range(5)]
        for ended, current in ((3, 4), (4, 2), (0, 2), (2, 1)):
            store.end_run(ids[ended], "completed")
            assert store.current_run_id == ids[current]
        store.end_run(ids[1], "completed")
        assert store.current_run_id is None

    def test_where_none_was_started_is_the_newest_in_whatever_order_they_end(self, store: RunStore) -> None:
        def current() -> str | None:
            return contextvars.Context().run(lambda: store.current_run_id)

        ids = [store.start_run(str(number)) for number in range(4)]
        for ended, newest in ((1, 3), (2, 3), (3, 0)):
            store.end_run(ids[ended], "completed")
            assert current() == ids[newest]
        store.end_run(ids[0], "completed")
        assert current() is None

    async def test_of_each_task_is_the_one_it_started(self, store: RunStore) -> None:
        """Agents that work side by side in one event loop do not write into each other's runs."""
        gate = asyncio.Barrier(10)

        async def agent(number: int) -> str:
            with store.run(f"agent {number}") as run:
                for _ in range(5):
                    await gate.wait()
                    assert store.append_event("note", {"agent": number})
                    assert store.current_run_id == run.run_id
                    await asyncio.to_thread(store.append_event, "note", {"agent": number})
            return run.run_id

        ids = await asyncio.gather(*(agent(number) for number in range(10)))
        for number, run_id in enumerate(ids):
            notes = [event.data["agent"] for event in store.get_events(run_id) if event.type == "note"]
            assert notes == [number] * 10

    def test_of_a_thread_that_started_none_is_the_newest_of_all(self, store: RunStore) -> None:
        run_id = store.start_run("one")
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(lambda: store.current_run_id).result() == run_id
            theirs = pool.submit(store.start_run, "two").result()
            assert pool.submit(lambda: store.current_run_id).result() == theirs
            assert store.current_run_id == run_id, "this thread's own"
            store.end_run(run_id, "completed")
            assert store.current_run_id == theirs
            store.end_run(theirs, "completed")
            assert pool.submit(lambda: store.current_run_id).result() is None

    def test_after_the_inner_one_is_the_outer_whatever_others_have_started_since(
        self, store: RunStore
    ) -> None:
        outer = store.start_run("outer")
        store.end_run(store.start_run("between"), "completed")
        inner = store.start_run("inner")
        with ThreadPoolExecutor(1) as pool:
            theirs = pool.submit(store.start_run, "theirs").result()
        store.end_run(inner, "completed")
        assert store.current_run_id == outer
        store.end_run(outer, "completed")
        assert store.current_run_id == theirs

    def test_costs_the_same_however_many_runs_were_started(self, store: RunStore) -> None:
        """Counted in steps along the chain of runs, not in time."""

        def count() -> tuple[int, str | None]:
            for number in range(200):
                store.end_run(store.start_run(str(number)), "completed")
            link, steps = buddy_core.runs.store.open_runs._started_here.get(), 0
            while link is not None:
                link, steps = link.outer, steps + 1
            return steps, store.current_run_id

        outer = store.start_run("outer")
        assert contextvars.Context().run(count) == (1, outer)
        assert len(store._open._order) <= 2


class TestAnInterruptedRun:
    @pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit, asyncio.CancelledError])
    def test_is_cancelled_without_an_error(self, store: RunStore, interrupt: type[BaseException]) -> None:
        with pytest.raises(interrupt), store.run("one") as run:
            raise interrupt
        assert [event.type for event in store.get_events(run.run_id)] == ["run_start", "run_end"]
        assert store.list_runs()[0].status == "cancelled"

    async def test_of_a_cancelled_task_is_cancelled(self, store: RunStore) -> None:
        inside = asyncio.Event()

        async def agent() -> None:
            with store.run("one"):
                inside.set()
                await asyncio.Event().wait()

        task = asyncio.create_task(agent())
        await inside.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert store.list_runs()[0].status == "cancelled"

    def test_of_a_generator_that_is_closed_is_cancelled(self, store: RunStore) -> None:
        def steps() -> Iterator[int]:
            with store.run("one"):
                yield from range(10)

        generator = steps()
        next(generator)
        generator.close()  # type: ignore[attr-defined]
        assert store.list_runs()[0].status == "cancelled"

    def test_of_an_abandoned_async_generator_is_cancelled(self, store: RunStore) -> None:
        async def main() -> None:
            async def steps() -> object:
                with store.run("one"):
                    for number in range(10):
                        yield number

            generator = steps()
            await anext(generator)
            await generator.aclose()

        asyncio.run(main())
        assert store.list_runs()[0].status == "cancelled"

    def test_that_fails_inside_another_ends_both(self, store: RunStore) -> None:
        with pytest.raises(ZeroDivisionError), store.run("outer"), store.run("inner"):
            raise ZeroDivisionError
        assert [run.status for run in store.list_runs()] == ["failed", "failed"]

    def test_whose_failure_is_caught_outside_of_the_inner_one_goes_on(self, store: RunStore) -> None:
        with store.run("outer") as outer:
            with pytest.raises(ZeroDivisionError), store.run("inner"):
                raise ZeroDivisionError
            assert store.current_run_id == outer.run_id
        assert [run.status for run in store.list_runs()] == ["failed", "completed"]

    def test_whose_exception_cannot_be_printed_still_fails_with_it(self, store: RunStore) -> None:
        class Unspeakable(Exception):
            def __str__(self) -> str:
                raise RuntimeError("no words")

        with pytest.raises(Unspeakable), store.run("one") as run:
            raise Unspeakable
        assert store.get_events(run.run_id)[1].data == {"message": "Unspeakable"}

    def test_that_its_body_ended_already_is_left_as_it_is(self, store: RunStore) -> None:
        with store.run("one") as run:
            run.end("failed")
            assert not run.emit("note", {})
        assert store.list_runs()[0].status == "failed"
        assert store.refused == {"run has ended": 1}
