"""Listeners of a store: told of every acknowledged event in the emitting thread, and never able to hurt it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from buddy_core.clock import ManualClock
from buddy_core.runs.model import RunEvent
from buddy_core.runs.store.listeners import DEEPEST, MOST_FAILURES
from buddy_core.runs.store.store import RunStore

NOW = 1_770_000_000_000


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RunStore]:
    store = RunStore(tmp_path / "runs", clock=ManualClock(NOW), durable=False)
    yield store
    store.close()


def test_a_listener_hears_exactly_what_the_file_holds(store: RunStore) -> None:
    heard: list[RunEvent] = []
    store.add_listener(heard.append)
    run_id = store.start_run("one", {"tags": ["demo"], "cwd": "/src"})
    store.emit(run_id, "tool_call", {"toolName": "bash"})
    store.emit(run_id, "note", None)
    store.emit(run_id, "note", 7)
    store.save_artifact(run_id, "plan.md", "x")
    store.end_run(run_id, "failed")
    assert heard == store.get_events(run_id)
    assert heard[0].data == {"objective": "one", "metadata": {"tags": ["demo"], "cwd": "/src"}}
    assert heard[-1].data == {"status": "failed"}


def test_a_start_without_metadata_says_the_objective_alone(store: RunStore) -> None:
    heard: list[RunEvent] = []
    store.add_listener(heard.append)
    store.start_run("one")
    assert heard[0].data == {"objective": "one"}


def test_an_event_is_on_the_disk_before_anybody_hears_of_it(store: RunStore) -> None:
    seen: list[bool] = []
    store.add_listener(lambda event: seen.append(event in store.get_events(event.run_id)))
    with store.run("one") as run:
        run.emit("note", {"n": 1})
    assert seen == [True, True, True]


def test_refused_events_are_not_told(store: RunStore) -> None:
    run_id = store.start_run("one")
    store.end_run(run_id, "completed")
    heard: list[RunEvent] = []
    store.add_listener(heard.append)
    store.emit(run_id, "note", {})
    store.end_run(run_id, "failed")
    assert heard == []


def test_a_listener_is_called_in_the_emitting_thread(store: RunStore) -> None:
    names: list[str] = []
    store.add_listener(lambda _event: names.append(threading.current_thread().name))
    run_id = store.start_run("one")
    worker = threading.Thread(target=store.emit, args=(run_id, "note", {}), name="worker")
    worker.start()
    worker.join()
    assert names == [threading.current_thread().name, "worker"]


def test_taking_a_listener_back_ends_its_calls_and_may_be_done_twice(store: RunStore) -> None:
    first: list[RunEvent] = []
    second: list[RunEvent] = []
    remove = store.add_listener(first.append)
    store.add_listener(second.append)
    run_id = store.start_run("one")
    remove()
    remove()
    store.emit(run_id, "note", {})
    assert ([e.type for e in first], [e.type for e in second]) == (["run_start"], ["run_start", "note"])


def test_a_listener_that_raises_hurts_nobody_and_is_left_out_after_ten_times(store: RunStore) -> None:
    """Case 90."""
    calls: list[str] = []
    heard: list[RunEvent] = []

    def fail(event: RunEvent) -> None:
        calls.append(event.type)
        raise RuntimeError("no")

    store.add_listener(fail)
    store.add_listener(heard.append)
    run_id = store.start_run("one")
    for _ in range(50):
        assert store.emit(run_id, "note", {})
    assert len(calls) == MOST_FAILURES
    assert len(heard) == 51
    assert store.listener_failures == MOST_FAILURES


def test_failures_that_are_not_in_a_row_leave_a_listener_in(store: RunStore) -> None:
    """Case 90."""
    calls: list[int] = []

    def fail_mostly(event: RunEvent) -> None:
        calls.append(event.ts)
        if len(calls) % MOST_FAILURES:
            raise RuntimeError("no")

    store.add_listener(fail_mostly)
    run_id = store.start_run("one")
    for _ in range(99):
        store.emit(run_id, "note", {})
    assert len(calls) == 100


def test_a_listener_that_emits_ends_after_three_levels(store: RunStore) -> None:
    """Case 90: what it emits is recorded; only the telling ends."""
    run_id = store.start_run("one")
    store.add_listener(lambda event: store.emit(event.run_id, "echo", {}))
    store.emit(run_id, "note", {})
    assert [event.type for event in store.get_events(run_id)] == ["run_start", "note"] + ["echo"] * DEEPEST
    assert store.emit(run_id, "note", {}), "and the next event is told from the top again"
    assert len(store.get_events(run_id)) == 2 + DEEPEST + 1 + DEEPEST
    assert store.listener_failures == 2, "each time the telling ended"


def test_events_of_types_that_are_no_text_are_told_under_the_name_on_the_disk(store: RunStore) -> None:
    class Nameless:
        def __str__(self) -> str:
            raise RuntimeError("no name")

    heard: list[RunEvent] = []
    store.add_listener(heard.append)
    run_id = store.start_run("one")
    assert store.emit(run_id, 5, {})  # type: ignore[arg-type]
    for failures in (1, 2):
        assert store.emit(run_id, Nameless(), {})  # type: ignore[arg-type]
        assert store.listener_failures == failures
    assert heard[1].type == store.get_events(run_id)[1].type == "5"
