"""The one argument of a call that is shown."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buddy_core.runs.toolargs import MAX_ARGUMENT, compact_json, key_argument


@pytest.mark.parametrize(
    ("tool", "args", "shown"),
    [
        ("bash", {"description": "Run tests", "command": "pytest -q"}, "pytest -q"),
        ("search", {"path": "src", "pattern": "TODO", "-n": "true"}, "TODO"),
        ("view_file", {"offset": "715", "path": "/src/a.py", "limit": "45"}, "/src/a.py"),
        ("web_fetch", {"timeout": 3, "url": "https://example.com"}, "https://example.com"),
        ("spawn_subagent", {"prompt": "Search everything", "description": "Find callers"}, "Find callers"),
        ("update_todo_list", {"todos": ["a", "b"]}, '{"todos":["a","b"]}'),
        ("custom", {"depth": 3, "words": "hello"}, "words: hello"),
        ("custom", {"depth": 3}, '{"depth":3}'),
        ("bash", '{"command":"ls"}', "ls"),
        ("bash", "just text", "just text"),
        ("bash", "{torn", "{torn"),
        ("bash", ["ls", "-l"], '["ls","-l"]'),
        ("bash", {"command": ["ls", "-l"]}, '["ls","-l"]'),
        ("bash", {"command": ""}, '{"command":""}'),
        ("bash", {}, ""),
        ("bash", None, ""),
    ],
)
def test_the_most_telling_argument_is_chosen(tool: str, args: object, shown: str) -> None:
    assert key_argument(tool, args) == shown


def test_long_arguments_are_cut_and_say_so() -> None:
    shown = key_argument("bash", {"command": "x" * 10_000_000})
    assert len(shown) == MAX_ARGUMENT
    assert shown.endswith("x…")


def test_json_that_cannot_be_written_is_described() -> None:
    cycle: list[Any] = []
    cycle.append(cycle)
    assert compact_json(cycle) == "…"


@given(
    st.text(max_size=9),
    st.recursive(
        st.none() | st.integers() | st.floats() | st.text(st.characters(), max_size=400),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    ),
)
def test_whatever_the_arguments_are_the_result_is_short_text_that_can_be_encoded(
    tool: str, args: Any
) -> None:
    shown = key_argument(tool, args)
    assert len(shown) <= MAX_ARGUMENT
    shown.encode()
