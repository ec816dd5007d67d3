"""Which calls count as the same call."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buddy_core.runs.comparing.keys import identity, other_arguments

HERE = "/home/dev/one"
THERE = "/srv/work/two"

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("here", "there"),
    [
        ({"path": f"{HERE}/src/a.py"}, {"path": f"{THERE}/src/a.py"}),
        ({"path": f"{HERE}/src/"}, {"path": "./src"}),
        ({"command": f"cd {HERE} && pytest -x"}, {"command": f"cd {THERE}  &&  pytest -x"}),
        ({"command": f"ls {HERE}/src"}, {"command": f"ls {THERE}/src"}),
        ({"command": "sed -n 1,50p a.py"}, {"command": "sed -n 40,90p a.py"}),
        ({"command": "cat /tmp/tmpab12cd_e/out"}, {"command": "cat /tmp/other/out"}),
        ({"command": "git show 966e0df2"}, {"command": "git show 0123abcd"}),
        ({"command": "make", "description": "Build it"}, {"command": "make", "description": "Now build"}),
        ({"path": "a.py", "limit": 10}, {"path": "a.py", "limit": 200}),
        ('{"path": "a.py"}', {"path": "a.py"}),
        (None, {}),
    ],
)
def test_calls_that_differ_in_place_number_or_words_are_the_same(here: object, there: object) -> None:
    assert identity("bash", here, base=HERE).key == identity("bash", there, base=THERE).key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"path": "a.py"}, {"path": "b.py"}),
        ({"path": "chapters/1.md"}, {"path": "chapters/2.md"}),
        ({"path": f"{HERE}/a.py"}, {"path": f"{HERE}-copy/a.py"}),
        ({"command": "pytest -x"}, {"command": "pytest -q"}),
        ({"description": "one"}, {"description": "two"}),
        ({"flag": True}, {"flag": False}),
        ({"path": "a.py"}, {"path": "a.py", "all": True}),
        ({"path": "a" * 5_000 + "1"}, {"path": "a" * 5_000 + "2"}),
    ],
)
def test_calls_that_do_something_else_are_not(one: object, other: object) -> None:
    assert identity("bash", one, base=HERE).key != identity("bash", other, base=HERE).key


def test_another_tool_is_another_call() -> None:
    assert identity("grep", {"path": "a"}).key != identity("search", {"path": "a"}).key


def test_equal_but_for_numbers_is_told_from_equal_to_the_letter() -> None:
    one, other = (identity("sleep", {"command": f"sleep {n}"}) for n in (1, 2))
    assert one.key == other.key
    assert one.literal != other.literal


def test_the_arguments_that_differ_are_named() -> None:
    one = identity("edit", {"path": "a.py", "old": "x", "new": "y"})
    other = identity("edit", {"path": "a.py", "old": "z", "mode": "w"})
    assert other_arguments(one.key, other.key) == ("mode", "new", "old")


@given(st.text(max_size=20), json_values, st.none() | st.text(max_size=20))
def test_whatever_a_record_holds_has_an_identity_equal_to_itself(tool: str, args: object, base: str) -> None:
    assert identity(tool, args, base=base) == identity(tool, args, base=base)


@pytest.mark.parametrize(
    "text", ["a" * 10**6, "a_" * 500_000, "1." * 500_000, "/tmp" * 250_000, "\ud83c" * 9_000, "f0" * 500_000]
)
def test_texts_built_to_be_slow_are_not(text: str) -> None:
    """Case 84 for these expressions: a megabyte costs far less than a second."""
    begun = time.monotonic()
    identity("bash", {"command": text, "path": text}, base="/tmp/tmp")
    assert time.monotonic() - begun < 2
