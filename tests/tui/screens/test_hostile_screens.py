"""Promises C5 and C6 within the monitor: what a run holds comes out of every pane and dialog as text, unguarded.

The last filter before the terminal is taken off here, so that what is held to account are the panes themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from tests.pty.hostile import MARKUP, PAYLOADS, write_hostile_names, write_hostile_runs
from tests.tui.keys.test_keys_frame import shown, until
from tests.tui.monitor import NOW, PLACES, Monitor, monitor, screen_strips
from textual.content import Content
from textual.events import Paste
from textual.filter import LineFilter
from textual.strip import Strip
from textual.widgets import Static

from buddy_core.safety.text import Plain, is_plain, plain
from buddy_core.testing import RunDirectoryBuilder
from buddy_top.app import BuddyTop
from buddy_top.terminal.guard import ScreenGuard

SIZE = (140, 50)


class Unguarded(BuddyTop):
    """The monitor without its last filter."""

    def get_line_filters(self) -> Sequence[LineFilter]:
        return [one for one in super().get_line_filters() if not isinstance(one, ScreenGuard)]


BARS = ("grab", "release", "scroll_up", "scroll_down")
"""What a click on the toolkit's own scroll bars does."""


def evils(strips: Sequence[Strip]) -> Iterator[str]:
    """What must not be on a screen: characters a terminal obeys, links, and actions to click on."""
    for y, strip in enumerate(strips):
        for text, style, control in strip:
            if control or not is_plain(text):
                yield f"line {y}: {text!r}"
            if style is not None and style.link:
                yield f"line {y}: link {style.link}"
            if style is not None and any(
                key.startswith("@") and value not in BARS for key, value in style.meta.items()
            ):
                yield f"line {y}: action {style.meta}"


def is_harmless(seen: Monitor) -> None:
    assert list(evils(screen_strips(seen.app))) == []


def hostile(folder: Path) -> Path:
    """One run for each payload, which stands in every field of it."""
    runs = folder / "runs"
    runs.mkdir()
    write_hostile_runs(runs, now_ms=NOW)
    write_hostile_names(runs)
    return runs


@pytest.mark.parametrize("place", ["providers", "tools", "errors", "runs"])
async def test_every_row_and_its_detail_is_text(place: Any, tmp_path: Path) -> None:
    """Cases 55 to 58, 60 and 61."""
    async with monitor(hostile(tmp_path), size=SIZE, kind=Unguarded) as seen:
        await seen.go(place)
        assert len(seen.table.keys) >= len(PAYLOADS) - 2
        for _ in seen.table.keys:
            is_harmless(seen)
            await seen.press("j")


async def test_the_overview_is_text(tmp_path: Path) -> None:
    async with monitor(hostile(tmp_path), size=(200, 60), kind=Unguarded) as seen:
        for _ in range(4):
            for _ in range(12):
                is_harmless(seen)
                await seen.press("j")
            await seen.press("right")


@pytest.mark.slow
async def test_every_view_of_every_run_is_text(tmp_path: Path) -> None:
    """Cases 55 to 58 and 60 to 62: also artifacts, whose names and contents are the payload."""
    async with monitor(hostile(tmp_path), size=SIZE, kind=Unguarded) as seen:
        await seen.go("run")
        for _ in PAYLOADS:
            for key in ("v", "v", "j", "v", "right_square_bracket"):
                await seen.press(key)
                is_harmless(seen)
        await seen.press("t", "e")
        is_harmless(seen)


async def test_the_payload_is_shown_literally_where_a_person_looks_for_it(tmp_path: Path) -> None:
    runs = hostile(tmp_path)
    async with monitor(runs, size=(240, 60), tab="runs", kind=Unguarded) as seen:
        for name, payload in PAYLOADS.items():
            words = str(plain(f"{payload} {name}"))[:24].rstrip()
            assert any(words in line for line in seen.lines), name


@pytest.mark.parametrize("name", [*MARKUP, "title", "bidi", "zalgo", "lines"])
async def test_the_palette_finds_a_run_by_any_name_and_reads_none_as_markup(
    name: str, tmp_path: Path
) -> None:
    """Case 60: the palette's own matcher reads what it highlights as markup."""
    runs = tmp_path / "runs"
    runs.mkdir()
    write_hostile_runs(runs, now_ms=NOW, payloads={name: PAYLOADS[name]})
    async with monitor(runs, size=(100, 30), kind=Unguarded) as seen:
        await seen.press("ctrl+p", *name[:6])
        wanted = str(plain(f"{PAYLOADS[name]} {name}"))[:20].rstrip()
        await shown(seen, wanted)
        is_harmless(seen)
        await seen.press("enter")
        await until(seen, lambda: seen.app.place == "run")
        is_harmless(seen)


@pytest.mark.slow
async def test_dialogs_and_filters_over_hostile_rows_are_text(tmp_path: Path) -> None:
    async with monitor(hostile(tmp_path), size=(100, 40), kind=Unguarded) as seen:
        for place in PLACES:
            await seen.go(place)
            for key in ("?", "escape", "s", "escape", "/", "l", "enter", "escape"):
                await seen.press(key)
                is_harmless(seen)


@pytest.mark.slow
async def test_a_pasted_filter_is_text_behind_the_guard(tmp_path: Path) -> None:
    """Case 59: what is pasted into the filter is shown and searched for, and obeyed by nothing."""
    async with monitor(hostile(tmp_path), tab="tools") as seen:
        for payload in PAYLOADS.values():
            await seen.press("/")
            seen.app.post_message(Paste(payload))
            await seen.settle()
            is_harmless(seen)
            await seen.press("escape")
        assert seen.app.is_running


@pytest.mark.slow
async def test_narrow_and_wide_screens_are_as_wide_as_they_should_be(tmp_path: Path) -> None:
    """Case 58: no column drifts, whatever the width of what stands in it."""
    async with monitor(hostile(tmp_path), kind=Unguarded) as seen:
        for size in ((60, 16), (81, 25), (203, 50)):
            seen.resize(*size)
            for place in PLACES:
                await seen.go(place)
                for strip in screen_strips(seen.app):
                    assert strip.cell_length == size[0]
                    assert sum(cell_len(text) for text, _, _ in strip) == size[0]


async def test_texts_of_megabytes_are_cut_and_cost_no_more_than_a_line(tmp_path: Path) -> None:
    """The longest a record may be, in every field that is shown; and an artifact of ten megabytes on one line."""
    huge = "\x1b[31m" + "A" * 900_000
    runs = tmp_path / "runs"
    run = RunDirectoryBuilder(runs, started_at=NOW - 60_000, objective="[/x]" + huge, metadata={"cwd": huge})
    run.tool("x" + huge, {"command": huge}, error=huge).error(huge).step(huge)
    run.request(huge, huge)
    run.artifact("big.log", b"\x1b[2J" + b"A" * 10_000_000).end().write()
    async with monitor(runs, size=SIZE, kind=Unguarded) as seen:
        for place in PLACES:
            await seen.go(place)
            is_harmless(seen)
        for _ in range(2):
            await seen.press("v")
            is_harmless(seen)


@pytest.mark.parametrize("slip", ["cast", "markup", "link"])
async def test_the_check_notices_a_slip(slip: str, tmp_path: Path) -> None:
    """The negative control: each protection taken away makes the check above fail."""
    async with monitor(hostile(tmp_path), size=SIZE, kind=Unguarded) as seen:
        is_harmless(seen)
        if slip == "cast":
            seen.app.footer.say(Plain("\x1b[31mred"))
        elif slip == "markup":
            await seen.app.body.mount(Static("[@click=app.quit]click[/]"), before=0)
        else:
            await seen.app.body.mount(Static(Content("x").stylize("link='file:///etc/passwd'")), before=0)
        await seen.settle()
        assert list(evils(screen_strips(seen.app))) != []


def test_the_check_knows_links_actions_and_control_characters() -> None:
    for segment in (
        Segment("x", Style(link="file:///x")),
        Segment("x", Style(meta={"@click": "app.quit"})),
        Segment("\x9b31m"),
        Segment("\u202e"),
    ):
        assert list(evils([Strip([segment])])) != []
    assert list(evils([Strip([Segment("[@click=app.quit]x[/] ␛", Style(meta={"offset": (0, 1)}))])])) == []
