"""The virtual table: cursor by key, repaint by line, any number of rows."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.strip import Strip

from buddy_core.safety.text import Plain
from buddy_top.cells import Cell, cell, literal
from buddy_top.widgets.table import Column, Table

COLUMNS = (
    Column("name", Plain("name"), 8, grow=1),
    Column("calls", Plain("calls"), 6, align="right"),
)


class CountingTable(Table):
    """A table that remembers which lines it was asked to draw."""

    def __init__(self, **options: Any) -> None:
        super().__init__(*COLUMNS, **options)
        self.drawn: list[int] = []

    def render_line(self, y: int) -> Strip:
        self.drawn.append(y)
        return super().render_line(y)


class TableApp(App[None]):
    """A table alone on the screen, and what it said."""

    def __init__(self, **options: Any) -> None:
        super().__init__()
        self.table = CountingTable(**options)
        self.said: list[tuple[str, str | None]] = []

    def compose(self) -> ComposeResult:
        yield self.table

    def on_table_highlighted(self, event: Table.Highlighted) -> None:
        self.said.append(("highlighted", event.key))

    def on_table_opened(self, event: Table.Opened) -> None:
        self.said.append(("opened", event.key))

    def on_table_header_clicked(self, event: Table.HeaderClicked) -> None:
        self.said.append(("header", event.column))

    def on_table_follow_ended(self, event: Table.FollowEnded) -> None:
        self.said.append(("follow ended", event.table.cursor_key))


class Numbers(Sequence[str]):
    """A million keys that exist only when they are asked for; counts how often."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.asked = 0

    def __len__(self) -> int:
        return self.total

    def __getitem__(self, index: Any) -> Any:
        if not -self.total <= index < self.total:
            raise IndexError(index)
        self.asked += 1
        return f"k{index % self.total}"


def rows_of(values: dict[str, int]) -> tuple[list[str], Any]:
    keys = list(values)

    def render(index: int) -> Sequence[Cell]:
        return (literal(keys[index]), literal(str(values[keys[index]])))

    return keys, render


def many(total: int) -> dict[str, int]:
    return {f"k{number}": number for number in range(total)}


@contextmanager
def drawing(table: CountingTable) -> Any:
    """Collects the lines drawn inside the block."""
    table.drawn.clear()
    lines: list[int] = []
    yield lines
    lines.extend(table.drawn)


async def settle(pilot: Pilot[None]) -> None:
    await pilot.pause()
    await pilot.pause()


def screen_text(app: App[Any]) -> list[str]:
    """What stands on each line of the screen."""
    width, height = app.size
    strips = app.screen._compositor.render_strips()
    return ["".join(segment.text for segment in strip)[:width] for strip in strips[:height]]


async def test_one_changed_row_repaints_one_line_only() -> None:
    app = TableApp()
    values = many(1000)
    async with app.run_test(size=(60, 20)) as pilot:
        app.table.set_source(*rows_of(values))
        await settle(pilot)
        with drawing(app.table) as lines:
            app.table.set_source(*rows_of({**values, "k7": 70_000}))
            await settle(pilot)
        assert lines == [8]


async def test_a_source_with_the_same_rows_repaints_nothing() -> None:
    app = TableApp()
    async with app.run_test(size=(60, 20)) as pilot:
        app.table.set_source(*rows_of(many(50)))
        await settle(pilot)
        with drawing(app.table) as lines:
            for _ in range(5):
                app.table.set_source(*rows_of(many(50)))
                await settle(pilot)
        assert lines == []


async def test_a_changed_row_out_of_sight_repaints_nothing_and_is_not_even_rendered() -> None:
    app = TableApp()
    asked: list[int] = []
    async with app.run_test(size=(60, 12)) as pilot:
        keys, render = rows_of(many(500))

        def watched(index: int) -> Sequence[Cell]:
            asked.append(index)
            return render(index)  # type: ignore[no-any-return]

        app.table.set_source(keys, watched)
        await settle(pilot)
        assert max(asked) <= app.table.page


async def test_moving_the_cursor_repaints_the_two_rows_it_left_and_reached() -> None:
    app = TableApp()
    async with app.run_test(size=(60, 20)) as pilot:
        app.table.set_source(*rows_of(many(100)))
        app.table.focus()
        await settle(pilot)
        with drawing(app.table) as lines:
            await pilot.press("down")
            await settle(pilot)
        assert sorted(lines) == [1, 2]


async def test_a_million_rows_cost_what_twenty_cost() -> None:
    app = TableApp()
    async with app.run_test(size=(60, 20)) as pilot:
        keys = Numbers(1_000_000)
        app.table.set_source(keys, lambda index: (literal(f"row {index}"), literal(str(index))))
        await settle(pilot)
        await pilot.press("end", "up", "pageup", "home", "pagedown")
        app.table.move_to(500_000)
        await settle(pilot)
        assert app.table.cursor_key == "k500000"
        before = keys.asked
        app.table.set_source(keys, lambda index: (literal(f"row {index}"), literal(str(index + 1))))
        await settle(pilot)
        assert keys.asked - before < 500
        assert keys.asked < 5_000


async def test_the_cursor_stays_on_its_row_when_rows_come_go_and_are_sorted() -> None:
    app = TableApp()
    values = many(30)
    async with app.run_test(size=(60, 20)) as pilot:
        app.table.set_source(*rows_of(values))
        app.table.move_to("k5")
        app.table.set_source(*rows_of({"new1": 1, "new2": 2, **values}))
        assert (app.table.cursor_key, app.table.cursor_index) == ("k5", 7)
        app.table.set_source(*rows_of(dict(reversed(values.items()))))
        assert (app.table.cursor_key, app.table.cursor_index) == ("k5", 24)
        values.pop("k4")
        app.table.set_source(*rows_of(values))
        assert (app.table.cursor_key, app.table.cursor_index) == ("k5", 4)
        await settle(pilot)


async def test_when_the_row_under_the_cursor_is_gone_its_neighbour_takes_its_place() -> None:
    app = TableApp()
    values = many(10)
    async with app.run_test(size=(60, 20)) as pilot:
        app.table.set_source(*rows_of(values))
        app.table.move_to("k9")
        values.pop("k9")
        app.table.set_source(*rows_of(values))
        assert app.table.cursor_key == "k8"
        app.table.set_source((), lambda index: ())
        assert app.table.cursor_key is None
        await settle(pilot)
        assert app.said[-1] == ("highlighted", None)
        app.table.set_source(*rows_of(values))
        assert app.table.cursor_key == "k0"


async def test_what_is_read_stays_where_it_is_when_rows_are_put_in_above() -> None:
    app = TableApp()
    values = many(200)
    async with app.run_test(size=(60, 12)) as pilot:
        app.table.set_source(*rows_of(values))
        app.table.move_to("k100")
        await settle(pilot)
        line = app.table.cursor_index - app.table.top
        app.table.set_source(*rows_of({f"new{n}": n for n in range(37)} | values))
        assert app.table.cursor_index - app.table.top == line
        app.table.set_top(20)
        seen = app.table.keys[app.table.top]
        app.table.set_source(*rows_of({"newer": 1} | {f"new{n}": n for n in range(37)} | values))
        assert app.table.keys[app.table.top] == seen
        await settle(pilot)


async def test_at_the_very_top_a_new_first_row_comes_into_sight() -> None:
    app = TableApp()
    async with app.run_test(size=(60, 12)) as pilot:
        app.table.set_source(*rows_of(many(100)))
        await settle(pilot)
        app.table.set_source(*rows_of({"new": 1, **many(100)}))
        await settle(pilot)
        assert app.table.top == 0
        assert app.table.cursor_key == "k0"
        assert " new" in screen_text(app)[1]


@pytest.mark.parametrize(("newest", "expected"), [("first", "new"), ("last", "k99")])
async def test_following_keeps_the_cursor_on_the_newest_row(newest: str, expected: str) -> None:
    app = TableApp(newest=newest)
    async with app.run_test(size=(60, 12)) as pilot:
        app.table.set_source(*rows_of(many(99)))
        app.table.move_to("k50")
        app.table.follow = True
        rows = {"new": 1, **many(99)} if newest == "first" else many(100)
        app.table.set_source(*rows_of(rows))
        await settle(pilot)
        assert app.table.cursor_key == expected
        assert app.table.top <= app.table.cursor_index < app.table.top + app.table.page


async def test_moving_away_from_the_newest_row_ends_following() -> None:
    app = TableApp(newest="last")
    async with app.run_test(size=(60, 12)) as pilot:
        app.table.set_source(*rows_of(many(30)))
        app.table.follow = True
        app.table.focus()
        await pilot.press("down")
        assert app.table.follow
        await pilot.press("up")
        assert not app.table.follow
        assert ("follow ended", "k28") in app.said


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (("down", "j", "down", "k"), 2),
        (("end",), 99),
        (("G", "up"), 98),
        (("pagedown",), 9),
        (("end", "pageup"), 90),
        (("end", "home"), 0),
        (("end", "g"), 0),
        (("up", "pageup"), 0),
    ],
)
async def test_the_keys_that_move_move_and_keep_the_cursor_in_sight(
    keys: tuple[str, ...], expected: int
) -> None:
    app = TableApp()
    async with app.run_test(size=(60, 11)) as pilot:
        app.table.set_source(*rows_of(many(100)))
        app.table.focus()
        await pilot.press(*keys)
        assert app.table.cursor_index == expected
        assert app.table.top <= expected < app.table.top + app.table.page


async def test_enter_and_double_click_open_a_row_and_a_single_click_selects_it() -> None:
    app = TableApp()
    async with app.run_test(size=(60, 12)) as pilot:
        app.table.set_source(*rows_of(many(20)))
        app.table.focus()
        await pilot.press("down", "enter")
        assert app.said[-1] == ("opened", "k1")
        await pilot.click(app.table, offset=(5, 4))
        assert app.table.cursor_key == "k3"
        assert app.said[-1] == ("highlighted", "k3")
        await pilot.click(app.table, offset=(5, 6), times=2)
        assert app.said[-1] == ("opened", "k5")


async def test_a_click_below_the_last_row_changes_nothing() -> None:
    app = TableApp()
    async with app.run_test(size=(60, 12)) as pilot:
        app.table.set_source(*rows_of(many(3)))
        await settle(pilot)
        said = list(app.said)
        await pilot.click(app.table, offset=(5, 9))
        assert app.said == said


async def test_a_click_on_a_title_says_which_column() -> None:
    app = TableApp()
    async with app.run_test(size=(40, 12)) as pilot:
        app.table.set_source(*rows_of(many(3)))
        await settle(pilot)
        await pilot.click(app.table, offset=(3, 0))
        await pilot.click(app.table, offset=(36, 0))
        assert [said for said in app.said if said[0] == "header"] == [("header", "name"), ("header", "calls")]


async def test_the_wheel_scrolls_without_moving_the_cursor() -> None:
    app = TableApp()
    async with app.run_test(size=(60, 12)) as pilot:
        app.table.set_source(*rows_of(many(100)))
        await settle(pilot)
        await pilot._post_mouse_events([_wheel_down()], app.table, (5, 5))
        await settle(pilot)
        assert app.table.top == 3
        assert app.table.cursor_key == "k0"
        assert "k3" in screen_text(app)[1]


def _wheel_down() -> Any:
    from textual.events import MouseScrollDown

    return MouseScrollDown


async def test_dragging_the_scroll_mark_reaches_the_end() -> None:
    app = TableApp()
    async with app.run_test(size=(60, 12)) as pilot:
        app.table.set_source(*rows_of(many(500)))
        await settle(pilot)
        await pilot.mouse_down(app.table, offset=(59, 1))
        await pilot.hover(app.table, offset=(59, 11))
        assert app.table.top == app.table.max_top
        await pilot.mouse_up(app.table, offset=(59, 11))
        await pilot.hover(app.table, offset=(59, 2))
        assert app.table.top == app.table.max_top


async def test_the_highlighted_message_comes_once_for_a_burst_of_moves_with_the_last_row() -> None:
    app = TableApp()
    async with app.run_test(size=(60, 12)) as pilot:
        app.table.set_source(*rows_of(many(100)))
        await settle(pilot)
        app.said.clear()
        for index in range(1, 60):
            app.table.move_to(index)
        await settle(pilot)
        assert app.said[-1] == ("highlighted", "k59")
        assert len(app.said) < 10


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


async def test_sorted_anew_the_cursor_stays_on_its_line_of_the_screen() -> None:
    app = TableApp()
    values = many(200)
    async with app.run_test(size=(60, 12)) as pilot:
        app.table.set_source(*rows_of(values))
        app.table.move_to("k97")
        await settle(pilot)
        line = app.table.cursor_index - app.table.top
        app.table.set_source(*rows_of(dict(reversed(values.items()))))
        assert app.table.cursor_key == "k97"
        assert app.table.cursor_index - app.table.top == line


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


async def test_asking_again_for_rows_repaints_those_that_differ() -> None:
    app = TableApp()
    values = many(10)
    keys, render = rows_of(values)
    async with app.run_test(size=(40, 8)) as pilot:
        app.table.set_source(keys, render)
        await settle(pilot)
        values["k2"] = 99
        with drawing(app.table) as lines:
            app.table.rerender()
            await settle(pilot)
        assert lines == [3]
