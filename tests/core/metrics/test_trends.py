"""Trends: the little bars beside every row, in slices that all rows share, and unchanged until they change."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from buddy_core import HistoryBatch, ManualClock, MetricsCollector, ToolColumn, Trend, Window
from buddy_core.metrics.counting.ledger import Kind

NOW = 1_767_890_123_456
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000

LENGTHS = {Window.M15: 2 * MINUTE, Window.H1: 5 * MINUTE, Window.H24: 2 * HOUR, Window.D7: DAY}
KINDS: tuple[Kind, ...] = ("tool", "provider", "error")


@pytest.mark.parametrize("window", Window)
def test_a_trend_counts_what_happened_in_each_slice(window: Window) -> None:
    collector, chance = MetricsCollector(clock=ManualClock(NOW)), random.Random(7)
    moments = [NOW - int(chance.expovariate(1 / (window.ms or 30 * DAY))) for _ in range(500)]
    for number, at in enumerate(moments):
        collector.record_tool_execution(name="bash", success=number % 5 > 0, at_ms=at)
    trend = collector.trends("tool", window)["bash"]
    start = trend_start(trend, max(moments) if window is Window.ALL else NOW)
    assert trend.bucket_ms == LENGTHS.get(window, trend.bucket_ms)
    assert len(trend.counts) == len(trend.failures) <= 13
    for index, (count, failed) in enumerate(zip(trend.counts, trend.failures, strict=True)):
        first = start + index * trend.bucket_ms
        within = [n for n, at in enumerate(moments) if first <= at < first + trend.bucket_ms]
        assert (count, failed) == (len(within), sum(n % 5 == 0 for n in within))


def trend_start(trend: Trend, last_ms: int) -> int:
    return last_ms // trend.bucket_ms * trend.bucket_ms - (len(trend.counts) - 1) * trend.bucket_ms


def test_everything_has_a_trend_under_the_key_it_is_asked_for_by() -> None:
    collector = MetricsCollector(clock=ManualClock(NOW))
    collector.record_tool_execution(name="bash", success=False, error="Exit code 1")
    collector.record_api_request(provider="open", model="router/x", success=False)
    for kind in KINDS:
        ((key, trend),) = collector.trends(kind, Window.H1).items()
        assert trend.counts[-1] == sum(trend.counts) == 1
        assert collector.history(kind, key, Window.H1, 12)[-1].count == 1
        assert trend.failures == (() if kind == "error" else trend.counts)


def test_what_has_nothing_in_the_window_or_no_time_has_no_trend() -> None:
    collector = MetricsCollector(clock=ManualClock(NOW))
    assert collector.trends("tool", Window.ALL) == {}
    collector.record_tool_execution(name="undated", at_ms=5)
    assert collector.trends("tool", Window.ALL) == {}
    collector.record_tool_execution(name="old", at_ms=NOW - 2 * DAY)
    collector.record_tool_execution(name="new")
    assert list(collector.trends("tool", Window.H1)) == ["new"]
    assert set(collector.trends("tool", Window.ALL)) == {"old", "new"}


def test_what_did_not_change_is_the_same_object_though_others_did() -> None:
    clock = ManualClock(NOW)
    collector = MetricsCollector(clock=clock)
    for name in ("busy", "quiet"):
        collector.record_tool_execution(name=name)
    before = collector.trends("tool", Window.H1)
    assert collector.trends("tool", Window.H1) is before
    collector.record_tool_execution(name="busy")
    collector.record_tool_execution(name="quiet", at_ms=5)  # undated: it is in the totals, and in no slice
    after = collector.trends("tool", Window.H1)
    assert after["quiet"] is before["quiet"]
    assert after["busy"] != before["busy"]
    clock.advance(5 * MINUTE)
    moved = collector.trends("tool", Window.H1)
    assert moved["busy"].counts[-2:] == (2, 0)


def test_a_trend_rises_when_the_newer_half_has_more() -> None:
    assert Trend(MINUTE, (5, 0, 9, 1, 2)).rise == -2
    assert Trend(MINUTE, (0, 1)).rise == 1
    assert Trend(MINUTE, (3,)).rise == 0


moments = st.lists(
    st.tuples(
        st.sampled_from(["live", "past", "column"]),
        st.integers(0, 3 * HOUR) | st.integers(0, 3 * DAY) | st.integers(0, 10 * MINUTE),
        st.booleans(),
        st.integers(0, MINUTE) | st.just(0),
    ),
    max_size=30,
)


@settings(max_examples=100, deadline=None)
@given(moments, st.sampled_from(list(Window)), st.booleans())
def test_a_trend_kept_up_to_date_is_that_of_a_collector_that_never_looked(
    told: list[tuple[str, int, bool, int]], window: Window, both: bool
) -> None:
    clock = ManualClock(NOW)
    watched, fresh = MetricsCollector(clock=clock), MetricsCollector(clock=clock)
    for how, ago, ok, passes in told:
        at = clock.now_ms() - ago
        for collector in (watched, fresh):
            if how == "live":
                collector.record_tool_execution(name="bash", success=ok)
            elif how == "past":
                collector.record_tool_execution(name="bash", success=ok, at_ms=at)
            else:
                column = ToolColumn([at, at + 1], [None, 1.0], [ok, True])
                collector.absorb(HistoryBatch(tools={"bash": column}))
        for looked_at in Window if both else (window,):
            watched.trends("tool", looked_at)
        clock.advance(passes)
    for asked in (window, *Window):
        assert watched.trends("tool", asked) == fresh.trends("tool", asked)


def test_history_that_waits_for_its_minutes_is_counted() -> None:
    collector = MetricsCollector(clock=ManualClock(NOW))
    column = ToolColumn([NOW - MINUTE * n for n in range(10, -1, -1)], [None] * 11, [True] * 11)
    collector.absorb(HistoryBatch(tools={"bash": column}))
    assert sum(collector.trends("tool", Window.M15)["bash"].counts) == 11


def test_more_and_more_calls_of_the_same_past_minute_are_counted() -> None:
    collector = MetricsCollector(clock=ManualClock(NOW))
    for number, ago in enumerate((5 * MINUTE, 0, 5 * MINUTE, 5 * MINUTE, 5 * MINUTE), start=1):
        collector.record_tool_execution(name="bash", at_ms=NOW - ago)
        if number >= 3:
            assert sum(collector.trends("tool", Window.M15)["bash"].counts) == number
