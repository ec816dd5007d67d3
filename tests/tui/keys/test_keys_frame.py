"""Keys that work on the picture as a whole: window, pause, maximise, re-read, colours, palette and help."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.tui.monitor import COMFORTABLE, NOW, Monitor, command, monitor, samples, screen_lines, ways
from textual.command import CommandPalette

from buddy_core.metrics.window import Window
from buddy_core.testing import RunDirectoryBuilder
from buddy_top.commands import commands_at
from buddy_top.screens.help import HelpScreen

HOUR = 3_600_000


async def test_w_looks_further_back_and_capital_w_less_far(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path), size=COMFORTABLE) as seen:
        for id, step, end in (("window.wider", 1, Window.ALL), ("window.narrower", -1, Window.M15)):
            for place, key in (*ways("window.wider"), *ways("window.narrower")):
                if key not in command(id).keys.split(","):
                    continue
                seen.app.set_window(Window.H24)
                await seen.go(place)
                windows = list(Window)
                for at in range(windows.index(Window.H24) + step, windows.index(end) + step, step):
                    await seen.press(key)
                    assert seen.app.window is windows[at]
                    assert f"[{windows[at].value}]" in seen.header
                await seen.press(key)
                assert seen.app.window is end, "at the end it stays"


async def test_every_number_follows_the_window(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path), size=COMFORTABLE, tab="tools") as seen:
        day = seen.app.snapshot
        await seen.press("W")
        hour = seen.app.snapshot
        assert day is not None
        assert hour is not None
        assert hour.view.window is Window.H1
        assert hour.view.total_tool_calls < day.view.total_tool_calls
        assert f"{hour.view.total_tool_calls} calls" in seen.text
        await seen.press("w", "w")
        week = seen.app.snapshot
        assert week is not None
        assert f"{week.view.total_tool_calls} calls" in seen.text
        assert week.view.total_tool_calls > day.view.total_tool_calls


async def test_without_a_chosen_window_the_monitor_shows_whatever_there_is(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    RunDirectoryBuilder(runs, started_at=NOW - 40 * 24 * HOUR).tool("bash").end().write()
    async with monitor(runs, window=None) as seen:
        assert seen.app.window is Window.ALL
    async with monitor(runs, window=Window.H24) as seen:
        assert seen.app.window is Window.H24, "a chosen window stays"
    async with monitor(samples(tmp_path / "other"), window=None) as seen:
        assert seen.app.window is Window.H24


async def test_p_pauses_and_lets_go_at_every_place(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path)) as seen:
        for place, key in ways("pause"):
            await seen.go(place)
            await seen.press(key)
            assert seen.feed.paused
            assert "⏸ paused" in seen.header
            await seen.press(key)
            assert not seen.feed.paused
            assert "● live" in seen.header


async def test_z_gives_the_focused_panel_the_pane_and_takes_it_back(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path), size=COMFORTABLE) as seen:
        for place, key in ways("maximize"):
            await seen.go(place)
            table, before = seen.table, seen.text
            room = seen.app.visible_pane.size.height - 2
            for restoring in (key, "escape"):
                await seen.press(key)
                assert table.size.height == room
                assert seen.table is table
                assert len([line for line in seen.lines if "╭" in line]) == 1
                assert (seen.header, seen.lines[1]) == tuple(before.split("\n")[:2])
                await seen.refresh()
                assert table.size.height == room, "a refresh does not undo it"
                await seen.press(restoring)
                assert seen.text == before


async def test_a_panel_alone_is_no_hindrance_to_leaving_its_tab(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path), tab="tools") as seen:
        await seen.press("z", "5")
        assert seen.app.place == "runs"
        assert "─ Runs ─" in seen.text
        await seen.press("z", "enter")
        assert seen.app.place == "run"
        assert "[timeline]" in seen.text
        await seen.press("escape", "3")
        assert len([line for line in seen.lines if "╭" in line]) == 1, "and it is as one left it"
        await seen.press("z")
        assert len([line for line in seen.lines if "╭" in line]) > 1


async def test_ctrl_r_and_f5_read_the_files_again(tmp_path: Path) -> None:
    runs = samples(tmp_path)
    async with monitor(runs, size=COMFORTABLE) as seen:
        for number, (place, key) in enumerate(ways("reread")):
            await seen.go(place)
            RunDirectoryBuilder(
                runs,
                started_at=NOW - 500 + number,
                suffix=f"00ff{number:02x}",
                objective=f"Late run {number}",
            ).write()
            await seen.press(key)
            assert seen.feed.rereads == number + 1
            assert "reading again" in seen.footer
            await seen.go("runs")
            assert f"Late run {number}" in seen.text


async def test_ctrl_t_chooses_the_colours(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path)) as seen:
        for place, key in ways("theme"):
            await seen.go(place)
            seen.app.theme = "buddy-dark"
            await seen.press(key)
            assert isinstance(seen.app.screen, CommandPalette)
            await shown(seen, "buddy-light")
            if place != "overview":
                await seen.press("escape")
                continue
            await seen.press(*"buddy-light")
            await shown(seen, "buddy-light")
            await seen.press("down", "enter")
            await until(seen, lambda: seen.app.theme == "buddy-light")
            assert seen.app.place == place


async def until(seen: Monitor, condition: Callable[[], bool]) -> None:
    """Wait for something the palette's own search thread of work brings about."""
    try:
        await seen.until(condition)
    except TimeoutError:
        raise AssertionError(f"this did not come:\n{seen.text}") from None


async def shown(seen: Monitor, *words: str) -> None:
    """Wait until these words are on the screen, and the palette has ended its search: then its list stays."""
    await until(seen, lambda: all(word in "\n".join(screen_lines(seen.app)) for word in words))
    await until(seen, lambda: all(worker.is_finished for worker in seen.app.workers))


async def test_the_palette_finds_every_command_of_the_place_and_does_it(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path), size=(120, 130)) as seen:
        for place, key in ways("palette"):
            await seen.go(place)
            await seen.press(key)
            assert isinstance(seen.app.screen, CommandPalette)
            if place not in ("overview", "runs", "run"):
                await seen.press("escape")
                continue
            wanted = [c for c in commands_at(place) if c.palette]
            await shown(seen, *(f"({c.key_text})" for c in wanted), *(c.help for c in wanted))
            assert "Screenshot" not in seen.text, "nothing but our own commands"
            await seen.press(*"pause")
            await shown(seen, "Pause (p)")
            await seen.press("enter")
            await until(seen, lambda: seen.feed.paused)
            await until(seen, lambda: not isinstance(seen.app.screen, CommandPalette))
            await seen.press("p")


async def test_the_palette_finds_runs_by_name_and_opens_them(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path), tab="tools") as seen:
        await seen.press("ctrl+p", *"staging database".replace(" ", "_").split("_")[1])
        await shown(seen, "Set up the staging database")
        await seen.press("down", "enter")
        await until(seen, lambda: "Set up the staging database" in seen.lines[2])
        assert seen.app.place == "run"
        await seen.press("ctrl+p", *"changelog")
        await shown(seen, "Write the changelog for 2.8.0")
        await seen.press("enter")
        await until(seen, lambda: "Write the changelog" in seen.lines[2])
        await seen.press("escape")
        assert seen.app.place == "tools"


async def test_help_opens_and_closes_with_each_of_its_keys(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path)) as seen:
        for place, key in ways("help"):
            await seen.go(place)
            before = seen.text
            for closing in (key, "escape", "q"):
                await seen.press(key)
                assert isinstance(seen.app.screen, HelpScreen)
                assert f"Help · {place}" in seen.text
                await seen.press(closing)
                assert seen.text == before, "closing help leaves nothing else"


async def test_help_scrolls_where_it_is_longer_than_the_screen(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path)) as seen:
        await seen.go("runs")
        await seen.press("?")
        assert "the writer is gone" not in seen.text
        await seen.press("G")
        assert "never shown as 0" in seen.text


async def test_the_footer_forgets_what_it_said(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path)) as seen:
        await seen.press("ctrl+r")
        assert "reading again" in seen.footer
        seen.app.footer.be_silent()
        await seen.settle()
        assert "reading again" not in seen.footer
        assert "q quit" in seen.footer
