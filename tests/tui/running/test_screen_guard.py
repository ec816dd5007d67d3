"""The last filters before the terminal: nothing gets past, and no column moves."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.color import Color

from buddy_top.terminal.guard import ScreenGuard, WithoutColor

BLACK = Color.parse("#000000")
NASTY = st.text(alphabet="ab─日\x1b\x9b\x07\r\n\t\x00\u202e\u200d\u0301\ufe0f\ue000\udc80", max_size=12)
STYLE = Style(color="red", bold=True, meta={"@click": "x"}, link="file:///etc/passwd")


def text_of(segments: list[Segment]) -> str:
    return "".join(segment.text for segment in segments)


def cells_of(segments: list[Segment]) -> int:
    return sum(cell_len(segment.text) for segment in segments)


def test_a_clean_line_passes_untouched() -> None:
    line = [Segment("plain "), Segment("│ ✓ 日本", Style(bold=True))]
    assert ScreenGuard().apply(line, BLACK) is line


def test_a_control_character_becomes_visible() -> None:
    """Case 55."""
    assert text_of(ScreenGuard().apply([Segment("a\x1b[2Jb"), Segment("    ")], BLACK)).startswith("a␛[2Jb")


def test_a_control_segment_cannot_smuggle_anything() -> None:
    """Case 55: Rich writes the text of control segments as it is."""
    line = [Segment("\x1b]0;x\x07", None, [(0,)]), Segment("words", None, [(0,)])]  # type: ignore[list-item]
    segments = ScreenGuard().apply(line, BLACK)
    assert not [segment for segment in segments if segment.control]
    assert "\x1b" not in text_of(segments)


def test_a_link_is_taken_off_and_the_rest_of_the_style_stays() -> None:
    """Case 60: no OSC 8."""
    [segment] = ScreenGuard().apply([Segment("x", STYLE)], BLACK)
    assert segment.style is not None
    assert segment.style.link is None
    assert segment.style.bold
    assert segment.style.meta == {"@click": "x"}


@given(st.lists(NASTY, max_size=5), st.booleans())
def test_whatever_is_drawn_is_printable_and_as_wide_as_before(texts: list[str], ascii_only: bool) -> None:
    line = [Segment(text) for text in texts]
    safe = ScreenGuard(ascii_only=ascii_only).apply(line, BLACK)
    bad = {unicodedata.category(char) for char in text_of(safe)} & {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
    assert not bad
    assert cells_of(safe) == cells_of(line)
    assert not ascii_only or text_of(safe).isascii()


def test_without_utf8_the_frame_is_drawn_in_ascii() -> None:
    """Case 71."""
    guard = ScreenGuard(ascii_only=True)
    assert text_of(guard.apply([Segment("╭─ x ─╮"), Segment("│▃█│")], BLACK)) == "+- x -+|-#|"


def test_without_colour_weight_stays_and_a_mark_is_reversed() -> None:
    """Case 70."""
    line = [
        Segment("plain", Style(color="red", bgcolor="#000000", bold=True)),
        Segment("cursor", Style(color="white", bgcolor="#88ccff")),
        Segment("none"),
    ]
    plain, cursor, none = WithoutColor().apply(line, BLACK)
    assert plain.style == Style(bold=True)
    assert cursor.style == Style(reverse=True)
    assert none.style is None
