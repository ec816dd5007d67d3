"""The bridge: what a collector is told is seen by a monitor in another process, once, and in the right run."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import buddy_core
from buddy_core.bridge import BURST, Bridge, bridge
from buddy_core.clock import ManualClock
from buddy_core.metrics.collector import MetricsCollector
from buddy_core.metrics.looking.model import ProviderMetrics
from buddy_core.observing.observer import Observer
from buddy_core.runs.model import RunEvent
from buddy_core.runs.store.store import RunStore

NOW = 1_770_000_000_000

REQUEST: dict[str, Any] = {
    "provider": "anthropic",
    "model": "claude-sonnet-4-5",
    "prompt_tokens": 1_000,
    "completion_tokens": 200,
    "cache_read_tokens": 5_000,
    "cache_write_tokens": 300,
    "cost": 0.0125,
    "latency_ms": 1_834.5,
    "ttft_ms": 412.0,
}


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
    made = bridge(collector, store)
    yield made
    made()


def events(store: RunStore, run_id: str) -> list[RunEvent]:
    return [event for event in store.get_events(run_id) if event.type == "metric"]


def values(store: RunStore, run_id: str) -> list[float]:
    return [event.data["value"] for event in events(store, run_id) if event.data["kind"] == "value"]


def seen_by_a_monitor(store: RunStore) -> tuple[Observer, MetricsCollector]:
    collector = MetricsCollector(clock=store.clock)
    observer = Observer(store.runs_dir, collector, clock=store.clock)
    observer.load()
    observer.close()
    return observer, collector


def without_time(provider: ProviderMetrics) -> tuple[Any, ...]:
    return (provider.total_requests, provider.total_tokens, provider.total_cost, provider.p50_latency_ms,
            provider.avg_ttft_ms, provider.error_count)  # fmt: skip


class TestRequests:
    def test_a_request_is_an_event_with_every_field_of_the_format(
        self, collector: MetricsCollector, store: RunStore, bridged: Bridge
    ) -> None:
        run_id = store.start_run("one")
        collector.record_api_request(**REQUEST)
        (event,) = events(store, run_id)
        assert event.data == {
            "kind": "api_request", "provider": "anthropic", "model": "claude-sonnet-4-5",
            "promptTokens": 1_000, "completionTokens": 200, "cacheReadTokens": 5_000, "cacheWriteTokens": 300,
            "cost": 0.0125, "latencyMs": 1_834.5, "ttftMs": 412.0, "success": True,
        }  # fmt: skip
        assert bridged.requests == 1

    def test_what_nobody_knows_is_null_and_not_zero(
        self, collector: MetricsCollector, store: RunStore, bridged: Bridge
    ) -> None:
        run_id = store.start_run("one")
        collector.record_api_request(provider="openai", model="gpt-5.5", success=False)
        (event,) = events(store, run_id)
        assert (event.data["cost"], event.data["latencyMs"], event.data["ttftMs"]) == (None, None, None)
        assert event.data["success"] is False

    def test_a_monitor_sees_the_same_numbers_as_the_agent(
        self, collector: MetricsCollector, store: RunStore, bridged: Bridge, clock: ManualClock
    ) -> None:
        with store.run("one") as run:
            for number in range(20):
                clock.advance(700)
                collector.record_api_request(**REQUEST | {"latency_ms": 10.0 * number})
            collector.record_api_request(provider="openai", model="gpt-5.5", success=False)
        observer, monitor = seen_by_a_monitor(store)
        here, there = collector.get_provider_metrics(), monitor.get_provider_metrics()
        assert [without_time(one) for one in here] == [without_time(one) for one in there]
        assert [one.last_request_at for one in here] == [one.last_request_at for one in there]
        (facts,) = observer.facts()
        assert facts.run_id == run.run_id
        assert facts.total_tokens == collector.get_total_tokens() == monitor.get_total_tokens() == 130_000
        assert facts.total_cost == pytest.approx(collector.get_total_cost())

    def test_a_request_goes_to_the_run_it_names(
        self, collector: MetricsCollector, store: RunStore, bridged: Bridge
    ) -> None:
        first, second = store.start_run("one"), store.start_run("two")
        collector.record_api_request(**REQUEST, run_id=first)
        collector.record_api_request(**REQUEST)
        collector.record_api_request(**REQUEST, run_id="my own name for it")
        assert (len(events(store, first)), len(events(store, second))) == (1, 2)

    def test_a_request_of_a_run_that_is_over_is_not_put_into_another(
        self, collector: MetricsCollector, store: RunStore, bridged: Bridge
    ) -> None:
        first = store.start_run("one")
        store.end_run(first, "completed")
        second = store.start_run("two")
        collector.record_api_request(**REQUEST, run_id=first)
        assert (events(store, first), events(store, second)) == ([], [])
        assert bridged.dropped == {"its run is not being recorded here": 1}

    def test_without_a_run_nothing_is_recorded_and_that_is_counted(
        self, collector: MetricsCollector, store: RunStore, bridged: Bridge
    ) -> None:
        collector.record_api_request(**REQUEST)
        assert bridged.dropped == {"no run is being recorded": 1}
        assert collector.get_total_tokens() == 6_500
        assert not store.runs_dir.exists()

    def test_a_request_keeps_its_own_time_within_the_run(
        self, collector: MetricsCollector, store: RunStore, bridged: Bridge, clock: ManualClock
    ) -> None:
        run_id = store.start_run("one")
        clock.advance(60_000)
        collector.record_api_request(**REQUEST, at_ms=NOW + 20_000)
        collector.record_api_request(**REQUEST, at_ms=NOW - 86_400_000)
        assert [event.ts - NOW for event in events(store, run_id)] == [20_000, 60_000]

    def test_tools_errors_and_messages_are_not_passed_on(
        self, collector: MetricsCollector, store: RunStore, bridged: Bridge
    ) -> None:
        run_id = store.start_run("one")
        collector.record_tool_execution(name="bash", duration_ms=5, success=False, error="boom")
        collector.record_error("network", "gone")
        collector.record_message("user")
        collector.start_session("s")
        collector.record_usage(total_tokens=5)
        assert [event.type for event in store.get_events(run_id)] == ["run_start"]
        assert bridged.dropped == {}

    def test_taking_the_bridge_down_ends_it_and_may_be_done_twice(
        self, collector: MetricsCollector, store: RunStore
    ) -> None:
        run_id = store.start_run("one")
        down = bridge(collector, store)
        collector.record_api_request(**REQUEST)
        down()
        down()
        collector.record_api_request(**REQUEST)
        collector.record("queue", 1)
        assert len(events(store, run_id)) == 1

    def test_a_disk_that_is_slow_for_a_while_does_not_end_the_bridge(
        self,
        collector: MetricsCollector,
        store: RunStore,
        bridged: Bridge,
        clock: ManualClock,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Case 35: a listener that is slow ten times is left out for good; this one is not."""
        run_id = store.start_run("one")
        emit = store.emit

        def slowly(*args: Any, **kwargs: Any) -> bool:
            clock.advance(700)
            return emit(*args, **kwargs)

        with monkeypatch.context() as patch:
            patch.setattr(store, "emit", slowly)
            for _ in range(30):
                collector.record_api_request(**REQUEST)
        collector.record_api_request(**REQUEST)
        assert len(events(store, run_id)) == 31

    def test_the_function_is_found_under_both_of_its_names(self) -> None:
        """Python puts the module in the function's place in the package; it can be called all the same."""
        code = (
            "import buddy_core.bridge\nfrom buddy_core import bridge, MetricsCollector, RunStore\n"
            "bridge(MetricsCollector(), RunStore('/nonexistent'))()\n"
        )
        subprocess.run([sys.executable, "-c", code], check=True)
        assert callable(buddy_core.bridge)


class TestTotals:
    def totals(self, store: RunStore, run_id: str) -> tuple[Any, ...]:
        found = json.loads((store.runs_dir / run_id / "metrics.json").read_bytes())
        names = ("totalTokens", "promptTokens", "completionTokens", "totalCost")
        return tuple(found[name] for name in names)

    def test_are_the_sums_of_the_requests_when_the_agent_states_none(
        self, collector: MetricsCollector, store: RunStore, bridged: Bridge
    ) -> None:
        with store.run("one") as run:
            collector.record_api_request(**REQUEST)
            collector.record_api_request(**REQUEST)
        assert self.totals(store, run.run_id) == (13_000, 2_000, 400, 0.025)

    def test_are_the_sums_also_of_requests_that_the_agent_emits_itself(self, store: RunStore) -> None:
        with store.run("one") as run:
            run.emit("metric", {"kind": "api_request", "promptTokens": 7, "completionTokens": "3"})
            run.emit("metric", {"kind": "api_request", "promptTokens": -1, "cost": float("nan")})
            run.emit("metric", {"kind": "value", "promptTokens": 7})
            run.emit("metric", [1])
        assert self.totals(store, run.run_id) == (10, 7, 3, 0.0)

    def test_are_the_agents_own_words_where_it_states_any(
        self, collector: MetricsCollector, store: RunStore, bridged: Bridge
    ) -> None:
        with store.run("one") as run:
            collector.record_api_request(**REQUEST)
            run.update_metrics(total_tokens=7)
        assert self.totals(store, run.run_id) == (7, 0, 0, 0.0125)


class TestCustomMetrics:
    def test_a_point_is_an_event_with_name_value_and_labels(
        self, collector: MetricsCollector, store: RunStore, bridged: Bridge
    ) -> None:
        run_id = store.start_run("one")
        collector.record("queue_depth", 7, {"queue": "tools"})
        collector.increment("retries", 2)
        collector.increment("retries", 3)
        assert [event.data for event in events(store, run_id)] == [
            {"kind": "value", "name": "queue_depth", "value": 7, "labels": {"queue": "tools"}},
            {"kind": "value", "name": "retries", "value": 2, "labels": {}},
            {"kind": "value", "name": "retries", "value": 5, "labels": {}},
        ]
        _, monitor = seen_by_a_monitor(store)
        assert [point.value for point in monitor.get_metric_history("retries")] == [2, 5]

    def test_a_flood_is_thinned_and_its_last_point_is_there(
        self, collector: MetricsCollector, store: RunStore, bridged: Bridge
    ) -> None:
        with store.run("one") as run:
            for number in range(10_000):
                collector.record("progress", number)
            collector.record("calm", 1)
        assert values(store, run.run_id) == [*range(BURST), 1, 9_999]
        assert bridged.thinned == 10_000 - BURST - 1
        assert bridged.values == BURST + 2

    def test_a_flood_that_lasts_gives_a_point_a_second(
        self, collector: MetricsCollector, store: RunStore, bridged: Bridge, clock: ManualClock
    ) -> None:
        with store.run("one") as run:
            for number in range(20_000):
                clock.advance(10)
                collector.record("progress", number)
        assert BURST + 199 <= len(values(store, run.run_id)) <= BURST + 201
        assert values(store, run.run_id)[-1] == 19_999

    def test_a_calm_series_loses_nothing_however_long(
        self, collector: MetricsCollector, store: RunStore, bridged: Bridge, clock: ManualClock
    ) -> None:
        run_id = store.start_run("one")
        for number in range(300):
            clock.advance(1_000)
            collector.record("progress", number)
        assert values(store, run_id) == list(range(300))

    def test_what_is_held_back_is_written_when_the_bridge_is_taken_down(
        self, collector: MetricsCollector, store: RunStore, bridged: Bridge
    ) -> None:
        run_id = store.start_run("one")
        for number in range(BURST + 5):
            collector.record("progress", number)
        bridged()
        assert values(store, run_id)[-1] == BURST + 4

    def test_an_agents_own_metric_may_have_a_name_that_the_collector_uses(
        self, collector: MetricsCollector, store: RunStore, bridged: Bridge
    ) -> None:
        run_id = store.start_run("one")
        collector.record("usage", 0.5)
        assert values(store, run_id) == [0.5]


class TestRecordingAndWatchingInOneProcess:
    """With one collector for both: nothing is counted twice, and nothing goes round in circles."""

    def test_what_the_observer_reads_back_is_not_counted_again(
        self, collector: MetricsCollector, store: RunStore, bridged: Bridge
    ) -> None:
        observer = Observer(store.runs_dir, collector, clock=store.clock)
        run_id = store.start_run("one")
        for number in range(5):
            collector.record_api_request(**REQUEST)
            collector.record("depth", number)
            observer.reread()
        store.end_run(run_id, "completed")
        observer.reread()
        observer.close()
        assert collector.get_provider_metrics()[0].total_requests == 5
        assert collector.get_total_tokens() == 5 * 6_500
        assert collector.get_total_cost() == pytest.approx(5 * 0.0125)
        assert [point.value for point in collector.get_metric_history("depth")] == [0, 1, 2, 3, 4]
        assert len(events(store, run_id)) == 10
        assert observer.facts()[0].total_tokens == 5 * 6_500

    def test_requests_of_other_runs_are_read_and_not_passed_on(
        self, collector: MetricsCollector, store: RunStore, bridged: Bridge, clock: ManualClock
    ) -> None:
        other = RunStore(store.runs_dir, clock=clock, durable=False)
        theirs = other.start_run("theirs")
        observer = Observer(store.runs_dir, collector, clock=clock)
        mine = store.start_run("mine")
        observer.load()
        for _ in range(3):
            other.emit(
                theirs, "metric", {"kind": "api_request", "provider": "p", "model": "m", "promptTokens": 1}
            )
            other.emit(theirs, "metric", {"kind": "value", "name": "n", "value": 1})
            observer.reread()
        observer.close()
        other.close()
        assert collector.get_total_tokens() == 3
        assert [event.type for event in store.get_events(mine)] == ["run_start"]
        assert (bridged.requests, bridged.values, bridged.dropped) == (0, 0, {})


def test_a_monitor_in_another_process_counts_what_this_one_records(
    collector: MetricsCollector, store: RunStore, bridged: Bridge
) -> None:
    code = f"""
import json
from buddy_core.metrics.collector import MetricsCollector
from buddy_core.observing.observer import Observer
collector = MetricsCollector()
observer = Observer({str(store.runs_dir)!r}, collector)
observer.load()
print(json.dumps([collector.get_total_tokens(), observer.facts()[0].total_tokens, observer.facts()[0].status]))
"""
    run_id = store.start_run("one")
    for _ in range(3):
        collector.record_api_request(**REQUEST, run_id=run_id)
    seen = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(seen.stdout)[:2] == [19_500, 19_500]
