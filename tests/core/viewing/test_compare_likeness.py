"""Which calls of two runs are alike: the same file, or much the same words; everything else stands alone."""

from __future__ import annotations

import itertools
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buddy_core.runs.comparing.likeness import ALIKE, Telling, alike, likeness, telling


def told(tool: str, argument: str, base: str | None = None) -> Telling:
    return telling(tool, argument, base=base)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("pytest -q tests/test_login.py", "pytest -q tests/test_login.py -x"),
        ("ls", "ls -la"),
        ("src/auth/token.py", "src/auth/token.py"),
        ("/home/one/app/src/auth/token.py", "/home/two/app/src/auth/token.py"),
        ("npm run build", "npm run build --verbose"),
    ],
)
def test_these_are_alike(one: str, other: str) -> None:
    assert likeness(told("bash", one), told("bash", other)) >= ALIKE


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("git log v2.7.0..HEAD --oneline", "pytest -q tests/test_login.py"),
        ("git status", "git diff"),
        ("src/auth/token.py", "src/auth/session.py"),
        ("src/auth/token.py", "vendor/lib/old/token.py"),
        ("", "ls"),
        ("SELECT .* FROM orders", "def total"),
    ],
)
def test_these_are_not(one: str, other: str) -> None:
    assert likeness(told("bash", one), told("bash", other)) == 0
    assert likeness(told("bash", one), told("shell", one)) == 0


def test_paths_count_from_the_directory_of_each_run() -> None:
    one, other = told("view", "/w/one/a.py", "/w/one"), told("view", "/tmp/elsewhere/a.py", "/tmp/elsewhere")
    assert likeness(one, other) == 1


def test_the_pairs_are_those_that_have_most_in_common() -> None:
    a = [told("bash", "make all"), told("bash", "make all tests"), told("bash", "ls")]
    b = [told("bash", "make all tests now"), told("bash", "ls -la")]
    assert alike(a, b) == [(1, 0), (2, 1)]


calls = st.lists(
    st.builds(told, st.sampled_from("ab"), st.sampled_from(("make all x", "make all y", "ls", "p/q.py", ""))),
    max_size=90,
)


@given(calls, calls)
def test_pairs_keep_the_order_of_both_and_are_alike(a: list[Telling], b: list[Telling]) -> None:
    pairs = alike(a, b)
    assert all(i < x and j < y for (i, j), (x, y) in itertools.pairwise(pairs))
    assert all(likeness(a[i], b[j]) >= ALIKE for i, j in pairs)
    assert len(alike(b, a)) == len(pairs)


@pytest.mark.slow
def test_ten_thousand_calls_with_little_in_common_take_seconds_at_most() -> None:
    a = [told("bash", f"make target{chr(97 + n % 26)} all") for n in range(10_000)]
    b = [told("bash", f"run thing{chr(97 + n % 25)} now") for n in range(10_000)]
    begin = time.perf_counter()
    alike(a, b)
    assert time.perf_counter() - begin < 20
