"""Terminals of every size, and a directory without runs: a card says what is wrong and how to go on."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from tests.tui.monitor import COMFORTABLE, NOW, PLACES, SMALL, Staying, monitor, samples, ways
from textual.widget import Widget

from buddy_core import RunStore
from buddy_core.testing import RunDirectoryBuilder
from buddy_top.panes.overview.welcome import EXAMPLE
from buddy_top.panes.tools.pane import ToolsPane
from buddy_top.terminal.littleroom import MIN_HEIGHT, MIN_WIDTH, too_small_lines


@pytest.mark.parametrize("size", [(59, 16), (60, 15), (20, 5), (2, 10), (1, 1)])
async def test_a_terminal_that_is_too_small_says_so_and_comes_back(
    size: tuple[int, int], tmp_path: Path
) -> None:
    """Case 68."""
    async with monitor(samples(tmp_path), tab="runs") as seen:
        await seen.press("j", "j")
        before, row = seen.text, seen.cursor
        seen.resize(*size)
        await seen.settle()
        assert len(seen.lines) == size[1]
        if size[0] >= 20:
            assert "too small" in seen.text
            assert f"{MIN_WIDTH}×{MIN_HEIGHT}" in seen.text.replace("\n", "")
        assert "Runs" not in seen.text
        await seen.refresh()
        seen.resize(*SMALL)
        await seen.settle()
        assert seen.text == before
        assert seen.cursor == row


async def test_the_least_size_shows_everything_that_matters(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path), size=(MIN_WIDTH, MIN_HEIGHT)) as seen:
        for place in PLACES:
            await seen.go(place)
            assert "too small" not in seen.text
            assert len(seen.table.keys) > 0
            assert seen.table.page >= 1, place
            assert "▌" in seen.text, place
            assert "q quit" in seen.footer


async def test_q_quits_while_the_terminal_is_too_small(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path), size=(30, 8), kind=Staying) as seen:
        assert isinstance(seen.app, Staying)
        assert "q quits" in seen.text
        await seen.press("q")
        assert seen.app.exits == 1


def test_the_card_names_the_size_there_is() -> None:
    words = "".join(span.text for line in too_small_lines(59, 12) for span in line)
    assert "59×12" in words


@pytest.mark.slow
async def test_a_storm_of_resizes_at_every_place_ends_in_the_picture_of_the_last_size(tmp_path: Path) -> None:
    """Case 68."""
    sizes = random.Random(7)
    async with monitor(samples(tmp_path), size=COMFORTABLE) as seen:
        for place in PLACES:
            await seen.go(place)
            before = seen.text
            for number in range(16):
                seen.resize(sizes.randrange(1, 320), sizes.randrange(1, 100))
                if number % 8 == 0:
                    await seen.settle()
            seen.resize(*COMFORTABLE)
            await seen.settle()
            assert seen.text == before, place


@pytest.mark.parametrize("size", [(200, 60), pytest.param((320, 100), marks=pytest.mark.slow)])
async def test_every_place_fills_a_very_large_terminal(size: tuple[int, int], tmp_path: Path) -> None:
    async with monitor(samples(tmp_path), size=size) as seen:
        for place in PLACES:
            await seen.go(place)
            assert all(len(line) == size[0] for line in seen.lines)
            assert seen.lines[-2].startswith("╰"), "the pane reaches down to the footer"
            assert seen.lines[-2].endswith("╯")


@pytest.mark.parametrize("there", [True, False], ids=["empty", "missing"])
async def test_a_directory_without_runs_shows_how_to_begin(there: bool, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    if there:
        runs.mkdir()
    async with monitor(runs, size=COMFORTABLE) as seen:
        assert "No runs yet" in seen.text
        assert str(runs) in seen.text
        assert all(line in seen.text for line in EXAMPLE)
        assert "watch the demonstration agent" in seen.text


@pytest.mark.parametrize("size", [SMALL, (MIN_WIDTH, MIN_HEIGHT)])
async def test_the_welcome_card_is_readable_in_a_small_terminal(
    size: tuple[int, int], tmp_path: Path
) -> None:
    async with monitor(tmp_path / "runs", size=size) as seen:
        assert "No runs yet" in seen.text
        await seen.press(*["j"] * 5)
        assert "watch the demonstration agent" in seen.text
        assert "d demonstration" in seen.footer
        await seen.press("G")
        assert '"12 passed in 0.8 s")' in seen.text


def test_the_agent_of_the_welcome_card_records_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CODEBUDDY_RUNS_DIR", str(tmp_path))
    exec("\n".join(EXAMPLE), {})  # noqa: S102 - our own text, as somebody would paste it
    (run,) = RunStore(tmp_path).list_runs()
    assert (run.objective, run.status) == ("Fix the flaky login test", "completed")


async def test_d_starts_the_demonstration_only_while_there_is_no_run(tmp_path: Path) -> None:
    async with monitor(tmp_path / "runs", kind=Staying) as seen:
        assert isinstance(seen.app, Staying)
        for number, (place, key) in enumerate(ways("demo"), start=1):
            await seen.go(place)
            await seen.press(key)
            assert seen.app.wants_demo
            assert seen.app.exits == number
    async with monitor(samples(tmp_path), kind=Staying) as seen:
        assert isinstance(seen.app, Staying)
        await seen.press("d")
        assert not seen.app.wants_demo
        assert seen.app.exits == 0


async def test_the_other_tabs_say_in_words_that_there_is_nothing(tmp_path: Path) -> None:
    words = {
        "providers": "no model requests in the last 24 hours",
        "tools": "no tool has finished in the last 24 hours",
        "errors": "no errors in the last 24 hours",
        "runs": "no runs yet",
    }
    async with monitor(tmp_path / "runs") as seen:
        for place, sentence in words.items():
            await seen.press(str(PLACES.index(place) + 1))  # type: ignore[arg-type]
            assert sentence in seen.text


async def test_the_first_run_replaces_the_welcome_card(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    async with monitor(runs) as seen:
        RunDirectoryBuilder(runs, started_at=NOW - 5_000, objective="The very first").write()
        await seen.refresh()
        assert "No runs yet" not in seen.text
        assert "The very first" in seen.text
        await seen.press("enter")
        assert seen.app.place == "run"


async def test_a_chart_fills_its_new_room_even_when_its_place_was_asked_for_before_it_was_laid_out(
    tmp_path: Path,
) -> None:
    """Whoever asks for a widget's place makes Textual's map of the screen anew, and then no resize is told."""
    async with monitor(samples(tmp_path), tab="tools") as seen:
        pane = seen.app.visible_pane
        assert isinstance(pane, ToolsPane)
        chart = pane.more.calls
        before = chart.size.height
        pane.panel.styles.height = pane.panel.outer_size.height - 3
        for node in (pane.panel, *pane.panel.ancestors):
            if isinstance(node, Widget):
                node._clear_arrangement_cache()
        seen.app.screen._compositor._full_map_invalidated = True
        assert chart.region.height == before + 3, "the map is ahead of the layout"
        await seen.settle()
        assert chart.size.height == before + 3
        assert len(chart._lines) == before + 3
