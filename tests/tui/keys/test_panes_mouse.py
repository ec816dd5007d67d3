"""The mouse does what keys do: tabs, titles, rows, windows and the keys in the footer."""

from __future__ import annotations

from pathlib import Path

from tests.tui.monitor import COMFORTABLE, monitor, samples
from textual.events import MouseScrollDown

from buddy_core.metrics.window import Window
from buddy_top.panes.tablepane import TablePane
from buddy_top.screens.help import HelpScreen
from buddy_top.state import Tab


async def test_a_click_on_a_tab_opens_it(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path), size=COMFORTABLE) as seen:
        for tab in (*Tab, Tab.OVERVIEW):
            await seen.click(f" {tab.number} {tab.value.capitalize()}")
            assert seen.app.place == tab.value


async def test_a_click_on_a_title_sorts_by_it_and_a_second_one_reverses(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path), size=COMFORTABLE, tab="tools") as seen:
        pane = seen.app.visible_pane
        assert isinstance(pane, TablePane)
        for title in ("p95", "tool  ", "failed"):
            title_at = seen.find(title)
            await seen.pilot.click(offset=title_at)
            assert pane.order.key == title.strip()
            first = pane.order.descending
            await seen.pilot.click(offset=title_at)
            assert pane.order.descending is not first


async def test_a_click_chooses_a_row_and_a_double_click_opens_it(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path), size=COMFORTABLE, tab="runs") as seen:
        await seen.click("Profile the checko")
        assert seen.app.snapshot is not None
        assert seen.app.snapshot.by_id[str(seen.cursor)].objective == "Profile the checkout endpoint"
        assert seen.app.place == "runs"
        await seen.click("Find unused featur", times=2)
        assert seen.app.place == "run"
        assert "Find unused feature flags" in seen.lines[2]


async def test_a_double_click_in_a_short_list_of_the_overview_opens_its_tab_at_the_row(
    tmp_path: Path,
) -> None:
    async with monitor(samples(tmp_path), size=COMFORTABLE) as seen:
        await seen.click("create_file", times=2)
        assert seen.app.place == "tools"
        assert seen.cursor == "create_file"


async def test_a_click_on_a_window_of_time_chooses_it(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path), size=COMFORTABLE) as seen:
        for window in (Window.H1, Window.ALL, Window.M15, Window.D7, Window.H24):
            await seen.click(f" {window.value} ")
            assert seen.app.window is window
            assert f"[{window.value}]" in seen.header


async def test_a_click_in_the_footer_does_what_its_key_does(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path), size=COMFORTABLE, tab="errors") as seen:
        await seen.click("t group")
        assert "one by one" in seen.text
        await seen.click("p pause")
        assert seen.feed.paused
        await seen.click("/ filter")
        assert " /" in seen.lines[-2]
        await seen.press("escape")
        await seen.click("? help")
        assert isinstance(seen.app.screen, HelpScreen)


async def test_the_wheel_scrolls_the_list_under_it_without_moving_the_cursor(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path), tab="runs") as seen:
        before, table = seen.cursor, seen.table
        x, y = seen.find("Upgrade SQLA")
        await seen.pilot._post_mouse_events([MouseScrollDown], offset=(x, y))
        await seen.settle()
        assert table.top == 3
        assert seen.cursor == before


async def test_clicks_on_nothing_do_nothing(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path), size=COMFORTABLE, tab="tools") as seen:
        before = seen.text
        for x, y in ((119, 0), (119, 1), (119, 39), (0, 5), (60, 2), (119, 20)):
            await seen.pilot.click(offset=(x, y), times=2)
            await seen.settle()
        assert seen.app.place == "tools"
        assert seen.text.split("\n")[:2] == before.split("\n")[:2]
