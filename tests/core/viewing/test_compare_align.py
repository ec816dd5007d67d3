"""Which calls of two runs belong together."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buddy_core.runs.comparing import align
from buddy_core.runs.comparing.align import aligned

keys = st.lists(st.sampled_from("abcd"), max_size=24)


def longest(a: list[str], b: list[str]) -> int:
    """The length of a longest common subsequence, by the table of the textbook."""
    row = [0] * (len(b) + 1)
    for one in a:
        corner = 0
        for j, other in enumerate(b, 1):
            corner, row[j] = row[j], corner + 1 if one == other else max(row[j], row[j - 1])
    return row[-1]


@given(keys, keys, st.sampled_from([8, 64, align.MAX_BITS]))
def test_pairs_are_as_many_as_there_can_be_and_keep_both_orders(
    a: list[str], b: list[str], bits: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(align, "MAX_BITS", bits)  # small: the table is halved and halved again
        pairs = aligned(a, b)
    assert all(a[i] == b[j] for i, j in pairs)
    assert all(i < k and j < m for (i, j), (k, m) in pairwise(pairs))
    assert len(pairs) == longest(a, b)


@given(keys, keys)
def test_turned_around_the_pairs_are_the_same(a: list[str], b: list[str]) -> None:
    assert aligned(b, a) == [(j, i) for i, j in aligned(a, b)]


@given(keys, keys, keys)
def test_what_both_begin_with_is_paired_place_by_place(common: list[str], a: list[str], b: list[str]) -> None:
    pairs = aligned([*common, *a], [*common, *b])
    assert pairs[: len(common)] == [(i, i) for i in range(len(common))]


@given(keys)
def test_a_sequence_is_wholly_aligned_with_itself(a: list[str]) -> None:
    assert aligned(a, a) == [(i, i) for i in range(len(a))]


def test_ten_thousand_calls_of_a_few_kinds_take_no_longer_than_a_breath() -> None:
    """`difflib` takes some twenty seconds for these."""
    a = [f"{index % 7}" for index in range(10_000)]
    b = [f"{index * 3 % 11 % 7}" for index in range(10_000)]
    begun = time.process_time()
    pairs = aligned(a, b)
    assert time.process_time() - begun < 5
    assert len(pairs) > 4_000
