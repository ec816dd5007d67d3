"""Secrets in values of any depth: what a name covers, what keeps its kind, and how deep is looked."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import pytest

from buddy_core.safety.redact import MASK, redact_value

TOKEN = "ghp_" + "a1B2c3" * 6


class Pair(NamedTuple):
    name: str
    value: str


class Fresh(Mapping[str, object]):
    """Makes its values when they are asked for, as views of other objects do, and notes which are forgotten by then."""

    def __init__(self, names: str) -> None:
        self.names = names
        self.made: list[weakref.ref[Fresh]] = []
        self.forgotten = 0

    def __getitem__(self, name: str) -> object:
        if name not in self.names:
            raise KeyError(name)
        if len(self.names) == 1:
            return "x"
        self.forgotten += sum(made() is None for made in self.made)
        value = Fresh(name)
        self.made.append(weakref.ref(value))
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)


class Odd(list[str]):
    """Cannot be made from its items."""

    def __init__(self, *, items: list[str]) -> None:
        super().__init__(items)


@pytest.mark.parametrize(
    ("value", "left"),
    [
        ({"auth": "a1b2c3d4"}, {"auth": MASK}),
        ({"auth": "none at all"}, {"auth": "none at all"}),
        ({"password": 1000, "pin_password": -1000.0}, {"password": MASK, "pin_password": MASK}),
        ({"password": 999, "token": 1_000_000}, {"password": 999, "token": 1_000_000}),
        ({"value": "abc"}, {"value": "abc"}),
        ({"name": "colour", "value": "abc"}, {"name": "colour", "value": "abc"}),
        ({"name": "password", "value": "abc"}, {"name": "password", "value": MASK}),
        (["--token", "abc", "d"], ["--token", MASK, "d"]),
        (["--auth", "a1b2c3d4", "d"], ["--auth", "a1b2c3d4", "d"]),
        (["password", "abc", "d"], ["password", "abc", "d"]),
        (["password", "abc"], ["password", MASK]),
        (["--password=abc1", "abc", "d"], [f"--password={MASK}", "abc", "d"]),
        (["--" + "x" * 53 + "-password", "abc", "d"], ["--" + "x" * 53 + "-password", MASK, "d"]),
        (["--" + "x" * 54 + "-password", "abc", "d"], ["--" + "x" * 54 + "-password", "abc", "d"]),
    ],
    ids=repr,
)
def test_a_value_is_judged_by_the_name_beside_it(value: object, left: object) -> None:
    assert redact_value(value) == left


@pytest.mark.parametrize(
    ("value", "left"),
    [
        (Pair("ada", TOKEN), Pair("ada", f"ghp_{MASK}")),
        (("ada", TOKEN), ("ada", f"ghp_{MASK}")),
        ({TOKEN, "b"}, {f"ghp_{MASK}", "b"}),
        (frozenset({TOKEN}), frozenset({f"ghp_{MASK}"})),
        (Odd(items=[TOKEN]), [f"ghp_{MASK}"]),
        (b"\xff password=hunter2", b"\xff password=" + MASK.encode()),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_container_keeps_its_kind(value: object, left: object) -> None:
    masked = redact_value(value)
    assert masked == left
    assert type(masked) is type(left)


def test_what_stands_in_two_places_is_judged_in_each() -> None:
    shared = ["x"]
    assert redact_value({"a": shared, "b": shared}) == {"a": ["x"], "b": ["x"]}
    for name in ("token", "password"):
        assert redact_value({"a": shared, name: shared, "b": shared}) == {
            "a": ["x"],
            name: [MASK],
            "b": ["x"],
        }
        assert redact_value({name: shared, "a": shared}) == {name: [MASK], "a": ["x"]}


def test_what_is_made_while_it_is_looked_at_is_never_taken_for_something_else() -> None:
    """Something else may come to lie where it lay, and is known by that."""
    value = Fresh("abcdefgh")
    assert redact_value(value) == {name: {name: "x"} for name in "abcdefgh"}
    assert value.forgotten == 0


def test_keys_that_become_alike_are_numbered() -> None:
    keys = ["ghp_" + letter * 36 + " X" for letter in "abcd"]
    masked: Any = redact_value(dict.fromkeys(keys, 1))
    assert list(masked) == [f"ghp_{MASK} X", f"ghp_{MASK} X 2", f"ghp_{MASK} X 3", f"ghp_{MASK} X 4"]


@pytest.mark.parametrize("kind", [list, tuple, dict])
def test_two_hundred_levels_are_looked_at(kind: type) -> None:
    """Case 84."""
    deep: Any = "x"
    for _ in range(300):
        deep = {"a": deep} if kind is dict else kind([deep])
    levels, found = 0, redact_value(deep)
    while not isinstance(found, str):
        levels, found = levels + 1, found["a" if kind is dict else 0]  # type: ignore[index]
    assert (levels, found) == (200, "…")
