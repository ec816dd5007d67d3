"""Many durations are put into buckets at once, by whichever way is quicker, and end where each alone would."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buddy_core.metrics.counting.sketch import CUTS, SMALLEST_MS, bucket_of, tally

measured = st.one_of(
    st.floats(0, 1e15),
    st.integers(0, 100_000).map(float),
    st.sampled_from(CUTS).flatmap(lambda cut: st.sampled_from([cut, cut * (1 - 1e-9), cut * (1 + 1e-9)])),
    st.sampled_from([0.0, SMALLEST_MS, SMALLEST_MS / 2, 5e-324]),
)


@given(st.lists(measured, min_size=1, max_size=80))
def test_every_duration_is_in_the_bucket_it_has_alone(values: list[float]) -> None:
    assert dict(tally(values)) == dict(Counter(map(bucket_of, values)))


@pytest.mark.parametrize("cut", CUTS)
def test_a_bucket_with_a_cut_in_it_is_counted_on_both_sides(cut: float) -> None:
    values = [cut * 1.000_1 + 1e-9, cut, cut * 0.999_9, cut * 1.000_1, 0.123_456]
    assert dict(tally([0.37, *values])) == dict(Counter(map(bucket_of, [0.37, *values])))
