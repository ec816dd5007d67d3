"""Success rates of few calls are not trusted as much as those of many."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buddy_core.metrics.looking.wilson import wilson_interval, wilson_lower_bound


def test_one_good_call_does_not_outrank_98_of_100() -> None:
    assert wilson_lower_bound(1, 1) < wilson_lower_bound(98, 100)


def test_nothing_tried_says_nothing() -> None:
    assert wilson_interval(0, 0) == (0.0, 1.0)


def test_the_bounds_of_a_worked_example() -> None:
    # 45 of 50 at 95 %: (0.7864, 0.9565), as in Agresti and Coull (1998).
    assert wilson_interval(45, 50) == pytest.approx((0.7864, 0.9565), abs=5e-4)


@given(st.integers(1, 10_000), st.data())
def test_the_interval_holds_the_rate_and_stays_within_nought_and_one(total: int, data: st.DataObject) -> None:
    successes = data.draw(st.integers(0, total))
    low, high = wilson_interval(successes, total)
    assert 0.0 <= low <= successes / total + 1e-9
    assert successes / total - 1e-9 <= high <= 1.0
