"""A record is recorded once, however often its file is read, replaced or deleted and made again."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from buddy_core.runs.folding.seen import BLOCK, SeenRecords


def test_while_a_file_only_grows_everything_is_fresh_and_nothing_is_looked_up() -> None:
    seen = SeenRecords()

    assert seen.sift([1, 2, 2]) is None
    assert seen.sift([1]) is None
    assert len(seen) == 4


def test_equal_lines_are_two_records_and_the_same_line_again_is_none() -> None:
    seen = SeenRecords()
    seen.sift([7, 7])
    seen.restart()

    assert seen.sift([7, 7, 7]) == [False, False, True]


def test_a_shorter_file_in_between_forgets_nothing() -> None:
    seen = SeenRecords()
    seen.sift([1, 2, 3])
    seen.restart()
    assert seen.sift([1, 9]) == [False, True]
    seen.restart()

    assert seen.sift([1, 2, 3, 9]) == [False, False, False, False]


def test_what_was_recorded_long_ago_is_known_after_a_restart_too() -> None:
    many = list(range(3 * BLOCK + 7))
    seen = SeenRecords()
    seen.sift(many[:10])
    seen.sift(many[10:])
    seen.restart()

    assert len(seen) == len(many)
    assert seen.sift([*many, -1]) == [*[False] * len(many), True]


def test_before_anything_was_recorded_a_restart_changes_nothing() -> None:
    seen = SeenRecords()
    seen.restart()

    assert seen.sift([1]) is None


@given(st.lists(st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(0, 3), max_size=8), max_size=6))
def test_what_is_recorded_in_total_is_the_most_that_any_generation_held(generations: list[list[int]]) -> None:
    seen, recorded, most = SeenRecords(), Counter[int](), Counter[int]()
    for generation in generations:
        seen.restart()
        fresh = seen.sift(generation)
        recorded.update(
            i for i, new in zip(generation, fresh or [True] * len(generation), strict=True) if new
        )
        most |= Counter(generation)

    assert recorded == most
