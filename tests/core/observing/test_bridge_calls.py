"""The bridge, the other way: tool calls of a run are counted by the agent's own collector, once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import buddy_core
from buddy_core import bridge_calls
from buddy_core.bridge import Bridge, bridge
from buddy_core.clock import ManualClock
from buddy_core.metrics.collector import MetricsCollector
from buddy_core.metrics.looking.model import ToolMetrics
from buddy_core.observing.observer import Observer
from buddy_core.runs.store.store import RunStore

NOW = 1_770_000_000_000


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def collector(clock: ManualClock) -> MetricsCollector:
    return MetricsCollector(clock=clock)


@pytest.fixture
def store(tmp_path: Path, clock: ManualClock) -> Iterator[RunStore]:
    store = RunStore(tmp_path / "runs", clock=clock, durable=False)
    yield store
    store.close()


@pytest.fixture
def bridged(collector: MetricsCollector, store: RunStore) -> Iterator[Bridge]:
    made = bridge(collector, store, tools=True)
    yield made
    made()


def tools_of(collector: MetricsCollector) -> dict[str, ToolMetrics]:
    return {tool.name: tool for tool in collector.get_tool_metrics()}


def test_a_call_of_a_run_is_counted_with_its_time_and_outcome(
    collector: MetricsCollector, store: RunStore, clock: ManualClock, bridged: Bridge
) -> None:
    with store.run("one") as run:
        with run.tool("bash", {"command": "ls"}):
            clock.advance(250)
        with run.tool("bash", {"command": "false"}) as call:
            call.returned(error="Exit code 1")
    bash = tools_of(collector)["bash"]
    assert (bash.total_calls, bash.error_count) == (2, 1)
    assert bash.max_duration_ms == 250
    assert [error.message for error in collector.export().errors] == ["Exit code 1"]
    assert bridged.calls == 2


def test_without_being_asked_it_tells_the_collector_of_no_call(
    collector: MetricsCollector, store: RunStore
) -> None:
    plain = buddy_core.bridge(collector, store)
    with store.run("one") as run, run.tool("bash", {}):
        pass
    plain()
    assert tools_of(collector) == {}
    assert plain.calls == 0


def test_a_result_without_a_duration_takes_the_time_since_its_call(
    collector: MetricsCollector, store: RunStore, clock: ManualClock, bridged: Bridge
) -> None:
    run_id = store.start_run("one")
    store.emit(run_id, "tool_call", {"toolName": "search", "toolCallId": "c1"})
    clock.advance(1_500)
    store.emit(run_id, "tool_result", {"toolCallId": "c1", "success": True})
    store.emit(run_id, "tool_result", {"toolName": "search", "toolCallId": "unheard of"})
    store.emit(run_id, "tool_result", {"toolCallId": "nameless"})
    search = tools_of(collector)["search"]
    assert search.total_calls == 2
    assert search.max_duration_ms == 1_500


@pytest.mark.parametrize(
    "took", ["soon", True, -5, float("nan"), None, [], 10**400], ids=lambda took: str(took)[:8]
)
def test_a_duration_that_is_none_does_no_harm(
    took: object, collector: MetricsCollector, store: RunStore, bridged: Bridge
) -> None:
    run_id = store.start_run("one")
    store.emit(run_id, "tool_call", {"toolName": "search", "toolCallId": "c1"})
    store.emit(run_id, "tool_result", {"toolName": "search", "toolCallId": "c1", "durationMs": took})
    store.emit(run_id, "tool_result", {"toolName": "search", "toolCallId": "c2", "durationMs": took})
    assert tools_of(collector)["search"].total_calls == 2


def test_what_never_returns_is_forgotten_in_time(
    collector: MetricsCollector, store: RunStore, bridged: Bridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bridge_calls, "MOST_OPEN", 2)
    run_id = store.start_run("one")
    for number in range(3):
        store.emit(run_id, "tool_call", {"toolName": "search", "toolCallId": f"c{number}"})
    store.emit(run_id, "tool_result", {"toolName": "search", "toolCallId": "c0"})
    store.emit(run_id, "tool_result", {"toolName": "search", "toolCallId": "c2"})
    search = tools_of(collector)["search"]
    assert (search.total_calls, search.duration_count) == (2, 1)


def test_a_monitor_in_the_same_process_counts_no_call_twice(
    collector: MetricsCollector, store: RunStore, clock: ManualClock, bridged: Bridge
) -> None:
    with store.run("one") as run, run.tool("bash", {}):
        clock.advance(10)
    observer = Observer(store.runs_dir, collector, clock=clock)
    observer.load()
    assert tools_of(collector)["bash"].total_calls == 1
    other = MetricsCollector(clock=clock)
    observer = Observer(store.runs_dir, other, clock=clock)
    observer.load()
    assert tools_of(other)["bash"].total_calls == 1


def test_taken_down_it_hears_nothing_more(
    collector: MetricsCollector, store: RunStore, bridged: Bridge
) -> None:
    bridged()
    bridged()
    with store.run("one") as run, run.tool("bash", {}):
        pass
    assert tools_of(collector) == {}
