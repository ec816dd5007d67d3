"""`i`: where the numbers under the cursor come from, with no number that differs from the one on the screen."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.conftest import Compare
from tests.tui.monitor import (
    COMFORTABLE,
    NOW,
    PLACES,
    SMALL,
    Monitor,
    cell_words,
    make_app,
    monitor,
    samples,
    screen_lines,
    ways,
)
from textual.pilot import Pilot

from buddy_core.clock import ManualClock
from buddy_core.metrics.window import Window
from buddy_core.origins.model import Origin
from buddy_core.prices.rates import Rates
from buddy_core.prices.table import PriceEntry
from buddy_core.testing import RunDirectoryBuilder, sample_runs
from buddy_top.commands import Place
from buddy_top.drawing.cells import text_of, width_of
from buddy_top.options import TabName
from buddy_top.screens.origin import OriginScreen
from buddy_top.screens.origin_text import origin_lines

PRICES = (PriceEntry("claude-*", Rates(3.0, 15.0, 0.3, 3.75), None, "~/.config/buddy-top/config.toml"),)
MINUTE = 60_000


def card(seen: Monitor) -> OriginScreen:
    screen = seen.app.screen
    assert isinstance(screen, OriginScreen)
    return screen


def unstated(root: Path) -> Path:
    """A run whose requests state no cost."""
    run = RunDirectoryBuilder(root, started_at=NOW - 30 * MINUTE, objective="Move to the new client")
    for _ in range(4):
        run.wait(MINUTE).request(
            "anthropic",
            "claude-opus-4-5",
            prompt=120_000,
            completion=900,
            cache_read=40_000,
            latency_ms=4_200,
        )
        run.tool("bash", {"command": "pytest -q"}, took_ms=900)
    run.end().write()
    return root


@pytest.mark.parametrize(("place", "key"), tuple(ways("origin")))
async def test_it_opens_everywhere_and_closes_again(tmp_path: Path, place: Place, key: str) -> None:
    async with monitor(samples(tmp_path)) as seen:
        await seen.go(place)
        await seen.press(key)
        assert card(seen).origin.figures
        await seen.press("i")
        assert not isinstance(seen.app.screen, OriginScreen)


@pytest.mark.parametrize("leave", ["escape", "q", "enter"])
async def test_other_keys_close_it_too(tmp_path: Path, leave: str) -> None:
    async with monitor(samples(tmp_path)) as seen:
        await seen.press("i", leave)
        assert not isinstance(seen.app.screen, OriginScreen)


async def test_where_there_is_no_number_there_is_no_card_and_no_word_of_it(tmp_path: Path) -> None:
    async with monitor(tmp_path / "none") as seen:
        await seen.press("i")
        assert not isinstance(seen.app.screen, OriginScreen)
        await seen.press("question_mark")
        assert "Where the numbers come from" not in seen.text


async def test_help_and_palette_know_it(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path), size=(120, 70)) as seen:
        await seen.go("tools")
        await seen.press("question_mark")
        assert "Where the numbers come from" in seen.text


async def test_the_second_page_is_about_everything(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path)) as seen:
        await seen.go("tools")
        await seen.press("i")
        assert card(seen).origin.about == "one tool"
        await seen.press("left")
        assert card(seen).origin.about == "one tool", "there is nothing before the first"
        await seen.press("right", "right")
        assert card(seen).origin.about == "everything in the window"


async def test_on_the_overview_the_tiles_come_first_unless_a_list_has_the_keyboard(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path), size=COMFORTABLE) as seen:
        pane = seen.app.panes[seen.app.tab]
        await seen.press("i")
        assert card(seen).origin.about == "everything in the window"
        await seen.press("right")
        assert card(seen).origin.about == "one run"
        await seen.press("escape")
        for name, about in (
            ("tools", "one tool"),
            ("providers", "one model"),
            ("errors", "one kind of error"),
        ):
            getattr(pane, name).table.focus()
            await seen.press("i")
            assert card(seen).origin.about == about
            await seen.press("escape")


async def test_y_copies_the_page_masked(tmp_path: Path) -> None:
    run = RunDirectoryBuilder(tmp_path, started_at=NOW - MINUTE, objective="use sk-ant-api03-" + "a1B2" * 24)
    run.tool("bash").end().write()
    async with monitor(tmp_path) as seen:
        await seen.go("run")
        await seen.press("i", "y")
        copied = seen.app.clipboard
        assert "tool calls" in copied
        assert "events.jsonl" in copied
        assert "a1B2a1B2" not in copied
        assert "copied" in seen.text


# The same number


Numbers = dict[str, str]

MOST_COMPARED = 8
"""Rows of one table whose cells are held against their cards."""


def figures(origin: Origin) -> Numbers:
    return {one.key: one.value for one in origin.figures}


@pytest.mark.parametrize("place", ["providers", "tools", "errors", "runs"])
async def test_no_number_differs_from_the_cell(tmp_path: Path, place: Place) -> None:
    samples(tmp_path)
    unstated(tmp_path / "runs")
    bars = {"share", "trend"}
    async with monitor(tmp_path / "runs", size=(200, 60), window=Window.ALL, prices=PRICES) as seen:
        await seen.go(place)
        table, compared = seen.table, 0
        for index, key in enumerate(table.keys[:MOST_COMPARED]):
            table.move_to(index)
            assert seen.app.snapshot is not None
            values = figures(seen.app.visible_pane.origins(seen.app.snapshot, seen.app.focused)[0])
            for column in {one.key for one in table.columns} & values.keys() - bars:
                assert values[column] == cell_words(table, key, column).strip(), (key, column)
                compared += 1
            if "share" in values:
                assert cell_words(table, key, "share").endswith(values["share"])
        assert compared >= 4 * min(MOST_COMPARED, len(table.keys))


async def test_no_number_of_the_headline_differs_from_its_tile_and_the_header(tmp_path: Path) -> None:
    samples(tmp_path)
    unstated(tmp_path / "runs")
    async with monitor(tmp_path / "runs", size=COMFORTABLE, prices=PRICES) as seen:
        before = seen.text
        await seen.press("i")
        values = figures(card(seen).origin)
        assert values["cost"].startswith("≈$")
        for key in ("tokens", "cost", "tool calls", "response", "errors", "error rate", "p95"):
            assert values[key] in before, key
        assert f"{values['cost']}  {values['cost rate']}" in before.splitlines()[0]


# Estimates on the screen


async def test_an_estimate_is_marked_wherever_it_is_a_part_of_a_number(tmp_path: Path) -> None:
    async with monitor(unstated(tmp_path), size=COMFORTABLE, prices=PRICES) as seen:
        assert "≈$1.54" in seen.header
        for place in PLACES:
            await seen.go(place)
            if place == "run":
                await seen.press("v")
            assert "≈$1.54" in seen.body or place in ("tools", "errors"), place
            assert "$1.54" not in seen.text.replace("≈$1.54", ""), place


async def test_the_card_of_an_estimate_names_its_price_and_who_says_so(tmp_path: Path) -> None:
    async with monitor(unstated(tmp_path), size=COMFORTABLE, prices=PRICES) as seen:
        for place in ("providers", "runs"):
            await seen.go(place)
            await seen.press("i")
            text = " ".join(card(seen).text.words().split())
            assert "estimated" in text
            assert "claude-*: $3 in, $15 out, $0.3 cache read, $3.75 cache write per million tokens" in text
            assert "(~/.config/buddy-top/config.toml)" in text
            await seen.press("escape")


# The text


@pytest.mark.parametrize("width", [20, 40, 60, 90, 200])
async def test_every_line_fits_whatever_the_width(tmp_path: Path, width: int) -> None:
    async with monitor(unstated(tmp_path), prices=PRICES) as seen:
        await seen.go("providers")
        assert seen.app.snapshot is not None
        (first, second) = seen.app.visible_pane.origins(seen.app.snapshot, seen.app.focused)
    for origin in (first, second):
        lines = origin_lines(origin, width)
        assert all(width_of(line) <= width for line in lines)
        words = "".join("".join(map(text_of, lines)).split())
        for one in origin.figures:
            assert "".join(one.how.split()) in words or width < 60


async def test_it_is_wrapped_anew_when_the_terminal_changes(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path), size=COMFORTABLE) as seen:
        await seen.go("tools")
        await seen.press("i")
        seen.resize(*SMALL)
        await seen.settle()
        assert all(len(line) <= SMALL[0] for line in screen_lines(seen.app))
        assert "in 95 of 100" in seen.text


@pytest.mark.parametrize("place", ["overview", "providers", "tools", "errors", "runs"])
@pytest.mark.parametrize("size", [SMALL, COMFORTABLE], ids=lambda size: f"{size[0]}x{size[1]}")
def test_picture(tmp_path: Path, snap_compare: Compare, place: TabName, size: tuple[int, int]) -> None:
    runs = tmp_path / "home" / ".codebuddy" / "runs"
    sample_runs(runs, now_ms=NOW)
    unstated(runs)
    app, feed = make_app(runs, home=tmp_path / "home", prices=PRICES, tab=place)

    async def drive(pilot: Pilot[None]) -> None:
        assert isinstance(feed.clock, ManualClock)
        seen = Monitor(app, pilot, feed, feed.clock)
        await seen.settle()
        if place == "providers":
            seen.table.move_to("anthropic/claude-opus-4-5")
        await seen.press("i")

    assert snap_compare(app, size=size, drive=drive)
