"""The host never suffers: nonsense is refused and counted, and every collection is bounded."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buddy_core import ErrorRecord, HistoryBatch, ManualClock, MetricsCollector, ToolColumn, Window
from buddy_core.metrics.counting import grains, ledger
from buddy_core.metrics.counting.activity import MINUTES_HELD
from buddy_core.metrics.recording.checks import LONGEST_NAME

NOW = 1_767_890_000_000


@pytest.fixture
def collector() -> MetricsCollector:
    return MetricsCollector(clock=ManualClock(NOW), max_series=5)


def refused(collector: MetricsCollector) -> int:
    return sum(collector.export().rejected.values())


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -1.0, 1e300, 10**400, "12", [], True])
def test_a_number_that_is_none_becomes_unknown_and_is_counted(
    collector: MetricsCollector, value: Any
) -> None:
    """Case 86."""
    collector.record_api_request(provider="p", model="m", prompt_tokens=7, cost=value)
    collector.record_api_request(provider="p", model="m", prompt_tokens=7, latency_ms=value, ttft_ms=value)
    collector.record_tool_execution(name="t", duration_ms=value)
    (provider,), (tool,) = collector.get_provider_metrics(), collector.get_tool_metrics()
    assert (provider.total_requests, provider.total_tokens, provider.total_cost) == (2, 14, None)
    assert provider.avg_latency_ms is provider.avg_ttft_ms is None
    assert (tool.total_calls, tool.avg_duration_ms) == (1, None)
    assert refused(collector) == 4


@pytest.mark.parametrize("value", [-1, math.nan, 1.5, 10**400, "7", None, True])
def test_a_count_that_is_none_is_zero_and_counted(collector: MetricsCollector, value: Any) -> None:
    """Case 86."""
    collector.record_api_request(provider="p", model="m", prompt_tokens=value, completion_tokens=3)
    collector.record_usage(total_tokens=value)
    assert collector.get_total_tokens() == 3
    assert refused(collector) == 2


@pytest.mark.parametrize("value", [math.nan, math.inf, "x", None])
def test_a_point_without_a_number_is_not_recorded(collector: MetricsCollector, value: Any) -> None:
    """Case 86."""
    collector.record("load", value)
    collector.increment("hits", value)
    assert collector.get_metric_history("load") == collector.get_metric_history("hits") == []
    assert refused(collector) == 2


def test_a_counter_never_goes_down(collector: MetricsCollector) -> None:
    collector.increment("hits", 5)
    collector.increment("hits", -3)
    assert [point.value for point in collector.get_metric_history("hits")] == [5]
    assert collector.export().rejected == {"negative": 1}


@pytest.mark.parametrize("name", ["x" * (LONGEST_NAME + 1), "", None, 7, b"bytes", [], {}])
def test_a_name_that_is_none_refuses_the_record(collector: MetricsCollector, name: Any) -> None:
    collector.record_tool_execution(name=name)
    collector.record_api_request(provider=name, model="m")
    collector.record_api_request(provider="p", model=name)
    collector.record_error(name, "message")
    collector.record(name, 1)
    collector.increment(name)
    collector.register_metric(name, type="gauge")
    collector.start_session(name)
    collector.absorb(HistoryBatch(tools={"fine": ToolColumn([NOW], [1.0], [True])}))
    view = collector.view(Window.ALL)
    assert (view.total_tool_calls, view.total_requests, view.total_errors) == (1, 0, 0)
    assert refused(collector) == 8


@given(
    st.dictionaries(
        st.sampled_from(["provider", "model", "prompt_tokens", "cost", "latency_ms", "success", "at_ms"]),
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary(), st.just([])),
    )
)
def test_recording_never_raises_and_totals_stay_finite(arguments: dict[str, Any]) -> None:
    """Case 86."""
    collector = MetricsCollector(clock=ManualClock(NOW))
    collector.record_api_request(**{"provider": "p", "model": "m", **arguments})
    collector.record_tool_execution(
        name=arguments.get("model", "t"),
        duration_ms=arguments.get("latency_ms"),
        success=False,
        error=arguments.get("provider"),
        at_ms=arguments.get("at_ms"),
    )
    collector.record_error(arguments.get("provider", "e"), arguments.get("model", "m"), context={"a": 1})
    collector.record(
        arguments.get("provider", "g"), arguments.get("cost", 1), {"k": arguments.get("model", "")}
    )
    for window in Window:
        view = collector.view(window)
        assert math.isfinite(view.total_cost or 0)
        assert (view.total_tokens or 0) >= 0
        assert all(math.isfinite(row.total_duration_ms) for row in view.tools)


def test_an_unknown_role_is_refused(collector: MetricsCollector) -> None:
    collector.record_message("root")  # type: ignore[arg-type]
    assert collector.get_metric_history("messages_total") == []
    assert refused(collector) == 1


def test_past_the_limit_everything_goes_to_other_and_is_counted(collector: MetricsCollector) -> None:
    for number in range(20):
        collector.record_tool_execution(name=f"tool{number}", duration_ms=1)
        collector.record_api_request(provider=f"provider{number}", model="m", prompt_tokens=1)
        collector.record_error(f"type{chr(97 + number)}", "message")
        collector.increment("hits", 1, {"page": f"page{number}"})
    view = collector.view(Window.ALL)
    assert len(view.tools) == len(view.providers) == len(view.errors) == 6
    assert next(row for row in view.tools if row.name == "other").total_calls == 15
    assert next(row for row in view.providers if row.model == "other").total_requests == 15
    assert next(row for row in view.errors if row.fingerprint == "other").count == 15
    assert (view.total_tool_calls, view.total_tokens, view.total_errors) == (20, 20, 20)
    assert collector.export().overflow == {"tool": 15, "provider": 15, "error": 15, "metric": 15}
    assert collector.get_metric_history("hits")[-1].value == 15


def test_the_number_of_metrics_is_bounded(collector: MetricsCollector) -> None:
    for number in range(20):
        collector.record(f"metric{number}", number)
    assert len(collector.export().metrics) == 6 + 5 + 1
    assert collector.get_metric_history("other")[-1].value == 19


def test_labels_are_bounded(collector: MetricsCollector) -> None:
    collector.record("load", 1, {f"label{number}": "x" for number in range(17)})
    collector.record("load", 1, {"label": "x" * (LONGEST_NAME + 1)})
    assert collector.get_metric_history("load") == []
    assert refused(collector) == 2


def test_an_enormous_error_is_cut_before_it_is_kept(collector: MetricsCollector) -> None:
    collector.record_error("e", "m" * 10**6, stack="s" * 10**6, context={"output": "o" * 10**6})
    (error,) = collector.get_recent_errors()
    assert len(error.message) + len(error.stack or "") + len((error.context or {})["output"]) < 50_000


def test_when_no_bucket_is_free_the_totals_still_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "BUCKETS", 3)
    collector = MetricsCollector(clock=ManualClock(NOW))
    for hour in range(10):
        collector.record_tool_execution(name="bash", at_ms=NOW - hour * grains.HOUR)
    assert collector.view(Window.ALL).total_tool_calls == 10
    assert collector.view(Window.D7).total_tool_calls < 10
    assert collector.export().overflow["bucket"] > 0


def test_buckets_too_old_to_be_looked_at_are_given_back() -> None:
    clock = ManualClock(NOW)
    collector = MetricsCollector(clock=clock)
    for _ in range(4_000):
        collector.record_tool_execution(name="bash", duration_ms=1)
        clock.advance(grains.MINUTE)
    tiers = collector._ledger.tools["bash"].tiers
    assert len(tiers.minutes) <= grains.MINUTES_KEPT + 10
    assert collector.view(Window.H24).total_tool_calls == 1_440


def test_recording_inside_a_record_by_a_signal_handler_does_not_wait_for_itself(
    collector: MetricsCollector,
) -> None:
    with collector._lock:
        collector.record_tool_execution(name="bash")
    assert collector.get_total_tool_calls() == 1


def test_very_many_series_are_merged_as_exactly_as_a_few() -> None:
    collector = MetricsCollector(clock=ManualClock(NOW))
    for number in range(130):
        for age in range(number % 4):
            collector.record_tool_execution(name=f"tool{number}", at_ms=NOW - age * 30 * grains.MINUTE)
    assert collector.view(Window.M15).total_tool_calls == 97
    assert collector.view(Window.H24).total_tool_calls == sum(number % 4 for number in range(130))


def test_an_absorbed_error_is_checked_as_a_recorded_one(collector: MetricsCollector) -> None:
    nonsense = ErrorRecord(10**400, "type", "message")
    collector.absorb(HistoryBatch(errors=[ErrorRecord(NOW, "x" * 1_000, "message"), nonsense]))
    (error,) = collector.get_recent_errors()
    assert (error.timestamp, error.type) == (0, "type")
    assert collector.view(Window.H1).total_errors == 0
    assert refused(collector) == 2


def test_activity_of_many_minutes_is_kept_by_the_hour_and_nothing_is_lost() -> None:
    collector = MetricsCollector(clock=ManualClock(NOW))
    minutes = MINUTES_HELD + 2_000
    at_ms = [NOW - age * grains.MINUTE for age in range(minutes, 0, -1)]
    for start in range(0, minutes, 500):
        piece = at_ms[start : start + 500]
        collector.absorb(
            HistoryBatch(tools={"bash": ToolColumn(piece, [None] * len(piece), [True] * len(piece))})
        )
    collector.record_tool_execution(name="bash", at_ms=at_ms[0])
    log = collector._ledger.activity
    assert len(log._minutes) <= MINUTES_HELD + 60
    everything, week = collector.activity(Window.ALL, 50), collector.activity(Window.D7, 50)
    assert sum(bucket.tool_calls for bucket in everything.buckets) == minutes + 1
    assert sum(bucket.tool_calls for bucket in week.buckets) == collector.view(Window.D7).total_tool_calls
