"""Cutting inked text to columns of the screen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from buddy_core.safety.text import Plain, plain
from buddy_top.drawing.cells import (
    Cell,
    Cut,
    Span,
    cut,
    cut_left,
    cut_right,
    fit,
    spread,
    take,
    take_last,
    text_of,
    width_of,
)

TEXTS = st.text(alphabet=st.sampled_from("ab ⟨é中文e\u0301🙂\u0300ﬁ…"), max_size=30).map(plain)
CELLS = st.lists(st.builds(Span, TEXTS, st.sampled_from(["value", "dim", "bad"])), max_size=5).map(tuple)


SIDES = ["left", "middle", "right", "name", "argument"]


@given(CELLS, st.integers(0, 40), st.sampled_from(["left", "right"]), st.sampled_from(SIDES))
def test_a_fitted_cell_is_never_wider_and_narrower_by_no_more_than_half_a_wide_character(
    spans: Cell, width: int, align: str, side: str
) -> None:
    fitted = fit(spans, width, align, side)  # type: ignore[arg-type]
    assert width_of(fitted) == width


@given(CELLS, st.integers(0, 40), st.sampled_from(SIDES))
def test_what_fits_is_left_alone_and_what_does_not_has_the_mark(spans: Cell, width: int, side: str) -> None:
    short = cut(spans, width, side)  # type: ignore[arg-type]
    assert width_of(short) <= width
    if width_of(spans) <= width:
        assert short == spans
    elif width > 0:
        text = text_of(short)
        ends = {"left": text.startswith("…"), "middle": "…" in text, "right": text.endswith("…")}
        assert ends.get(side, "…" in text)


@given(TEXTS, st.integers(0, 40))
def test_a_cut_keeps_the_beginning_or_the_end(text: Plain, width: int) -> None:
    assert text.startswith(take(text, width))
    assert text.endswith(take_last(text, width))
    assert cell_len(cut_right(text, width)) <= width
    assert cell_len(cut_left(text, width)) <= width


def test_a_wide_character_is_never_split() -> None:
    assert take("中文字", 3) == "中"
    assert take_last("中文字", 3) == "字"
    assert text_of(fit((Span(Plain("中文字")),), 4)) == "中… "


def test_a_combining_mark_stays_with_its_letter() -> None:
    assert take("ae\u0301b", 2) == "ae\u0301"
    assert take_last("ae\u0301b", 2) == "e\u0301b"
    assert take_last("ae\u0301", 1) == "e\u0301"


def test_a_cut_in_the_middle_keeps_what_tells_names_of_one_family_apart() -> None:
    assert text_of(cut((Span(Plain("mcp__server_00__tool_0017")),), 18, "middle")) == "mcp__…0__tool_0017"
    assert text_of(cut((Span(Plain("中文字 中文字")),), 8, "middle")) == "中…文字"


def test_inks_survive_a_cut() -> None:
    spans = (Span(Plain("failed"), "bad"), Span(Plain(" in main.py"), "dim"))
    assert cut(spans, 10) == (Span(Plain("failed"), "bad"), Span(Plain(" in…"), "dim"))
    assert cut(spans, 8, "left") == (Span(Plain("…main.py"), "dim"),)
    assert cut(spans, 8, "middle") == (Span(Plain("fa"), "bad"), Span(Plain("…in.py"), "dim"))


@pytest.mark.parametrize(
    ("width", "expected"), [(20, "left           right"), (12, "left   right"), (10, "left      ")]
)
def test_the_right_part_gives_way_when_both_do_not_fit(width: int, expected: str) -> None:
    line = spread((Span(Plain("left")),), (Span(Plain("right")),), width)
    assert text_of(line) == expected


@pytest.mark.parametrize(
    ("text", "side", "shown"),
    [
        ("str_replace_editor", "name", "str_replac…"),
        ("mcp__files__read", "name", "mcp…es__read"),
        ("src/auth/token.py", "argument", "…th/token.py"),
        ("~/日本/lib/main.py", "argument", "…lib/main.py"),
        ("pytest -q tests/auth", "argument", "pytest -q …"),
        ("https://example.org/a", "argument", "https://ex…"),
    ],
)
def test_a_name_or_an_argument_is_cut_where_it_says_least(text: str, side: Cut, shown: str) -> None:
    assert text_of(cut((Span(Plain(text)),), len(shown), side)) == shown
