"""A window shows exactly what a recount of the same samples gives, and absorbed history counts as recorded.

The recounts here are plain loops over the samples; they share no code with the collector.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from buddy_core import (
    ApiRequest,
    ErrorRecord,
    HistoryBatch,
    ManualClock,
    MetricsCollector,
    ToolColumn,
    Usage,
    Window,
    WindowView,
)

NOW = 1_767_890_123_456
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
ALL_WINDOWS = list(Window)


@dataclass(frozen=True)
class Tool:
    name: str
    duration_ms: float | None
    success: bool
    error: str | None
    at_ms: int


Sample = Tool | ApiRequest | ErrorRecord | Usage

# Ages crowd around the edges of the windows, where an inexact window shows.
ages = st.one_of(
    st.integers(min_value=-4 * MINUTE, max_value=2 * HOUR),
    st.integers(min_value=0, max_value=100 * DAY),
    st.sampled_from([15 * MINUTE, HOUR, DAY, 7 * DAY]).flatmap(
        lambda edge: st.integers(min_value=edge - 2 * MINUTE, max_value=edge + 2 * HOUR)
    ),
)
moments = ages.map(lambda age: NOW - age)
milliseconds = st.one_of(st.none(), st.integers(min_value=0, max_value=600_000).map(float))
tokens = st.integers(min_value=0, max_value=100_000)
costs = st.one_of(st.none(), st.integers(min_value=0, max_value=400).map(lambda quarters: quarters / 4))

tools = st.builds(
    Tool,
    st.sampled_from(["bash", "view", "edit"]),
    milliseconds,
    st.booleans(),
    st.sampled_from([None, "no"]),
    moments,
)
requests = st.builds(
    ApiRequest,
    st.sampled_from(["anthropic", "openai"]),
    st.sampled_from(["small", "large/x"]),
    tokens,
    tokens,
    tokens,
    tokens,
    costs,
    milliseconds,
    milliseconds,
    st.booleans(),
    st.none(),
    moments,
)
errors = st.builds(
    ErrorRecord,
    moments,
    st.sampled_from(["run", "api"]),
    st.sampled_from(["gone", "late"]),
    run_id=st.sampled_from("abc"),
)
usages = st.builds(Usage, tokens, tokens, tokens, costs, st.none(), moments)
samples = st.lists(st.one_of(tools, requests, errors, usages), max_size=60)


def record(collector: MetricsCollector, sample: Sample) -> None:
    if isinstance(sample, Tool):
        collector.record_tool_execution(
            name=sample.name,
            duration_ms=sample.duration_ms,
            success=sample.success,
            error=sample.error,
            at_ms=sample.at_ms,
        )
    elif isinstance(sample, ErrorRecord):
        collector.record_error(sample.type, sample.message, run_id=sample.run_id, at_ms=sample.timestamp)
    elif isinstance(sample, Usage):
        collector.record_usage(
            total_tokens=sample.total_tokens,
            prompt_tokens=sample.prompt_tokens,
            completion_tokens=sample.completion_tokens,
            cost=sample.cost,
            at_ms=sample.at_ms,
        )
    else:
        names = ApiRequest.__slots__
        collector.record_api_request(**{name: getattr(sample, name) for name in names})


def batch_of(items: list[Sample]) -> HistoryBatch:
    batch = HistoryBatch()
    for sample in items:
        if isinstance(sample, Tool):
            batch.tools.setdefault(sample.name, ToolColumn()).add(
                sample.at_ms, sample.duration_ms, sample.success
            )
            if sample.error and not sample.success:
                context = {"tool": sample.name}
                batch.errors.append(ErrorRecord(sample.at_ms, "tool_error", sample.error, None, context))
        elif isinstance(sample, ErrorRecord):
            batch.errors.append(sample)
        elif isinstance(sample, Usage):
            batch.usage.append(sample)
        else:
            batch.requests.append(sample)
    return batch


def since_of(window: Window) -> int:
    length = {"15m": 15 * MINUTE, "1h": HOUR, "24h": DAY, "7d": 7 * DAY, "all": None}[window.value]
    if length is None:
        return 0
    grain = HOUR if window is Window.D7 else MINUTE
    return (NOW - length) // grain * grain


def at_of(sample: Sample) -> int:
    return sample.timestamp if isinstance(sample, ErrorRecord) else sample.at_ms


def nearest_rank(values: list[float], share: float) -> float | None:
    return sorted(values)[max(1, math.ceil(share * len(values) - 1e-9)) - 1] if values else None


def is_close(found: float | None, exact: float | None) -> bool:
    if found is None or exact is None:
        return found is exact
    return abs(found - exact) <= 0.01 * exact


def check_tools(view: WindowView, inside: list[Tool]) -> None:
    assert {row.name for row in view.tools} == {tool.name for tool in inside}
    for row in view.tools:
        calls = [tool for tool in inside if tool.name == row.name]
        times = [tool.duration_ms for tool in calls if tool.duration_ms is not None]
        assert row.total_calls == len(calls)
        assert (
            row.error_count == sum(not tool.success for tool in calls) == row.total_calls - row.success_count
        )
        assert row.duration_count == len(times)
        assert row.total_duration_ms == sum(times)
        assert row.min_duration_ms == min(times, default=None)
        assert row.max_duration_ms == max(times, default=None)
        assert is_close(row.p50_duration_ms, nearest_rank(times, 0.5))
        assert is_close(row.p95_duration_ms, nearest_rank(times, 0.95))
        assert is_close(row.p99_duration_ms, nearest_rank(times, 0.99))
        assert row.last_executed_at == max(tool.at_ms for tool in calls)


def check_providers(view: WindowView, inside: list[ApiRequest]) -> None:
    assert {(row.provider, row.model) for row in view.providers} == {
        (one.provider, one.model) for one in inside
    }
    for row in view.providers:
        mine = [one for one in inside if (one.provider, one.model) == (row.provider, row.model)]
        times = [one.latency_ms for one in mine if one.latency_ms is not None]
        stated = [one.cost for one in mine if one.cost is not None]
        assert row.total_requests == len(mine)
        assert row.error_count == sum(not one.success for one in mine)
        assert row.total_tokens == sum(one.total_tokens for one in mine)
        assert row.prompt_tokens == sum(one.prompt_tokens for one in mine)
        assert row.cache_write_tokens == sum(one.cache_write_tokens for one in mine)
        assert row.total_cost == (sum(stated) if stated else None)
        assert is_close(row.p50_latency_ms, nearest_rank(times, 0.5))
        assert is_close(row.p95_latency_ms, nearest_rank(times, 0.95))
        assert row.last_request_at == max(one.at_ms for one in mine)


def check_totals(view: WindowView, inside: list[Sample]) -> None:
    calls = [one for one in inside if isinstance(one, Tool)]
    asked = [one for one in inside if isinstance(one, ApiRequest)]
    used = [one for one in inside if isinstance(one, Usage)]
    plain = [one for one in inside if isinstance(one, ErrorRecord)]
    spent: list[ApiRequest | Usage] = [*asked, *used]
    stated = [one.cost for one in spent if one.cost is not None]
    assert view.total_requests == len(asked)
    assert view.total_tool_calls == len(calls)
    tokens = sum(one.total_tokens for one in spent)
    worked = bool(calls) or any(one.success for one in asked)
    assert view.total_tokens == (None if worked and not tokens else tokens)
    assert view.prompt_tokens == sum(one.prompt_tokens for one in spent)
    assert view.unattributed_tokens == sum(one.total_tokens for one in used)
    assert view.total_cost == (sum(stated) if stated else None if spent or calls else 0.0)
    assert view.total_errors == sum(not one.success for one in calls) + len(plain)
    assert view.failed_requests == sum(not one.success for one in asked)
    reasons = sum(one.error is not None and not one.success for one in calls)
    assert sum(group.count for group in view.errors) == len(plain) + reasons
    latencies = [one.latency_ms for one in asked if one.latency_ms is not None]
    assert is_close(view.p95_latency_ms, nearest_rank(latencies, 0.95))


def check_error_groups(view: WindowView, inside: list[ErrorRecord]) -> None:
    for group in view.errors:
        if group.type == "tool_error":
            continue
        mine = [one for one in inside if f"{one.type} {one.message}" == group.fingerprint]
        assert group.count == len(mine)
        assert (group.first_at, group.last_at) == (
            min(one.timestamp for one in mine),
            max(one.timestamp for one in mine),
        )
        assert set(group.run_ids) == {one.run_id for one in mine}


@given(samples)
def test_every_window_is_a_recount_of_its_samples(items: list[Sample]) -> None:
    collector = MetricsCollector(clock=ManualClock(NOW))
    for sample in items:
        record(collector, sample)
    for window in ALL_WINDOWS:
        view = collector.view(window)
        inside = [sample for sample in items if at_of(sample) >= since_of(window)]
        assert view.since_ms == (since_of(window) or None)
        check_totals(view, inside)
        check_tools(view, [one for one in inside if isinstance(one, Tool)])
        check_providers(view, [one for one in inside if isinstance(one, ApiRequest)])
        check_error_groups(view, [one for one in inside if isinstance(one, ErrorRecord)])


@given(samples)
def test_the_slices_of_a_chart_add_up_to_the_window(items: list[Sample]) -> None:
    collector = MetricsCollector(clock=ManualClock(NOW))
    for sample in items:
        record(collector, sample)
    for window in ALL_WINDOWS:
        view, activity = collector.view(window), collector.activity(window, 15)
        buckets = activity.buckets
        assert sum(one.tokens for one in buckets) == (view.total_tokens or 0)
        assert sum(one.requests for one in buckets) == view.total_requests
        assert sum(one.tool_calls for one in buckets) == view.total_tool_calls
        assert sum(one.errors for one in buckets) == view.total_errors
        assert sum(one.failures for one in buckets) == view.total_errors + view.failed_requests
        assert sum(one.cost for one in buckets) == (view.total_cost or 0)
        assert all(b.start_at - a.start_at == activity.bucket_ms for a, b in pairwise(buckets))
        for row in view.tools:
            points = collector.history("tool", row.name, window, 15)
            assert sum(point.count for point in points) == row.total_calls
            assert sum(point.duration_sum_ms for point in points) == row.total_duration_ms
        for provider in view.providers:
            points = collector.history("provider", f"{provider.provider}/{provider.model}", window, 15)
            assert sum(point.tokens for point in points) == provider.total_tokens
            assert sum(point.failures for point in points) == provider.error_count


@given(st.lists(samples, max_size=3), st.integers(min_value=1, max_value=40))
@settings(max_examples=60)
def test_absorbed_history_is_counted_as_if_it_had_been_recorded(
    parts: list[list[Sample]], times: int
) -> None:
    one_by_one, absorbed = (MetricsCollector(clock=ManualClock(NOW)) for _ in range(2))
    for part in parts:
        crowd = [sample for sample in part for _ in range(times if isinstance(sample, Tool) else 1)]
        for sample in crowd:
            record(one_by_one, sample)
        absorbed.absorb(batch_of(crowd))
    for window in ALL_WINDOWS:
        assert same(absorbed.view(window), one_by_one.view(window))
        assert absorbed.activity(window, 20) == one_by_one.activity(window, 20)
        assert absorbed.history("tool", "bash", window, 20) == one_by_one.history("tool", "bash", window, 20)
    assert absorbed.get_dashboard_state() == one_by_one.get_dashboard_state()
    assert times_of(absorbed) == times_of(one_by_one)


def same(one: WindowView, two: WindowView) -> bool:
    """Equal but for which of several equally new errors of a group is called the latest."""
    strip = [replace(view, errors=tuple(replace(e, latest=None) for e in view.errors)) for view in (one, two)]  # type: ignore[arg-type]
    return strip[0] == strip[1]


def times_of(collector: MetricsCollector) -> list[int]:
    return [error.timestamp for error in collector.get_recent_errors(100)]


@pytest.mark.parametrize(
    "column",
    [
        ToolColumn([NOW, NOW - 1], [1.0, math.nan], [True, True]),
        ToolColumn([NOW - 2 * DAY, NOW, NOW - HOUR], [math.inf, -5.0, 3.0], [True, False, True]),
        ToolColumn([10**400, -5, NOW], [10**400, 1.5, 2.5], [True, False, True]),
        ToolColumn(["soon", None, NOW], [1.0, 1.5, 2.5], [True, False, True]),  # type: ignore[list-item]
        ToolColumn([NOW, NOW, NOW], ["7", 2.0, None], [True, True, True]),  # type: ignore[list-item]
    ],
)
def test_absorbing_nonsense_counts_the_calls_and_refuses_the_numbers(column: ToolColumn) -> None:
    """Case 86."""
    absorbed, recorded = MetricsCollector(clock=ManualClock(NOW)), MetricsCollector(clock=ManualClock(NOW))
    absorbed.absorb(HistoryBatch(tools={"bash": column}))
    for at_ms, duration_ms, ok in zip(column.at_ms, column.duration_ms, column.ok, strict=True):
        recorded.record_tool_execution(name="bash", duration_ms=duration_ms, success=ok, at_ms=at_ms)
    for window in ALL_WINDOWS:
        assert absorbed.view(window) == recorded.view(window)
    assert absorbed.export().rejected == recorded.export().rejected


def test_absorbing_wakes_a_subscriber_once() -> None:
    collector = MetricsCollector(clock=ManualClock(NOW))
    events = collector.subscribe()
    collector.absorb(HistoryBatch(tools={"bash": ToolColumn([NOW] * 50, [1.0] * 50, [True] * 50)}))
    collector.absorb(HistoryBatch())
    (event,) = events.drain()
    payload: Any = event.payload
    assert (event.name, payload.name, payload.value) == ("metric", "history", 50)


@pytest.mark.parametrize("at_ms", [0, 5, 999_999_999_999_999, NOW + 6 * MINUTE])
def test_a_time_that_cannot_be_believed_counts_in_all_only(at_ms: int) -> None:
    collector = MetricsCollector(clock=ManualClock(NOW))
    collector.record_tool_execution(name="bash", at_ms=at_ms)
    collector.absorb(HistoryBatch(tools={"bash": ToolColumn([at_ms], [None], [True])}))
    collector.record_api_request(provider="p", model="m", at_ms=at_ms)
    counted = {window: collector.view(window).total_tool_calls for window in Window}
    assert counted == {Window.M15: 0, Window.H1: 0, Window.H24: 0, Window.D7: 0, Window.ALL: 2}
    assert collector.activity(Window.ALL, 10).buckets == ()


def test_a_clock_a_little_ahead_is_believed() -> None:
    collector = MetricsCollector(clock=ManualClock(NOW))
    collector.record_tool_execution(name="bash", at_ms=NOW + 4 * MINUTE)
    assert all(collector.view(window).total_tool_calls == 1 for window in Window)


def test_windows_move_with_the_clock() -> None:
    clock = ManualClock(NOW)
    collector = MetricsCollector(clock=clock)
    collector.record_tool_execution(name="bash")
    counts = []
    for _ in range(18):
        counts.append(collector.view(Window.M15).total_tool_calls)
        clock.advance(MINUTE)
    assert counts == [1] * 16 + [0] * 2


def test_a_view_is_the_same_object_until_something_is_recorded_or_time_moves_its_beginning() -> None:
    clock = ManualClock(NOW)
    collector = MetricsCollector(clock=clock)
    collector.record_tool_execution(name="bash")
    first, everything = collector.view(Window.H1), collector.view(Window.ALL)
    assert collector.view(Window.H1) is first
    clock.advance(MINUTE)
    assert collector.view(Window.H1) is not first
    assert collector.view(Window.ALL) is everything
    collector.record_tool_execution(name="bash")
    assert collector.view(Window.ALL) is not everything


def test_rows_of_what_did_not_change_are_the_same_objects() -> None:
    collector = MetricsCollector(clock=ManualClock(NOW))
    for name in ("a", "a", "b"):
        collector.record_tool_execution(name=name, duration_ms=5)
    before = collector.view(Window.H1).tools
    collector.record_tool_execution(name="b", duration_ms=7)
    after = collector.view(Window.H1).tools
    assert (after[0] is before[0], after[1] is before[1]) == (True, False)


def test_history_older_than_the_buckets_stays_in_the_total() -> None:
    clock = ManualClock(NOW)
    collector = MetricsCollector(clock=clock)
    for hour in range(3_000):
        collector.record_tool_execution(name="bash", at_ms=NOW - hour * HOUR)
    assert collector.view(Window.ALL).total_tool_calls == 3_000
    assert collector.view(Window.D7).total_tool_calls == 169
    assert 90 * 24 <= sum(p.count for p in collector.history("tool", "bash", Window.ALL, 50)) < 3_000
    assert sum(bucket.tool_calls for bucket in collector.activity(Window.ALL, 50).buckets) == 3_000
