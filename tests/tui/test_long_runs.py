"""A run too long to be read at once: it says how far it is, lets others have their turn, and never guesses."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from tests.tui.monitor import COMFORTABLE, NOW, monitor

from buddy_core.clock import ManualClock
from buddy_core.runs.model import RunFacts
from buddy_core.runs.viewing.runnumbers import NumbersFold
from buddy_core.testing import RunDirectoryBuilder
from buddy_top import run_reader
from buddy_top.cells import text_of
from buddy_top.feed import Feed
from buddy_top.run_reader import RunReader
from buddy_top.run_view.metrics import metrics_lines
from buddy_top.run_view.timeline import older_words
from buddy_top.state import RunDetail, Snapshot, Tab, Wants

CALLS = 200


@pytest.fixture
def long_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunDirectoryBuilder:
    """A run of many pieces, because the pieces are small."""
    monkeypatch.setattr(run_reader, "PIECE_BYTES", 2_000)
    monkeypatch.setattr(run_reader, "PIECES", 3)
    runs = tmp_path / "runs"
    runs.mkdir()
    run = RunDirectoryBuilder(runs, started_at=NOW - 600_000, objective="Read me slowly")
    for number in range(CALLS):
        run.tool("bash", {"command": f"echo {number}"}, took_ms=10)
    run.write()
    return run


def reader_of(run: RunDirectoryBuilder) -> RunReader:
    return RunReader(run.run_dir.parent, run.run_id)


def facts(**more: object) -> RunFacts:
    known: dict[str, object] = {
        "run_id": "run_a_000000",
        "objective": "",
        "status": "completed",
        "recorded_status": "completed",
        "started_at": NOW,
        "ended_at": NOW,
        "last_event_at": NOW,
        "duration_ms": 0,
        "event_count": 9,
        "tool_calls": CALLS,
        "tool_failures": 0,
        "errors": 0,
    }
    return RunFacts(**(known | more))  # type: ignore[arg-type]


async def test_a_long_file_is_shown_when_it_has_been_read_and_says_how_far_it_is_until_then(
    long_run: RunDirectoryBuilder,
) -> None:
    """Case 22."""
    reader = reader_of(long_run)
    first = await reader.read()
    assert first.reading
    assert reader.more
    assert first.rows == ()
    assert first.accounting is not None
    assert 0 < first.accounting.seen <= 6_000

    while reader.more:
        last = await reader.read()
    assert not last.reading
    assert sum(row.kind == "tool_call" for row in last.rows) == CALLS
    reader.close()


async def test_growth_in_a_file_that_was_read_is_added_without_blanking_it(
    long_run: RunDirectoryBuilder,
) -> None:
    reader = reader_of(long_run)
    while reader.more:
        before = await reader.read()
    for number in range(CALLS):
        long_run.tool("bash", {"command": f"again {number}"}, took_ms=10)
    long_run.write()
    after = await reader.read()

    assert reader.more
    assert not after.reading
    assert len(after.rows) > len(before.rows)
    reader.close()


async def test_other_work_has_its_turn_between_two_pieces(long_run: RunDirectoryBuilder) -> None:
    """Case 39: whoever watches the other runs lives in the same loop."""
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(others())
    reader = reader_of(long_run)
    await reader.read()
    task.cancel()
    reader.close()

    assert turns >= run_reader.PIECES


def test_the_feed_goes_on_reading_without_being_asked_and_publishes_on_the_way(
    long_run: RunDirectoryBuilder,
) -> None:
    """The refresh interval is endless here: only what is left to read brings the next picture."""
    published: list[Snapshot] = []
    done = asyncio.Event()
    feed = Feed(long_run.run_dir.parent, clock=ManualClock(NOW), refresh_s=3_600.0)
    feed.ask(Wants(tab=Tab.RUNS, run_id=long_run.run_id))

    async def until_read() -> None:
        loop = asyncio.get_running_loop()

        def publish(snapshot: Snapshot) -> None:
            published.append(snapshot)
            if snapshot.run is not None and not snapshot.run.reading:
                loop.call_soon_threadsafe(done.set)

        feed.start(publish, lambda error: loop.call_soon_threadsafe(done.set))
        await asyncio.wait_for(done.wait(), 20)

    try:
        asyncio.run(until_read())
    finally:
        feed.stop()

    details = [snapshot.run for snapshot in published if snapshot.run is not None]
    assert sum(detail.reading for detail in details) > 3
    assert len(details[-1].rows) >= CALLS


def detail(*, reading: bool = False, hidden: int = 0) -> RunDetail:
    return RunDetail(
        run_id="run_a_000000", rows=(), hidden=hidden, artifacts=(), accounting=None, reading=reading
    )


def test_nothing_is_said_of_tools_before_the_events_are_read() -> None:
    fold = NumbersFold(facts().run_id, facts().started_at)
    unread = fold.numbers(until=0, live=False, reading=True)
    for numbers in (None, unread, replace(unread, reading=False)):
        lines = metrics_lines(facts(), numbers, NOW, width=100, height=40)
        told = "\n".join(text_of(line) for line in lines)
        is_read = numbers is not None and not numbers.reading
        assert ("reading the events" in told, "no tool was called" in told) == (not is_read, is_read)


def test_a_timeline_of_only_the_newest_lines_says_so() -> None:
    assert older_words(detail(hidden=580_001)).endswith("580,001 older lines not shown")
    assert older_words(detail()) == ""


async def test_a_run_that_is_removed_while_it_is_open_says_so_in_every_view(
    long_run: RunDirectoryBuilder,
) -> None:
    """Case 27."""
    async with monitor(long_run.run_dir.parent, size=COMFORTABLE, tab="runs") as seen:
        await seen.press("enter", "v")
        assert "Read me slowly" in seen.text
        shutil.rmtree(long_run.run_dir)
        await seen.refresh()
        assert long_run.run_id in seen.text
        for _ in range(3):
            assert "Read me slowly" not in seen.text
            await seen.press("v")
        assert "not there any more" in seen.text
        await seen.press("escape")
        assert seen.app.place == "runs"
