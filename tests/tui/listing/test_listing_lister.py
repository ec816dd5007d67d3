"""Where the list of runs comes from: memory, a catalog that is being made, or neither (cases 52, 53 and 54)."""

from __future__ import annotations

import contextlib
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from buddy_core.clock import ManualClock
from buddy_core.metrics.collector import MetricsCollector
from buddy_core.observing.observer import Observer
from buddy_core.runs.catalog.catalog import Catalog
from buddy_core.runs.catalog.layout import catalog_path
from buddy_core.runs.query.parser import parse
from buddy_core.testing import RunDirectoryBuilder
from buddy_top.listing import lister
from buddy_top.listing.lister import Lister
from buddy_top.listing.many import keeping, manyruns
from buddy_top.listing.many.ids import RunIds
from buddy_top.listing.model import Listing, ListWants

NOW = 1_767_961_867_000
RUNS = 6


class Place:
    """A directory of runs, an observer of it, and a lister that is asked as the feed asks it."""

    def __init__(self, root: Path) -> None:
        self.runs = root / "runs"
        self.state: Path | None = root / "state"
        self.clock = ManualClock(NOW)
        self.told = threading.Event()
        for number in range(RUNS):
            self.add(number)
        self.observer = Observer(self.runs, MetricsCollector(clock=self.clock), clock=self.clock)

    def add(self, number: int, *, ended: bool = True) -> RunDirectoryBuilder:
        run = RunDirectoryBuilder(
            self.runs,
            started_at=NOW - 60_000 * (100 - number),
            objective=f"Task {number}",
            suffix=f"{number:06x}",
        )
        run.tool("bash" if number % 2 else "view_file", {"command": "make"}, took_ms=500)
        if ended:
            run.end()
        run.write()
        return run

    @contextlib.contextmanager
    def lister(self, *, writes: bool = True) -> Iterator[Lister]:
        made = Lister(
            self.observer,
            clock=self.clock,
            prices=None,
            state_dir=self.state,
            writes=writes,
            told=self.told.set,
        )
        with contextlib.closing(self.observer), contextlib.closing(made):
            self.observer.load()
            yield made

    def catalogued(self) -> int:
        """How many runs the catalog on the disk holds; the list leaves out what is gone before the catalog does."""
        assert self.state is not None
        with contextlib.closing(Catalog(self.runs, self.state, clock=self.clock)) as catalog:
            return catalog.count()

    def until(
        self, made: Lister, reached: Callable[[Listing], bool], wants: ListWants | None = None
    ) -> Listing:
        """Ask again whenever there is more to tell, until the list is as it should be."""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            self.told.clear()
            listing = made.listing(wants or ListWants(), NOW)
            assert listing is not None
            if reached(listing):
                return listing
            self.told.wait(0.05)
        raise AssertionError(f"the list never became what it should be: {listing}")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setattr(lister, "MANY_RUNS", 3)
    monkeypatch.setattr(keeping, "SETTLE_S", 0.0)
    monkeypatch.setattr(manyruns, "CALM_S", 0.0)
    return Place(tmp_path)


def kept(listing: Listing) -> bool:
    """The list comes from a catalog in which everything is."""
    return listing.settled and not listing.progress and isinstance(listing.ids, RunIds)


def thread_names() -> set[str]:
    return {thread.name for thread in threading.enumerate()}


def test_few_runs_need_no_catalog_and_no_thread(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lister, "MANY_RUNS", RUNS)
    threads = thread_names()
    with place.lister() as made:
        listing = made.listing(ListWants(query=parse("tool:bash").query), NOW)
        assert listing is not None
        assert [place.observer.by_id()[one].objective for one in listing.ids] == [
            "Task 5",
            "Task 3",
            "Task 1",
        ]
        assert listing.settled
        assert made.listing(ListWants(query=parse("tool:bash").query, first=7), NOW).ids is listing.ids  # type: ignore[union-attr]
        assert thread_names() <= threads | {"buddy-top hand"}, "the observer's own reads the files"
    assert not (place.state or Path()).exists()


def test_content_is_searched_in_few_runs_while_what_was_found_is_listed(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lister, "MANY_RUNS", RUNS)
    wants = ListWants(query=parse('content:"Task 4"').query)
    with place.lister() as made:
        first = made.listing(wants, NOW)
        assert first is not None
        assert first.searching
        assert "searched" in first.progress
        found = place.until(made, lambda listing: listing.settled, wants)
        assert [place.observer.by_id()[one].objective for one in found.ids] == ["Task 4"]


def test_while_the_catalog_is_made_the_runs_that_were_read_are_listed(place: Place) -> None:
    with place.lister() as made:
        first = made.listing(ListWants(), NOW)
        assert first is not None
        assert len(first.ids) == RUNS
        whole = place.until(made, lambda listing: kept(listing) and bool(listing.ids))
        assert list(whole.ids) == list(first.ids)
        again = place.until(made, kept)
        assert again.ids is place.until(made, kept).ids, "the same object while nothing has changed"


def test_runs_that_come_end_and_go_are_listed_as_they_are(place: Place) -> None:
    with place.lister() as made:
        place.until(made, kept)
        run = place.add(RUNS, ended=False)
        place.observer.load()
        begun = place.until(made, lambda listing: len(listing.ids) == RUNS + 1)
        assert begun.ids[0] == run.run_id
        run.end()
        run.write()
        place.observer.load()
        failed = ListWants(query=parse("status:completed task").query)
        place.until(made, lambda listing: kept(listing) and len(listing.ids) == RUNS + 1, failed)
        shutil.rmtree(run.run_dir)
        place.observer.load()
        place.until(made, lambda listing: len(listing.ids) == RUNS and place.catalogued() == RUNS)


def test_a_run_that_fell_silent_is_listed_as_interrupted_though_its_files_are_as_they_were(
    place: Place,
) -> None:
    run = place.add(99, ended=False)
    silent = ListWants(query=parse("status:interrupted").query)
    with place.lister() as made:
        live = place.until(made, lambda listing: kept(listing) and len(listing.ids) == RUNS + 1)
        assert live.ids[0] == run.run_id
        assert not place.until(made, kept, silent).ids
        place.clock.advance(3 * 3_600_000)
        place.observer.tick()
        assert list(place.until(made, lambda listing: bool(listing.ids), silent).ids) == [run.run_id]
        assert run.run_id in place.until(made, kept).ids


def test_another_monitor_reads_the_catalog_that_the_first_one_keeps(place: Place) -> None:
    """Case 54."""
    with place.lister() as made:
        place.until(made, kept)
        second = Place.__new__(Place)
        second.__dict__ |= place.__dict__
        second.observer = Observer(place.runs, MetricsCollector(clock=place.clock), clock=place.clock)
        with second.lister() as other:
            listing = second.until(other, kept)
            assert len(listing.ids) == RUNS
            assert not listing.problem


def test_a_damaged_catalog_is_made_anew_and_the_list_goes_on(place: Place) -> None:
    """Case 53."""
    with place.lister() as made:
        place.until(made, kept)
    assert place.state is not None
    path = catalog_path(place.state, place.runs)
    data = bytearray(path.read_bytes())
    data[100 : len(data)] = b"\xff" * (len(data) - 100)
    path.write_bytes(data)
    place.observer = Observer(place.runs, MetricsCollector(clock=place.clock), clock=place.clock)
    with place.lister() as made:
        assert len(place.until(made, kept).ids) == RUNS


@pytest.mark.parametrize("writes", [True, False], ids=["keeping", "read-only"])
def test_without_a_place_for_a_catalog_the_newest_are_listed_and_it_says_so(
    place: Place, writes: bool
) -> None:
    """Case 52."""
    assert place.state is not None
    if writes:
        place.state.write_text("no directory")
    with place.lister(writes=writes) as made:
        listing = place.until(made, lambda listing: bool(listing.problem))
        assert len(listing.ids) == RUNS
        assert listing.problem.startswith("only the newest runs are listed: ")
        fitting = place.until(
            made, lambda found: len(found.ids) == RUNS // 2, ListWants(query=parse("tool:bash").query)
        )
        assert fitting.problem


def test_nowhere_to_keep_anything_is_said_too(place: Place) -> None:
    place.state = None
    with place.lister() as made:
        listing = made.listing(ListWants(), NOW)
        assert listing is not None
        assert len(listing.ids) == RUNS
        assert "no place" in listing.problem


def test_runs_are_found_and_read_by_any_thread(place: Place) -> None:
    with place.lister() as made:
        listing = place.until(made, kept)
        place.until(made, lambda _: "Task 3" in [run.objective for run in made.find("task 3").result(5)])
        assert [run.run_id for run in made.read(listing.ids[:2]).result(5)] == list(listing.ids[:2])
