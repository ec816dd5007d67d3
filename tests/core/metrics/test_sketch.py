"""Quantiles of durations are within 1 % of the exact ones, however the samples were split up."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from buddy_core.metrics.counting.sketch import (
    SMALLEST_MS,
    ZERO,
    bucket_of,
    histogram,
    log_edges,
    middle_of,
    quantiles,
)
from buddy_core.metrics.counting.timing import Timing

durations = st.lists(
    st.one_of(
        st.floats(min_value=SMALLEST_MS, max_value=1e9),
        st.integers(min_value=1, max_value=600_000).map(float),
    ),
    min_size=1,
    max_size=300,
)
shares = st.lists(st.floats(min_value=0, max_value=1), min_size=1, max_size=5).map(sorted)


def nearest_rank(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[max(1, math.ceil(share * len(ordered) - 1e-9)) - 1]


@given(durations, shares)
def test_every_quantile_is_within_one_percent_of_the_exact_one(
    values: list[float], wanted: list[float]
) -> None:
    for share, found in zip(wanted, Timing.of(values).at(*wanted), strict=True):
        exact = nearest_rank(values, share)
        assert found is not None
        assert abs(found - exact) <= 0.01 * exact


@given(st.lists(durations, min_size=1, max_size=5))
def test_merged_sketches_say_the_same_as_one_sketch_of_everything(parts: list[list[float]]) -> None:
    whole = Timing()
    for part in parts:
        whole.merge_timing(Timing.of(part))
    whole.settle()
    every = Timing.of([value for part in parts for value in part])
    assert whole.sketch == every.sketch
    assert (whole.count, whole.low, whole.high) == (every.count, every.low, every.high)
    assert math.isclose(whole.sum_ms, every.sum_ms, rel_tol=1e-9)


@given(durations, durations)
def test_merging_leaves_the_merged_one_as_it_was(one: list[float], two: list[float]) -> None:
    source, before = Timing.of(two), Timing.of(two)
    target = Timing.of(one)
    target.merge_timing(source)
    target.add_durations(one * 100)
    assert source.sketch == before.sketch
    assert source.count == before.count


def test_quantiles_never_leave_the_exact_extremes() -> None:
    timing = Timing.of([100.0, 100.0, 101.3])
    assert timing.at(0.0, 1.0) == [100.0, 101.3]


def test_one_sample_is_every_quantile_exactly() -> None:
    assert Timing.of([1234.5]).at(0.5, 0.95, 0.99) == [1234.5, 1234.5, 1234.5]


def test_without_samples_nothing_is_known() -> None:
    timing = Timing()
    assert timing.at(0.5, 0.99) == [None, None]
    assert timing.mean is timing.low is timing.high is None


def test_zero_and_what_is_below_a_microsecond_is_zero() -> None:
    assert bucket_of(0.0) == bucket_of(0.0009) == ZERO
    assert list(quantiles({ZERO: 3, bucket_of(10.0): 1}, (0.5,))) == [0.0]


@given(st.floats(min_value=SMALLEST_MS, max_value=1e15))
def test_the_middle_of_a_bucket_is_within_one_percent_of_what_is_in_it(value: float) -> None:
    assert abs(middle_of(bucket_of(value)) - value) <= 0.01 * value


@given(durations, st.integers(min_value=1, max_value=40))
def test_a_histogram_holds_every_sample_once(values: list[float], bins: int) -> None:
    timing = Timing.of(values)
    edges = log_edges(timing.low_ms, timing.high_ms, bins)
    counts = histogram(timing.sketch, edges, timing.high_ms)
    assert len(counts) == bins
    assert sum(counts) == len(values)
    assert edges == sorted(edges)


def test_a_histogram_puts_samples_into_the_bin_of_their_size() -> None:
    timing = Timing.of([1.0] * 3 + [30.0] * 2 + [1000.0])
    assert histogram(timing.sketch, log_edges(1.0, 1000.0, 3), 1000.0) == [3, 2, 1]
