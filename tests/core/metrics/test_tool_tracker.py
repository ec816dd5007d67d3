"""The tool tracker: a rolling window, an exact formula, and a table that survives any name."""

from __future__ import annotations

import math
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buddy_core import (
    ManualClock,
    ToolMetricsTracker,
    get_tool_metrics_tracker,
    reset_tool_metrics_tracker,
)
from buddy_core.metrics.tools import WINDOW
from buddy_core.safety.columns import cells
from buddy_core.safety.text import is_plain

NOW = 1_767_890_000_000


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def tracker(clock: ManualClock) -> ToolMetricsTracker:
    return ToolMetricsTracker(clock=clock, max_tools=5)


def test_a_tool_nobody_called_has_no_metric_and_an_even_chance(tracker: ToolMetricsTracker) -> None:
    assert tracker.get_metric("bash") is None
    assert tracker.get_reliability_score("bash") == 0.5
    assert tracker.get_all_metrics() == []
    assert tracker.format_summary() == "no tool calls yet"


def test_every_field_of_a_metric_is_what_was_recorded(
    tracker: ToolMetricsTracker, clock: ManualClock
) -> None:
    for latency, success in ((10, True), (40, False), (20, True), (30, True)):
        tracker.record("bash", success, latency)
        clock.advance(7)
    metric = tracker.get_metric("bash")
    assert metric is not None
    assert (metric.name, metric.total_calls, metric.success_count, metric.failure_count) == ("bash", 4, 3, 1)
    assert (metric.success_rate, metric.avg_latency_ms) == (0.75, 25)
    assert (metric.p50_latency_ms, metric.p95_latency_ms) == (20, 40)
    assert (metric.min_latency_ms, metric.max_latency_ms) == (10, 40)
    assert metric.last_invoked_at == NOW + 21


def test_a_metric_cannot_be_changed(tracker: ToolMetricsTracker) -> None:
    tracker.record("bash", True, 1)
    with pytest.raises(AttributeError):
        tracker.get_all_metrics()[0].total_calls = 2  # type: ignore[misc]


def test_latencies_are_those_of_the_last_hundred_calls_and_counts_of_all(tracker: ToolMetricsTracker) -> None:
    for latency in range(250):
        tracker.record("bash", True, latency)
    metric = tracker.get_metric("bash")
    assert metric is not None
    assert (metric.total_calls, metric.min_latency_ms, metric.max_latency_ms) == (250, 150, 249)
    assert (metric.avg_latency_ms, metric.p50_latency_ms, metric.p95_latency_ms) == (199.5, 199, 244)


@pytest.mark.parametrize(
    ("calls", "score"),
    [
        ([(True, 0)], 1.0),
        ([(False, 0)], 0.2),
        ([(True, 15_000)], 0.9),
        ([(True, 30_000)], 0.8),
        ([(True, 90_000)], 0.8),
        ([(True, 3_000), (False, 9_000)], 0.4 + 0.2 * 0.8),
        ([(True, None)], 0.9),
        ([(True, None), (True, 0)], 1.0),
    ],
)
def test_reliability_is_four_fifths_success_and_one_fifth_speed(
    tracker: ToolMetricsTracker, calls: list[tuple[bool, float | None]], score: float
) -> None:
    for success, latency in calls:
        tracker.record("bash", success, latency)
    assert tracker.get_reliability_score("bash") == pytest.approx(score)


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 1e9)), min_size=1, max_size=150))
def test_every_number_equals_a_plain_recount(calls: list[tuple[bool, float]]) -> None:
    tracker = ToolMetricsTracker(clock=ManualClock(NOW))
    for success, latency in calls:
        tracker.record("bash", success, latency)
    (metric,) = tracker.get_all_metrics()
    window = sorted(latency for _, latency in calls[-WINDOW:])
    successes = sum(success for success, _ in calls)
    average = sum(window) / len(window)
    assert (metric.total_calls, metric.success_count) == (len(calls), successes)
    assert metric.success_rate == successes / len(calls)
    assert metric.avg_latency_ms == pytest.approx(average)
    assert metric.p50_latency_ms == window[math.ceil(len(window) * 0.5) - 1]
    assert sum(value <= (metric.p95_latency_ms or 0) for value in window) >= 0.95 * len(window)
    assert sum(value < (metric.p95_latency_ms or 0) for value in window) < 0.95 * len(window)
    expected = 0.8 * successes / len(calls) + 0.2 * max(0, 1 - average / 30_000)
    assert tracker.get_reliability_score("bash") == pytest.approx(expected)


def test_the_most_called_tool_comes_first_and_equals_by_name(tracker: ToolMetricsTracker) -> None:
    for name in ("view", "bash", "edit", "bash"):
        tracker.record(name, True, 1)
    assert [metric.name for metric in tracker.get_all_metrics()] == ["bash", "edit", "view"]


def test_a_latency_nobody_measured_is_unknown_and_not_zero(tracker: ToolMetricsTracker) -> None:
    tracker.record("bash", True, None)
    (metric,) = tracker.get_all_metrics()
    assert metric.total_calls == 1
    assert metric.avg_latency_ms is metric.p50_latency_ms is metric.min_latency_ms is None
    assert tracker.rejected == {}
    assert "–" in tracker.format_summary()


@pytest.mark.parametrize("latency", [math.nan, math.inf, -math.inf, -1, 10**400, "12", [], True])
def test_a_latency_that_is_none_is_refused_and_the_call_still_counts(
    tracker: ToolMetricsTracker, latency: Any
) -> None:
    """Case 86."""
    tracker.record("bash", True, latency)
    (metric,) = tracker.get_all_metrics()
    assert (metric.total_calls, metric.avg_latency_ms) == (1, None)
    assert sum(tracker.rejected.values()) == 1


class _Hostile:
    def __bool__(self) -> bool:
        raise RuntimeError("no")

    __hash__ = None  # type: ignore[assignment]


@pytest.mark.parametrize("name", ["", "x" * 1_000, None, 7, b"bash", [], _Hostile()])
def test_a_name_that_is_none_is_refused(tracker: ToolMetricsTracker, name: Any) -> None:
    tracker.record(name, True, 1)
    assert tracker.get_all_metrics() == []
    assert sum(tracker.rejected.values()) == 1


def test_a_success_that_cannot_be_told_is_refused_and_raises_nothing(tracker: ToolMetricsTracker) -> None:
    tracker.record("bash", _Hostile(), 1)  # type: ignore[arg-type]
    assert tracker.get_all_metrics() == []
    assert sum(tracker.rejected.values()) == 1


def test_past_the_limit_tools_count_as_other(tracker: ToolMetricsTracker) -> None:
    for number in range(100):
        tracker.record(f"tool{number}", True, 1)
    metrics = tracker.get_all_metrics()
    assert len(metrics) == 6
    assert (metrics[0].name, metrics[0].total_calls) == ("other", 95)


def test_eight_threads_lose_no_call() -> None:
    tracker = ToolMetricsTracker()
    start = threading.Barrier(8)

    def work() -> None:
        start.wait()
        for turn in range(1_000):
            tracker.record(f"t{turn % 3}", turn % 2 == 0, turn)
            if turn % 100 == 0:
                tracker.format_summary()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    metrics = tracker.get_all_metrics()
    assert sum(metric.total_calls for metric in metrics) == 8_000
    assert sum(metric.failure_count for metric in metrics) == 4_000


def test_the_summary_is_an_aligned_table(tracker: ToolMetricsTracker) -> None:
    for _ in range(3):
        tracker.record("bash", True, 1_500)
    tracker.record("view_file", False, 20)
    assert tracker.format_summary() == (
        "tool       calls  failed  success    avg    p50    p95    max  score\n"
        "bash           3       0    100 %  1.5 s  1.5 s  1.5 s  1.5 s   0.99\n"
        "view_file      1       1      0 %  20 ms  20 ms  20 ms  20 ms   0.20"
    )


@given(st.lists(st.text(min_size=1, max_size=60), max_size=8))
def test_the_summary_is_printable_and_aligned_whatever_tools_are_called(names: list[str]) -> None:
    """Cases 55 to 58 and 61: names as carriers."""
    tracker = ToolMetricsTracker(clock=ManualClock(NOW))
    for name in ["\x1b]0;x\x07", "日本語のツール", "a\nb", "\ud83c", *names]:
        tracker.record(name, True, 5)
    lines = tracker.format_summary().split("\n")
    assert len(lines) == 1 + len(tracker.get_all_metrics())
    assert all(is_plain(line) for line in lines)
    assert len({cells(line) for line in lines}) == 1


def test_reset_forgets_everything(tracker: ToolMetricsTracker) -> None:
    tracker.record("bash", True, math.nan)
    tracker.reset()
    assert (tracker.get_all_metrics(), tracker.rejected) == ([], {})


def test_the_process_has_one_tracker_until_it_is_reset() -> None:
    reset_tool_metrics_tracker()
    first = get_tool_metrics_tracker()
    assert get_tool_metrics_tracker() is first
    reset_tool_metrics_tracker()
    assert get_tool_metrics_tracker() is not first
    reset_tool_metrics_tracker()
