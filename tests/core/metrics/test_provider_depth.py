"""One provider and model in depth: the errors that concern it, the runs that used it, its slowest answers."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buddy_core.clock import ManualClock
from buddy_core.metrics.collector import MetricsCollector
from buddy_core.metrics.counting.blame import MOST_KINDS
from buddy_core.metrics.model import ApiRequest, ErrorRecord
from buddy_core.metrics.recording.batch import HistoryBatch
from buddy_core.metrics.window import Window
from buddy_core.observing.observer import Observer
from buddy_core.prices.rates import Rates
from buddy_core.prices.table import PriceEntry, PriceTable
from buddy_core.runs.folding.uses import MOST_MODELS, ModelUses
from buddy_core.testing import RunDirectoryBuilder

NOW = 1_767_961_867_000
HOUR = 3_600_000
OPUS, MINI = "anthropic/opus", "openai/mini"


@pytest.fixture
def collector() -> MetricsCollector:
    """One request of each of two models, a minute ago."""
    made = MetricsCollector(clock=ManualClock(NOW))
    for key in (OPUS, MINI):
        provider, model = key.split("/")
        made.record_api_request(provider=provider, model=model, latency_ms=1000.0, at_ms=NOW - 60_000)
    return made


def told(collector: MetricsCollector, key: str, window: Window = Window.ALL) -> list[tuple[str, int]]:
    """Message and count of each kind of error of a model."""
    return [(group.latest.message, group.count) for group in collector.provider_errors(key, window)]


def test_an_error_concerns_whom_its_context_names(collector: MetricsCollector) -> None:
    both = {"provider": "anthropic", "model": "opus"}
    collector.record_error("overloaded", "try later", context=both)
    collector.record_error("overloaded", "try later", context={"provider": "openai", "model": "mini"})
    collector.record_error("quota", "used up", context={"provider": "anthropic"})
    collector.record_error("refused", "no such model", context={"model": "opus"})
    collector.record_error("other", "something else", context={"provider": "anthropic", "model": "haiku"})
    assert sorted(told(collector, OPUS)) == [("no such model", 1), ("try later", 1), ("used up", 1)]
    assert told(collector, MINI) == [("try later", 1)]


def test_an_error_without_such_a_context_concerns_the_provider_its_message_begins_with(
    collector: MetricsCollector,
) -> None:
    collector.record_error("error", "Anthropic: 529 overloaded")
    collector.record_error("error", "Anthropic: 503 overloaded")
    collector.record_error("error", "anthropics are people")
    collector.record_error("error", "no answer from anthropic")
    assert told(collector, OPUS) == [("Anthropic: 503 overloaded", 2)]
    assert told(collector, MINI) == []


def test_what_a_context_says_counts_more_than_how_the_message_begins(collector: MetricsCollector) -> None:
    context = {"provider": "openai", "model": "mini"}
    collector.record_error("error", "anthropic: not the one that failed", context=context)
    assert told(collector, OPUS) == []
    assert told(collector, MINI) == [("anthropic: not the one that failed", 1)]


def test_one_kind_told_with_and_without_the_model_is_one_kind(collector: MetricsCollector) -> None:
    collector.record_error("e", "late", context={"provider": "anthropic"}, run_id="run_a", at_ms=NOW - 5000)
    both = {"provider": "anthropic", "model": "opus"}
    collector.record_error("e", "late", context=both, run_id="run_b", at_ms=NOW - 9000)
    (group,) = collector.provider_errors(OPUS, Window.ALL)
    assert (group.count, group.first_at, group.last_at) == (2, NOW - 9000, NOW - 5000)
    assert group.run_ids == ("run_a", "run_b")


@given(st.lists(st.tuples(st.sampled_from([OPUS, MINI]), st.integers(0, 48)), max_size=40))
def test_the_counts_of_a_window_equal_a_recount(errors: list[tuple[str, int]]) -> None:
    collector = MetricsCollector(clock=ManualClock(NOW))
    for key in (OPUS, MINI):
        provider, model = key.split("/")
        collector.record_api_request(provider=provider, model=model)
    for key, hours in errors:
        provider, model = key.split("/")
        context = {"provider": provider, "model": model}
        collector.record_error("e", "late", context=context, at_ms=NOW - hours * HOUR - 61_000)
    for key in (OPUS, MINI):
        inside = [hours for name, hours in errors if name == key and hours < 24]
        assert sum(count for _, count in told(collector, key, Window.H24)) == len(inside)


def test_a_flood_of_kinds_and_names_is_bounded(collector: MetricsCollector) -> None:
    """What an input names may be anything, and any number of things."""
    for number in range(MOST_KINDS + 50):
        name = "".join(chr(97 + int(digit)) for digit in str(number))
        collector.record_error(name, "late", context={"provider": "anthropic", "model": "opus"})
    assert len(collector.provider_errors(OPUS, Window.ALL)) == MOST_KINDS
    for context in ({"provider": 7}, {"model": ["opus"]}, {"provider": "x" * 500}, {"provider": ""}):
        collector.record_error("odd", "context", context=context)
    assert ("context", 4) not in told(collector, OPUS)


def test_history_read_in_bulk_is_blamed_alike(collector: MetricsCollector) -> None:
    record = ErrorRecord(NOW - 5, "e", "late", context={"provider": "anthropic", "model": "opus"})
    collector.absorb(HistoryBatch("run_a", errors=[record, record]))
    assert told(collector, OPUS) == [("late", 2)]


def test_the_latest_failed_request_is_known_live_and_in_bulk(collector: MetricsCollector) -> None:
    def last_failed() -> list[int | None]:
        return [
            row.last_failed_at for row in sorted(collector.view(Window.ALL).providers, key=lambda r: r.model)
        ]

    assert last_failed() == [None, None]
    collector.record_api_request(provider="openai", model="mini", success=False, at_ms=NOW - 9000)
    past = [ApiRequest("anthropic", "opus", success=n != 3, at_ms=NOW - 50_000 + n) for n in range(8)]
    collector.absorb(HistoryBatch("run_a", requests=past))
    assert last_failed() == [NOW - 9000, NOW - 49_997]


def test_each_slice_of_time_has_the_95th_percentile_of_its_own_latencies(collector: MetricsCollector) -> None:
    for number in range(1, 101):
        collector.record_api_request(
            provider="anthropic", model="opus", latency_ms=10.0 * number, at_ms=NOW - 5 * 60_000
        )
    points = collector.history("provider", OPUS, Window.M15, 15)
    slow = {point.p95_ms for point in points if point.count == 100}
    assert len(slow) == 1
    assert math.isclose(slow.pop() or 0.0, 950.0, rel_tol=0.02)
    assert all(point.p95_ms is None for point in points if not point.count)
    (row,) = (row for row in collector.view(Window.ALL).providers if row.model == "opus")
    assert math.isclose(row.p99_latency_ms or 0.0, 990.0, rel_tol=0.02)


def test_a_run_shows_what_it_used_of_one_model_and_not_of_others(tmp_path: Path) -> None:
    mixed = RunDirectoryBuilder(tmp_path, started_at=NOW - 2 * HOUR, suffix="aaaaaa")
    mixed.request("anthropic", "opus", prompt=100, completion=10, cost=0.5)
    mixed.request("openai", "mini", prompt=7, completion=3)
    mixed.request("anthropic", "opus", prompt=0, completion=0, success=False).end().write()
    later = RunDirectoryBuilder(tmp_path, started_at=NOW - HOUR, suffix="bbbbbb")
    later.request("anthropic", "opus", prompt=20, completion=0, cost=0.1).end().write()
    silent = RunDirectoryBuilder(
        tmp_path, started_at=NOW - 3 * HOUR, suffix="cccccc", metadata={"tags": ["headless", "opus"]}
    )
    silent.tool("bash", {"command": "true"}).end().write()
    observer = Observer(tmp_path, MetricsCollector(clock=ManualClock(NOW)), clock=ManualClock(NOW))
    observer.load()
    uses = observer.model_uses("anthropic", "opus")
    assert [(use.run_id, use.requests, use.failures, use.tokens, use.total_cost) for use in uses] == [
        (later.run_id, 1, 0, 20, 0.1),
        (mixed.run_id, 2, 1, 110, 0.5),
        (silent.run_id, 0, 0, None, None),
    ]
    assert [use.tokens for use in observer.model_uses("openai", "mini")] == [10]
    assert observer.model_uses("openai", "mini")[0].total_cost is None
    since = NOW - HOUR - 1
    assert [use.run_id for use in observer.model_uses("anthropic", "opus", since)] == [later.run_id]
    observer.close()


def test_what_nobody_stated_is_estimated_until_the_run_states_its_cost(tmp_path: Path) -> None:
    dollar = PriceTable([PriceEntry("opus", Rates(1.0, 1.0))])
    run = RunDirectoryBuilder(tmp_path, started_at=NOW - HOUR)
    run.request("anthropic", "opus", prompt=1_000_000, completion=0)
    run.request("anthropic", "opus", prompt=500, completion=0, cost=0.25).write()
    clock = ManualClock(NOW)
    observer = Observer(tmp_path, MetricsCollector(clock=clock, prices=dollar), clock=clock)
    observer.load()
    (use,) = observer.model_uses("anthropic", "opus")
    assert (use.total_cost, use.estimated_cost) == (1.25, 1.0)
    run.end().metrics(totalCost=3.0).write()
    observer.load()
    (use,) = observer.model_uses("anthropic", "opus")
    assert (use.total_cost, use.estimated_cost) == (0.25, None)
    observer.close()


def test_a_run_that_is_gone_is_not_listed_and_not_counted_twice_when_it_comes_back(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    run = RunDirectoryBuilder(runs, started_at=NOW - HOUR).request(
        "anthropic", "opus", prompt=5, completion=0
    )
    run.end().write()
    observer = Observer(runs, MetricsCollector(clock=ManualClock(NOW)), clock=ManualClock(NOW))
    observer.load()
    (runs / run.run_id).rename(tmp_path / "aside")
    observer.load()
    assert observer.model_uses("anthropic", "opus") == ()
    (tmp_path / "aside").rename(runs / run.run_id)
    observer.load()
    assert [use.tokens for use in observer.model_uses("anthropic", "opus")] == [5]
    observer.close()


def test_a_run_of_very_many_models_has_bounded_uses() -> None:
    uses = ModelUses()
    row = (NOW, 1, 0, 0, 0, None, None, None, True)
    for number in range(MOST_MODELS + 10):
        uses.add("run_a", ("p", f"m{number}"), [row])
    assert [len(uses.of("p", f"m{number}")) for number in (0, MOST_MODELS)] == [1, 0]
    uses.forget("run_a")
    assert not uses.known("run_a")
    assert uses.of("p", "m0") == ()
