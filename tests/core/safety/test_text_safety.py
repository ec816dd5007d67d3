"""Promise C5 at its source: whatever goes in, only what a terminal can safely show comes out."""

from __future__ import annotations

import tracemalloc
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buddy_core.safety import text as text_module
from buddy_core.safety.text import MAX_MARKS, is_plain, plain, plain_lines

ANY_TEXT = st.text(alphabet=st.characters(codec=None), max_size=60)
NASTY = st.text(
    alphabet="\x1b\x9b\x07\r\n\t\x00\x7f\u202e\u200d\ufe0f\u0301\ue000\udc80a☃⟨⟩\U000e0041", max_size=60
)


def offends(text: str) -> list[str]:
    """Characters that must not reach a terminal, judged without the code under test."""
    return [c for c in text if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}]


def most_marks(text: str) -> int:
    most = run = 0
    for char in text:
        run = run + 1 if unicodedata.category(char).startswith("M") else 0
        most = max(most, run)
    return most


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]0;owned\x07", "␛]0;owned␇"),
        ("\x1b[2J", "␛[2J"),
        ("\x9b31m", "⟨9b⟩31m"),
        ("a\x00b\x08c\x7f", "a␀b␈c␡"),
        ("over\rwritten", "over␍written"),
        ("one\ntwo\r\nthree", "one⏎two⏎three"),
        ("a\tb", "a␉b"),
        ("user\u202egnp.exe", "user⟨202e⟩gnp.exe"),
        ("zero\u200bwidth\u200djoin", "zero⟨200b⟩width⟨200d⟩join"),
        ("line\u2028paragraph\u2029", "line⟨2028⟩paragraph⟨2029⟩"),
        ("\ue000 \udc9b \U000e0041", "⟨e000⟩ ⟨dc9b⟩ ⟨e0041⟩"),
        ("warn\u26a0\ufe0f", "warn\u26a0⟨fe0f⟩"),
        ("\ufeffbom", "⟨feff⟩bom"),
        ("naïve 日本語 ✓ é", "naïve 日本語 ✓ é"),
    ],
)
def test_each_dangerous_character_becomes_a_visible_one(text: str, shown: str) -> None:
    """Cases 55 to 58."""
    assert plain(text) == shown


@given(ANY_TEXT | NASTY)
def test_nothing_outside_the_allow_list_ever_comes_out(text: str) -> None:
    """Cases 55 to 58."""
    for line in (plain(text), *plain_lines(text)):
        assert offends(line) == []
        assert most_marks(line) <= MAX_MARKS


@given(ANY_TEXT | NASTY, st.integers(1, 30))
def test_safe_text_passes_a_second_time_unchanged(text: str, limit: int) -> None:
    once = plain(text, limit=limit)
    assert plain(once, limit=limit) == once
    assert is_plain(once)


@given(ANY_TEXT | NASTY, st.integers(0, 30))
def test_a_line_never_exceeds_its_limit_and_says_when_it_was_cut(text: str, limit: int) -> None:
    line = plain(text, limit=limit)
    assert len(line) <= limit
    if len(text.replace("\r\n", "\n")) > limit > 0:
        assert line.endswith("…")


@given(ANY_TEXT)
def test_nothing_is_dropped_in_silence(text: str) -> None:
    assert len(plain(text, limit=10_000)) >= min(1, len(text))
    assert len(text) == 0 or plain(text + "\x1b") != plain(text)


def test_a_pile_of_marks_is_cut_to_eight_and_counted() -> None:
    """Case 58."""
    assert plain("Z" + "\u0301" * 200, limit=500) == "Z" + "\u0301" * 8 + "⟨+192⟩"


def test_a_mark_without_a_base_gets_one_of_its_own() -> None:
    """Case 58: it would sit on the border of the panel."""
    assert plain("\u0301x") == "◌\u0301x"


def test_megabytes_cost_no_more_than_the_line_they_become() -> None:
    huge = "\x1b" * 10_000_000
    tracemalloc.start()
    try:
        line = plain(huge, limit=100)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert line == "␛" * 99 + "…"
    assert peak < 1_000_000, "the text was copied before it was cut"


class Rude:
    def __str__(self) -> str:
        raise RuntimeError("\x1b]0;no\x07")


class RudeText(str):
    __slots__ = ()

    def __str__(self) -> str:
        return "\x1b"

    def isascii(self) -> bool:
        return True

    def isprintable(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("thing", "shown"),
    [
        (None, ""),
        (12.5, "12.5"),
        (b"caf\xc3\xa9 \x1b\xff", "café ␛\ufffd"),
        (Rude(), "⟨unprintable Rude⟩"),
        (RudeText("a\x1bb"), "a␛b"),
        ({"k": "\x1b"}, "{'k': '\\x1b'}"),
    ],
)
def test_anything_can_be_shown_and_nothing_raises(thing: object, shown: str) -> None:
    assert plain(thing) == shown


def test_lines_split_at_line_feeds_only_and_tabs_become_columns() -> None:
    assert plain_lines("a\tb\r\n\u2028c\rd\n\n\te\n") == ["a   b", "⟨2028⟩c␍d", "", "    e"]


def test_no_text_is_no_lines() -> None:
    assert plain_lines("") == []
    assert plain_lines(None) == []


def test_lines_beyond_the_limit_are_counted() -> None:
    assert plain_lines("a\nb\nc\nd", limit_lines=2) == ["a", "b", "… 2 more lines"]
    assert plain_lines("a\nb\nc\n", limit_lines=2) == ["a", "b", "… 1 more line"]
    assert plain_lines("a\nb\n", limit_lines=2) == ["a", "b"]


def test_a_wide_line_is_cut_and_the_next_one_is_whole() -> None:
    assert plain_lines("x" * 50 + "\nshort", limit_width=10) == ["x" * 9 + "…", "short"]


@given(NASTY)
def test_a_line_of_many_is_safe_by_itself(text: str) -> None:
    assert all(is_plain(line) for line in plain_lines(text))


def test_a_line_that_became_shorter_than_its_limit_still_says_that_it_was_cut() -> None:
    assert plain("\r\n" * 10, limit=5) == "⏎⏎⏎…"
    assert plain("\r\n" * 10, limit=1) == "…"
    assert plain("a\r\nb\r\nccc", limit=7) == "a⏎b⏎cc…"
    assert plain("abcd", limit=4) == "abcd"
    assert plain("", limit=0) == ""
    assert plain("a", limit=0) == ""
    assert plain("é", limit=0) == ""


def test_two_thousand_characters_of_a_line_are_shown_and_two_thousand_lines() -> None:
    assert plain("a" * 2_000) == "a" * 2_000
    assert plain("a" * 2_001) == "a" * 1_999 + "…"
    assert plain("é" * 2_001) == "é" * 1_999 + "…"
    assert plain_lines("a" * 2_001 + "\n" + "é" * 2_000) == ["a" * 1_999 + "…", "é" * 2_000]
    assert plain_lines("x\n" * 2_000) == ["x"] * 2_000
    assert plain_lines("x\n" * 3_001) == ["x"] * 2_000 + ["… 1,001 more lines"]


def test_a_carriage_return_is_part_of_a_line_break_only_before_a_line_feed() -> None:
    assert plain_lines("a\r\n\r\nb\r") == ["a", "", "b␍"]
    assert plain("a\r\n\rb", newline=" ") == "a ␍b"
    assert plain_lines("ab\r\nc", limit_width=2) == ["ab", "c"]


def test_tabs_are_as_wide_as_one_says() -> None:
    assert plain_lines("a\tb\n\t\tc", tab=2) == ["a b", "    c"]
    assert plain_lines("abc\td", limit_width=4) == ["abc…"]


def test_every_other_space_is_a_space_and_every_invisible_letter_is_seen() -> None:
    assert plain("a\u00a0b\u2003c\u3000d") == "a\u00a0b\u2003c\u3000d"
    for point in (0x34F, 0x115F, 0x3164, 0xFFA0, 0x17B4, 0x180F, 0xFE00, 0xFFF9, 0x1F1E6, 0x1F3FF, 0xE0FFF):
        assert plain(chr(point)) == chr(point).translate(text_module._Replacements()) == f"⟨{point:x}⟩"
        assert not is_plain(chr(point))
    assert plain("\x1f\x20\x7e\x7f\x80\xa0") == "␟ ~␡⟨80⟩\xa0"


def test_marks_are_counted_base_by_base() -> None:
    """Case 58."""
    marks = "\u0301" * 8
    assert plain(f"a{marks}b{marks}\u0301c") == f"a{marks}b{marks}⟨+1⟩c"
    assert plain(f"a{marks}") == f"a{marks}"
    assert plain(f"{marks}a") == f"◌{marks}a"
    assert plain("a" + "\u0300" * 9) == "a" + "\u0300" * 8 + "⟨+1⟩", "the first of all marks"
    assert plain("각" + "\u1161" * 9) == "각" + "\u1161" * 8 + "⟨+1⟩"
    assert is_plain(f"a{marks}") and not is_plain(f"a{marks}\u0301") and not is_plain("\u0301")


def test_whoever_sends_every_character_there_is_fills_no_memory() -> None:
    table = text_module._Replacements()
    shown = "".join(map(chr, range(0x4E00, 0x4E00 + 5_000))).translate(table)
    assert len(shown) == 5_000
    assert len(table) == text_module._CACHE_SIZE
    assert "\x1b\u202e".translate(table) == "␛⟨202e⟩"


def test_each_character_is_judged_the_same_when_it_is_met_for_the_first_time() -> None:
    met = "\x1f\x20\x7e\x7f\x80\xa0\u2003\ue000\u200b"
    assert met.translate(text_module._Replacements()) == "␟ ~␡⟨80⟩\xa0\u2003⟨e000⟩⟨200b⟩"


def test_an_empty_first_line_is_one() -> None:
    assert plain_lines("\na") == ["", "a"]
    assert plain_lines("\nfoo\r") == ["", "foo␍"]


def test_a_line_that_its_marks_make_shorter_still_says_that_it_was_cut() -> None:
    """Case 58."""
    shown = plain_lines("a" + "\u0301" * 50, limit_width=30)
    assert shown == ["a" + "\u0301" * 8 + "⟨+22⟩…"]
