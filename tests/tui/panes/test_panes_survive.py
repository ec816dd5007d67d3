"""What a person has set up stays: cursor, scroll, filter and order, whatever the data or the terminal do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from tests.tui.monitor import COMFORTABLE, NOW, SMALL, Monitor, monitor, samples

from buddy_core.testing import RunDirectoryBuilder
from buddy_top.commands import Place
from buddy_top.panes.tablepane import TablePane

TABLES: tuple[Place, ...] = ("providers", "tools", "errors", "runs")


def many(folder: Path) -> Path:
    """Thirty runs with thirty tools, models and errors, none used twice as often as another."""
    runs = folder / "runs"
    for number in range(30):
        letters = f"{chr(97 + number // 26)}{chr(97 + number % 26)}"
        run = RunDirectoryBuilder(
            runs,
            started_at=NOW - (number + 1) * 60_000,
            suffix=f"{number:06x}",
            objective=f"Objective {letters}",
        )
        for _ in range(30 - number):
            run.request("anthropic", f"model-{letters}", latency_ms=50, cost=0.01)
            run.tool(f"tool_{letters}", {"command": letters}).error(f"failure of kind {letters}")
        run.end().write()
    return runs


def something_new(runs: Path, number: int = 0) -> None:
    """A run that changes every table: new rows at the top, other counts in old ones."""
    run = RunDirectoryBuilder(
        runs, started_at=NOW - 900 + number, suffix=f"ff{number:04x}", objective="Newest"
    )
    for _ in range(40):
        run.request("openai", "model-new", latency_ms=1, cost=0.01)
        run.tool("tool_new", {}, took_ms=1).error("failure of a new kind")
    run.tool("tool_az", {}, took_ms=1).end().write()


async def resize_there_and_back(seen: Monitor, _runs: Path) -> None:
    for size in (COMFORTABLE, (200, 60), SMALL):
        seen.resize(*size)
        await seen.settle()


async def see_changed_data(seen: Monitor, runs: Path) -> None:
    something_new(runs)
    await seen.refresh()


async def see_many_changes(seen: Monitor, runs: Path) -> None:
    for number in range(5):
        something_new(runs, number)
        await seen.refresh()


async def sort_another_way(seen: Monitor, _runs: Path) -> None:
    await seen.press("r", "greater_than_sign")


async def visit_other_tabs(seen: Monitor, _runs: Path) -> None:
    place = seen.app.place
    await seen.press("tab", "tab", "shift+tab")
    await seen.go(place)


async def open_help_and_a_run(seen: Monitor, _runs: Path) -> None:
    await seen.press("?", "escape")
    await seen.app.open_run(seen.app.snapshot.runs[3].run_id)  # type: ignore[union-attr]
    await seen.settle()
    await seen.press("escape")


UPHEAVALS: tuple[Callable[[Monitor, Path], Awaitable[None]], ...] = (
    see_changed_data,
    see_many_changes,
    resize_there_and_back,
    sort_another_way,
    visit_other_tabs,
    open_help_and_a_run,
)
QUICK = (see_changed_data, sort_another_way, open_help_and_a_run)


@pytest.mark.parametrize(
    "upheaval",
    [pytest.param(one, marks=[] if one in QUICK else pytest.mark.slow, id=one.__name__) for one in UPHEAVALS],
)
async def test_the_cursor_stays_on_its_row_and_in_sight(
    upheaval: Callable[[Monitor, Path], Awaitable[None]], tmp_path: Path
) -> None:
    runs = many(tmp_path)
    async with monitor(runs) as seen:
        for place in TABLES:
            await seen.go(place)
            table = seen.table
            await seen.press("g", "pagedown", "pagedown", "j")
            row = seen.cursor
            await upheaval(seen, runs)
            assert seen.table is table, place
            assert seen.cursor == row, place
            assert table.top <= table.cursor_index < table.top + table.page, place


async def test_new_rows_above_do_not_move_what_is_in_sight(tmp_path: Path) -> None:
    runs = many(tmp_path)
    async with monitor(runs, tab="runs") as seen:
        await seen.press("pagedown", "pagedown")
        lines = [line[:70] for line in seen.lines if "Objective" in line]
        something_new(runs)
        await seen.refresh()
        assert [line[:70] for line in seen.lines if "Objective" in line] == lines


async def test_at_the_very_top_new_rows_come_into_sight(tmp_path: Path) -> None:
    runs = many(tmp_path)
    async with monitor(runs, tab="runs") as seen:
        something_new(runs)
        await seen.refresh()
        assert "Newest" in seen.text


@pytest.mark.parametrize(
    "upheaval",
    [
        see_changed_data,
        pytest.param(visit_other_tabs, marks=pytest.mark.slow),
        pytest.param(open_help_and_a_run, marks=pytest.mark.slow),
        pytest.param(resize_there_and_back, marks=pytest.mark.slow),
        pytest.param(see_many_changes, marks=pytest.mark.slow),
    ],
)
async def test_filter_and_order_stay(
    upheaval: Callable[[Monitor, Path], Awaitable[None]], tmp_path: Path
) -> None:
    runs = many(tmp_path)
    async with monitor(runs) as seen:
        for place in TABLES:
            await seen.go(place)
            pane = seen.app.visible_pane
            assert isinstance(pane, TablePane)
            pane.sort_by(pane.fields[0].key)
            await seen.press("/", *"aa", "enter", "r")
            order, rows = pane.order, list(pane.table.keys)
            assert rows
            await upheaval(seen, runs)
            assert pane.order == order
            assert pane.filter_text == "aa"
            assert list(pane.table.keys) == rows
            await seen.press("escape")


async def test_words_being_typed_survive_a_refresh_and_a_resize(tmp_path: Path) -> None:
    runs = many(tmp_path)
    async with monitor(runs, tab="tools") as seen:
        await seen.press("/", *"tool")
        await see_changed_data(seen, runs)
        await resize_there_and_back(seen, runs)
        await seen.press(*"_ab")
        assert seen.app.visible_pane.filter_text == "tool_ab"
        assert " / tool_ab" in seen.lines[-2]


async def test_the_timeline_keeps_its_row_when_events_arrive_and_its_view_when_one_comes_back(
    tmp_path: Path,
) -> None:
    runs = tmp_path / "runs"
    run = RunDirectoryBuilder(runs, started_at=NOW - 60_000)
    for number in range(60):
        run.tool("bash", {"command": f"make target-{number}"})
    run.write()
    async with monitor(runs) as seen:
        await seen.go("run")
        await seen.press("g", "pagedown", "pagedown")
        before = [line for line in seen.lines if "make" in line]
        run.tool("bash", {"command": "one more"}).write()
        await seen.refresh()
        assert [line for line in seen.lines if "make" in line] == before


async def test_the_text_being_read_keeps_its_place_when_numbers_change(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    story = "\n".join(f"line {number}" for number in range(100))
    run = RunDirectoryBuilder(runs, started_at=NOW - 60_000)
    run.error(f"first\n{story}").write()
    async with monitor(runs, tab="errors") as seen:
        await seen.press("right", "pagedown", "pagedown")
        read = [line.split("│")[1] for line in seen.lines if line.startswith("│ line ")]
        assert read
        run.error(f"first\n{story}").write()
        await seen.refresh()
        assert "     2     1m" in seen.text, "the count has changed"
        assert [line.split("│")[1] for line in seen.lines if line.startswith("│ line ")] == read


async def test_a_row_that_vanishes_leaves_the_cursor_where_it_was(tmp_path: Path) -> None:
    runs = many(tmp_path)
    async with monitor(runs, tab="runs") as seen:
        await seen.press("j", "j", "j")
        listed = list(seen.table.keys)
        gone = runs / str(seen.cursor)
        gone.rename(tmp_path / gone.name)
        await seen.refresh()
        assert list(seen.table.keys) == [key for key in listed if key != gone.name]
        assert seen.cursor == listed[4]


async def test_a_run_that_is_deleted_while_it_fills_the_screen_says_so(tmp_path: Path) -> None:
    runs = samples(tmp_path)
    async with monitor(runs) as seen:
        await seen.go("run")
        assert seen.app.run_page is not None
        gone = runs / seen.app.run_page.run_id
        gone.rename(tmp_path / gone.name)
        await seen.refresh()
        assert "not there any more" in seen.text
        await seen.press("escape")
        assert seen.app.place == "runs"
