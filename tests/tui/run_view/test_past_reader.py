"""The past beside the present: read in a thread of its own, while collecting of the present goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.tui.monitor import NOW
from tests.tui.running.test_feed import all_loaded, running

from buddy_core.clock import ManualClock
from buddy_core.past.moment import PastMoment
from buddy_core.past.observer import PastObserver
from buddy_core.past.world import PastWorld
from buddy_core.testing import RunDirectoryBuilder
from buddy_top.past.reader import PastReader, Standing
from buddy_top.state import Tab, Wants

LONGEST_S = 20.0
BEGAN = NOW - 600_000


def a_run(runs: Path) -> RunDirectoryBuilder:
    run = RunDirectoryBuilder(runs, started_at=BEGAN, objective="Long over")
    run.wait(1_000).tool("bash", {"command": "make"}, took_ms=5_000).wait(1_000).error("late").end()
    run.write()
    return run


class Arrivals:
    """A reader of the past, and how to wait for it."""

    def __init__(self, runs: Path) -> None:
        self._told = threading.Event()
        self.reader = PastReader(runs, None, ManualClock(NOW), self._told.set)

    def at(self, moment: PastMoment) -> Standing:
        while (standing := self.reader.at(moment)) is None:
            assert self._told.wait(LONGEST_S)
            self._told.clear()
        return standing


@pytest.fixture
def arrivals(tmp_path: Path) -> Arrivals:
    return Arrivals(tmp_path)


def test_the_reader_goes_forwards_and_back_and_says_where_it_stands(
    tmp_path: Path, arrivals: Arrivals
) -> None:
    run = a_run(tmp_path)

    seen = []
    for at_ms in (BEGAN + 2_000, BEGAN + 8_000, BEGAN + 1_500):
        standing = arrivals.at(PastMoment(at_ms, run.run_id))
        (facts,) = standing.observer.facts()
        seen.append((standing.moment.events, facts.status, facts.errors))

    assert seen == [(2, "running", 0), (5, "completed", 1), (2, "running", 0)]
    assert arrivals.reader.at(standing.moment._replace(events=None)) is standing
    arrivals.reader.close()


def test_who_asks_for_another_run_does_not_wait_for_the_first(
    tmp_path: Path, arrivals: Arrivals, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, other = a_run(tmp_path), RunDirectoryBuilder(tmp_path, started_at=BEGAN, suffix="ffffff")
    other.end().write()
    begun, go = threading.Event(), PastObserver.go

    def slow(self: PastObserver, moment: PastMoment, *, cancelled: Callable[[], bool] = bool) -> None:
        if moment.run_id == first.run_id:
            begun.set()
            while not cancelled():
                threading.Event().wait(0.001)
        go(self, moment, cancelled=cancelled)

    monkeypatch.setattr(PastObserver, "go", slow)
    assert arrivals.reader.at(PastMoment(BEGAN + 9_000, first.run_id)) is None
    assert begun.wait(LONGEST_S)

    assert arrivals.at(PastMoment(BEGAN + 9_000, other.run_id)).moment.run_id == other.run_id
    arrivals.reader.close()


def test_what_breaks_in_the_thread_is_told_to_who_asks(
    tmp_path: Path, arrivals: Arrivals, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: object, **_options: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(PastWorld, "go", broken)
    with pytest.raises(RuntimeError, match="broken"):
        arrivals.at(PastMoment(BEGAN, a_run(tmp_path).run_id))
    arrivals.reader.close()


def test_the_feed_shows_the_past_and_goes_on_collecting(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    with running(tmp_path) as (feed, published):
        published.until(all_loaded)
        feed.ask(Wants(tab=Tab.TOOLS, past=PastMoment(BEGAN + 3_000, run.run_id)))
        then = published.until(lambda snapshot: snapshot.past is not None)
        assert (then.taken_at, then.view.total_tool_calls, then.running, then.alerts) == (
            BEGAN + 3_000,
            0,
            1,
            (),
        )
        RunDirectoryBuilder(tmp_path, started_at=NOW, suffix="ffffff").error("new").write()
        feed.reread()
        feed.ask(Wants(tab=Tab.TOOLS, past=PastMoment(BEGAN + 7_000, run.run_id)))
        later = published.until(lambda snapshot: snapshot.taken_at == BEGAN + 7_000)
        assert (len(later.runs), later.view.total_tool_calls) == (1, 1)
        feed.ask(Wants(tab=Tab.TOOLS))
        assert published.until(lambda snapshot: snapshot.past is None and len(snapshot.runs) == 2)
    assert published.errors.empty()
