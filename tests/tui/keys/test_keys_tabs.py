"""Keys that go from one place to another."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.tui.monitor import COMFORTABLE, PLACES, Staying, command, monitor, samples, ways
from textual.events import Key
from textual.message import Message

from buddy_top.app import BuddyTop
from buddy_top.commands import Place
from buddy_top.messages import OpenTab
from buddy_top.state import Tab

TABS = [tab.value for tab in Tab]


@pytest.mark.parametrize(
    "early",
    [(Key("3", "3"),), (OpenTab(Tab.TOOLS),), (Key("5", "5"), Key("3", "3"))],
    ids=("key", "click", "keys"),
)
async def test_what_is_struck_before_the_first_pane_stands_is_obeyed_when_it_does(
    early: tuple[Message, ...], tmp_path: Path
) -> None:
    class Impatient(BuddyTop):
        def on_mount(self) -> None:
            for one in early:
                self.post_message(one)
            super().on_mount()

    async with monitor(samples(tmp_path), kind=Impatient) as seen:
        assert seen.app.place == "tools"
        assert "Tools" in seen.text


async def test_a_digit_opens_its_tab_from_every_other(tmp_path: Path) -> None:
    digits = [*ways("tab.overview"), *ways("tab.providers"), *ways("tab.tools")]
    digits += [*ways("tab.errors"), *ways("tab.runs")]
    async with monitor(samples(tmp_path)) as seen:
        for place, digit in digits:
            if place == "run":
                await seen.go(place)
            else:
                await seen.app.visit(Tab(place))
            await seen.press(digit)
            assert seen.app.place == TABS[int(digit) - 1], (place, digit)
            assert seen.app.focused is not None
            assert seen.app.visible_pane in seen.app.focused.ancestors


@pytest.mark.parametrize(("id", "step"), [("tab.next", 1), ("tab.previous", -1)])
async def test_tab_and_shift_tab_go_round_the_tabs(id: str, step: int, tmp_path: Path) -> None:
    async with monitor(samples(tmp_path)) as seen:
        for place, key in (*ways("tab.next"), *ways("tab.previous")):
            if key not in command(id).keys.split(","):
                continue
            await seen.go(place)
            await seen.press(key)
            before = "runs" if place == "run" else place
            assert seen.app.place == TABS[(TABS.index(before) + step) % 5]


async def test_the_arrows_give_the_keyboard_to_the_next_list_or_text(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path)) as seen:
        for place in PLACES:
            await seen.go(place)
            pane = seen.app.visible_pane
            in_sight = [w for w in seen.app.screen.focus_chain if pane in w.ancestors]
            here = list(pane.stations) or in_sight
            steps = (("panel.next", 1), ("panel.previous", -1), ("panel.right", 1), ("panel.left", -1))
            for id, step in steps:
                arrows = (*ways("panel.right"), *ways("panel.left"))
                for there, key in (*ways("panel.next"), *ways("panel.previous"), *arrows):
                    if there != place or key not in command(id).keys.split(","):
                        continue
                    at = here.index(seen.app.focused)  # type: ignore[arg-type]
                    await seen.press(key)
                    assert seen.app.focused is here[(at + step) % len(here)], (place, key)


async def test_every_list_of_the_overview_is_reached_by_keyboard_and_opens_its_row(tmp_path: Path) -> None:
    steps: list[tuple[int, Place]] = [(0, "run"), (1, "tools"), (2, "providers"), (3, "errors")]
    async with monitor(samples(tmp_path), size=COMFORTABLE) as seen:
        for right, leads_to in steps:
            await seen.go("overview")
            await seen.press(*["right"] * right, "down")
            key = seen.cursor
            await seen.press("enter")
            assert seen.app.place == leads_to
            opened = seen.app.run_page.run_id if seen.app.run_page is not None else seen.cursor
            assert opened == key
            await seen.go("overview")
            await seen.press(*["left"] * right)


async def test_escape_leaves_the_run_for_the_tab_one_came_from(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path)) as seen:
        for place, key in ways("back"):
            await seen.go(place)
            await seen.press(key)
            assert seen.app.place == ("runs" if place == "run" else place)
            assert seen.app.is_running
        await seen.go("overview")
        await seen.press("enter")
        assert seen.app.place == "run"
        await seen.press("escape")
        assert seen.app.place == "overview"


async def test_escape_clears_the_filter_before_it_leaves_the_run(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path)) as seen:
        await seen.go("run")
        await seen.press("/", *"bash", "down", "escape")
        assert seen.app.place == "run"
        assert seen.app.visible_pane.filter_text == ""
        await seen.press("escape")
        assert seen.app.place == "runs"


async def test_q_goes_back_from_a_run_and_quits_at_the_root(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path), kind=Staying) as seen:
        assert isinstance(seen.app, Staying)
        for place, key in ways("quit"):
            await seen.go(place)
            seen.app.exits = 0
            await seen.press(key)
            assert seen.app.exits == (0 if place == "run" else 1)
            assert seen.app.place == ("runs" if place == "run" else place)


async def test_quitting_at_once_works_at_every_place(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path), kind=Staying) as seen:
        assert isinstance(seen.app, Staying)
        for asked, (place, key) in enumerate(ways("quit.now"), start=1):
            await seen.go(place)
            await seen.press(key)
            assert seen.app.exits == asked, (place, key)


async def test_quitting_at_once_works_from_every_dialog_and_from_the_filter(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path), tab="tools", kind=Staying) as seen:
        assert isinstance(seen.app, Staying)
        asked = 0
        for opens in ("?", "s", "ctrl+p", "ctrl+t", "/"):
            await seen.press(opens)
            for quitting in command("quit.now").keys.split(","):
                await seen.press(quitting)
                asked += 1
                assert seen.app.exits == asked, (opens, quitting)
            await seen.press("escape")


async def test_quitting_ends_the_app_with_code_0(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path)) as seen:
        seen.send("q")
        await seen.pilot.pause()
        assert seen.app._exit
        assert seen.app.return_code == 0


async def test_stopping_for_a_while_works_at_every_place(tmp_path: Path) -> None:
    class Stopping(Staying):
        stops = 0

        def action_suspend_process(self) -> None:
            self.stops += 1

    async with monitor(samples(tmp_path), kind=Stopping) as seen:
        assert isinstance(seen.app, Stopping)
        for asked, (place, key) in enumerate(ways("suspend"), start=1):
            await seen.go(place)
            await seen.press(key)
            assert seen.app.stops == asked, (place, key)
