"""The scrolling view of text: wrapping, keeping the place, searching, selecting."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.app import App, ComposeResult
from textual.strip import Strip

from buddy_core.safety.text import Plain
from buddy_top.drawing.cells import Cell, Span, literal, text_of, width_of
from buddy_top.widgets.panel import Panel
from buddy_top.widgets.text.view import TextView
from buddy_top.widgets.text.wrap import wrap

WORDS = "the quick brown fox jumps over the lazy dog"


class CountingView(TextView):
    drawn: list[int]

    def render_line(self, y: int) -> Strip:
        self.drawn.append(y)
        return super().render_line(y)


class ViewApp(App[None]):
    def compose(self) -> ComposeResult:
        self.view = CountingView()
        self.view.drawn = []
        yield Panel(self.view)


def shown(app: ViewApp) -> list[str]:
    view = app.view
    return [
        "".join(segment.text for segment in view.render_line(y)).rstrip() for y in range(view.size.height)
    ]


def lines_of(count: int) -> list[Cell]:
    return [literal(f"line {number}") for number in range(count)]


LINES = st.lists(
    st.builds(Span, st.text("ab 中e\u0301", max_size=12).map(Plain), st.sampled_from(["value", "dim"])),
    max_size=6,
).map(tuple)


@given(LINES, st.integers(2, 20))
def test_wrapping_loses_no_letter_and_fits(line: Cell, width: int) -> None:
    wrapped = wrap(line, width)
    assert all(width_of(piece) <= width for piece in wrapped)
    assert "".join(text_of(piece) for piece in wrapped).replace(" ", "") == text_of(line).replace(" ", "")


def test_words_are_kept_whole_and_what_goes_on_is_set_in_as_its_line() -> None:
    assert [text_of(line) for line in wrap(literal(WORDS), 16)] == [
        "the quick brown",
        "fox jumps over",
        "the lazy dog",
    ]
    assert [text_of(line) for line in wrap(literal("  " + WORDS), 18)][1] == "  fox jumps over"


def test_a_word_longer_than_the_line_is_broken() -> None:
    assert [text_of(line) for line in wrap(literal("x" * 25), 10)] == ["x" * 10, "x" * 10, "x" * 5]


async def test_new_lines_that_equal_the_old_repaint_nothing_and_one_changed_line_itself_only() -> None:
    app = ViewApp()
    async with app.run_test(size=(40, 12)) as pilot:
        app.view.set_lines(lines_of(30))
        await pilot.pause()
        app.view.drawn.clear()
        app.view.set_lines(lines_of(30))
        await pilot.pause()
        assert app.view.drawn == []
        changed = lines_of(30)
        changed[4] = literal("something else")
        app.view.set_lines(changed)
        await pilot.pause()
        assert app.view.drawn == [4]


async def test_the_place_that_is_read_is_kept_unless_asked_otherwise() -> None:
    app = ViewApp()
    async with app.run_test(size=(40, 12)) as pilot:
        app.view.set_lines(lines_of(50))
        app.view.set_top(20)
        app.view.set_lines(lines_of(60))
        assert app.view.top == 20
        app.view.set_lines(lines_of(60), keep_scroll=False)
        assert app.view.top == 0
        await pilot.pause()


async def test_after_a_resize_the_line_that_was_on_top_still_is() -> None:
    app = ViewApp()
    async with app.run_test(size=(60, 12)) as pilot:
        app.view.set_lines([literal(f"{number} {WORDS} {WORDS}") for number in range(40)])
        await pilot.pause()
        app.view.next_match()
        app.view.highlight_matches("17 the")
        assert app.view.next_match()
        before = shown(app)[0].strip()
        await pilot.resize_terminal(30, 12)
        await pilot.pause()
        assert before.startswith("17 the")
        assert shown(app)[0].strip().startswith("17 the")


@pytest.mark.parametrize(
    ("keys", "top"),
    [(("down", "j", "k"), 1), (("pagedown",), 9), (("end",), 40), (("G", "g"), 0), (("space",), 9)],
)
async def test_the_keys_that_move(keys: tuple[str, ...], top: int) -> None:
    app = ViewApp()
    async with app.run_test(size=(40, 12)) as pilot:
        app.view.set_lines(lines_of(50))
        app.view.focus()
        await pilot.press(*keys)
        assert app.view.top == top


async def test_matches_are_counted_marked_and_gone_to_round_the_end() -> None:
    app = ViewApp()
    async with app.run_test(size=(40, 7)) as pilot:
        app.view.set_lines(lines_of(50))
        await pilot.pause()
        assert app.view.highlight_matches("LINE 3") == 11
        tops = []
        for _ in range(3):
            app.view.next_match()
            tops.append(app.view.top)
        assert tops == [3, 30, 31]
        app.view.next_match(-1)
        assert app.view.top == 30
        assert app.view.highlight_matches("nowhere") == 0
        assert not app.view.next_match()


async def test_text_can_be_selected_with_the_mouse_line_by_line() -> None:
    app = ViewApp()
    async with app.run_test(size=(40, 12)) as pilot:
        app.view.set_lines(lines_of(50))
        app.view.set_top(10)
        await pilot.pause()
        await pilot.mouse_down(app.view, offset=(1, 1))
        await pilot.hover(app.view, offset=(5, 3))
        await pilot.mouse_up(app.view, offset=(5, 3))
        await pilot.pause()
        assert app.screen.get_selected_text() == "line 11\nline 12\nline "
        app.view.set_lines(lines_of(2))
        app.screen.get_selected_text()


async def test_cut_lines_instead_of_wrapped_ones() -> None:
    app = ViewApp()
    async with app.run_test(size=(20, 6)) as pilot:
        app.view.set_lines([literal(WORDS), literal("short")])
        app.view.wrapped = False
        await pilot.pause()
        assert shown(app)[:2] == [" the quick brown…", " short"]


async def test_observed_text_is_drawn_letter_by_letter() -> None:
    """Case 55: no markup, no links."""
    app = ViewApp()
    async with app.run_test(size=(60, 6)) as pilot:
        app.view.set_lines([literal("[b]bold[/b] [/x] https://example.org")])
        await pilot.pause()
        assert shown(app)[0].strip() == "[b]bold[/b] [/x] https://example.org"
        assert not any(segment.style and segment.style.link for segment in app.view.render_line(0))


def test_a_labelled_line_goes_on_under_its_value() -> None:
    line = (Span(Plain("runs      "), "label"), Span(Plain("run_1  Replace the parser with a faster one")))
    assert [text_of(piece) for piece in wrap(line, 34)] == [
        "runs      run_1  Replace the",
        "          parser with a faster one",
    ]
