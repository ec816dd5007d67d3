"""How the virtual table looks: marks, the bar, titles, matches, no rows, another size."""

from __future__ import annotations

from tests.tui.widgets.table_alone import (
    TableApp,
    drawing,
    many,
    rows_of,
    screen_text,
    settle,
)

from buddy_core.safety.text import Plain
from buddy_top.drawing.cells import cell, literal


async def test_marks_are_drawn_in_the_gutter_and_repaint_their_line_only() -> None:
    app = TableApp()
    async with app.run_test(size=(60, 12)) as pilot:
        app.table.set_source(*rows_of(many(20)))
        app.table.move_to(2)
        await settle(pilot)
        with drawing(app.table) as lines:
            app.table.toggle_mark()
            await settle(pilot)
        assert lines == [3]
        assert screen_text(app)[3].startswith("•k2")
        app.table.toggle_mark()
        await settle(pilot)
        assert app.table.marks == frozenset()
        assert screen_text(app)[3].startswith("▌k2")


async def test_no_rows_show_the_sentence() -> None:
    app = TableApp(empty=Plain("no tool was called in the last 24 h"))
    async with app.run_test(size=(60, 12)) as pilot:
        await settle(pilot)
        assert screen_text(app)[1].strip() == "no tool was called in the last 24 h"
        app.table.set_empty(Plain("nothing matches"))
        await settle(pilot)
        assert screen_text(app)[1].strip() == "nothing matches"
        app.table.set_source(*rows_of(many(2)))
        await settle(pilot)
        assert [line.split() for line in screen_text(app)[1:4]] == [["▌k0", "0"], ["k1", "1"], []]


async def test_observed_text_is_never_markup() -> None:
    """Case 55: what looks like markup or a link stands there letter by letter."""
    app = TableApp()
    hostile = Plain("[red]x[/] [@click=app.quit]go[/] [/foo]")
    async with app.run_test(size=(60, 6)) as pilot:
        app.table.set_source(["a"], lambda index: (cell(hostile), literal("1")))
        await settle(pilot)
        assert hostile in screen_text(app)[1]
        await pilot.click(app.table, offset=(14, 1))
        assert app.is_running


async def test_a_resize_lays_the_columns_out_anew_and_keeps_the_cursor_in_sight() -> None:
    app = TableApp()
    async with app.run_test(size=(60, 40)) as pilot:
        app.table.set_source(*rows_of(many(100)))
        app.table.move_to(35)
        await settle(pilot)
        await pilot.resize_terminal(30, 10)
        await settle(pilot)
        assert app.table.top <= 35 < app.table.top + app.table.page
        assert any("k35" in line for line in screen_text(app))
        assert all(len(line) == 30 for line in screen_text(app))


async def test_the_bar_is_bright_with_the_focus_and_faint_without_and_lies_under_the_whole_row() -> None:
    app = TableApp()
    async with app.run_test(size=(40, 8)) as pilot:
        app.table.set_source(*rows_of(many(4)))
        app.table.focus()
        await settle(pilot)
        focused = {segment.style.bgcolor for segment in app.table.render_line(1) if segment.style}
        app.set_focus(None)
        await settle(pilot)
        resting = {segment.style.bgcolor for segment in app.table.render_line(1) if segment.style}
        plain = {segment.style.bgcolor for segment in app.table.render_line(2) if segment.style}
        assert len(focused) == len(resting) == len(plain) == 1
        assert len(focused | resting | plain) == 3


async def test_matches_are_marked_in_either_case() -> None:
    app = TableApp()
    async with app.run_test(size=(40, 8)) as pilot:
        app.table.set_source(["a"], lambda index: (literal("Fix THE theme"), literal("1")))
        app.table.highlight_matches("the")
        await settle(pilot)
        underlined = [s.text for s in app.table.render_line(1) if s.style and s.style.underline]
        assert underlined == ["THE", "the"]


async def test_the_mark_of_what_was_cut_is_no_match() -> None:
    app = TableApp()
    async with app.run_test(size=(24, 8)) as pilot:
        app.table.set_source(["a"], lambda index: (literal("some long text with the word"), literal("1")))
        app.table.highlight_matches("with the word")
        await settle(pilot)
        assert not [s.text for s in app.table.render_line(1) if s.style and s.style.underline]


async def test_the_sort_arrow_moves_no_title() -> None:
    app = TableApp()
    async with app.run_test(size=(40, 8)) as pilot:
        await settle(pilot)
        bare = screen_text(app)[0]
        for key in ("name", "calls"):
            for reverse, arrow in ((True, "▾"), (False, "▴")):
                app.table.set_sort(key, reverse)
                await settle(pilot)
                shown = screen_text(app)[0]
                assert arrow in shown
                assert shown.replace(arrow, " ") == bare
