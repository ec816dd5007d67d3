"""What takes the quick way into the log, how far a walk goes, and what is said of what was cut."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Collection
from typing import Any

import pytest

from buddy_core.runs.writing import encoding
from buddy_core.runs.writing.encoding import MAX_EVENT_BYTES, MAX_NESTING, encode_event

RUN = "run_mk5k1qoj_724ab2"
NOW = 1_770_000_000_000


class Text(str):
    """A text of a class of its own, as libraries for templates and markup have them."""


def payload(data: object) -> Any:
    return json.loads(encode_event(NOW, RUN, "note", data))["data"]


@pytest.fixture
def only_quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is described: what does not take the quick way is given up."""
    monkeypatch.setattr(encoding, "_described", None)


@pytest.mark.parametrize(
    ("values", "left"),
    [
        ([], 10),
        (["abc"], 5),
        (["a", "bc"], 3),
        (["12345678"], 0),
        ([1, 2, 3, 4, 5], 0),
        ([1, 2.5, True, None], 2),
        ([-(2**63), 2**64 - 1], 6),
        ([["abc"]], 3),
        ([("abc",)], 3),
        ([{"abc"}], 3),
        ([frozenset(["abc"])], 3),
        ([{"key": "abc"}], 3),
        ([["123456"]], 0),
        ([{"key": "123456"}], 0),
        ([[[]]], 6),
        ([{"a": {}}], 6),
        ([["a"], {"key": "b"}, 1], -1),
    ],
    ids=repr,
)
def test_a_value_takes_two_bytes_and_a_text_its_length(values: Collection[Any], left: int) -> None:
    room = encoding._room_after(values, 10, 3)
    assert room == left if left >= 0 else room < 0


@pytest.mark.parametrize(
    "value",
    [b"x", 1j, object(), -(2**63) - 1, 2**64, 1e300, math.inf, math.nan, "12345678901", range(1), Text("x")],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.parametrize("within", [list, lambda values: [values], lambda values: [{"key": values[0]}]])
def test_what_is_not_plain_or_does_not_fit_has_no_room_at_any_depth(within: Any, value: object) -> None:
    assert encoding._room_after(within([value]), 12, 3) < 0


@pytest.mark.parametrize("wrap", [lambda value: [value], lambda value: {"key": value}], ids=["list", "dict"])
def test_it_is_looked_into_so_deep_and_no_deeper(wrap: Any) -> None:
    assert encoding._room_after([wrap(1)], 10, 2) == 6
    deep = wrap(wrap(1))
    assert encoding._room_after([deep], 10, 3) == 4
    assert encoding._room_after([deep], 10, 2) < 0


def test_a_list_without_room_is_not_walked() -> None:
    """Case 19."""

    class Long(list[int]):
        def __iter__(self) -> Any:
            raise AssertionError("walked")

    assert encoding._room_after(Long([1] * 6), 10, 1) < 0


def test_what_is_plain_is_described_by_nobody(only_quick: None) -> None:
    plain = {"text": "a", "deep": {"list": [1, [2.5, None]], "dict": {"x": True}}}
    assert payload(plain) == plain


def test_what_is_nested_too_deep_does_not_take_the_quick_way(only_quick: None) -> None:
    deep: Any = 1
    for _ in range(MAX_NESTING - 1):
        deep = [deep]
    assert payload({"deep": deep}) == {"deep": deep}
    assert payload({"deep": [deep]}) == {"truncated": True}


def test_what_is_described_keeps_its_time_its_run_and_its_type() -> None:
    """Case 18."""
    line = encode_event(NOW, RUN, "note", {"x": math.nan})
    data = {"x": None, "truncated": True}
    assert json.loads(line) == {"ts": NOW, "runId": RUN, "type": "note", "data": data}


def test_of_a_long_list_as_much_is_kept_as_there_is_room_for() -> None:
    """Case 19: and not the first few thousand only, as a second look would leave."""
    lines = payload({"lines": ["x" * 100] * 20_000})["lines"]
    assert len(lines) == pytest.approx(MAX_EVENT_BYTES / (100 + 64), abs=3)


def test_a_described_line_may_be_just_as_long_as_any() -> None:
    """Case 19."""

    def line(text: str) -> bytes:
        return encode_event(NOW, RUN, "note", {"n": math.nan, "text": text})

    quotes, rest = divmod(MAX_EVENT_BYTES - len(line("")), 2)
    text = '"' * quotes + "x" * rest
    assert len(line(text)) == MAX_EVENT_BYTES
    assert json.loads(line(text))["data"]["text"] == text
    assert json.loads(line(text + "x"))["data"]["text"] != text


class TestFacts:
    """Case 19: length and digest of the longest text that was cut."""

    def test_it_is_hashed_once_however_often_it_is_cut(self, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[str] = []
        facts = encoding._facts

        def noted(text: str) -> dict[str, Any]:
            asked.append(text)
            return facts(text)

        monkeypatch.setattr(encoding, "_facts", noted)
        text = '"' * (MAX_EVENT_BYTES + 1)  # two bytes each: cut to the limit, it is still too long
        for kind in (str, Text):
            asked.clear()
            assert payload({"text": kind(text)})["fullLength"] == len(text)
            assert len(asked) == 1

    def test_they_are_never_those_of_another_text(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The first takes all the room; cut shorter, it leaves some for the second, which is longer, and may lie
        where a copy of the first one lay.
        """
        monkeypatch.setattr(encoding, "id", lambda _text: 1, raising=False)
        shorter, longer = Text("\n" * 1_500_000), Text("y" * 1_500_001)
        data = payload({"a": shorter, "b": longer})
        assert data["fullLength"] == len(longer)
        assert data["sha256"] == hashlib.sha256(longer.encode()).hexdigest()
