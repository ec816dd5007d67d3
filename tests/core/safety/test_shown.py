"""Observed text before a person's eyes: without its secrets (promise C11), then without what a terminal obeys (C5)."""

from __future__ import annotations

from buddy_core.safety.redact import MASK
from buddy_core.safety.shown import _CACHED, MARGIN, _remembered, shown, shown_lines

TOKEN = "ghp_0123456789abcdefghijABCDEFGHIJ456789"


def test_a_secret_is_masked_and_the_rest_is_made_printable() -> None:
    """Cases 55 and 83."""
    assert shown(f"\x1b[31mtoken {TOKEN}\n") == f"␛[31mtoken ghp_{MASK}⏎"
    assert shown_lines(f"one\n\x1b {TOKEN}") == ["one", f"␛ ghp_{MASK}"]


def test_a_secret_that_the_edge_cuts_is_known_for_one() -> None:
    """Case 83: what is shown of it is the mask, however little of it would have been."""
    for before in range(12):
        assert TOKEN[4:6] not in shown("x" * before + " " + TOKEN, limit=before + 8)


def test_of_a_long_text_no_more_is_looked_at_than_the_margin() -> None:
    looked_at = "x" * 10 + " " + "y" * (MARGIN - 1)
    assert shown(looked_at + "\x1b" * 10_000_000, limit=10) == "x" * 9 + "…"
    assert shown("a" * 9, limit=10) == "a" * 9
    assert shown("a" * 10, limit=10) == "a" * 10
    assert shown("a" * 11, limit=10) == "a" * 9 + "…"


def test_two_thousand_characters_are_shown_unless_told_otherwise() -> None:
    assert shown("a " * 1_000) == "a " * 1_000
    assert shown("a " * 1_001) == "a " * 999 + "a…"
    assert shown("a " * 5_000) == "a " * 999 + "a…"


def test_what_is_no_text_is_put_in_words() -> None:
    assert shown(None) == ""
    assert shown(12) == "12"
    assert shown({"password": "hunter2!"}) == f"{{'password': '{MASK}'}}"
    assert shown(list(range(1_000)), limit=10) == "[0, 1, 2,…"
    assert shown_lines(b"one\ntwo") == ["one⏎two"]
    assert len(shown(list(range(10_000)), limit=5_000)) == 5_000


def test_lines_keep_their_limits() -> None:
    text = "a\tb\nsecond line\nthird"
    assert shown_lines(text, limit_lines=2, limit_width=8, tab=2) == ["a b", "second …", "… 1 more line"]
    assert shown_lines(text) == ["a   b", "second line", "third"]
    assert len(shown_lines("x\n" * 3_000)) == 2_001
    assert shown_lines("y " * 2_000) == ["y " * 999 + "y…"]


def test_long_texts_are_masked_as_short_ones_are() -> None:
    long = "word " * 2_000 + TOKEN
    assert shown(long, limit=20_000) == "word " * 2_000 + "ghp_" + MASK
    assert shown(long, limit=20_000) == shown(long, limit=20_000)


def test_short_texts_are_remembered_and_long_ones_are_not() -> None:
    """What lists and screens show again and again is looked at once; megabytes fill no memory."""
    _remembered.cache_clear()
    shown("again and again")
    shown("again and again")
    assert (_remembered.cache_info().hits, _remembered.cache_info().currsize) == (1, 1)
    shown("x" * (_CACHED + 1), limit=9_000)
    assert _remembered.cache_info().currsize == 1
    shown("x" * _CACHED, limit=9_000)
    assert _remembered.cache_info().currsize == 2
