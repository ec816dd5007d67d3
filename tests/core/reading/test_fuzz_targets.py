"""The checks of the fuzzer hold for its seeds and for what chance makes of them, and each of them can fail.

Coverage-guided, and for as long as one likes: `python -m tests.fuzz`.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fuzz import __main__ as command
from tests.fuzz.targets import TARGETS

from buddy_core.runs.artifacts import names as artifact_names
from buddy_core.runs.query import canonical
from buddy_core.runs.reading import jsonl, salvage
from buddy_core.runs.records import smallfiles as records
from buddy_core.safety import text


def inputs(name: str) -> st.SearchStrategy[bytes]:
    """Pieces of the seeds of a target, in any order, with other bytes between them."""
    seeds = list(TARGETS[name].seeds())
    cuts = st.tuples(st.sampled_from(seeds), st.integers(0, 400), st.integers(1, 200))
    piece = cuts.map(lambda cut: cut[0][cut[1] : cut[1] + cut[2]])
    return st.lists(st.sampled_from(seeds) | piece | st.binary(max_size=8), max_size=5).map(b"".join)


@pytest.mark.parametrize("name", TARGETS)
def test_every_promise_holds_for_the_seeds(name: str) -> None:
    """Cases 20, 29 to 31, 43 to 48, 53, 55 to 58 and 74, each in the target whose place it is."""
    for seed in TARGETS[name].seeds():
        TARGETS[name].check(seed)


@pytest.mark.parametrize("name", TARGETS)
def test_every_promise_holds_for_what_chance_makes_of_the_seeds(name: str) -> None:
    """Cases 20, 29 to 31, 43 to 48, 53, 55 to 58 and 74."""
    check = settings(max_examples=40, deadline=None)(
        given(data=inputs(name))(lambda data: TARGETS[name].check(data))
    )
    check()


Break = Callable[[pytest.MonkeyPatch], None]


def replaced(target: object, name: str, value: Any) -> Break:
    return lambda patch: patch.setattr(target, name, value)


def everything_is_shown(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(text, "_shown", chr)
    patch.setattr(text, "_LINE", text._Replacements())


BROKEN: dict[str, Break] = {
    "lines": replaced(jsonl, "_is_utf8", lambda _: True),
    "salvage": replaced(salvage, "_believable", lambda *_: True),
    "summary": replaced(records, "text_of", lambda value: value if isinstance(value, str) else None),
    "filter": replaced(canonical, "quoted", lambda word: f'"{word}"'),
    "text": everything_is_shown,
    "names": replaced(artifact_names, "_RESERVED", frozenset()),
}


@pytest.mark.parametrize("name", TARGETS)
def test_a_promise_that_is_broken_is_noticed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control."""
    BROKEN[name](monkeypatch)
    with pytest.raises((AssertionError, ValueError)):
        for seed in TARGETS[name].seeds():
            TARGETS[name].check(seed)


def test_without_atheris_it_is_said_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    assert command.main(["lines"]) == 2
    assert "pip install --group fuzz" in capsys.readouterr().err


def test_an_input_that_was_found_can_be_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = tmp_path / "found"
    found.write_bytes(b"CON")
    again = partial(command.main, ["names", "--again", str(found)])
    assert again() == 0
    BROKEN["names"](monkeypatch)
    with pytest.raises(AssertionError):
        again()


def test_a_target_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        command.main(["liens"])
    assert "there is no target liens" in capsys.readouterr().err
