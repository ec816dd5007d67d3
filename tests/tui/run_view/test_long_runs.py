"""A run too long to be read at once: it says how far it is, lets others have their turn, and never guesses."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.tui.monitor import COMFORTABLE, NOW, Monitor, monitor

from buddy_core.clock import ManualClock
from buddy_core.runs.facts import RunFacts
from buddy_core.runs.numbers.runnumbers import NumbersFold
from buddy_core.runs.timeline.index.indexing import Indexer
from buddy_core.testing import RunDirectoryBuilder
from buddy_top.drawing.cells import text_of
from buddy_top.feed import Feed
from buddy_top.options import Options
from buddy_top.reading import run_indexing
from buddy_top.reading.run_reader import RunReader
from buddy_top.run_view.metrics.view import metrics_lines
from buddy_top.state import RunDetail, Snapshot, Tab, Wants

CALLS = 200


@pytest.fixture
def long_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunDirectoryBuilder:
    """A run of many pieces, because the pieces are small, that nobody indexes at once."""
    monkeypatch.setattr(run_indexing, "PIECE", 2_000)
    monkeypatch.setattr(run_indexing, "AT_ONCE_S", 0.0)
    runs = tmp_path / "runs"
    runs.mkdir()
    run = RunDirectoryBuilder(runs, started_at=NOW - 600_000, objective="Read me slowly")
    for number in range(CALLS):
        run.tool("bash", {"command": f"echo {number}"}, took_ms=10)
    run.write()
    return run


class Reading:
    """A reader that waits for its thread at will."""

    def __init__(self, run: RunDirectoryBuilder) -> None:
        self.told = threading.Event()
        self.reader = RunReader(run.run_dir.parent, run.run_id, self.told.set)

    def read(self, **wants: Any) -> RunDetail:
        return self.reader.read(Wants(run_id=self.reader.run_id, **wants))

    def to_the_end(self, **wants: Any) -> RunDetail:
        detail = self.read(**wants)
        while self.reader.busy:
            self.told.wait(20)
            self.told.clear()
            detail = self.read(**wants)
        return detail


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


def test_the_first_rows_of_a_long_file_are_there_before_it_is_read_and_it_says_how_far_it_is(
    long_run: RunDirectoryBuilder,
) -> None:
    """Case 22."""
    reading = Reading(long_run)
    first = reading.read()
    assert first.reading
    assert first.accounting is not None
    assert 0 < first.accounting.seen < first.size
    assert first.page[1].detail == "echo 0"
    assert first.newest[-1].detail == f"echo {CALLS - 1}", "and the newest, ahead of the index"
    ahead = first.newest[-1].since_start_ms

    last = reading.to_the_end(rows=(150, 3))
    assert not last.reading
    assert last.newest == ()
    assert (last.rows, last.events) == (CALLS + 1, 2 * CALLS + 1)
    assert (last.page[150].detail, last.page[3].detail) == ("echo 149", "echo 2")
    end = reading.read(rows=(CALLS,)).page[CALLS]
    assert (end.detail, end.since_start_ms) == (f"echo {CALLS - 1}", ahead)
    reading.reader.close()


def test_what_has_come_since_is_there_with_the_end_that_is_in_sight(long_run: RunDirectoryBuilder) -> None:
    reading = Reading(long_run)
    before = reading.to_the_end()
    long_run.tool("bash", {"command": "again"}, took_ms=10)
    long_run.write()
    after = reading.to_the_end(rows=(before.rows - 1,))
    assert not after.reading
    assert after.index is before.index
    assert after.page[before.rows].detail == "again", "nobody could have asked for it"
    reading.reader.close()


def test_a_filter_finds_in_its_thread_and_another_one_takes_its_place(long_run: RunDirectoryBuilder) -> None:
    reading = Reading(long_run)
    reading.read(row_filter="tool:bash")
    found = reading.to_the_end(row_filter="echo 19").found
    assert found is not None
    assert (found.text, found.count) == ("echo 19", 12)
    assert reading.to_the_end().found is None
    reading.reader.close()


def test_a_thread_that_is_no_longer_wanted_ends_and_lets_go(long_run: RunDirectoryBuilder) -> None:
    reading = Reading(long_run)
    reading.read()
    reading.reader.close()
    while reading.reader.busy:
        reading.told.wait(20)
        reading.told.clear()
    assert reading.read().rows < CALLS, "nothing is read any more"


def test_a_thread_that_fails_is_heard_of_where_its_work_is_waited_for(
    long_run: RunDirectoryBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading = Reading(long_run)
    reading.read()

    def broken(_self: Indexer, _batch: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(Indexer, "feed", broken)
    with pytest.raises(RuntimeError, match="broken"):
        reading.to_the_end()


def test_the_feed_goes_on_reading_without_being_asked(long_run: RunDirectoryBuilder) -> None:
    """The refresh interval is short here; nothing else happens that could bring the next picture."""
    published: list[Snapshot] = []
    done = threading.Event()
    feed = Feed(Options(long_run.run_dir.parent, clock=ManualClock(NOW), refresh_s=0.01))
    feed.ask(Wants(tab=Tab.RUNS, run_id=long_run.run_id))

    def publish(snapshot: Snapshot) -> None:
        published.append(snapshot)
        if snapshot.run is not None and not snapshot.run.reading:
            done.set()

    feed.start(publish, lambda error: done.set())
    assert done.wait(20)
    feed.stop()
    details = [snapshot.run for snapshot in published if snapshot.run is not None]
    assert details[0].reading
    assert details[-1].rows == CALLS + 1


def test_nothing_is_said_of_tools_before_the_events_are_read() -> None:
    fold = NumbersFold(facts().run_id, facts().started_at)
    unread = fold.numbers(until=0, live=False, reading=True)
    for numbers in (None, unread, replace(unread, reading=False)):
        lines = metrics_lines(facts(), numbers, NOW, width=100, height=40)
        told = "\n".join(text_of(line) for line in lines)
        is_read = numbers is not None and not numbers.reading
        assert ("reading the events" in told, "no tool was called" in told) == (not is_read, is_read)


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


@pytest.fixture
def go_on(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """The index of a run stops behind its first piece until this is set."""
    monkeypatch.setattr(run_indexing, "AT_ONCE_S", 0.0)
    monkeypatch.setattr(run_indexing, "PIECE", 2_000)
    go_on = threading.Event()
    grow = run_indexing.RunIndexing._grow

    def held(self: run_indexing.RunIndexing) -> None:
        if len(self.index):
            go_on.wait(20)
        grow(self)

    monkeypatch.setattr(run_indexing.RunIndexing, "_grow", held)
    yield go_on
    go_on.set()


def many_calls(runs: Path) -> RunDirectoryBuilder:
    """A run that begins a minute ago and has not ended."""
    run = RunDirectoryBuilder(runs, started_at=NOW - 60_000, objective="Still at it")
    for number in range(CALLS):
        run.wait(1).tool("bash", {"command": f"echo {number}"}, took_ms=1)
    return run


async def indexed(seen: Monitor) -> None:
    """Wait until all of the run is, and drawn."""
    while seen.feed.reader is not None and seen.feed.reader.busy:
        await seen.settle()
    await seen.refresh()
    assert "% indexed" not in seen.text


async def test_the_end_of_a_long_run_that_is_over_is_gone_to_before_it_is_indexed(
    tmp_path: Path, go_on: threading.Event
) -> None:
    """The way back to its beginning is as short, and the cursor stays on its row when the index has come so far."""
    many_calls(tmp_path).end().write()
    async with monitor(tmp_path, size=COMFORTABLE) as seen:
        await seen.go("run")
        assert "echo 0" in seen.text
        await seen.press("G")
        assert "run end" in seen.text
        assert f"echo {CALLS - 1}" in seen.text
        await seen.press("g")
        assert seen.app.run_page is not None
        timeline = seen.app.run_page.detail.timeline
        assert timeline.selected is not None
        assert (timeline.selected.kind, timeline.selected.index) == ("run_start", 0)
        await seen.press("G", "k")
        go_on.set()
        await indexed(seen)
        assert timeline.selected is not None
        assert (timeline.selected.detail, timeline.selected.index) == (f"echo {CALLS - 1}", CALLS)


async def test_a_long_live_run_is_seen_at_its_end_before_it_is_indexed(
    tmp_path: Path, go_on: threading.Event
) -> None:
    """And the cursor stays on its row when the index has come so far."""
    many_calls(tmp_path).write()
    async with monitor(tmp_path, size=COMFORTABLE) as seen:
        await seen.go("run")
        assert f"echo {CALLS - 1}" in seen.text
        assert "% indexed" in seen.text
        await seen.press("k", "k")
        assert seen.app.run_page is not None
        timeline = seen.app.run_page.detail.timeline
        assert timeline.selected is not None
        assert timeline.selected.detail == f"echo {CALLS - 3}"
        go_on.set()
        await indexed(seen)
        assert timeline.selected is not None
        assert (timeline.selected.detail, timeline.selected.index) == (f"echo {CALLS - 3}", CALLS - 2)
