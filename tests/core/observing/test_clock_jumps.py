"""Clocks that jump, machines that sleep: rates do not spike, durations do not run backwards (cases 40 and 41)."""

from __future__ import annotations

from pathlib import Path

import pytest

from buddy_core import ManualClock, MetricsCollector, Window
from buddy_core.observing.observer import Observer
from buddy_core.testing import RunDirectoryBuilder

NOW = 1_767_890_000_000
SECOND, MINUTE, HOUR = 1_000, 60_000, 3_600_000


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def collector(clock: ManualClock) -> MetricsCollector:
    return MetricsCollector(clock=clock)


def work(collector: MetricsCollector, clock: ManualClock, minutes: int) -> None:
    """100 tokens and a dollar a minute."""
    for _ in range(minutes):
        collector.record_api_request(provider="p", model="m", prompt_tokens=100, cost=1)
        clock.advance(MINUTE)


@pytest.mark.parametrize("jump", [-HOUR, -10 * MINUTE, -2 * MINUTE, HOUR, 24 * HOUR, 8_000 * 365 * 24 * HOUR])
def test_no_jump_of_the_wall_clock_makes_a_rate_spike(
    collector: MetricsCollector, clock: ManualClock, jump: int
) -> None:
    """Case 40: an administrator, daylight saving, the year 10,000."""
    work(collector, clock, 20)
    assert collector.get_dashboard_state().tokens_per_minute == 100
    clock.set_wall(clock.now_ms() + jump)
    for _ in range(20):
        state = collector.get_dashboard_state()
        assert (state.tokens_per_minute or 0) <= 240  # twice, where the clock shows the same minutes twice
        assert (state.cost_per_hour or 0) <= 144
        work(collector, clock, 1)
    assert collector.get_total_tokens() == 4_000
    assert collector.get_dashboard_state().uptime_ms == 40 * MINUTE


def test_after_the_clock_was_set_back_rates_are_right_again_five_minutes_later(
    collector: MetricsCollector, clock: ManualClock
) -> None:
    """Case 40."""
    work(collector, clock, 20)
    clock.set_wall(clock.now_ms() - 2 * HOUR)
    assert collector.get_dashboard_state().tokens_per_minute == 0
    work(collector, clock, 5)
    assert collector.get_dashboard_state().tokens_per_minute == 100


def test_a_session_is_as_long_as_it_took_whatever_the_wall_clock_does(
    collector: MetricsCollector, clock: ManualClock
) -> None:
    """Case 40."""
    collector.start_session("s")
    clock.advance(5 * SECOND)
    clock.set_wall(NOW - HOUR)
    session = collector.get_session_metrics()
    assert session is not None
    assert session.duration_ms == 5 * SECOND


def test_after_a_night_of_sleep_rates_are_of_what_happened_since(
    collector: MetricsCollector, clock: ManualClock
) -> None:
    """Case 41: the wall clock goes on, the monotonic one of Linux stands still."""
    work(collector, clock, 20)
    clock.set_wall(clock.now_ms() + 8 * HOUR)
    state = collector.get_dashboard_state()
    assert (state.tokens_per_minute, state.uptime_ms) == (0, 20 * MINUTE)
    work(collector, clock, 1)
    assert collector.get_dashboard_state().tokens_per_minute == pytest.approx(100 / 5)
    assert sum(bucket.tokens for bucket in collector.activity(Window.M15, 15).buckets) == 100


def test_a_monitor_that_was_stopped_catches_up_and_dates_everything_where_it_happened(
    clock: ManualClock, tmp_path: Path
) -> None:
    """Case 41: SIGSTOP and SIGCONT hours later; nothing is lost, nothing counts as just now."""
    runs = tmp_path / "runs"
    runs.mkdir()
    run = RunDirectoryBuilder(runs, started_at=NOW)
    run.request("anthropic", "opus", prompt=100, completion=0)
    run.write()
    collector = MetricsCollector(clock=clock)
    observer = Observer(runs, collector, clock=clock)
    observer.load()
    for _ in range(8 * 12):
        run.wait(5 * MINUTE)
        run.request("anthropic", "opus", prompt=100, completion=0)
    run.write()
    clock.advance(run.now_ms + 2 * SECOND - clock.now_ms())
    observer.load()
    observer.close()
    assert collector.get_total_tokens() == 97 * 100
    assert collector.get_dashboard_state().tokens_per_minute == pytest.approx(100 / 5)
    hours = collector.activity(Window.H24, 24).buckets
    assert max(bucket.tokens for bucket in hours) <= 12 * 100


@pytest.mark.parametrize(
    "at_ms",
    [
        0,
        -1,
        1_767_890_000,
        NOW * 1_000,
        9 * 10**15,
        10**30,
        10**400,
        1e300,
        float("nan"),
        float("-inf"),
        "2026",
        [],
    ],
)
def test_a_moment_in_another_unit_or_none_at_all_is_in_the_totals_only(
    collector: MetricsCollector, at_ms: object
) -> None:
    """Cases 40 and 42: seconds, microseconds, the year 287,000, text."""
    collector.record_api_request(provider="p", model="m", prompt_tokens=7, at_ms=at_ms)  # type: ignore[arg-type]
    collector.record_tool_execution(name="t", success=False, error="no", at_ms=at_ms)  # type: ignore[arg-type]
    collector.record("load", 1, at_ms=at_ms)  # type: ignore[arg-type]
    assert collector.get_total_tokens() == 7
    assert collector.view(Window.H24).total_requests == collector.view(Window.D7).total_errors == 0
    assert collector.get_dashboard_state().tokens_per_minute == 0
    assert len(collector.get_metric_history("load")) == 1
