"""Following one run from its first line to its end, whatever its end is."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from buddy_core.clock import ManualClock
from buddy_core.runs.model import RunEvent
from buddy_core.runs.watching.following import RunFollower
from buddy_core.testing import RunDirectoryBuilder

START = 1_767_890_000_000


@pytest.fixture
def run(tmp_path: Path) -> RunDirectoryBuilder:
    return RunDirectoryBuilder(tmp_path, started_at=START).tool("bash", {"command": "ls"})


def follower(run: RunDirectoryBuilder, *, clock: ManualClock | None = None) -> RunFollower:
    return RunFollower(run.root, run.run_id, clock=clock or ManualClock(run.now_ms))


async def all_of(followed: RunFollower) -> list[RunEvent]:
    return [event async for event in followed.events()]


async def test_a_finished_run_is_read_and_left(run: RunDirectoryBuilder) -> None:
    run.end("failed").write()
    followed = follower(run)
    assert [event.type for event in await all_of(followed)] == [
        "run_start",
        "tool_call",
        "tool_result",
        "run_end",
    ]
    assert followed.status == "failed"


async def test_a_live_run_is_followed_to_its_end(run: RunDirectoryBuilder) -> None:
    run.write()
    followed = follower(run)
    events = followed.events()
    first = [(await anext(events)).type for _ in range(3)]
    run.event("decision", {"description": "on we go"}).end().write()
    rest = [event.type async for event in events]
    assert (first[-1], rest) == ("tool_result", ["decision", "run_end"])
    assert followed.status == "completed"


async def test_events_after_the_end_that_are_there_are_shown(run: RunDirectoryBuilder) -> None:
    run.end().event("lesson_added", {"text": "late"}).write()
    assert (await all_of(follower(run)))[-1].type == "lesson_added"


async def test_a_run_whose_writer_is_gone_is_left(run: RunDirectoryBuilder) -> None:
    """C3: a lock that nobody holds beside the word running."""
    run.write()
    (run.run_dir / "run.lock").touch()
    followed = follower(run)
    assert len(await all_of(followed)) == 3
    assert followed.status == "interrupted"


async def test_a_run_without_a_lock_that_is_long_silent_is_left(run: RunDirectoryBuilder) -> None:
    run.write()
    followed = follower(run, clock=ManualClock(START + 3 * 3_600_000))
    assert len(await all_of(followed)) == 3
    assert followed.status == "interrupted"


async def test_a_run_that_is_removed_is_left(run: RunDirectoryBuilder) -> None:
    """Case 27."""
    run.write()
    followed = follower(run)
    events = followed.events()
    for _ in range(3):
        await anext(events)
    shutil.rmtree(run.run_dir)
    assert [event async for event in events] == []
    assert followed.gone


async def test_a_replaced_file_is_told_again_from_its_beginning(run: RunDirectoryBuilder) -> None:
    """Case 24."""
    run.write()
    followed = follower(run)
    events = followed.events()
    for _ in range(3):
        await anext(events)
    run.events_file.write_bytes(
        b'{"ts":1,"type":"run_start","data":{}}\n{"ts":2,"type":"run_end","data":{"status":"completed"}}\n'
    )
    assert [event.type async for event in events] == ["run_start", "run_end"]


async def test_damaged_lines_are_counted(run: RunDirectoryBuilder) -> None:
    run.raw(b"\0\0rubbish\n").end().write()
    followed = follower(run)
    await all_of(followed)
    assert followed.skipped_lines == 1


async def test_giving_up_half_way_lets_go_of_everything(run: RunDirectoryBuilder) -> None:
    run.write()

    async def read_on() -> None:
        async for _ in follower(run).events():
            pass

    task = asyncio.create_task(read_on())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
