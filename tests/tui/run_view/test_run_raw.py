"""The files of a run as they stand: every line reachable at any size, damage marked, nothing obeyed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Compare
from tests.tui.monitor import COMFORTABLE, NOW, SMALL, Monitor, make_app, monitor
from textual.pilot import Pilot

from buddy_core.clock import ManualClock
from buddy_core.testing import RunDirectoryBuilder
from buddy_top.run_view.raw.lines import LineNumbers
from buddy_top.run_view.raw.view import RawView
from buddy_top.widgets.table.keys import find_key

SIZES = pytest.mark.parametrize("size", [SMALL, COMFORTABLE], ids=lambda size: f"{size[0]}x{size[1]}")


def damaged(runs: Path) -> RunDirectoryBuilder:
    """Every kind of line there is, hostile ones among them, and one that is very long."""
    run = RunDirectoryBuilder(runs, started_at=NOW - 600_000, objective="Fix the flaky login test")
    run.tool("bash", {"command": "pytest -q"}, took_ms=8_900, error="Exit code 1")
    run.raw(b'{"ts":1,"type":"tool_call","data":{"toolName":"ba{"ts":2,"type":"x"}\n')
    run.raw(b"\x00" * 40 + b"\n").raw(b"\n").raw('\x1b]0;owned\x07\u202e[/x] {"a": 1}\n'.encode())
    run.error("password=hunter2canary was refused").event("decision", {"description": "d" * 70_000})
    for number in range(30):
        run.wait(500).tool("view_file", {"path": f"src/module_{number}.py"}, took_ms=7)
    return run.raw(b'{"ts":1767961860000,"type":"decis')


async def open_raw(seen: Monitor, run_id: str) -> RawView:
    await seen.app.open_run(run_id)
    page = seen.app.run_page
    assert page is not None
    await page.detail.open_view("raw")
    page.focus_main()
    await seen.settle()
    assert isinstance(page.detail.part, RawView)
    return page.detail.part


@SIZES
@pytest.mark.parametrize("line", [3, 8], ids=["damaged", "long"])
def test_raw(tmp_path: Path, size: tuple[int, int], line: int, snap_compare: Compare) -> None:
    runs = tmp_path / "home" / ".codebuddy" / "runs"
    run = damaged(runs)
    run.write()
    app, feed = make_app(runs, home=tmp_path / "home")

    async def drive(pilot: Pilot[Any]) -> None:
        assert isinstance(feed.clock, ManualClock)
        seen = Monitor(app, pilot, feed, feed.clock)
        await seen.settle()
        await open_raw(seen, run.run_id)
        await seen.press(*["j"] * line)

    assert snap_compare(app, size=size, drive=drive)


async def test_every_line_and_every_file_can_be_reached_and_searched(tmp_path: Path) -> None:
    run = damaged(tmp_path / "runs")
    run.end().write()
    async with monitor(tmp_path / "runs", size=COMFORTABLE) as seen:
        view = await open_raw(seen, run.run_id)
        assert "[events.jsonl]" in seen.text
        assert "\x1b" not in seen.text
        await seen.press("G")
        assert "not finished" not in seen.text  # it was, by the next record, which is damaged by that
        assert "no record" in seen.text
        await seen.press("g", "/", *"hunter", "enter")
        assert "hunter2canary" not in seen.text
        await seen.press("escape", "/", *"module_29", "enter", "n")
        assert "module_29" in view.text.words()
        at = seen.table.cursor_index
        await seen.press("N")
        assert seen.table.cursor_index == at  # the only one: going back finds none before it
        assert "no further line" in seen.text
        await seen.press("y")
        assert "module_29" in seen.app.clipboard

        await seen.press("t")
        assert "[summary.json]" in seen.text
        assert '"objective"' in seen.text
        await seen.press("t")
        assert "totalTokens" in seen.text
        await seen.press("enter")
        assert seen.app.focused is view.text
        await seen.press("escape", "t")
        assert "[events.jsonl]" in seen.text


async def test_a_long_file_grows_under_the_eyes_and_lines_out_of_sight_are_not_kept(tmp_path: Path) -> None:
    run = RunDirectoryBuilder(tmp_path / "runs", started_at=NOW - 60_000)
    for number in range(3_000):
        run.event("decision", {"description": f"number {number}"})
    run.write()
    async with monitor(tmp_path / "runs", size=SMALL) as seen:
        view = await open_raw(seen, run.run_id)
        assert "3,001 lines" in seen.text
        await seen.press("G")
        assert "number 2999" in seen.text
        view.table.set_top(1_500)
        await seen.settle()
        assert "1,502" in seen.text
        assert len(view._lines) < 300
        run.event("decision", {"description": "the newest"}).write()
        await seen.refresh()
        assert "3,002 lines" in seen.text
        await seen.press("G")
        assert "the newest" in seen.text
        (tmp_path / "runs" / run.run_id / "events.jsonl").write_bytes(b'{"only":1}\n')
        await seen.refresh()
        assert "1 line" in seen.text
        assert '{"only":1}' in seen.text
        (tmp_path / "runs" / run.run_id / "events.jsonl").unlink()
        await seen.refresh()
        assert "there is no such file" in seen.text


def test_the_keys_of_a_million_lines_are_none_of_them_kept() -> None:
    keys = LineNumbers(1_000_000)
    assert (len(keys), keys[999_999], keys[5:7]) == (1_000_000, "999999", ["5", "6"])
    assert find_key(keys, "700000", 3) == 700_000
    assert find_key(LineNumbers(5), "7", 0) is None
