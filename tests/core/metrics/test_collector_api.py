"""The collector's names, arguments and frozen values are those that were promised."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import FrozenInstanceError, fields
from typing import Any

import pytest

import buddy_core
from buddy_core import (
    DashboardState,
    ErrorRecord,
    ManualClock,
    Metric,
    MetricPoint,
    MetricsCollector,
    ProviderMetrics,
    SessionMetrics,
    ToolMetric,
    ToolMetrics,
    ToolMetricsTracker,
)

NOW = 1_767_890_000_000

SIGNATURES = {
    MetricsCollector.__init__: (
        "*, clock=None, max_history_points=1000, max_errors=100, max_series=2000, prices=None"
    ),
    MetricsCollector.register_metric: "name, *, type, description='', unit=None",
    MetricsCollector.record: "name, value, labels=None, *, at_ms=None",
    MetricsCollector.increment: "name, amount=1, labels=None, *, at_ms=None",
    MetricsCollector.record_api_request: (
        "*, provider, model, prompt_tokens=0, completion_tokens=0, cache_read_tokens=0, cache_write_tokens=0,"
        " cost=None, latency_ms=None, ttft_ms=None, success=True, run_id=None, at_ms=None"
    ),
    MetricsCollector.record_tool_execution: (
        "*, name, duration_ms=None, success=True, error=None, run_id=None, at_ms=None"
    ),
    MetricsCollector.record_error: "type, message, *, stack=None, context=None, run_id=None, at_ms=None",
    MetricsCollector.start_session: "session_id",
    MetricsCollector.record_message: "role",
    MetricsCollector.end_session: "",
    MetricsCollector.get_dashboard_state: "",
    MetricsCollector.get_total_tokens: "",
    MetricsCollector.get_total_cost: "",
    MetricsCollector.get_total_tool_calls: "",
    MetricsCollector.get_average_response_time: "",
    MetricsCollector.get_error_rate: "",
    MetricsCollector.get_tool_metrics: "",
    MetricsCollector.get_provider_metrics: "",
    MetricsCollector.get_recent_errors: "limit=10",
    MetricsCollector.get_metric_history: "name, since_ms=None",
    MetricsCollector.get_session_metrics: "",
    MetricsCollector.export: "",
    MetricsCollector.reset: "",
    MetricsCollector.dispose: "",
    MetricsCollector.on: "event, callback",
    MetricsCollector.subscribe: "*events, maxsize=1024",
    ToolMetricsTracker.record: "tool_name, success, latency_ms",
    ToolMetricsTracker.get_metric: "tool_name",
    ToolMetricsTracker.get_all_metrics: "",
    ToolMetricsTracker.get_reliability_score: "tool_name",
    ToolMetricsTracker.format_summary: "",
    ToolMetricsTracker.reset: "",
    buddy_core.TerminalDashboard.render: "width=80",
    buddy_core.TerminalDashboard.start_live_refresh: "interval_ms=1000, write=print",
    buddy_core.TerminalDashboard.stop_live_refresh: "",
    buddy_core.get_metrics_collector: "",
    buddy_core.reset_metrics_collector: "",
    buddy_core.get_tool_metrics_tracker: "",
    buddy_core.reset_tool_metrics_tracker: "",
    buddy_core.get_terminal_dashboard: "",
}

FIELDS = {
    MetricPoint: "timestamp value labels",
    Metric: "name type description unit points",
    ToolMetrics: "name total_calls success_count error_count total_duration_ms avg_duration_ms min_duration_ms"
    " max_duration_ms p50_duration_ms p95_duration_ms p99_duration_ms last_executed_at",
    ProviderMetrics: "provider model total_requests total_tokens prompt_tokens completion_tokens cache_read_tokens"
    " cache_write_tokens total_cost avg_latency_ms p50_latency_ms p95_latency_ms avg_ttft_ms error_count"
    " last_request_at",
    SessionMetrics: "session_id started_at duration_ms message_count user_messages assistant_messages tool_calls"
    " total_tokens total_cost error_count",
    ErrorRecord: "timestamp type message stack context run_id",
    DashboardState: "uptime_ms active_session total_sessions total_tokens total_cost total_tool_calls"
    " avg_response_time_ms error_rate tokens_per_minute cost_per_hour",
    ToolMetric: "name total_calls success_count failure_count success_rate avg_latency_ms p50_latency_ms"
    " p95_latency_ms min_latency_ms max_latency_ms last_invoked_at",
}


@pytest.mark.parametrize(
    ("function", "promised"), SIGNATURES.items(), ids=[function.__qualname__ for function in SIGNATURES]
)
def test_arguments_are_named_ordered_and_defaulted_as_promised(
    function: Callable[..., Any], promised: str
) -> None:
    parameters = [
        parameter.replace(annotation=inspect.Parameter.empty)
        for name, parameter in inspect.signature(function).parameters.items()
        if name != "self"
    ]
    promised_ones = [text.strip() for text in promised.split(",")] if promised else []
    shown = str(inspect.Signature(parameters))[1:-1].replace("<built-in function print>", "print")
    assert [text.strip() for text in shown.split(",") if text.strip()] == promised_ones


@pytest.mark.parametrize(("type_", "promised"), FIELDS.items(), ids=[type_.__name__ for type_ in FIELDS])
def test_values_begin_with_the_fields_promised_in_their_order(type_: Any, promised: str) -> None:
    names = promised.split()
    assert [field.name for field in fields(type_)][: len(names)] == names


def test_every_value_that_leaves_the_collector_is_frozen() -> None:
    collector = MetricsCollector(clock=ManualClock(NOW))
    collector.start_session("s")
    collector.record_api_request(provider="p", model="m")
    collector.record_tool_execution(name="t", success=False, error="no")
    export = collector.export()
    values: list[Any] = [export, export.state, export.session, *export.metrics, *export.metrics[0].points]
    values += [*export.tools, *export.providers, *export.errors]
    for value in values:
        with pytest.raises(FrozenInstanceError):
            setattr(value, fields(value)[0].name, None)


def test_changing_a_value_that_was_handed_out_changes_nothing_inside() -> None:
    collector = MetricsCollector(clock=ManualClock(NOW))
    collector.increment("hits", 1, {"page": "a"})
    collector.record_api_request(provider="p", model="m")
    for name in ("hits", "tokens_total"):
        collector.get_metric_history(name)[0].labels["page"] = "spoilt"  # type: ignore[index]
        assert "spoilt" not in collector.get_metric_history(name)[0].labels.values()
    collector.get_tool_metrics().append("spoilt")  # type: ignore[arg-type]
    collector.get_recent_errors().append("spoilt")  # type: ignore[arg-type]
    assert collector.get_tool_metrics() == collector.get_recent_errors() == []


@pytest.mark.parametrize(
    ("name", "type_", "unit"),
    [
        ("tokens_total", "counter", "tokens"),
        ("cost_total", "counter", "USD"),
        ("response_time", "histogram", "ms"),
        ("tool_execution_time", "histogram", "ms"),
        ("messages_total", "counter", None),
        ("errors_total", "counter", None),
    ],
)
def test_the_metrics_that_are_always_there_say_what_they_are(name: str, type_: str, unit: str | None) -> None:
    collector = MetricsCollector()
    for _ in range(2):
        (metric,) = [metric for metric in collector.export().metrics if metric.name == name]
        assert (metric.type, metric.unit) == (type_, unit)
        assert metric.description
        collector.reset()
