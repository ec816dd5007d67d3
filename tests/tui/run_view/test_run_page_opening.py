"""A run's page while it is being built: it is of that run from the first moment, and may be left before it stands."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.tui.monitor import monitor, samples

from buddy_top.state import Wants


async def test_what_is_asked_while_the_page_is_built_is_of_the_run_it_is_opened_for(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path), tab="runs") as seen:
        assert seen.cursor is not None
        opening = asyncio.create_task(seen.app.open_run(seen.cursor))
        while seen.app.run_page is None:
            await asyncio.sleep(0)
        asked = seen.app.run_page.wants(Wants())
        assert not opening.done()
        assert asked.run_id == seen.cursor
        await opening


async def test_a_page_that_is_left_while_it_is_built_stays_left(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path), tab="runs") as seen:
        assert seen.cursor is not None
        opening = asyncio.create_task(seen.app.open_run(seen.cursor))
        while seen.app.run_page is None:
            await asyncio.sleep(0)
        await seen.app.leave_run()
        await opening
        await seen.settle()
        assert seen.app.run_page is None
        assert seen.app.place == "runs"
        assert seen.app.is_running
