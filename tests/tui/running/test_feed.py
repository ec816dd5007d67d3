"""The live feed: a thread of its own that reads, and says at most once in an interval what there is to see."""

from __future__ import annotations

import asyncio
import contextlib
import queue
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.tui.monitor import NOW, samples

from buddy_core.clock import ManualClock
from buddy_core.metrics.window import Window
from buddy_core.observing.observer import Observer
from buddy_core.runs.timeline.around import Moment, Surroundings
from buddy_core.testing import RunDirectoryBuilder
from buddy_top.app import BuddyTop
from buddy_top.feed import Feed
from buddy_top.options import Options
from buddy_top.reading.around_reader import AroundReader
from buddy_top.state import Snapshot, Tab, Wants

LONGEST_S = 20.0
"""Only a test that fails waits that long."""

NEVER_S = 3600.0
"""A refresh interval that does not pass during a test."""


class Published:
    """What a feed has published, in order; waits for what is still to come."""

    def __init__(self) -> None:
        self.all: list[Snapshot] = []
        self.errors: queue.Queue[BaseException] = queue.Queue()
        self._arrived: queue.Queue[Snapshot] = queue.Queue()

    def publish(self, snapshot: Snapshot) -> None:
        self.all.append(snapshot)
        self._arrived.put(snapshot)

    def until(self, condition: Callable[[Snapshot], bool]) -> Snapshot:
        """The first snapshot from now on that is as it should be."""
        while True:
            snapshot = self._arrived.get(timeout=LONGEST_S)
            if condition(snapshot):
                return snapshot


@contextmanager
def running(
    runs: Path, *, refresh_s: float = 0.0, feed: Feed | None = None
) -> Iterator[tuple[Feed, Published]]:
    """A feed on a directory, until the end of the block."""
    feed = feed or Feed(Options(runs, clock=ManualClock(NOW), refresh_s=refresh_s))
    published = Published()
    feed.start(published.publish, published.errors.put)
    try:
        yield feed, published
    finally:
        feed.stop()


def all_loaded(snapshot: Snapshot) -> bool:
    return bool(snapshot.runs) and snapshot.sources.loaded == snapshot.sources.total


def a_run(runs: Path) -> RunDirectoryBuilder:
    run = RunDirectoryBuilder(runs, started_at=NOW - 60_000, objective="Grow")
    run.tool("bash", {"command": "first"}).write()
    return run


def test_what_is_appended_comes_with_a_snapshot(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    run = a_run(runs)
    with running(runs) as (_, published):
        published.until(all_loaded)
        run.tool("bash", {"command": "second"}).error("something broke").write()
        later = published.until(lambda snapshot: snapshot.view.total_errors == 1)
        assert later.runs[0].tool_calls == 2
        assert later.view.total_tool_calls == 2
        assert later.taken_at == NOW


def test_after_pictures_in_a_hurry_comes_one_in_which_every_row_is_up_to_date(tmp_path: Path) -> None:
    runs, clock = tmp_path / "runs", ManualClock(NOW)
    run = a_run(runs).end()
    run.write()
    with running(runs, feed=Feed(Options(runs, clock=clock, refresh_s=0.0))) as (_, published):
        published.until(lambda snapshot: all_loaded(snapshot) and bool(snapshot.view.tools))
        run.tool("bash", {"command": "second"}).write()
        hurried = published.until(lambda snapshot: snapshot.view.total_tool_calls == 2)
        assert hurried.view.tools[0].total_calls == 1  # nobody has read the row, and it is of just now
        clock.advance(2_000)
        published.until(lambda snapshot: snapshot.view.tools[0].total_calls == 2)


def test_a_run_that_begins_and_one_that_goes_away_are_noticed(tmp_path: Path) -> None:
    runs = samples(tmp_path)
    with running(runs) as (_, published):
        published.until(lambda snapshot: len(snapshot.runs) == 12 and all_loaded(snapshot))
        begun = a_run(runs)
        published.until(lambda snapshot: begun.run_id in snapshot.by_id)
        begun.run_dir.rename(tmp_path / "elsewhere")
        published.until(lambda snapshot: begun.run_id not in snapshot.by_id)


def test_the_detail_of_the_run_on_the_screen_grows_with_its_file(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    run = a_run(runs)
    with running(runs) as (feed, published):
        feed.ask(Wants(tab=Tab.RUNS, run_id=run.run_id))
        first = published.until(lambda snapshot: snapshot.run is not None)
        assert first.run is not None
        rows = first.run.rows
        run.tool("bash", {"command": "second"}).write()
        published.until(lambda snapshot: snapshot.run is not None and snapshot.run.rows == rows + 1)
        feed.ask(Wants(tab=Tab.RUNS))
        assert published.until(lambda snapshot: snapshot.wants.run_id is None).run is None


def test_the_first_change_after_quiet_is_published_without_waiting_for_the_interval(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    run = a_run(runs)
    with running(runs, refresh_s=0.05) as (feed, published):
        published.until(all_loaded)
        feed._refresh_s = NEVER_S
        run.tool("bash", {"command": "second"}).write()
        published.until(lambda snapshot: snapshot.runs[0].tool_calls == 2)


def test_under_load_at_most_one_snapshot_comes_in_each_interval(tmp_path: Path) -> None:
    """With an interval that never passes, a silent run that grows makes one picture, whatever follows none; being
    asked makes another.
    """
    runs = tmp_path / "runs"
    run = a_run(runs)
    with running(runs, refresh_s=NEVER_S) as (feed, published):
        published.until(all_loaded)
        run.tool("bash", {"command": "after a while"}).write()
        published.until(lambda snapshot: snapshot.runs[0].tool_calls == 2)
        before = list(published.all)
        for number in range(50):
            run.tool("bash", {"command": f"more {number}"}).write()
            feed._on_change()
        assert published.all == before
        feed.ask(Wants(window=Window.ALL))
        published.until(lambda snapshot: snapshot.wants.window is Window.ALL)
        assert len(published.all) == len(before) + 1


def test_a_burst_is_published_as_far_fewer_snapshots_than_it_has_changes(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    run = a_run(runs)
    with running(runs, refresh_s=0.2) as (feed, published):
        published.until(all_loaded)
        told = len(published.all)
        for number in range(300):
            run.tool("bash", {"command": f"more {number}"}).write()
        published.until(lambda snapshot: snapshot.runs[0].tool_calls == 301)
        assert len(published.all) - told < 100
        assert feed is not None


def test_pausing_holds_the_picture_and_counts_what_waits(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    run = a_run(runs)
    with running(runs) as (feed, published):
        published.until(all_loaded)
        feed.pause(True)
        held = published.until(lambda snapshot: snapshot.paused)
        assert held.behind == 0
        run.tool("bash", {"command": "second"}).write()
        later = published.until(lambda snapshot: snapshot.behind > 0)
        assert (later.view, later.runs, later.taken_at) == (held.view, held.runs, held.taken_at)
        feed.pause(False)
        after = published.until(lambda snapshot: not snapshot.paused)
        assert (after.behind, after.runs[0].tool_calls) == (0, 2)


def test_what_is_opened_while_paused_is_shown_within_the_held_picture(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    run = a_run(runs)
    with running(runs) as (feed, published):
        published.until(all_loaded)
        feed.pause(True)
        held = published.until(lambda snapshot: snapshot.paused)
        run.tool("bash", {"command": "second"}).write()
        published.until(lambda snapshot: snapshot.behind > 0)
        feed.ask(Wants(tab=Tab.TOOLS, series=("tool", "bash")))
        opened = published.until(lambda snapshot: snapshot.series is not None)
        assert (opened.view, opened.runs, opened.taken_at) == (held.view, held.runs, held.taken_at)
        assert opened.paused
        feed.ask(Wants(window=Window.ALL))
        wider = published.until(lambda snapshot: snapshot.wants.window is Window.ALL)
        assert wider.paused
        assert wider.view.total_tool_calls == 2


class BrokenObserver(Observer):
    """Reads the runs, and then its own code fails."""

    async def follow(self, on_change: Callable[[], None] = lambda: None) -> None:
        self.load()
        on_change()
        raise LookupError("a bug in the observer")


class EndingObserver(Observer):
    """Stops watching without a word."""

    async def follow(self, on_change: Callable[[], None] = lambda: None) -> None:
        self.load()


@pytest.mark.parametrize(
    ("broken", "words"), [(BrokenObserver, "a bug"), (EndingObserver, "nothing watches")]
)
def test_an_observer_that_dies_is_reported(
    broken: type[Observer], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("buddy_core.observing.observer.Observer", broken)
    with running(samples(tmp_path)) as (_, published):
        assert words in str(published.errors.get(timeout=LONGEST_S))


def test_a_picture_that_cannot_be_taken_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: object, **_options: object) -> Snapshot:
        raise ZeroDivisionError("a bug in the snapshot")

    monkeypatch.setattr("buddy_top.feeding.snapshots.take_snapshot", fail)
    with running(samples(tmp_path)) as (_, published):
        assert isinstance(published.errors.get(timeout=LONGEST_S), ZeroDivisionError)


async def test_the_monitor_ends_with_a_report_when_its_feed_dies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Never a frozen picture that still says `live`."""
    monkeypatch.setattr("buddy_core.observing.observer.Observer", BrokenObserver)
    app = BuddyTop(Options(runs_dir=samples(tmp_path), clock=ManualClock(NOW)))
    with pytest.raises(LookupError, match="a bug in the observer"):
        async with asyncio.timeout(LONGEST_S):
            async with app.run_test() as pilot:
                while app._exception is None:
                    await pilot.pause()
    assert app.return_code == 1
    assert "a bug in the observer" in str(app._crashes)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="open files are looked up in /proc")
def test_stopping_ends_the_thread_and_closes_its_files(tmp_path: Path) -> None:
    with running(samples(tmp_path)) as (feed, published):
        feed.ask(Wants(run_id=published.until(all_loaded).runs[0].run_id))
        published.until(lambda snapshot: snapshot.run is not None)
        thread = feed._thread
        assert open_files(tmp_path)
    assert thread is not None
    assert not thread.is_alive()
    assert open_files(tmp_path) == []
    told = len(published.all)
    feed.ask(Wants(window=Window.ALL))
    feed.pause(True)
    feed.reread()
    feed.stop()
    assert len(published.all) == told
    assert published.errors.empty()


def open_files(folder: Path) -> list[str]:
    """Files in this folder that this process has open."""
    names = []
    for entry in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            names.append(str(entry.readlink()))
    return sorted(name for name in names if name.startswith(str(folder)))


def test_a_feed_that_never_started_stops_in_silence(tmp_path: Path) -> None:
    feed = Feed(Options(tmp_path / "runs", clock=ManualClock(NOW)))
    feed.ask(Wants())
    feed.pause(True)
    feed.reread()
    feed.stop()


def test_reading_again_finds_what_no_notification_told_of(tmp_path: Path) -> None:
    runs = samples(tmp_path)
    with running(runs) as (feed, published):
        published.until(lambda snapshot: len(snapshot.runs) == 12 and all_loaded(snapshot))
        a_run(runs)
        feed.reread()
        published.until(lambda snapshot: len(snapshot.runs) == 13)


def test_the_events_around_an_error_are_read_once_the_cursor_rests_on_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = tmp_path / "runs"
    run = a_run(runs)
    for number in range(20):
        run.error(f"number {number}")
    run.write()
    read: list[str] = []
    real = AroundReader.read

    def reading(reader: AroundReader, moment: Moment) -> Surroundings:
        read.append(moment.message)
        return real(reader, moment)

    monkeypatch.setattr(AroundReader, "read", reading)
    moments = [Moment(run.run_id, run.now_ms, f"number {number}") for number in range(20)]
    with running(runs) as (feed, published):
        published.until(all_loaded)
        for moment in moments:
            # Who passes by rests for less than the time it takes, who stays for more, on any machine.
            monkeypatch.setattr(
                "buddy_top.reading.around_reader.REST_S", NEVER_S if moment is not moments[-1] else 0.0
            )
            feed.ask(Wants(tab=Tab.ERRORS, around=moment))
            first = published.until(lambda snapshot, moment=moment: snapshot.wants.around == moment)  # type: ignore[misc]
            assert first.around == (moment, None), "the picture does not wait for the file"
        last = published.until(
            lambda snapshot: snapshot.around is not None and snapshot.around[1] is not None
        )
        assert last.around is not None
        assert last.around[1] is not None
        assert last.around[0] == moments[-1]
        assert "number 19" in [row.error for row in last.around[1].rows]
        assert read == ["number 19"], "the others were only passed by"
        feed.ask(Wants(tab=Tab.TOOLS))
        published.until(lambda snapshot: snapshot.wants.tab is Tab.TOOLS and snapshot.around is None)
        feed.ask(Wants(tab=Tab.ERRORS, around=moments[-1]))
        again = published.until(lambda snapshot: snapshot.wants.around == moments[-1])
        assert again.around == last.around, "what was read is known at once"


def test_the_events_around_an_error_are_read_also_while_the_picture_is_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = tmp_path / "runs"
    run = a_run(runs)
    run.error("something broke").write()
    monkeypatch.setattr("buddy_top.reading.around_reader.REST_S", 0.0)
    with running(runs) as (feed, published):
        published.until(all_loaded)
        feed.pause(True)
        feed.ask(Wants(tab=Tab.ERRORS, around=Moment(run.run_id, run.now_ms, "something broke")))
        last = published.until(
            lambda snapshot: snapshot.around is not None and snapshot.around[1] is not None
        )
        assert last.paused
