"""Charts: equal slices, whole stretches, bins between the extremes, and nothing where nothing is."""

from __future__ import annotations

from itertools import pairwise

import pytest

from buddy_core import ManualClock, MetricsCollector, Window

NOW = 1_767_890_123_456
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000


def test_what_is_not_there_has_no_history_and_no_histogram() -> None:
    collector = MetricsCollector(clock=ManualClock(NOW))
    assert collector.history("tool", "bash", Window.H1, 10) == ()
    assert collector.history("provider", "a/b", Window.H1, 10) == ()
    assert collector.history("error", "x", Window.H1, 10) == ()
    assert collector.latency_histogram("tool", "bash", Window.H1) == ()
    collector.record_tool_execution(name="bash")
    assert collector.latency_histogram("tool", "bash", Window.H1) == ()
    assert collector.activity(Window.H1, 12).buckets[-1].tool_calls == 1


def test_a_histogram_has_its_bins_between_the_extremes() -> None:
    collector = MetricsCollector(clock=ManualClock(NOW))
    for duration in (10.0, 20.0, 40.0, 5_000.0):
        collector.record_tool_execution(name="bash", duration_ms=duration)
        collector.record_api_request(provider="p", model="m", latency_ms=duration)
    bins = collector.latency_histogram("tool", "bash", Window.H1, bins=8)
    assert (bins[0].low_ms, bins[-1].high_ms, sum(one.count for one in bins)) == (10.0, 5_000.0, 4)
    assert bins == collector.latency_histogram("provider", "p/m", Window.H1, bins=8)
    assert all(a.high_ms == b.low_ms for a, b in pairwise(bins))


@pytest.mark.parametrize("duration", [5.0, 40.0, 2_400.0, 8_300.0])
def test_durations_that_are_all_the_same_lie_in_the_bin_that_begins_with_them(duration: float) -> None:
    collector = MetricsCollector(clock=ManualClock(NOW))
    collector.record_tool_execution(name="bash", duration_ms=duration)
    bins = collector.latency_histogram("tool", "bash", Window.H1)
    assert (bins[0].low_ms, bins[0].count) == (duration, 1)


@pytest.mark.parametrize(
    ("window", "slices", "bucket_ms"),
    [
        (Window.M15, 90, 10_000),
        (Window.M15, 15, MINUTE),
        (Window.H1, 60, MINUTE),
        (Window.H1, 500, MINUTE),
        (Window.H24, 96, 15 * MINUTE),
        (Window.D7, 84, 2 * HOUR),
    ],
)
def test_slices_are_equal_and_begin_on_multiples_of_their_length(
    window: Window, slices: int, bucket_ms: int
) -> None:
    collector = MetricsCollector(clock=ManualClock(NOW))
    collector.record_tool_execution(name="bash")
    activity = collector.activity(window, slices)
    assert activity.bucket_ms == bucket_ms
    assert all(bucket.start_at % bucket_ms == 0 for bucket in activity.buckets)
    assert len(activity.buckets) == (window.ms or 0) // bucket_ms + 1
    assert activity.buckets[-1].tool_calls == 1


def test_a_fine_chart_of_the_last_quarter_of_an_hour_shows_seconds() -> None:
    collector = MetricsCollector(clock=ManualClock(NOW))
    for age in (0, 9_000, 14_000, 70_000, 14 * MINUTE):
        collector.record_tool_execution(name="bash", at_ms=NOW - age)
    activity = collector.activity(Window.M15, 180)
    assert activity.bucket_ms == 5_000
    assert [bucket.tool_calls for bucket in activity.buckets[-4:]] == [1, 1, 0, 1]
    assert sum(bucket.tool_calls for bucket in activity.buckets) == 5


def test_everything_is_charted_from_the_first_to_the_last_activity() -> None:
    collector = MetricsCollector(clock=ManualClock(NOW))
    first, last = NOW - 40 * DAY, NOW - 40 * DAY + 30 * MINUTE
    collector.record_tool_execution(name="bash", at_ms=last)
    collector.record_tool_execution(name="bash", at_ms=first)
    activity = collector.activity(Window.ALL, 10)
    assert activity.buckets[0].start_at <= first < activity.buckets[0].start_at + activity.bucket_ms
    assert activity.buckets[-1].start_at <= last < activity.buckets[-1].start_at + activity.bucket_ms
    assert (activity.bucket_ms, activity.buckets[0].tool_calls, activity.buckets[-1].tool_calls) == (
        3 * MINUTE,
        1,
        1,
    )


def test_a_provider_with_slashes_in_its_names_is_found() -> None:
    collector = MetricsCollector(clock=ManualClock(NOW))
    collector.record_api_request(provider="open/router", model="meta/llama", prompt_tokens=3)
    assert sum(p.tokens for p in collector.history("provider", "open/router/meta/llama", Window.H1, 5)) == 3
