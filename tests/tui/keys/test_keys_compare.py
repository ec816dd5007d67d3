"""Two runs side by side on the screen: `space` marks, `D` compares."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.conftest import Compare
from tests.tui.monitor import COMFORTABLE, NOW, SMALL, Monitor, make_app, monitor, ways
from textual.pilot import Pilot

from buddy_core.clock import ManualClock
from buddy_core.testing import RunDirectoryBuilder
from buddy_top.commands import Place
from buddy_top.panes.runs.pane import RunsPane
from buddy_top.screens.compare import CompareScreen
from buddy_top.screens.event import EventScreen
from buddy_top.state import Tab

SIZES = pytest.mark.parametrize("size", [SMALL, COMFORTABLE], ids=lambda size: f"{size[0]}x{size[1]}")


def record(root: Path) -> tuple[str, str, str]:
    """A run that failed, its fork that did better, and a run that has to do with neither."""
    parent = RunDirectoryBuilder(
        root, started_at=NOW - 3_600_000, suffix="aaaaaa", metadata={"cwd": "/home/dev/app"}
    )
    parent.request(cost=0.12, latency_ms=2_000).tool("view_file", {"path": "/home/dev/app/login.py"})
    for index in range(12):
        parent.request(cost=0.01).tool("search", {"pattern": f"def {'abcdefghijkl'[index]}_session"})
    parent.request(cost=0.2, latency_ms=4_000).tool(
        "edit", {"path": "login.py", "new": "sleep(1)"}, took_ms=40
    )
    parent.tool("bash", {"command": "pytest -x"}, took_ms=8_200, error="1 failed: test_login").end("failed")
    fork = RunDirectoryBuilder(
        root,
        started_at=NOW - 1_800_000,
        suffix="bbbbbb",
        objective="[fork:retry] Fix the flaky login test",
        metadata={"cwd": "/home/dev/app", "parentRolloutId": parent.run_id, "forkReason": "retry"},
    )
    fork.request(cost=0.1, latency_ms=1_500).tool("view_file", {"path": "login.py"}, took_ms=80)
    for index in range(12):
        fork.request(cost=0.01).tool("search", {"pattern": f"def {'abcdefghijkl'[index]}_session"})
    fork.tool("view_file", {"path": "clock.py"})
    fork.request(cost=0.3, latency_ms=5_000).tool(
        "edit", {"path": "login.py", "new": "freeze(clock)"}, took_ms=60
    )
    fork.tool("bash", {"command": "pytest -x"}, took_ms=6_100).end()
    other = RunDirectoryBuilder(root, started_at=NOW - 600_000, suffix="cccccc", objective="Write the notes")
    other.tool("bash", {"command": "git log"}).end()
    for run in (parent, fork, other):
        run.write()
    return parent.run_id, fork.run_id, other.run_id


def runs_pane(seen: Monitor) -> RunsPane:
    pane = seen.app.panes[Tab.RUNS]
    assert isinstance(pane, RunsPane)
    return pane


async def compared(seen: Monitor, *keys: str) -> CompareScreen:
    for key in keys:  # one by one: both runs are read elsewhere before the next has something to change
        await seen.press(key)
        await seen.app.workers.wait_for_complete()
        await seen.settle()
    assert isinstance(seen.app.screen, CompareScreen)
    return seen.app.screen


async def test_space_marks_a_run_and_takes_the_mark_away(tmp_path: Path) -> None:
    record(tmp_path)
    async with monitor(tmp_path) as seen:
        for place, key in ways("mark"):
            await seen.go(place)
            table = runs_pane(seen).table
            await seen.press(key)
            assert table.marks == {table.cursor_key}
            await seen.press(key)
            assert table.marks == frozenset()


async def test_two_marked_runs_are_compared_the_older_first(tmp_path: Path) -> None:
    parent, fork, other = record(tmp_path)
    async with monitor(tmp_path, size=COMFORTABLE) as seen:
        for place, key in ways("compare"):
            if place != "runs":
                continue
            await seen.go(place)
            runs_pane(seen).table.marks = {other, parent}
            await compared(seen, key)
            assert f"A  ✗ {parent}" in seen.text
            assert f"B  ✓ {other}" in seen.text
            assert fork not in seen.text
            await seen.press("escape")
            assert seen.app.place == "runs"
            assert runs_pane(seen).table.marks == {other, parent}, "marks stay until they are taken away"


async def test_one_marked_run_is_compared_with_the_one_under_the_cursor(tmp_path: Path) -> None:
    parent, fork, other = record(tmp_path)
    async with monitor(tmp_path, size=COMFORTABLE) as seen:
        await seen.go("runs")
        runs_pane(seen).table.marks = {parent}
        runs_pane(seen).table.move_to(other)
        await compared(seen, "D")
        assert parent in seen.text
        assert other in seen.text
        assert fork not in seen.text


@pytest.mark.parametrize("place", ["runs", "run"])
async def test_without_marks_a_fork_is_compared_with_its_parent(tmp_path: Path, place: Place) -> None:
    parent, fork, _ = record(tmp_path)
    async with monitor(tmp_path, size=COMFORTABLE) as seen:
        await seen.go("runs")
        runs_pane(seen).table.move_to(fork)
        if place == "run":
            await seen.press("enter")
        assert seen.app.place == place
        await compared(seen, "D")
        assert "B is a fork of A: retry" in seen.text
        assert parent in seen.text


async def test_what_has_to_be_marked_is_said(tmp_path: Path) -> None:
    parent, fork, other = record(tmp_path)
    async with monitor(tmp_path, size=COMFORTABLE) as seen:
        await seen.go("runs")
        table = runs_pane(seen).table
        for marks, cursor, words in (
            (set[str](), other, "mark two runs"),
            ({other}, other, "mark two runs"),
            ({parent, fork, other}, other, "more than two runs are marked"),
        ):
            table.marks = marks
            table.move_to(cursor)
            await seen.press("D")
            assert words in seen.text


async def test_the_cursor_begins_where_the_runs_part_and_goes_from_difference_to_difference(
    tmp_path: Path,
) -> None:
    _, fork, _ = record(tmp_path)
    async with monitor(tmp_path, size=COMFORTABLE) as seen:
        await seen.go("runs")
        runs_pane(seen).table.move_to(fork)
        screen = await compared(seen, "D")
        assert screen.table.cursor_key == "13"
        assert "call 14 of B: view_file: is only in B" in seen.text
        await seen.press("n")
        assert "other new" in seen.text
        await seen.press("n", "n")
        assert "bash: failed in A, ok in B" in seen.text
        await seen.press("N", "N")
        assert screen.table.cursor_key == "13"
        hidden = len(screen.table.keys)
        await seen.press("t")
        assert len(screen.table.keys) == 16 > hidden
        assert screen.table.cursor_key == "13"


async def test_what_is_known_of_no_call_has_no_column(tmp_path: Path) -> None:
    parent, _, other = record(tmp_path)
    async with monitor(tmp_path, size=COMFORTABLE) as seen:
        await seen.go("runs")
        runs_pane(seen).table.marks = {parent, other}
        screen = await compared(seen, "D")
        assert {column.key for column in screen.table.columns} & {"tokens", "cost"} == set()


async def test_enter_opens_the_call_in_full(tmp_path: Path) -> None:
    _, fork, _ = record(tmp_path)
    async with monitor(tmp_path, size=COMFORTABLE) as seen:
        await seen.go("runs")
        runs_pane(seen).table.move_to(fork)
        await compared(seen, "D")
        await seen.press("n", "enter")
        await seen.app.workers.wait_for_complete()
        await seen.settle()
        assert isinstance(seen.app.screen, EventScreen)
        assert "freeze(clock)" in seen.text


async def test_a_run_that_was_removed_meanwhile_reads_as_empty(tmp_path: Path) -> None:
    """Case 27."""
    parent, fork, _ = record(tmp_path)
    async with monitor(tmp_path, size=COMFORTABLE) as seen:
        await seen.go("runs")
        runs_pane(seen).table.move_to(fork)
        shutil.rmtree(tmp_path / parent)
        await compared(seen, "D")
        assert "only in B" in seen.text


@SIZES
@pytest.mark.parametrize("whole", [False, True], ids=["differences", "all"])
def test_picture(tmp_path: Path, snap_compare: Compare, size: tuple[int, int], whole: bool) -> None:
    runs = tmp_path / "home" / ".codebuddy" / "runs"
    _, fork, _ = record(runs)
    app, feed = make_app(runs, home=tmp_path / "home")

    async def drive(pilot: Pilot[None]) -> None:
        assert isinstance(feed.clock, ManualClock)
        seen = Monitor(app, pilot, feed, feed.clock)
        await seen.settle()
        await seen.go("runs")
        runs_pane(seen).table.move_to(fork)
        await compared(seen, "D", *(["t"] if whole else []))

    assert snap_compare(app, size=size, drive=drive)
