"""Keys that choose which rows a table shows and in which order, and that open what the cursor is on."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.tui.monitor import COMFORTABLE, NOW, Monitor, command, monitor, samples, ways

from buddy_core.testing import RunDirectoryBuilder
from buddy_top.commands import Place
from buddy_top.panes.errors.pane import ErrorsPane
from buddy_top.panes.runs.pane import RunsPane
from buddy_top.panes.tablepane import TablePane
from buddy_top.screens.event import EventScreen
from buddy_top.screens.menus.sort import SortMenu
from buddy_top.widgets.filter.field import FilterField

NEEDLES: dict[Place, tuple[str, str]] = {
    "providers": ("haiku", "anthropic/claude-haiku-4-5"),
    "tools": ("editor", "str_replace_editor"),
    "errors": ("overloaded", "error anthropic: "),
    "runs": ("FLAGS unused", "run_"),
    "run": ("import.py", ""),
}
"""Words that occur in one row of the samples only, and how the key of that row begins."""

WITH_LEADS: tuple[Place, ...] = ("providers", "tools")
"""Places where enter goes into the list below first."""


async def test_enter_opens_what_the_cursor_is_on(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path)) as seen:
        for place, key in ways("open"):
            if place in WITH_LEADS:
                continue
            await seen.go(place)
            await seen.press("down")
            row = seen.cursor
            pane = seen.app.visible_pane
            wanted = pane.selected.latest.run_id if isinstance(pane, ErrorsPane) and pane.selected else row
            await seen.press(key)
            if place == "run":
                assert isinstance(seen.app.screen, EventScreen)
                await seen.press("escape")
                continue
            assert seen.app.place == "run"
            assert seen.app.run_page is not None
            assert seen.app.run_page.run_id == wanted


@pytest.mark.parametrize("place", ["providers", "tools"])
async def test_enter_goes_on_into_the_list_below_whose_rows_open_a_run(place: Place, tmp_path: Path) -> None:
    async with monitor(samples(tmp_path)) as seen:
        await seen.go(place)
        await seen.press("enter")
        lead = seen.cursor
        assert lead is not None
        assert "run_" in lead
        await seen.press("enter")
        assert seen.app.place == "run"
        assert seen.app.run_page is not None
        assert seen.app.run_page.run_id in lead


@pytest.mark.parametrize("ended", [True, False], ids=["ended", "live"])
async def test_enter_on_an_error_opens_its_run_at_that_moment(ended: bool, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    run = RunDirectoryBuilder(runs, started_at=NOW - 100_000)
    for number in range(40):
        run.wait(1_000).tool("bash", {"command": f"make {number}"})
    run.error("the disk is full")
    for number in range(40):
        run.wait(1_000).tool("bash", {"command": f"make {number}"})
    (run.end() if ended else run).write()
    async with monitor(runs, tab="errors") as seen:
        await seen.press("enter")
        assert "▌" in line_of(seen, "the disk is full")
        run.tool("bash", {"command": "make more"}).write()
        await seen.refresh()
        assert "▌" in line_of(seen, "the disk is full")


def line_of(seen: Monitor, words: str) -> str:
    """The line of the screen on which these words stand."""
    return seen.lines[seen.find(words)[1]]


async def test_the_filter_shows_the_rows_that_contain_what_is_typed(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path)) as seen:
        for place, key in ways("filter"):
            await seen.go(place)
            everything = list(seen.table.keys)
            needle, begins = NEEDLES[place]
            table = seen.table
            await seen.press(key)
            assert isinstance(seen.app.focused, FilterField)
            await seen.press(*(key if key != " " else "space" for key in needle.upper()))
            assert len(table.keys) == 1
            assert table.keys[0].startswith(begins)
            await seen.press("down")
            assert seen.table is table, "down leaves for the rows and keeps the filter"
            assert len(table.keys) == 1
            assert needle.upper() in seen.lines[-2], "the filter in force stays in sight"
            await seen.press(key, "escape")
            assert seen.table is table
            assert list(table.keys) == everything
            assert needle.upper() not in seen.lines[-2]


async def test_n_and_capital_n_go_round_the_matches_of_the_filter_and_are_told_only_then(
    tmp_path: Path,
) -> None:
    async with monitor(samples(tmp_path), size=COMFORTABLE) as seen:
        for (place, after), (_, before) in zip(ways("match.next"), ways("match.previous"), strict=True):
            await seen.go(place)
            assert "next match" not in seen.footer
            first = seen.table.keys[0]
            await seen.press("g", after)
            assert seen.cursor == first, "without a filter there is no match"
            await seen.press("/", "e", "enter")
            await seen.until(lambda: len(seen.table.keys) > 1)  # the events of a run are searched by a thread
            await seen.press("g")
            assert "n next match" in seen.footer
            found = list(seen.table.keys)
            passed: list[str | None] = [seen.cursor]
            for key in (after, before, before, after):
                await seen.press(key)
                passed.append(seen.cursor)
            assert passed == [found[0], found[1], found[0], found[-1], found[0]]
            await seen.press("escape")
            assert "next match" not in seen.footer


async def test_e_goes_from_row_to_row_of_what_failed_and_says_when_there_is_no_more(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path), size=COMFORTABLE) as seen:
        for (place, after), (_, before) in zip(ways("error.next"), ways("error.previous"), strict=True):
            await seen.go(place)
            pane = seen.app.visible_pane
            if not isinstance(pane, TablePane):
                continue  # the timeline of a run has a test of its own
            failing = [pane.key_of(row) for row in pane._rows if pane.failing(row)]
            assert failing, place
            assert "e next error" in seen.footer
            await seen.press("g")
            passed: list[str | None] = [seen.cursor] if seen.cursor in failing else []
            for _ in range(len(failing) - len(passed)):
                await seen.press(after)
                passed.append(seen.cursor)
            assert passed == failing
            await seen.press(after)
            assert "no further error this way" in seen.footer
            assert seen.cursor == failing[-1]
            if len(failing) > 1:
                await seen.press(before)
                assert seen.cursor == failing[-2]
            seen.app.footer.be_silent()


async def test_where_nothing_failed_no_key_to_the_next_failure_is_offered(tmp_path: Path) -> None:
    run = RunDirectoryBuilder(tmp_path / "runs", started_at=NOW - 100_000).tool("bash", {"command": "true"})
    run.end().write()
    async with monitor(tmp_path / "runs", size=COMFORTABLE) as seen:
        for place in ("tools", "errors"):
            await seen.go(place)
            assert "next error" not in seen.footer
            await seen.press("question_mark")
            assert "row that failed" not in seen.text
            await seen.press("escape")


async def test_a_filter_that_matches_nothing_says_so_and_is_left_with_enter(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path)) as seen:
        for place in NEEDLES:
            await seen.go(place)
            await seen.press("/", *"xyzzy")
            assert "nothing matches “xyzzy”" in seen.text
            await seen.press("enter")
            assert not len(seen.table.keys)
            await seen.press("escape")
            assert len(seen.table.keys) > 1


async def test_the_filter_takes_every_key_that_is_a_command_elsewhere(tmp_path: Path) -> None:
    typed = "pqwWsrtzfjkgG<>?15[]eEvVlh,"
    async with monitor(samples(tmp_path), tab="tools") as seen:
        await seen.press("/", *typed)
        assert seen.app.visible_pane.filter_text == typed
        assert seen.app.place == "tools"
        assert not seen.app.paused


async def test_each_tab_keeps_its_own_filter(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path), tab="tools") as seen:
        await seen.press("/", *"bash", "enter", "5")
        assert " / " not in seen.lines[-2]
        assert len(seen.table.keys) == 12
        await seen.press("3")
        assert " / bash" in seen.lines[-2]
        assert list(seen.table.keys) == ["bash"]


async def test_s_chooses_the_column_to_sort_by_from_a_menu(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path), size=COMFORTABLE) as seen:
        for place, key in ways("sort"):
            await seen.go(place)
            pane = table_pane(seen)
            sortable = [field.key for field in pane.fields if field.column.sortable]
            before = pane.order
            await seen.press(key)
            menu = seen.app.screen
            assert isinstance(menu, SortMenu)
            assert list(menu.table.keys) == sortable
            assert seen.cursor == before.key, "the menu begins at the column in force"
            await seen.press("escape")
            assert pane.order == before
            await seen.press(key, "g", "enter")
            assert pane.order.key == sortable[0]
            is_sorted(seen)


async def test_less_and_greater_sort_by_the_neighbouring_column_and_go_round(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path)) as seen:
        for id, step in (("sort.left", -1), ("sort.right", 1)):
            for place, key in (*ways("sort.left"), *ways("sort.right")):
                if key not in command(id).keys.split(","):
                    continue
                await seen.go(place)
                pane = table_pane(seen)
                sortable = [field.key for field in pane.fields if field.column.sortable]
                at = sortable.index(pane.order.key)
                await seen.press(key)
                assert pane.order.key == sortable[(at + step) % len(sortable)]
                is_sorted(seen)


async def test_r_reverses_the_order_and_keeps_unknown_values_last(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path)) as seen:
        for place, key in ways("sort.reverse"):
            await seen.go(place)
            pane = table_pane(seen)
            before = pane.order
            await seen.press(key)
            assert (pane.order.key, pane.order.descending) == (before.key, not before.descending)
            is_sorted(seen)
            await seen.press(key)
            assert pane.order == before
        await seen.go("runs")
        table_pane(seen).sort_by("cost")
        for _ in range(2):
            await seen.settle()
            assert seen.app.snapshot is not None
            assert seen.app.snapshot.by_id[seen.table.keys[-1]].total_cost is None
            await seen.press("r")


def table_pane(seen: Monitor) -> TablePane[object]:
    """The pane in front, which is one with a table."""
    assert isinstance(seen.app.visible_pane, TablePane)
    return seen.app.visible_pane


def is_sorted(seen: Monitor) -> None:
    """The rows come in the order the pane says, with the arrow at its column, and unknown values last."""
    pane = table_pane(seen)
    if isinstance(pane, RunsPane):
        return  # live runs on top and forks under their parents have the last say
    field = next(field for field in pane.fields if field.key == pane.order.key)
    values = [field.sort(row) for row in pane._rows]
    known = [value for value in values if value is not None]
    assert known == sorted(known, reverse=pane.order.descending)
    assert None not in values[: len(known)]
    assert pane.table._sort == (pane.order.key, pane.order.descending)


async def test_t_groups_errors_or_lists_them_one_by_one(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path)) as seen:
        for place, key in ways("group"):
            await seen.go(place)
            assert len(seen.table.keys) == 5
            await seen.press(key)
            assert len(seen.table.keys) == 7
            assert "one by one" in seen.text
            await seen.press(key)
            assert len(seen.table.keys) == 5


async def test_t_puts_forks_under_their_parent_or_all_runs_in_one_list(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path), size=COMFORTABLE) as seen:
        for place, key in ways("tree"):
            await seen.go(place)
            fork = next(run for run in seen.app.snapshot.runs if run.parent_run_id)  # type: ignore[union-attr]
            rows = list(seen.table.keys)
            assert rows.index(fork.run_id) == rows.index(str(fork.parent_run_id)) + 1
            assert "└ [fork:retry]" in seen.text
            await seen.press(key)
            rows = list(seen.table.keys)
            assert rows.index(fork.run_id) == rows.index(str(fork.parent_run_id)) - 1
            assert "└ [fork" not in seen.text
            await seen.press(key)
            assert "└ [fork:retry]" in seen.text


@pytest.mark.parametrize("place", ["errors", "runs"])
async def test_f_stays_on_the_newest_row_until_one_moves_away(place: Place, tmp_path: Path) -> None:
    runs = samples(tmp_path)
    async with monitor(runs) as seen:
        for there, key in ways("follow"):
            if there != place:
                continue
            await seen.go(place)
            await seen.press("G", key)
            assert "following the newest" in seen.footer
            assert seen.table.cursor_index == 0
            before = seen.cursor
            a_newer_run(runs, "0f0f01")
            await seen.refresh()
            assert seen.table.cursor_index == 0
            assert seen.cursor != before
            await seen.press("j")
            held = seen.cursor
            a_newer_run(runs, "0f0f02")
            await seen.refresh()
            assert seen.cursor == held


async def test_another_order_ends_following(tmp_path: Path) -> None:
    runs = samples(tmp_path)
    async with monitor(runs, tab="runs") as seen:
        await seen.press("f", "greater_than_sign", "j")
        held = seen.cursor
        a_newer_run(runs, "0f0f01")
        await seen.refresh()
        assert seen.cursor == held


async def test_f_twice_no_longer_follows(tmp_path: Path) -> None:
    runs = samples(tmp_path)
    async with monitor(runs, tab="runs") as seen:
        await seen.press("f", "f")
        assert "not following" in seen.footer
        before = seen.cursor
        a_newer_run(runs, "0f0f01")
        await seen.refresh()
        assert seen.cursor == before


def a_newer_run(runs: Path, suffix: str) -> None:
    """Another run that has just begun and already failed."""
    run = RunDirectoryBuilder(runs, started_at=NOW - 900 + int(suffix[-1]), suffix=suffix, objective="Newer")
    run.error(f"something new happened in {chr(97 + int(suffix[-1]))}").write()
