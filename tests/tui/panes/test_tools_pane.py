"""The tools pane in depth: lists of single calls and error texts, reached by keys, leading to the very event."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.tui.monitor import COMFORTABLE, NOW, SMALL, Monitor, monitor

from buddy_core.metrics.window import Window
from buddy_core.testing import RunDirectoryBuilder
from buddy_top.drawing.cells import text_of
from buddy_top.panes.tools.detail import ToolDetail
from buddy_top.panes.tools.pane import ToolsPane

LARGE = (200, 60)
MINUTE = 60_000
SECRET = "ghp_" + "A1b2C3d4E5f6G7h8I9j0" * 2


def write_runs(root: Path) -> Path:
    """Three runs: an old one with the slowest call of all, one with parallel calls, one that fails."""
    old = RunDirectoryBuilder(root, started_at=NOW - 3 * 60 * MINUTE, objective="An old run")
    old.tool("bash", {"command": "make everything"}, took_ms=90_000).end().write()
    run = RunDirectoryBuilder(root, started_at=NOW - 30 * MINUTE, objective="Parallel work")
    for number in range(3):
        data = {"toolName": "bash", "toolCallId": str(number), "args": {"command": f"sleep {number}"}}
        run.event("tool_call", data)
    for number, took in ((1, 1_000), (0, 2_000), (2, 9_000)):
        run.wait(NOW - 30 * MINUTE + took - run.now_ms)
        result = {"toolName": "bash", "toolCallId": str(number), "success": number != 1, "durationMs": took}
        run.event("tool_result", result | ({"error": "Exit code 7"} if number == 1 else {}))
    run.end().write()
    failing = RunDirectoryBuilder(root, started_at=NOW - 10 * MINUTE, objective="Nothing works")
    for _ in range(2):
        failing.tool("bash", {"command": f"login {SECRET}"}, took_ms=500, error=f"Exit code 1: {SECRET}")
    failing.end().write()
    return root


@pytest.fixture
async def seen(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Monitor]:
    size = getattr(request, "param", COMFORTABLE)
    async with monitor(write_runs(tmp_path), size=size, tab="tools") as shown:
        yield shown


def detail_of(seen: Monitor) -> ToolDetail:
    pane = seen.app.visible_pane
    assert isinstance(pane, ToolsPane)
    return pane.more


def rows_of(seen: Monitor, place: int) -> list[str]:
    """The rows of a list, each as words."""
    table = detail_of(seen).lists[place].table
    return [" ".join(text_of(cell).strip() for cell in table.cells_of(n)) for n in range(len(table.keys))]


@pytest.mark.parametrize("seen", [COMFORTABLE, LARGE], indirect=True)
async def test_the_slowest_the_latest_and_the_error_texts_of_the_selected_tool(seen: Monitor) -> None:
    slowest, latest, texts = (rows_of(seen, place) for place in range(3))
    assert [row.split()[:2] for row in slowest][:3] == [["1m30s", "2h"], ["9.0", "s"], ["2.0", "s"]]
    assert "make everything An old run" in slowest[0]
    assert [row.split()[0] for row in latest] == ["9m", "9m", "29m", "29m", "29m", "2h"]
    assert "Nothing works" in latest[0]
    assert [row.split()[0] for row in texts] == ["2", "1"]
    for word in ("Slowest", "Latest", "Error texts", "Spread", "3 failed"):
        assert word in seen.text
    assert SECRET not in seen.text
    assert "login" in seen.text


async def test_a_shorter_window_has_its_own_slowest_call(seen: Monitor) -> None:
    assert rows_of(seen, 0)[0].startswith("1m30s")
    await seen.press("W")
    assert seen.app.window is Window.H1
    assert rows_of(seen, 0)[0].startswith("9.0 s")


async def test_arrows_go_round_from_list_to_list_and_escape_back_to_the_table(seen: Monitor) -> None:
    detail, table = detail_of(seen), seen.table
    lists = [one.table for one in detail.lists]
    for expected in (*lists, table, lists[0]):
        await seen.press("right")
        assert seen.app.focused is expected
    await seen.press("left")
    assert seen.app.focused is table
    await seen.press("enter")
    assert seen.app.focused is lists[0]
    await seen.press("escape")
    assert seen.app.focused is table


@pytest.mark.parametrize(("down", "command"), [(0, "make everything"), (1, "sleep 2"), (2, "sleep 0")])
@pytest.mark.parametrize("seen", [SMALL, LARGE], indirect=True)
async def test_enter_opens_the_run_at_that_very_call_and_escape_leads_back(
    seen: Monitor, down: int, command: str
) -> None:
    await seen.press("right", *["j"] * down, "enter")
    assert seen.app.place == "run"
    page = seen.app.run_page
    assert page is not None
    timeline = page.detail.timeline
    assert timeline.selected is not None
    assert timeline.selected.detail == command
    await seen.press("escape")
    assert seen.app.focused is detail_of(seen).slowest.table
    assert detail_of(seen).slowest.table.cursor_index == down


async def test_an_error_text_leads_to_where_it_was_said_last(seen: Monitor) -> None:
    await seen.press("right", "right", "right", "enter")
    page = seen.app.run_page
    assert page is not None
    assert "Nothing works" in seen.text
    row = page.detail.timeline.selected
    assert row is not None
    assert row.state == "failed"


@pytest.mark.parametrize("seen", [SMALL], indirect=True)
async def test_in_a_small_terminal_lists_take_the_place_of_the_charts_while_they_are_entered(
    seen: Monitor,
) -> None:
    assert "Spread" in seen.text
    assert "Slowest" not in seen.text
    for title in ("Slowest", "Latest", "Error texts"):
        await seen.press("right")
        assert "Spread" not in seen.text
        assert f"{title}" in seen.text
        assert len([line for line in seen.lines if "▌" in line]) == 2, "the table and one list"
    await seen.press("right")
    assert "Spread" in seen.text


@pytest.mark.parametrize("seen", [SMALL, COMFORTABLE, LARGE], indirect=True)
async def test_a_list_can_have_the_whole_pane_and_gives_it_back(seen: Monitor) -> None:
    await seen.press("right")
    before = seen.text
    await seen.press("z")
    assert "An old run" in seen.text
    assert "calls" not in seen.lines[3]
    await seen.press("right")
    assert seen.app.focused is detail_of(seen).slowest.table
    await seen.press("z")
    assert seen.text == before


async def test_another_tool_does_not_show_the_lists_of_the_one_before(tmp_path: Path) -> None:
    run = RunDirectoryBuilder(tmp_path, started_at=NOW - MINUTE)
    run.tool("bash", {"command": "make"}).tool("bash", {"command": "make"}).tool("search", {"pattern": "x+y"})
    run.end().write()
    async with monitor(tmp_path, size=COMFORTABLE, tab="tools") as seen:
        assert "make" in rows_of(seen, 1)[0]
        await seen.press("j")
        assert [row.split()[-1] == "make" for row in rows_of(seen, 1)] == [False]
        assert "x+y" in rows_of(seen, 1)[0]
        assert "no failure in the last 24 hours" in seen.text
        assert seen.app.snapshot is not None
        detail_of(seen).show(seen.app.snapshot, seen.app.snapshot.view.tools[0])
        assert rows_of(seen, 1) == [], "until its own comes"


async def test_columns_give_way_by_their_importance_and_the_name_never(tmp_path: Path) -> None:
    shown = {}
    for width in (60, 80, 120, 200):
        async with monitor(write_runs(tmp_path / str(width)), size=(width, 24), tab="tools") as seen:
            shown[width] = [placed.column.key for placed in seen.table.placed]
    everything = [
        "tool", "calls", "success", "interval", "failed", "avg", "p50", "p95", "max", "total", "score", "last",
        "trend",
    ]  # fmt: skip
    assert shown[200] == shown[120] == everything
    assert shown[80] == ["tool", "calls", "success", "failed", "p95", "score", "last", "trend"]
    assert set(shown[60]) >= {"tool", "calls", "success", "failed", "p95"}


async def test_every_column_can_be_sorted_by(seen: Monitor) -> None:
    pane = seen.app.visible_pane
    assert isinstance(pane, ToolsPane)
    keys = [field.key for field in pane.fields]
    for _ in keys:
        await seen.press(">")
        assert keys[(keys.index(pane.order.key)) % len(keys)] == pane.order.key
    assert pane.order.key == "calls", "once round"


async def test_two_quick_steps_are_two_steps(seen: Monitor) -> None:
    seen.send("right")
    seen.send("right")
    await seen.settle()
    assert seen.app.focused is detail_of(seen).latest.table


async def test_a_list_nobody_moved_in_stays_at_its_top_and_another_keeps_its_row(tmp_path: Path) -> None:
    async with monitor(write_runs(tmp_path), size=COMFORTABLE, tab="tools") as seen:
        await seen.press("right", "j")
        detail = detail_of(seen)
        row = detail.slowest.table.cursor_key
        again = RunDirectoryBuilder(tmp_path, started_at=NOW - MINUTE, objective="Once more")
        again.tool("bash", {"command": "make slower"}, took_ms=50_000).end().write()
        await seen.refresh()
        assert "make slower" in rows_of(seen, 0)[1]
        assert (detail.slowest.table.cursor_key, detail.slowest.table.cursor_index) == (row, 2)
        assert "make slower" in rows_of(seen, 1)[0]
        assert detail.latest.table.cursor_index == 0


async def test_a_slower_call_that_cannot_be_listed_is_told(tmp_path: Path) -> None:
    undated = RunDirectoryBuilder(tmp_path, started_at=5, objective="Before clocks")
    undated.tool("bash", {"command": "x"}, took_ms=900_000).end().write()
    async with monitor(write_runs(tmp_path), size=LARGE, tab="tools", window=Window.ALL) as seen:
        assert "6 of 7, slower ones not listed" in seen.text
        await seen.press("W")
        assert "not listed" not in seen.text
