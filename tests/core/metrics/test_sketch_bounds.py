"""Durations up to the bounds of a Prometheus histogram are counted exactly, whatever way they came in."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from buddy_core.metrics.collector import MetricsCollector
from buddy_core.metrics.counting.bounds import MOST_WAITING, BoundCounts
from buddy_core.metrics.counting.sketch import ANY_BOUNDS, BOUNDS_MS, CUTS, counts_up_to
from buddy_core.metrics.counting.timing import Timing
from buddy_core.metrics.model import ApiRequest
from buddy_core.metrics.recording.batch import HistoryBatch

near_bounds = st.sampled_from(
    [value for bound in CUTS for value in (bound, math.nextafter(bound, 0), math.nextafter(bound, 1e9))]
)
durations = st.lists(st.floats(min_value=0, max_value=1e7) | near_bounds, max_size=200)


@given(durations)
def test_the_count_up_to_each_bound_is_that_of_the_durations_themselves(values: list[float]) -> None:
    exact = tuple(sum(value <= bound for value in values) for bound in CUTS)
    assert counts_up_to(CUTS, Timing.of(values).sketch) == exact


@given(durations, durations)
def test_merging_keeps_the_counts_exact(one: list[float], two: list[float]) -> None:
    merged = Timing.of(one)
    merged.merge_timing(Timing.of(two))
    merged.settle()
    exact = tuple(sum(value <= bound for value in one + two) for bound in BOUNDS_MS)
    assert counts_up_to(BOUNDS_MS, merged.sketch) == exact


def test_the_bounds_ascend() -> None:
    assert list(BOUNDS_MS) == sorted(set(BOUNDS_MS))
    assert list(ANY_BOUNDS) == sorted(set(ANY_BOUNDS))


@given(st.lists(st.floats(min_value=0, max_value=1e7) | near_bounds, max_size=1200))
def test_durations_counted_by_bound_alone_are_counted_exactly(values: list[float]) -> None:
    counts = BoundCounts()
    for value in values:
        counts.waiting.append(value)
        if len(counts.waiting) > MOST_WAITING:
            counts.settle()
    counts.settle()
    assert counts.up_to == [sum(value <= bound for value in values) for bound in BOUNDS_MS]
    assert counts.count == len(values)
    assert math.isclose(counts.sum_ms, math.fsum(values), rel_tol=1e-9)


def test_times_to_the_first_token_are_counted_whether_recorded_or_absorbed() -> None:
    collector = MetricsCollector()
    collector.record_api_request(provider="p", model="m", ttft_ms=300.0)
    collector.record_api_request(provider="p", model="m")
    collector.absorb(HistoryBatch(requests=[ApiRequest("p", "m", ttft_ms=7_000.0)]))
    (latencies,) = collector.totals().providers
    assert (latencies.first_token.count, latencies.first_token.sum) == (2, 7_300.0)
