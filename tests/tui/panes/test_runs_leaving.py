"""The list of runs says which one the agent will remove next."""

from __future__ import annotations

from pathlib import Path

from tests.tui.monitor import COMFORTABLE, NOW, monitor

from buddy_core.testing import RunDirectoryBuilder


async def test_the_run_that_leaves_next_is_marked_as_soon_as_there_are_so_many(tmp_path: Path) -> None:
    for number in range(29):
        run = RunDirectoryBuilder(
            tmp_path, started_at=NOW - 3_600_000 + number * 1_000, objective=f"Task {number}"
        )
        run.end().write()
    async with monitor(tmp_path, size=COMFORTABLE) as seen:
        await seen.go("runs")
        assert "leaves next" not in seen.text
        RunDirectoryBuilder(tmp_path, started_at=NOW - 60_000, objective="One more").end().write()
        await seen.refresh()
        assert [line for line in seen.text.splitlines() if "leaves next Task 0" in line]
        assert seen.text.count("leaves next") == 1
