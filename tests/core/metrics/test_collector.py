"""What is recorded is what is shown: totals, tables, errors, sessions, custom metrics."""

from __future__ import annotations

import pytest

from buddy_core import (
    ErrorRecord,
    ManualClock,
    MetricsCollector,
    Window,
    get_metrics_collector,
    reset_metrics_collector,
)

NOW = 1_767_890_000_000


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def collector(clock: ManualClock) -> MetricsCollector:
    return MetricsCollector(clock=clock)


def test_a_request_is_in_the_totals_and_in_its_provider(collector: MetricsCollector) -> None:
    collector.record_api_request(
        provider="anthropic",
        model="sonnet",
        prompt_tokens=100,
        completion_tokens=20,
        cache_read_tokens=3,
        cache_write_tokens=4,
        cost=0.5,
        latency_ms=1200,
        ttft_ms=300,
    )
    collector.record_api_request(provider="anthropic", model="sonnet", latency_ms=800, success=False)
    assert collector.get_total_tokens() == 127
    assert collector.get_total_cost() == 0.5
    assert collector.get_average_response_time() == 1000
    assert collector.get_error_rate() == 50
    (row,) = collector.get_provider_metrics()
    assert (row.provider, row.model, row.total_requests, row.error_count) == ("anthropic", "sonnet", 2, 1)
    assert (row.total_tokens, row.prompt_tokens, row.completion_tokens) == (127, 100, 20)
    assert (row.cache_read_tokens, row.cache_write_tokens) == (3, 4)
    assert (row.avg_latency_ms, row.p95_latency_ms, row.latency_count) == (1000, 1200, 2)
    assert (row.avg_ttft_ms, row.cost_count, row.last_request_at) == (300, 1, NOW)


def test_models_of_one_provider_are_told_apart(collector: MetricsCollector) -> None:
    for model in ("a", "b", "b"):
        collector.record_api_request(provider="p", model=model)
    assert [(row.model, row.total_requests) for row in collector.get_provider_metrics()] == [
        ("b", 2),
        ("a", 1),
    ]


def test_cost_is_nothing_before_anything_was_spent_and_unknown_when_nobody_said(
    collector: MetricsCollector,
) -> None:
    assert collector.view(Window.ALL).total_cost == 0.0
    collector.record_api_request(provider="p", model="m", prompt_tokens=5)
    assert collector.view(Window.ALL).total_cost is None
    assert collector.get_dashboard_state().total_cost is None
    assert collector.get_provider_metrics()[0].total_cost is None
    assert collector.get_total_cost() == 0.0
    collector.record_api_request(provider="p", model="m", cost=0.0)
    assert collector.view(Window.ALL).total_cost == 0.0


def test_tokens_and_cost_are_unknown_when_tools_were_called_and_no_request_was_logged(
    collector: MetricsCollector,
) -> None:
    collector.record_tool_execution(name="bash")
    view, state = collector.view(Window.ALL), collector.get_dashboard_state()
    assert view.total_tokens is view.total_cost is state.total_tokens is state.total_cost is None
    assert state.tokens_per_minute is state.cost_per_hour is None
    assert (collector.get_total_tokens(), collector.get_total_cost()) == (0, 0.0)
    collector.record_usage(total_tokens=5)
    assert collector.view(Window.ALL).total_tokens == collector.get_dashboard_state().total_tokens == 5


def test_a_tool_call_without_a_duration_counts_but_has_no_time(collector: MetricsCollector) -> None:
    collector.record_tool_execution(name="bash")
    (row,) = collector.get_tool_metrics()
    assert (row.total_calls, row.duration_count) == (1, 0)
    assert row.avg_duration_ms is row.p50_duration_ms is row.min_duration_ms is None


def test_tools_are_listed_with_the_most_called_first(collector: MetricsCollector) -> None:
    for name in ("view", "bash", "bash"):
        collector.record_tool_execution(name=name, duration_ms=10, success=name == "bash")
    assert [row.name for row in collector.get_tool_metrics()] == ["bash", "view"]
    assert [row.error_count for row in collector.get_tool_metrics()] == [0, 1]
    assert collector.get_total_tool_calls() == 3


def test_a_failed_tool_with_a_reason_is_also_an_error(collector: MetricsCollector) -> None:
    collector.record_tool_execution(name="bash", success=False, error="exit 1", run_id="r")
    (error,) = collector.get_recent_errors()
    assert error == ErrorRecord(NOW, "tool_error", "exit 1", None, {"tool": "bash"}, "r")


def test_one_failure_counts_once_however_it_is_recorded(collector: MetricsCollector) -> None:
    collector.record_tool_execution(name="bash", success=False, error="exit 1")
    collector.record_tool_execution(name="bash", success=False)
    collector.record_tool_execution(name="bash", success=True, error="ignored")
    collector.record_api_request(provider="p", model="m", success=False)
    collector.record_error("run", "gave up")
    view = collector.view(Window.H1)
    assert (view.total_errors, view.failed_requests) == (3, 1)
    buckets = collector.activity(Window.H1, 10).buckets
    assert (sum(one.errors for one in buckets), sum(one.failures for one in buckets)) == (3, 4)
    assert sum(group.count for group in view.errors) == 2


def test_usage_is_in_the_totals_and_in_no_provider(collector: MetricsCollector) -> None:
    collector.record_usage(total_tokens=30, prompt_tokens=20, completion_tokens=10, cost=0.25, run_id="r")
    view = collector.view(Window.H1)
    assert (view.total_tokens, view.prompt_tokens, view.completion_tokens) == (30, 20, 10)
    assert (view.total_cost, view.unattributed_cost, view.unattributed_tokens) == (0.25, 0.25, 30)
    assert (view.total_requests, view.providers) == (0, ())
    assert sum(bucket.tokens for bucket in collector.activity(Window.H1, 10).buckets) == 30


def test_errors_alike_are_one_group_with_the_runs_they_were_seen_in(
    collector: MetricsCollector, clock: ManualClock
) -> None:
    collector.record_error("read", "no file /a/1", run_id="first")
    clock.advance(1000)
    collector.record_error("read", "no file /b/2", run_id="second")
    collector.record_error("write", "disk full")
    first, second = collector.view(Window.ALL).errors
    assert {first.type, second.type} == {"read", "write"}
    group = first if first.type == "read" else second
    assert (group.count, group.first_at, group.last_at) == (2, NOW, NOW + 1000)
    assert group.run_ids == ("second", "first")
    assert group.latest.message == "no file /b/2"
    assert [one.message for one in collector.error_records(group.fingerprint)] == [
        "no file /b/2",
        "no file /a/1",
    ]


def test_error_records_of_an_unknown_group_are_none(collector: MetricsCollector) -> None:
    assert collector.error_records("nobody knows") == ()


def test_the_newest_errors_are_kept_by_their_own_time_whatever_order_they_came_in(clock: ManualClock) -> None:
    collector = MetricsCollector(clock=clock, max_errors=3)
    for age in (5, 1, 4, 2, 3):
        collector.record_error("e", f"age {age}", at_ms=NOW - age)
    assert [error.timestamp for error in collector.get_recent_errors()] == [NOW - 3, NOW - 2, NOW - 1]
    assert [error.timestamp for error in collector.get_recent_errors(2)] == [NOW - 2, NOW - 1]
    assert collector.get_recent_errors(0) == []
    assert collector.view(Window.ALL).errors[0].count == 5


def test_the_latest_error_of_a_group_stays_when_newer_ones_crowd_it_out(clock: ManualClock) -> None:
    collector = MetricsCollector(clock=clock, max_errors=2)
    collector.record_error("rare", "once", at_ms=NOW - 10)
    for _ in range(5):
        collector.record_error("common", "often")
    rare = next(group for group in collector.view(Window.ALL).errors if group.type == "rare")
    assert [record.message for record in collector.error_records(rare.fingerprint)] == ["once"]


def test_rates_look_back_five_minutes_and_no_further(collector: MetricsCollector, clock: ManualClock) -> None:
    collector.record_api_request(provider="p", model="m", prompt_tokens=1_000_000, cost=100)
    clock.advance(3_600_000)
    assert collector.get_dashboard_state().tokens_per_minute == 0
    collector.record_api_request(provider="p", model="m", prompt_tokens=500, cost=0.5)
    state = collector.get_dashboard_state()
    assert state.tokens_per_minute == 100
    assert state.cost_per_hour == 6.0
    clock.advance(301_000)
    assert collector.get_dashboard_state().tokens_per_minute == 0
    assert collector.get_dashboard_state().cost_per_hour == 0.0


def test_rates_of_a_young_process_are_over_its_uptime(
    collector: MetricsCollector, clock: ManualClock
) -> None:
    clock.advance(60_000)
    collector.record_api_request(provider="p", model="m", prompt_tokens=600)
    state = collector.get_dashboard_state()
    assert (state.uptime_ms, state.tokens_per_minute, state.cost_per_hour) == (60_000, 600, None)


def test_rates_of_a_young_monitor_are_over_the_history_it_has_read(collector: MetricsCollector) -> None:
    for minute in range(20):
        collector.record_api_request(provider="p", model="m", prompt_tokens=70, at_ms=NOW - minute * 60_000)
    assert collector.get_dashboard_state().tokens_per_minute == pytest.approx(6 * 70 / 5)


def test_without_requests_the_state_knows_no_error_rate_and_no_response_time(
    collector: MetricsCollector,
) -> None:
    state = collector.get_dashboard_state()
    assert state.error_rate is state.avg_response_time_ms is None
    assert (collector.get_error_rate(), collector.get_average_response_time()) == (0.0, 0.0)


def test_uptime_is_not_moved_by_a_jump_of_the_wall_clock(
    collector: MetricsCollector, clock: ManualClock
) -> None:
    clock.advance(5_000)
    clock.set_wall(NOW - 86_400_000)
    assert collector.get_dashboard_state().uptime_ms == 5_000


def test_a_session_counts_what_happens_while_it_runs(collector: MetricsCollector, clock: ManualClock) -> None:
    collector.record_api_request(provider="p", model="m", prompt_tokens=1000, cost=9)
    collector.start_session("s1")
    for role in ("user", "assistant", "assistant", "tool", "system"):
        collector.record_message(role)
    collector.record_api_request(provider="p", model="m", prompt_tokens=50, cost=0.5, success=False)
    collector.record_tool_execution(name="bash", success=False, error="no")
    clock.advance(2_500)
    session = collector.get_session_metrics()
    assert session is not None
    assert (session.session_id, session.started_at, session.duration_ms) == ("s1", NOW, 2_500)
    assert (session.message_count, session.user_messages, session.assistant_messages) == (5, 1, 2)
    assert (session.tool_calls, session.total_tokens, session.total_cost) == (1, 50, 0.5)
    assert session.error_count == 2
    assert collector.end_session() == session
    assert collector.end_session() is None
    assert collector.get_session_metrics() is None


def test_a_session_whose_requests_state_no_cost_does_not_know_its_cost(collector: MetricsCollector) -> None:
    collector.record_api_request(provider="p", model="m", cost=1)
    collector.start_session("s")
    assert collector.get_session_metrics().total_cost == 0.0  # type: ignore[union-attr]
    collector.record_api_request(provider="p", model="m")
    assert collector.get_session_metrics().total_cost is None  # type: ignore[union-attr]


def test_starting_a_session_ends_the_one_before(collector: MetricsCollector) -> None:
    events = collector.subscribe("session:started", "session:ended")
    collector.start_session("one")
    collector.start_session("two")
    assert [(event.name, event.payload.session_id) for event in events.drain()] == [  # type: ignore[union-attr]
        ("session:started", "one"),
        ("session:ended", "one"),
        ("session:started", "two"),
    ]
    state = collector.get_dashboard_state()
    assert (state.active_session, state.total_sessions) == ("two", 2)


def test_a_gauge_keeps_its_points_and_a_counter_its_running_total(
    collector: MetricsCollector, clock: ManualClock
) -> None:
    collector.record("load", -1.5)
    clock.advance(10)
    collector.record("load", 2.5, {"host": "a"})
    assert [(point.timestamp, point.value) for point in collector.get_metric_history("load")] == [
        (NOW, -1.5),
        (NOW + 10, 2.5),
    ]
    assert [point.value for point in collector.get_metric_history("load", NOW + 1)] == [2.5]
    collector.increment("hits", 2, {"page": "a"})
    collector.increment("hits", 3, {"page": "b"})
    collector.increment("hits", labels={"page": "a"})
    assert [point.value for point in collector.get_metric_history("hits")] == [2, 3, 3]


def test_only_the_newest_points_are_kept(clock: ManualClock) -> None:
    collector = MetricsCollector(clock=clock, max_history_points=3)
    for number in range(10):
        collector.record("load", number)
    assert [point.value for point in collector.get_metric_history("load")] == [7, 8, 9]


def test_the_metrics_of_the_original_are_always_registered(collector: MetricsCollector) -> None:
    names = [metric.name for metric in collector.export().metrics]
    assert names == [
        "tokens_total",
        "cost_total",
        "response_time",
        "tool_execution_time",
        "messages_total",
        "errors_total",
    ]


def test_records_leave_points_in_the_metrics_they_belong_to(collector: MetricsCollector) -> None:
    collector.record_api_request(provider="p", model="m", prompt_tokens=5, cost=0.5, latency_ms=80)
    collector.record_api_request(provider="p", model="m", prompt_tokens=7)
    collector.record_tool_execution(name="bash", duration_ms=12)
    collector.record_error("api", "down")
    collector.record_message("user")
    values = {metric.name: [point.value for point in metric.points] for metric in collector.export().metrics}
    assert values == {
        "tokens_total": [5, 12],
        "cost_total": [0.5],
        "response_time": [80],
        "tool_execution_time": [12],
        "messages_total": [1],
        "errors_total": [1],
    }


def test_a_registered_metric_keeps_its_first_type(collector: MetricsCollector) -> None:
    first = collector.register_metric("queue", type="histogram", description="waiting", unit="jobs")
    again = collector.register_metric("queue", type="counter")
    assert first == again
    assert (again.type, again.description, again.unit) == ("histogram", "waiting", "jobs")


def test_reset_forgets_everything_and_tells(collector: MetricsCollector) -> None:
    heard: list[object] = []
    collector.on("reset", heard.append)
    before = collector.version
    collector.record_api_request(provider="p", model="m", prompt_tokens=5)
    collector.record("load", 1)
    collector.reset()
    assert collector.get_total_tokens() == 0
    assert collector.view(Window.ALL).providers == ()
    assert collector.get_metric_history("load") == []
    assert collector.version != before
    assert len(heard) == 1


def test_the_process_has_one_collector_until_it_is_reset() -> None:
    first = get_metrics_collector()
    assert get_metrics_collector() is first
    reset_metrics_collector()
    assert get_metrics_collector() is not first
    reset_metrics_collector()
