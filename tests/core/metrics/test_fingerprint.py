"""Errors that differ only in numbers, paths and ids are one group."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buddy_core.metrics.counting.fingerprint import KEPT, fingerprint


@pytest.mark.parametrize(
    ("message", "blanked"),
    [
        ("File /home/a/x.py not found", "File <path> not found"),
        ("cannot read ~/notes.txt", "cannot read <path>"),
        ("src/app/main.py:12:3: E501 line too long", "<path>:<number>: E501 line too long"),
        (r"C:\Users\x\y.txt missing", "<path> missing"),
        ("429 after 3.2s", "<number> after <number>s"),
        ("connect ECONNREFUSED 127.0.0.1:8080", "connect ECONNREFUSED <number>"),
        ("GET http://a.b/c?d=1 refused", "GET <url> refused"),
        ("request req_01ABCdef123 failed", "request <id> failed"),
        ("commit 3f2a9bc1 is gone", "commit <id> is gone"),
        ("session 123e4567-e89b-12d3-a456-426614174000 ended", "session <id> ended"),
        ("segfault at 0x7fff12ab", "segfault at <id>"),
        ("run run_mk2szcg2_71dbbe is locked", "run <id> is locked"),
        ("no such tool: bash", "no such tool: bash"),
        ("a decade-old facade", "a decade-old facade"),
        ("two\n  lines\tand tabs", "two lines and tabs"),
    ],
)
def test_the_variable_parts_are_blanked(message: str, blanked: str) -> None:
    assert fingerprint("oops", message) == f"oops {blanked}"


def test_the_length_of_a_number_makes_no_difference() -> None:
    assert fingerprint("e", "took 12 ms") == fingerprint("e", "took 123456789 ms")


def test_the_type_tells_groups_apart() -> None:
    assert fingerprint("api", "timeout") != fingerprint("tool", "timeout")


def test_only_the_beginning_of_a_message_decides() -> None:
    assert fingerprint("e", "word " * 200 + "a") == fingerprint("e", "word " * 200 + "b")


@given(st.text(max_size=2000))
def test_a_fingerprint_is_short_and_on_one_line_whatever_the_message(message: str) -> None:
    key = fingerprint("e", message)
    assert len(key) <= KEPT + 2
    assert "\n" not in key


@given(st.integers(min_value=0), st.integers(min_value=0))
def test_any_two_numbers_fall_together(one: int, two: int) -> None:
    assert fingerprint("e", f"exit {one} now") == fingerprint("e", f"exit {two} now")
