"""Keys that move in tables and texts: the same ones everywhere, and what the help says of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.tui.monitor import NOW, Monitor, monitor, samples

from buddy_core.testing import RunDirectoryBuilder
from buddy_top.commands import MOVING, Place
from buddy_top.widgets.table.table import Table
from buddy_top.widgets.text.view import TextView

ROWS = 60
WORDS_OF_KEYS = {"↑": "up", "↓": "down", "pgup": "pageup", "pgdn": "pagedown"}


def many_of_everything(folder: Path) -> Path:
    """Sixty runs that use sixty tools and models and make sixty different errors."""
    runs = folder / "runs"
    for number in range(ROWS):
        name = _letters(number)
        run = RunDirectoryBuilder(
            runs,
            started_at=NOW - (number + 1) * 60_000,
            suffix=f"{number:06x}",
            objective=f"Objective {name}",
        )
        run.request("anthropic", f"model-{name}", latency_ms=500)
        run.tool(f"tool_{name}", {"command": name}).error(f"failure of kind {name}")
        for _ in range(ROWS):
            run.tool("bash", {"command": "make"})
        run.end().write()
    return runs


def _letters(number: int) -> str:
    return f"{chr(97 + number // 26)}{chr(97 + number % 26)}"


def keys_of_help(words: str) -> list[str]:
    """The keys the help names for moving, as Textual spells them."""
    keys = next(keys for keys, told in MOVING if told == words)
    return [WORDS_OF_KEYS.get(key, key) for key in keys.split()]


def test_the_table_and_the_text_understand_every_moving_key_the_help_names() -> None:
    named = {key for _, words in MOVING for key in keys_of_help(words)}
    for widget in (Table, TextView):
        known = {key for binding in widget.BINDINGS for key in binding.key.split(",")}  # type: ignore[union-attr]
        assert named <= known


@pytest.mark.parametrize("place", ["providers", "tools", "errors", "runs", "run"])
async def test_rows_pages_and_ends_in_every_table(place: Place, tmp_path: Path) -> None:
    async with monitor(many_of_everything(tmp_path)) as seen:
        await seen.go(place)
        await seen.press("g")
        last = len(seen.table.keys) - 1
        assert last >= ROWS - 1
        one_up_j, one_up_k = keys_of_help("Move by one row")[:2]
        page = max(seen.table.page - 1, 1)
        for key, expected in (
            (one_up_j, 1), ("down", 2), (one_up_k, 1), ("up", 0), ("up", 0),
            ("pagedown", page), ("pagedown", 2 * page), ("pageup", page), ("home", 0),
            ("end", last), ("down", last), ("g", 0), ("G", last), ("pageup", last - page),
        ):  # fmt: skip
            await seen.press(key)
            assert seen.table.cursor_index == expected, key
            assert is_in_sight(seen.table), key


def is_in_sight(table: Table) -> bool:
    """True when the row under the cursor is one of those on the screen."""
    return table.top <= table.cursor_index < table.top + table.page


async def test_the_overview_moves_in_the_list_that_has_the_keyboard(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path)) as seen:
        running = seen.table
        await seen.press("j", "j", "k", "G")
        assert running.cursor_index == 2
        await seen.press("right", "j", "j")
        assert seen.table is not running
        assert (running.cursor_index, seen.table.cursor_index) == (2, 2)


async def test_the_detail_of_a_row_follows_the_cursor(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path), size=(120, 40)) as seen:
        await seen.go("tools")
        for key in ("j", "j", "G", "g"):
            await seen.press(key)
            assert f"─ {seen.cursor} ─" in seen.text
        await seen.go("runs")
        for key in ("j", "j", "G", "g"):
            await seen.press(key)
            assert seen.app.snapshot is not None
            assert f"─ {seen.app.snapshot.by_id[str(seen.cursor)].objective[:30]}" in seen.text


async def test_a_text_scrolls_by_line_and_page(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    run = RunDirectoryBuilder(runs, started_at=NOW - 60_000)
    run.error("first line\n" + "\n".join(f"line {number}" for number in range(200))).end().write()
    async with monitor(runs, tab="errors") as seen:
        await seen.press("right")
        text = seen.app.focused
        assert isinstance(text, TextView)
        page = max(text.page - 1, 1)
        for key, expected in (
            ("j", 1), ("down", 2), ("k", 1), ("up", 0), ("pagedown", page), ("space", 2 * page), ("pageup", page),
            ("G", text.max_top), ("g", 0), ("end", text.max_top), ("home", 0),
        ):  # fmt: skip
            await seen.press(key)
            assert text.top == expected, key


async def test_a_table_without_rows_takes_every_key_in_its_stride(tmp_path: Path) -> None:
    RunDirectoryBuilder(tmp_path / "runs", started_at=NOW - 60_000).end().write()
    async with monitor(tmp_path / "runs") as seen:
        for place in ("providers", "tools", "errors"):
            await seen.go(place)
            await _press_all(seen)
            assert seen.cursor is None


async def _press_all(seen: Monitor) -> None:
    for _, words in MOVING:
        await seen.press(*keys_of_help(words))
    await seen.press("enter", "r", "greater_than_sign")
