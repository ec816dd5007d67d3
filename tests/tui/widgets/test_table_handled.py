"""The virtual table under the hands: keys, clicks, the wheel, and what it tells of them."""

from __future__ import annotations

from typing import Any

import pytest
from tests.tui.widgets.table_alone import (
    TableApp,
    many,
    rows_of,
    screen_text,
    settle,
)


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
