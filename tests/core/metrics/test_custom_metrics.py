"""Metrics an agent names itself: types, histories, running totals, and what they are refused."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buddy_core import ManualClock, MetricsCollector

NOW = 1_767_890_000_000


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def collector(clock: ManualClock) -> MetricsCollector:
    return MetricsCollector(clock=clock, max_history_points=5, max_series=4)


def values(collector: MetricsCollector, name: str) -> list[float]:
    return [point.value for point in collector.get_metric_history(name)]


def type_of(collector: MetricsCollector, name: str) -> str:
    return next(metric.type for metric in collector.export().metrics if metric.name == name)


def test_an_unknown_name_is_registered_as_a_gauge_and_by_increment_as_a_counter(
    collector: MetricsCollector,
) -> None:
    collector.record("load", 1)
    collector.increment("hits")
    assert (type_of(collector, "load"), type_of(collector, "hits")) == ("gauge", "counter")


def test_history_is_oldest_first_whatever_order_points_came_in(collector: MetricsCollector) -> None:
    for age in (3, 1, 4, 2):
        collector.record("load", age, at_ms=NOW - age)
    assert values(collector, "load") == [4, 3, 2, 1]


def test_history_begins_at_the_moment_asked_for(collector: MetricsCollector) -> None:
    for age in (3, 2, 1):
        collector.record("load", age, at_ms=NOW - age)
    assert [point.value for point in collector.get_metric_history("load", NOW - 2)] == [2, 1]
    assert collector.get_metric_history("load", NOW) == []


def test_no_history_is_longer_than_its_limit(collector: MetricsCollector) -> None:
    for number in range(40):
        collector.record("load", number)
        collector.increment("hits")
        collector.record_api_request(provider="p", model="m", prompt_tokens=1, cost=1, latency_ms=number)
        collector.record_tool_execution(name="t", duration_ms=number)
        collector.record_error("e", "m")
        collector.record_message("user")
    histories = {
        metric.name: [point.value for point in metric.points] for metric in collector.export().metrics
    }
    assert {len(points) for points in histories.values()} == {5}
    assert histories["load"] == histories["response_time"] == [35, 36, 37, 38, 39]
    assert (
        histories["hits"] == histories["tokens_total"] == histories["messages_total"] == [36, 37, 38, 39, 40]
    )


def test_a_collector_without_history_still_counts() -> None:
    collector = MetricsCollector(max_history_points=0, max_errors=0)
    collector.increment("hits")
    collector.record_error("e", "m")
    assert collector.get_metric_history("hits") == collector.get_recent_errors() == []
    assert collector.export().rejected == {}


def test_a_name_nobody_knows_has_no_history(collector: MetricsCollector) -> None:
    assert collector.get_metric_history("nobody knows") == []


def test_each_label_set_has_a_running_total_of_its_own_however_its_labels_are_ordered(
    collector: MetricsCollector,
) -> None:
    collector.increment("hits", 2, {"page": "a", "host": "x"})
    collector.increment("hits", 5)
    collector.increment("hits", 3, {"host": "x", "page": "a"})
    collector.increment("hits", 4, {"page": "b", "host": "x"})
    assert values(collector, "hits") == [2, 5, 5, 4]


@pytest.mark.parametrize("amount", [-1, -0.5, math.nan, math.inf, 1e300])
def test_a_counter_takes_no_step_back_and_no_nonsense(collector: MetricsCollector, amount: float) -> None:
    """Case 86: also where the value is said outright, and in counters that are always there."""
    collector.register_metric("hits", type="counter")
    for name in ("hits", "messages_total", "unknown"):
        collector.increment(name, amount)
    for name in ("hits", "tokens_total"):
        collector.record(name, amount)
    assert [values(collector, name) for name in ("hits", "messages_total", "tokens_total")] == [[], [], []]
    assert sum(collector.export().rejected.values()) == 5
    assert "unknown" not in [metric.name for metric in collector.export().metrics]


def test_a_counter_told_its_total_counts_on_from_there_and_never_takes_any_back(
    collector: MetricsCollector,
) -> None:
    collector.register_metric("bytes", type="counter")
    collector.record("bytes", 100)
    collector.increment("bytes", 5)
    collector.record("bytes", 50)
    collector.increment("bytes", 5)
    assert values(collector, "bytes") == [100, 105, 50, 110]


def test_a_gauge_may_go_up_and_down(collector: MetricsCollector) -> None:
    collector.register_metric("waiting", type="gauge")
    for amount in (3, -1, -5):
        collector.increment("waiting", amount)
    assert values(collector, "waiting") == [3, 2, -3]


def test_a_histogram_has_no_total_to_add_to(collector: MetricsCollector) -> None:
    collector.register_metric("size", type="histogram", unit="bytes")
    collector.record("size", 7)
    collector.increment("size", 7)
    assert values(collector, "size") == [7]
    assert collector.export().rejected == {"no counter": 1}


def test_a_type_there_is_not_is_a_slip_found_at_once(collector: MetricsCollector) -> None:
    with pytest.raises(ValueError, match="counter, gauge, histogram"):
        collector.register_metric("load", type="guage")  # type: ignore[arg-type]


def test_a_long_description_is_cut(collector: MetricsCollector) -> None:
    metric = collector.register_metric("load", type="gauge", description="d" * 10**6, unit="u" * 10**6)
    assert len(metric.description) + len(metric.unit or "") < 2_000


def test_label_sets_past_the_limit_go_to_other_whoever_records_them(collector: MetricsCollector) -> None:
    for number in range(20):
        collector.record("load", number, {"host": f"h{number}"})
    collector.increment("hits", 1, {"page": "a"})
    collector.increment("hits", 1, {"page": "b"})
    labels = [dict(point.labels) for point in collector.get_metric_history("load")]
    assert labels == [{"labels": "other"}] * 5
    assert values(collector, "hits") == [1, 2]
    assert collector.export().overflow == {"metric": 18}


def test_known_label_sets_keep_their_place_past_the_limit(collector: MetricsCollector) -> None:
    for number in range(9):
        collector.increment("hits", 1, {"page": f"p{number}"})
    collector.increment("hits", 1, {"page": "p0"})
    collector.increment("hits")
    assert [(point.value, dict(point.labels)) for point in collector.get_metric_history("hits")[-2:]] == [
        (2, {"page": "p0"}),
        (1, {}),
    ]


def test_messages_are_counted_by_role_however_many_labels_there_are(collector: MetricsCollector) -> None:
    for number in range(20):
        collector.increment("hits", 1, {"page": f"p{number}"})
    for role in ("user", "assistant", "assistant", "system", "tool"):
        collector.record_message(role)  # type: ignore[arg-type]
    points = collector.get_metric_history("messages_total")
    assert [(point.labels["role"], point.value) for point in points] == [
        ("user", 1), ("assistant", 1), ("assistant", 2), ("system", 1), ("tool", 1),
    ]  # fmt: skip


def test_error_types_past_the_limit_are_counted_as_other(collector: MetricsCollector) -> None:
    for letter in "abcdefg":
        collector.record_error(letter, "message")
    points = [(point.labels["type"], point.value) for point in collector.get_metric_history("errors_total")]
    assert points == [("c", 1), ("d", 1), ("other", 1), ("other", 2), ("other", 3)]


@pytest.mark.parametrize(
    "labels",
    [["a"], "text", 7, {"a" * 300: "x"}, {"a": "x" * 300}, {str(number): "x" for number in range(17)}],
    ids=["list", "text", "number", "long key", "long value", "many"],
)
def test_labels_that_are_none_refuse_the_point(collector: MetricsCollector, labels: Any) -> None:
    collector.record("load", 1, labels)
    collector.increment("hits", 1, labels)
    assert values(collector, "load") == values(collector, "hits") == []
    assert sum(collector.export().rejected.values()) == 2


def test_numbers_and_truths_in_labels_become_text(collector: MetricsCollector) -> None:
    collector.record("load", 1, {"port": 80, "up": True})  # type: ignore[dict-item]
    assert collector.get_metric_history("load")[0].labels == {"port": "80", "up": "True"}


def test_the_host_may_go_on_changing_its_labels(collector: MetricsCollector) -> None:
    labels = {"host": "a"}
    collector.record("load", 1, labels)
    labels["host"] = "b"
    assert collector.get_metric_history("load")[0].labels == {"host": "a"}


@given(st.lists(st.tuples(st.sampled_from("ab"), st.floats(0, 1e9)), max_size=30))
def test_running_totals_are_the_sums_of_a_recount_and_never_fall(steps: list[tuple[str, float]]) -> None:
    collector = MetricsCollector(clock=ManualClock(NOW))
    totals: dict[str, float] = {}
    expected = []
    for page, amount in steps:
        collector.increment("hits", amount, {"page": page})
        totals[page] = totals.get(page, 0) + amount
        expected.append(totals[page])
    assert values(collector, "hits") == expected
