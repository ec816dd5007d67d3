"""What is repainted is what Textual would repaint; what is asked of the widgets is less."""

from __future__ import annotations

import random
from pathlib import Path
from unittest.mock import patch

import pytest
from rich.segment import Segment
from tests.tui.monitor import COMFORTABLE, PLACES, monitor, samples
from textual._compositor import ChopsUpdate, Compositor
from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from buddy_top.commands import Place
from buddy_top.terminal.compositor import LeanCompositor


def painted(update: ChopsUpdate | None) -> dict[tuple[int, int], tuple[str, object]]:
    """What an update puts on the screen: a character and its style for every cell."""
    cells: dict[tuple[int, int], tuple[str, object]] = {}
    if update is None:
        return cells
    for y, first, end in update.spans:
        for x, strip in update.chops[y].items():
            if strip is None or x >= end:
                continue
            at = x
            for text, style, _ in strip:
                for character in text:
                    if at < end and at + len(text) > first:
                        cells[y, at] = (character, style)
                    at += 1
    return {place: cell for place, cell in cells.items() if _within(update, place)}


def _within(update: ChopsUpdate, place: tuple[int, int]) -> bool:
    return any(y == place[0] and first <= place[1] < end for y, first, end in update.spans)


def some_regions(chance: random.Random) -> list[Region]:
    """Rows, blocks and single cells, some of them beyond the edge of the screen."""
    width, height = COMFORTABLE
    return [
        Region(
            chance.randrange(-3, width),
            chance.randrange(-3, height),
            chance.randrange(1, 90),
            chance.randrange(1, 9),
        )
        for _ in range(chance.randrange(1, 6))
    ]


@pytest.mark.parametrize("place", PLACES)
async def test_an_update_paints_what_textual_paints(tmp_path: Path, place: Place) -> None:
    chance = random.Random(place)
    async with monitor(samples(tmp_path), size=COMFORTABLE) as opened:
        await opened.go(place)
        lean = opened.app.screen._compositor
        assert isinstance(lean, LeanCompositor)
        for _ in range(25):
            regions = set(some_regions(chance))
            lean._dirty_regions = set(regions)
            ours = painted(lean.render_partial_update())
            assert lean._dirty_regions == set()
            lean._dirty_regions = {region.intersection(lean.size.region) for region in regions}
            theirs = painted(Compositor.render_partial_update(lean))
            assert ours == theirs


class LineApp(App[None]):
    """One widget over the whole width, the same strip on each of its lines."""

    def compose(self) -> ComposeResult:
        yield SameLine()


class SameLine(Widget):
    """Draws one strip, and never forgets it."""

    DEFAULT_CSS = "SameLine { width: 100%; height: 100%; }"

    def __init__(self) -> None:
        super().__init__()
        self.strip = Strip([Segment("x" * 40)], 40)

    def render_line(self, y: int) -> Strip:
        return self.strip


async def test_a_line_that_is_painted_whole_does_not_come_to_hold_itself() -> None:
    app = LineApp()
    async with app.run_test(size=(40, 5)) as pilot:
        await pilot.pause()
        widget = app.query_one(SameLine)
        widget.strip = Strip([Segment("y" * 40)], 40)  # which nobody has painted
        widget._styles_cache.clear()
        lean = LeanCompositor()
        lean.reflow(app.screen, app.screen.size)
        lean._dirty_regions.update({Region(0, 1, 40, 2)})
        update = lean.render_partial_update()
        assert update is not None
        (piece,) = update.chops[1].values()
        assert piece is not None
        assert piece.text == "y" * 40
        assert not piece._divide_cache


async def test_the_focus_moves_without_drawing_the_whole_screen_anew(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path), tab="overview", size=(120, 40)) as seen:
        before = seen.app.focused
        with patch.object(seen.app.screen, "refresh", wraps=seen.app.screen.refresh) as drawn:
            await seen.press("right")
        assert seen.app.focused is not before
        assert not drawn.called
