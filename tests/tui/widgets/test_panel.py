"""Panels and tiles: a title, a summary on the same edge, and one line repainted when it changes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.strip import Strip

from buddy_core.safety.text import Plain
from buddy_top.drawing.cells import Span, literal, text_of, width_of
from buddy_top.widgets.charts.tile import Tile, TileFacts, tile_lines
from buddy_top.widgets.panel import Panel, edge_labels
from buddy_top.widgets.table.table import Column, Table


def screen_text(app: App[Any]) -> list[str]:
    """What stands on each line of the screen."""
    width, height = app.size
    strips = app.screen._compositor.render_strips()
    return ["".join(segment.text for segment in strip)[:width] for strip in strips[:height]]


class PanelApp(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.table = Table(Column("a", Plain("a"), 5))
        self.panel = Panel(self.table, title=Plain("Tools"), summary=Plain("12 tools · 3 failing"))

    def compose(self) -> ComposeResult:
        yield self.panel


@pytest.mark.parametrize(
    ("width", "edge"),
    [
        (40, "╭─ Tools ─────── 12 tools · 3 failing ─╮"),
        (34, "╭─ Tools ─ 12 tools · 3 failing ─╮"),
        (30, "╭─ Tools ─ 12 tools · 3 fa… ─╮"),
        (18, "╭─ Tools ────────╮"),
        (10, "╭─ Tools ╮"),
        (8, "╭─ To… ╮"),
    ],
)
async def test_title_and_summary_share_the_top_edge_and_the_summary_gives_way(width: int, edge: str) -> None:
    app = PanelApp()
    async with app.run_test(size=(width, 8)) as pilot:
        await pilot.pause()
        assert screen_text(app)[0] == edge
        assert screen_text(app)[-1] == "╰" + "─" * (width - 2) + "╯"


async def test_a_new_summary_repaints_the_top_edge_only() -> None:
    app = PanelApp()
    async with app.run_test(size=(40, 12)) as pilot:
        await pilot.pause()
        app.panel.set_summary(Plain("no tools"))
        assert app.panel._repaint_regions == {Region(0, 0, 40, 1)}
        await pilot.pause()
        assert "no tools" in screen_text(app)[0]
        app.panel.set_summary(Plain("no tools"))
        assert app.panel._repaint_regions == set()


async def test_the_border_takes_the_accent_while_something_inside_has_the_focus() -> None:
    app = PanelApp()
    async with app.run_test(size=(40, 8)) as pilot:
        app.set_focus(None)
        await pilot.pause()
        resting = app.panel.styles.border_top[1]
        app.table.focus()
        await pilot.pause()
        await pilot.pause()
        focused = app.panel.styles.border_top[1]
        assert focused != resting
        corner = app.panel.render_lines(Region(0, 0, 40, 1))[0]._segments[0]
        assert corner.style is not None
        assert corner.style.color == (app.panel.background_colors[0] + focused).rich_color


async def test_observed_text_in_a_title_is_no_markup() -> None:
    """Case 55: square brackets in a title stand there as they are."""
    app = PanelApp()
    async with app.run_test(size=(60, 8)) as pilot:
        app.panel.set_title(Plain("[bold]run[/] [/x]"))
        await pilot.pause()
        assert "[bold]run[/] [/x]" in screen_text(app)[0]


@given(st.text("abc中·", max_size=30), st.text("xyz字·", max_size=30), st.integers(0, 60))
def test_labels_never_need_more_than_the_edge_has(title: str, summary: str, room: int) -> None:
    shown = edge_labels(literal(title) if title else (), literal(summary) if summary else (), room)
    assert sum(width_of(label) + 2 for label in shown if label) <= max(room, 2)


FACTS = TileFacts(Plain("1,284,093"), literal("612/min", "dim"), (1.0, 2.0, 8.0, None))


def test_a_tile_puts_its_note_beside_the_value_where_it_is_wide_and_below_where_it_is_narrow() -> None:
    assert text_of(tile_lines(FACTS, 24, 3)[0]) == "1,284,093        612/min"
    assert [text_of(line) for line in tile_lines(FACTS, 12, 3)][:2] == ["1,284,093", "612/min"]


def test_a_value_that_would_take_the_notes_room_or_be_cut_is_said_in_short() -> None:
    big = TileFacts(Plain("115,547,048"), (Span(Plain("1.86M/min"), "dim"),), short=Plain("116M"))
    assert text_of(tile_lines(big, 24, 3)[0]) == "115,547,048    1.86M/min"
    assert text_of(tile_lines(big, 20, 3)[0]) == "116M       1.86M/min"
    assert text_of(tile_lines(big, 12, 3)[0]) == "115,547,048"
    assert text_of(tile_lines(big, 10, 3)[0]).strip() == "116M"


def test_tiles_of_one_width_agree_on_it_whatever_they_show() -> None:
    short = TileFacts(Plain("3"), literal("1/min"))
    assert [len(tile_lines(facts, 12, 2)) for facts in (FACTS, short)] == [2, 2]
    assert text_of(tile_lines(short, 12, 2)[0]) == "3"


def test_the_bars_of_a_tile_take_what_height_is_left() -> None:
    lines = tile_lines(FACTS, 24, 4)
    assert len(lines) == 4
    assert "█" in text_of(lines[3])
    assert lines[3][0].ink == "accent"


def test_a_shared_scale_makes_bars_comparable() -> None:
    small = TileFacts(Plain("1"), values=(1.0,), scale=8.0)
    assert text_of(tile_lines(small, 20, 2)[1]) == "▁" * 20


def test_a_tile_without_height_for_bars_has_a_short_sparkline_beside_its_value() -> None:
    value, note = map(text_of, tile_lines(FACTS, 16, 2))
    assert value.startswith("1,284,093 ")
    assert value.endswith("█ ")
    assert len(value) == 16
    assert note == "612/min"
    assert text_of(tile_lines(FACTS, 12, 2)[0]) == "1,284,093", "two columns would say nothing"


class CountingTile(App[None]):
    def compose(self) -> ComposeResult:
        yield Tile(Plain("tokens"))


async def test_a_tile_repaints_only_the_lines_that_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    app = CountingTile()
    async with app.run_test(size=(30, 8)) as pilot:
        tile = app.query_one(Tile)
        tile.show(FACTS)
        await pilot.pause()
        drawn: list[int] = []
        original = tile.body.render_line

        def watched(y: int) -> Strip:
            drawn.append(y)
            return original(y)

        monkeypatch.setattr(tile.body, "render_line", watched)
        tile.show(TileFacts(Plain("1,284,094"), FACTS.note, FACTS.values))
        await pilot.pause()
        assert drawn == [0]
