"""The palette is left while what was typed into it is still on its way."""

from __future__ import annotations

from pathlib import Path

from rich.style import Style
from tests.tui.monitor import NOW, monitor
from textual.command import CommandList, CommandPalette
from textual.events import Click

from buddy_core.testing import RunDirectoryBuilder


async def test_a_search_that_ends_after_the_palette_was_left_ends_nothing_else(tmp_path: Path) -> None:
    """Case 59: what is pasted comes in one piece with the key behind it, and a hit in the moment of leaving."""
    RunDirectoryBuilder(tmp_path, started_at=NOW - 60_000, objective="Fix the login").end().write()
    async with monitor(tmp_path) as seen:
        await seen.press("ctrl+p")
        palette = seen.app.screen
        assert isinstance(palette, CommandPalette)
        await seen.press("escape")
        assert not isinstance(seen.app.screen, CommandPalette)
        palette._gather_commands("login")  # as does a text that arrives behind the key
        palette.get_component_styles("command-palette--help-text")  # as does a hit that arrives behind it
        await seen.settle()
        assert seen.app.is_running


async def test_a_click_on_a_hit_that_is_no_longer_listed_chooses_nothing(tmp_path: Path) -> None:
    RunDirectoryBuilder(tmp_path, started_at=NOW - 60_000, objective="Fix the login").end().write()
    async with monitor(tmp_path) as seen:
        await seen.press("ctrl+p")
        hits = seen.app.screen.query_one(CommandList)
        assert hits.option_count > 1
        number = hits.option_count
        hits.post_message(clicked(hits, number))
        hits.post_message(clicked(hits, number - 1))
        await seen.settle()
        assert seen.app.is_running
        assert not isinstance(seen.app.screen, CommandPalette)  # the last of the list was chosen


def clicked(hits: CommandList, number: int) -> Click:
    """A click on what was drawn as the hit with this number."""
    return Click(hits, 3, 1, 0, 0, 1, False, False, False, style=Style(meta={"option": number}))
