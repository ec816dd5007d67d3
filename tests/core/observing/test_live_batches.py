"""What is told now is counted a little later and together; nobody can tell it from counting at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from buddy_core import ManualClock, MetricsCollector, Window
from buddy_core.metrics.counting.activity import ActivityLog
from buddy_core.metrics.recording.live import MOST_WAITING

NOW = 1_767_890_000_000
Step = tuple[Any, ...]

names = st.sampled_from(["a", "b", "c", "d", "e"])
times = st.one_of(st.none(), st.integers(0, 5_000).map(lambda quarters: quarters / 4))
steps = st.one_of(
    st.tuples(
        st.just("request"), names, st.integers(0, 9_000), times, times, st.booleans(), st.integers(1, 90)
    ),
    st.tuples(st.just("tool"), names, times, st.booleans(), st.integers(1, 90)),
    st.tuples(st.just("clock"), st.sampled_from([0, 300, 61_000, 3_700_000, -90_000, -4_000_000])),
    st.tuples(st.just("look"), st.integers(0, 5)),
    st.tuples(st.just("error"), names),
    st.tuples(st.just("past"), names),
)


def play(collector: MetricsCollector, clock: ManualClock, step: Step, at_once: bool) -> None:
    """Do one step; at once by saying the time, which is what the clock says anyway."""
    at_ms = clock.now_ms() if at_once else None
    if step[0] == "request":
        _, name, tokens, cost, ms, ok, times_ = step
        for _ in range(times_):
            collector.record_api_request(
                provider=name, model="m", prompt_tokens=tokens, cost=cost, latency_ms=ms, ttft_ms=cost, success=ok,
                at_ms=at_ms,
            )  # fmt: skip
    elif step[0] == "tool":
        _, name, ms, ok, times_ = step
        for _ in range(times_):
            collector.record_tool_execution(name=name, duration_ms=ms, success=ok, at_ms=at_ms)
    elif step[0] == "error":
        collector.record_error(step[1], "message", at_ms=at_ms)
    elif step[0] == "past":
        collector.record_api_request(
            provider=step[1], model="m", prompt_tokens=3, latency_ms=9.5, at_ms=clock.now_ms() - 3_600_000
        )
        collector.record_tool_execution(name=step[1], duration_ms=9.5, at_ms=clock.now_ms() - 3_600_000)
    elif step[0] == "look":
        LOOKS[step[1]](collector)


LOOKS: list[Callable[[MetricsCollector], object]] = [
    lambda collector: collector.view(Window.M15),
    lambda collector: collector.get_total_tokens(),
    lambda collector: collector.get_metric_history("tokens_total"),
    lambda collector: collector.activity(Window.H1, 20),
    lambda collector: collector.history("tool", "a", Window.H24, 20),
    lambda collector: collector.export(),
]


@given(st.lists(steps, max_size=25))
@settings(max_examples=60, deadline=None)
def test_every_number_is_the_same_as_if_each_record_had_been_counted_at_once(todo: list[Step]) -> None:
    clocks = [ManualClock(NOW), ManualClock(NOW)]
    collectors = [MetricsCollector(clock=clock, max_series=3, max_history_points=50) for clock in clocks]
    for step in todo:
        for at_once, (collector, clock) in enumerate(zip(collectors, clocks, strict=True)):
            if step[0] == "clock":
                clock.set_wall(clock.now_ms() + step[1])
            play(collector, clock, step, bool(at_once))
    live, at_once_ = collectors
    assert live.export() == at_once_.export()
    assert live.get_dashboard_state() == at_once_.get_dashboard_state()
    for window in Window:
        assert live.view(window) == at_once_.view(window)
        assert live.activity(window, 20) == at_once_.activity(window, 20)
        for name in "abcde":
            assert live.history("tool", name, window, 9) == at_once_.history("tool", name, window, 9)
            assert live.history("provider", f"{name}/m", window, 9) == at_once_.history(
                "provider", f"{name}/m", window, 9
            )


def test_each_record_is_dated_when_it_was_told_not_when_it_was_counted() -> None:
    clock = ManualClock(NOW)
    collector = MetricsCollector(clock=clock)
    for jump in (0, 30_000, -20_000, 61_000, 3_600_000):
        clock.advance(jump)
        collector.record_api_request(provider="p", model="m", prompt_tokens=1)
        collector.record_tool_execution(name="t")
    told = [NOW, NOW + 30_000, NOW + 10_000, NOW + 71_000, NOW + 3_671_000]
    assert [point.timestamp for point in collector.get_metric_history("tokens_total")] == sorted(told)
    for key in (("tool", "t"), ("provider", "p/m")):
        points = collector.history(*key, Window.H24, 24 * 60)  # type: ignore[arg-type]
        minutes = [point.start_at // 60_000 for point in points for _ in range(point.count)]
        assert minutes == sorted(at // 60_000 for at in told)
    seconds = [bucket for bucket in collector.activity(Window.ALL, 10_000).buckets if bucket.requests]
    assert [bucket.requests for bucket in seconds] == [bucket.tool_calls for bucket in seconds] == [3, 1, 1]


def test_the_latest_of_a_minute_is_the_latest_although_the_clock_was_set_back() -> None:
    clock = ManualClock(NOW)
    collector = MetricsCollector(clock=clock)
    for jump in (0, 9_000, -5_000):
        clock.set_wall(clock.now_ms() + jump)
        for _ in range(4):
            collector.record_api_request(provider="p", model="m")
            collector.record_tool_execution(name="t")
    assert collector.get_tool_metrics()[0].last_executed_at == NOW + 9_000
    assert collector.get_provider_metrics()[0].last_request_at == NOW + 9_000


READERS: list[Callable[[MetricsCollector], object]] = [
    lambda c: c.get_total_tokens(),
    lambda c: c.get_total_cost(),
    lambda c: c.get_total_tool_calls(),
    lambda c: c.get_average_response_time(),
    lambda c: c.get_error_rate(),
    lambda c: c.get_dashboard_state().total_tokens,
    lambda c: c.get_tool_metrics(),
    lambda c: c.get_provider_metrics(),
    lambda c: c.get_session_metrics().tool_calls,  # type: ignore[union-attr]
    lambda c: c.export().state.total_tool_calls,
    lambda c: c.view(Window.M15).total_requests,
    lambda c: sum(bucket.tool_calls for bucket in c.activity(Window.M15, 10).buckets),
    lambda c: c.history("tool", "t", Window.H1, 10),
    lambda c: c.latency_histogram("provider", "p/m", Window.H1),
    lambda c: c.get_metric_history("tokens_total"),
    lambda c: c.get_metric_history("cost_total"),
    lambda c: c.get_metric_history("response_time"),
    lambda c: c.get_metric_history("tool_execution_time"),
    lambda c: c.end_session().tool_calls,  # type: ignore[union-attr]
]


@pytest.mark.parametrize("read", READERS)
def test_whatever_is_asked_first_knows_what_was_told_last(read: Callable[[MetricsCollector], object]) -> None:
    collector = MetricsCollector(clock=ManualClock(NOW))
    collector.start_session("s")
    collector.record_api_request(
        provider="p", model="m", prompt_tokens=5, cost=0.5, latency_ms=7.0, success=False
    )
    collector.record_tool_execution(name="t", duration_ms=3.0)
    assert read(collector)


def test_a_session_begins_after_what_was_told_before_it() -> None:
    collector = MetricsCollector(clock=ManualClock(NOW))
    collector.record_tool_execution(name="t")
    collector.start_session("s")
    assert collector.get_session_metrics().tool_calls == 0  # type: ignore[union-attr]


def test_every_record_changes_the_version_and_counting_it_does_not() -> None:
    collector = MetricsCollector(clock=ManualClock(NOW))
    seen = [collector.version]
    for _ in range(2 * MOST_WAITING + 5):
        collector.record_api_request(provider="p", model="m")
        collector.record_tool_execution(name="t")
        seen.append(collector.version)
    assert len(set(seen)) == len(seen)
    collector.get_total_tokens()
    assert collector.version == seen[-1]


def test_no_more_waits_than_the_limit() -> None:
    collector = MetricsCollector(clock=ManualClock(NOW))
    for _ in range(5 * MOST_WAITING + 3):
        collector.record_api_request(provider="p", model="m")
        collector.record_tool_execution(name="t")
        assert max(len(collector._live.requests), len(collector._live.calls)) < MOST_WAITING


def test_a_signal_handler_that_records_and_looks_while_its_thread_counts_loses_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    collector = MetricsCollector(clock=ManualClock(NOW))
    live = collector._live
    count = live._add_calls
    interrupted = []

    def interrupted_count(*args: Any) -> None:
        collector.record_tool_execution(name="handler")
        interrupted.append(collector.get_total_tool_calls())
        count(*args)

    monkeypatch.setattr(live, "_add_calls", interrupted_count)
    collector.record_tool_execution(name="t")
    thread = threading.Thread(target=collector.get_total_tool_calls, daemon=True)
    thread.start()
    thread.join(10)
    assert not thread.is_alive()
    monkeypatch.undo()
    assert interrupted == [0]
    assert collector.get_total_tool_calls() == 2


def test_more_calls_than_may_wait_and_several_minutes_of_them_are_all_in_their_buckets() -> None:
    clocks = [ManualClock(NOW), ManualClock(NOW)]
    live, at_once = (MetricsCollector(clock=clock) for clock in clocks)
    for number in range(3 * MOST_WAITING + 17):
        for clock, collector in zip(clocks, (live, at_once), strict=True):
            clock.advance(250)
            collector.record_tool_execution(
                name="ab"[number % 2],
                duration_ms=number % 7 / 4 if number % 5 else None,
                success=number % 3 > 0,
                at_ms=clock.now_ms() if collector is at_once else None,
            )
    assert live.export() == at_once.export()
    for window in Window:
        assert live.view(window) == at_once.view(window)
        assert live.history("tool", "a", window, 60) == at_once.history("tool", "a", window, 60)


def test_no_call_is_counted_twice_when_counting_is_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    collector = MetricsCollector(clock=ManualClock(NOW))
    for name in "abc":
        collector.record_tool_execution(name=name)
    activity = collector._book.activity
    interrupted: list[bool] = []

    def interrupt(*args: Any) -> Any:
        if collector._live._settling and len(collector._live._summed) == 1 and not interrupted:
            interrupted.append(True)
            raise KeyboardInterrupt
        return ActivityLog.buckets(activity, *args)

    monkeypatch.setattr(activity, "buckets", interrupt)
    with pytest.raises(KeyboardInterrupt):
        collector.get_tool_metrics()
    assert [tool.total_calls for tool in collector.get_tool_metrics()] == [1, 1, 1]
