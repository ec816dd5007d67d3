"""The virtual table: cursor by key, repaint by line, any number of rows."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from tests.tui.widgets.table_alone import (
    Numbers,
    TableApp,
    drawing,
    many,
    rows_of,
    screen_text,
    settle,
)

from buddy_top.drawing.cells import Cell, literal


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
