"""Pruning: the newest runs stay, only runs that are over go, and they go in one step."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from buddy_core.clock import ManualClock
from buddy_core.errors import StoreUnavailable
from buddy_core.metrics.collector import MetricsCollector
from buddy_core.observing.observer import Observer
from buddy_core.runs.names import run_id_at
from buddy_core.runs.pruning import housekeeping
from buddy_core.runs.store.store import MAX_RUNS, RunStore
from buddy_core.runs.writing.flusher import SHARED
from buddy_core.testing import RunDirectoryBuilder

NOW = 1_770_000_000_000
HOUR = 3_600_000
DAY = 24 * HOUR


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def store(tmp_path: Path, clock: ManualClock) -> Iterator[RunStore]:
    store = RunStore(tmp_path / "runs", max_runs=3, clock=clock, durable=False)
    yield store
    store.close()


def runs(store: RunStore) -> set[str]:
    return {entry.name for entry in store.runs_dir.iterdir() if entry.name.startswith("run_")}


def trash(store: RunStore) -> list[str]:
    assert store.wait_for_prune(30)
    directory = store.runs_dir / ".trash"
    return [entry.name for entry in directory.iterdir()] if directory.exists() else []


def open_files(root: Path) -> int:
    """How many descriptors of this process lead below `root`; others belong to other tests."""
    found = 0
    for link in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # the one of this very listing
            found += str(link.readlink()).startswith(str(root))
    return found


def of_the_original(
    store: RunStore, started_at: int, *, status: str = "running", events_grew_at: int | None = None
) -> str:
    """A run without a lock, whose event file grew last at a wall time (its own events are a day old)."""
    run = RunDirectoryBuilder(store.runs_dir, started_at=started_at).summary(status=status)
    run.write()
    grew_s = (started_at if events_grew_at is None else events_grew_at) / 1000
    os.utime(run.events_file, (grew_s, grew_s))
    return run.run_id


class TestWhatStays:
    def test_thirty_runs_are_kept_unless_told_otherwise(self, tmp_path: Path) -> None:
        """Case 81."""
        store = RunStore(tmp_path, clock=ManualClock(NOW), durable=False)
        ids = [_ended(store) for _ in range(MAX_RUNS + 5)]
        assert MAX_RUNS == 30
        assert len(runs(store)) == 30
        assert runs(store) <= set(ids)

    def test_the_newest_stay_and_the_oldest_go(self, store: RunStore, clock: ManualClock) -> None:
        ids = []
        for _ in range(6):
            ids.append(_ended(store))
            clock.advance(1_000)
        assert runs(store) == set(ids[-3:])
        assert trash(store) == []

    def test_nothing_goes_when_all_are_to_be_kept(self, tmp_path: Path) -> None:
        store = RunStore(tmp_path, max_runs=None, durable=False)
        for _ in range(40):
            _ended(store)
        assert len(runs(store)) == 40
        assert store.prune().removed == ()

    def test_a_limit_below_zero_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="max_runs"):
            RunStore(tmp_path, max_runs=-1)

    def test_forty_runs_that_are_being_recorded_all_stay(self, tmp_path: Path) -> None:
        """Case 81: more active runs than may be kept."""
        store = RunStore(tmp_path, clock=ManualClock(NOW), durable=False)
        other = RunStore(tmp_path, clock=ManualClock(NOW), durable=False)
        ids = [(store if number % 2 else other).start_run("active") for number in range(40)]
        assert runs(store) == set(ids)
        assert store.prune().live == 10
        for number, run_id in enumerate(ids):
            assert (store if number % 2 else other).emit(run_id, "note", {"n": number})
        store.close()
        other.close()

    def test_what_is_no_run_is_not_touched(self, store: RunStore) -> None:
        store.runs_dir.mkdir(parents=True)
        for name in ("artifact-index.sqlite", "notes.txt", "run_notes.md"):
            (store.runs_dir / name).write_text("mine")
        for name in ("backup", "run_UPPER_000000", "run_x", ".trash"):
            (store.runs_dir / name).mkdir()
        (store.runs_dir / ".trash" / "mine.txt").write_text("mine")
        (store.runs_dir / ".trash" / "run_aaaaaaaa_000000").mkdir()
        for _ in range(6):
            _ended(store)
        names = {entry.name for entry in store.runs_dir.iterdir()}
        assert {"artifact-index.sqlite", "notes.txt", "run_notes.md", "backup", "run_UPPER_000000"} <= names
        assert set(trash(store)) == {"mine.txt", "run_aaaaaaaa_000000"}

    def test_a_monitor_takes_the_trash_for_no_run(self, store: RunStore) -> None:
        left = store.runs_dir / ".trash" / f"{run_id_at(NOW, 'abcdef')}.0123456789abcdef"
        run_id = store.start_run("one")
        RunDirectoryBuilder(left.parent).write().rename(left)
        observer = Observer(store.runs_dir, MetricsCollector(clock=store.clock), clock=store.clock)
        observer.load()
        assert [run.run_id for run in observer.facts()] == [run_id]
        assert (observer.sources().rejected_names, observer.sources().problem) == (0, None)
        observer.close()

    def test_a_reader_never_prunes(self, store: RunStore, tmp_path: Path) -> None:
        ids = [of_the_original(store, NOW - day * DAY, status="completed") for day in range(1, 9)]
        reader = RunStore(store.runs_dir, max_runs=1)
        reader.list_runs()
        reader.get_run(ids[0])
        assert runs(store) == set(ids)
        with pytest.raises(StoreUnavailable):
            RunStore(tmp_path / "nowhere").prune()
        assert not (tmp_path / "nowhere").exists()


class TestWhatIsOver:
    def test_a_run_whose_lock_is_free_is_over_whatever_it_says(self, store: RunStore) -> None:
        crashed = store.start_run("crashed")
        store.close()
        again = RunStore(store.runs_dir, max_runs=0, clock=ManualClock(NOW), durable=False)
        assert again.prune().removed == (crashed,)

    def test_a_run_that_has_ended_but_is_locked_stays(self, store: RunStore) -> None:
        run_id = store.start_run("one")
        summary = store.runs_dir / run_id / "summary.json"
        summary.write_text(json.dumps(json.loads(summary.read_text()) | {"status": "completed"}))
        assert RunStore(store.runs_dir, max_runs=0, durable=False).prune().live == 1
        assert runs(store) == {run_id}

    @pytest.mark.parametrize("status", ["completed", "failed", "cancelled"])
    def test_a_run_of_the_original_is_over_when_it_says_so(self, store: RunStore, status: str) -> None:
        run_id = of_the_original(store, NOW - DAY, status=status, events_grew_at=NOW)
        assert _pruned(store) == (run_id,)

    def test_a_run_of_the_original_that_grew_within_the_hour_is_live(self, store: RunStore) -> None:
        run_id = of_the_original(store, NOW - DAY, events_grew_at=NOW - HOUR + 1_000)
        assert _pruned(store) == ()
        assert runs(store) == {run_id}

    def test_a_run_of_the_original_whose_last_event_is_within_the_hour_is_live(self, store: RunStore) -> None:
        """Its file may have been copied with an old time."""
        run_id = of_the_original(store, NOW - HOUR + 1_000, events_grew_at=NOW - DAY)
        assert _pruned(store) == ()
        assert runs(store) == {run_id}

    def test_a_run_of_the_original_that_is_quiet_for_an_hour_is_over(self, store: RunStore) -> None:
        run_id = of_the_original(store, NOW - DAY, events_grew_at=NOW - HOUR)
        assert _pruned(store) == (run_id,)

    def test_an_event_from_the_future_keeps_no_run_alive(self, store: RunStore) -> None:
        """Case 42."""
        run = RunDirectoryBuilder(store.runs_dir, started_at=NOW - DAY)
        run.wait(9_000_000_000_000_000).event("note").write()
        os.utime(run.events_file, (NOW / 1000 - 7_200, NOW / 1000 - 7_200))
        assert _pruned(store) == (run.run_id,)

    def test_a_run_end_among_the_last_events_ends_a_run_whose_summary_was_never_rewritten(
        self, store: RunStore
    ) -> None:
        run = RunDirectoryBuilder(store.runs_dir, started_at=NOW - 1_000)
        run.end("failed").summary(status="running").write()
        assert _pruned(store) == (run.run_id,)

    def test_an_empty_directory_that_was_just_made_is_a_run_that_is_just_starting(
        self, store: RunStore
    ) -> None:
        directory = store.runs_dir / run_id_at(NOW, "abcdef")
        directory.mkdir(parents=True)
        os.utime(directory, (NOW / 1000, NOW / 1000))
        assert _pruned(store) == ()
        os.utime(directory, (NOW / 1000 - 7_200, NOW / 1000 - 7_200))
        assert _pruned(store) == (directory.name,)


class TestAge:
    def test_runs_from_the_future_cannot_drive_the_others_out(self, store: RunStore) -> None:
        """Case 42: thirty directories with a name from the year 9999 are the first to go."""
        real = [of_the_original(store, NOW - day * DAY, status="completed") for day in (1, 2, 3)]
        for number in range(10):
            of_the_original(store, 253_402_300_000_000 + number, status="completed")
        assert len(store.prune().removed) == 10
        assert runs(store) == set(real)

    def test_a_summary_that_claims_the_future_changes_nothing(self, store: RunStore) -> None:
        """Case 42."""
        old = RunDirectoryBuilder(store.runs_dir, started_at=NOW - 9 * DAY).end()
        old.summary(startedAt=9_000_000_000_000_000).write()
        for day in (1, 2, 3):
            of_the_original(store, NOW - day * DAY, status="completed")
        assert store.prune().removed == (old.run_id,)

    def test_a_summary_that_names_another_directory_leads_nowhere(
        self, store: RunStore, tmp_path: Path
    ) -> None:
        """Case 75."""
        victim = tmp_path / "victim"
        victim.mkdir()
        (victim / "precious").write_text("x")
        run = RunDirectoryBuilder(store.runs_dir, started_at=NOW - DAY).end()
        run.summary(runId="../../victim").write()
        assert _pruned(store) == (run.run_id,)
        assert (victim / "precious").read_text() == "x"

    def test_a_clock_that_was_set_back_keeps_the_order_of_the_runs(self, store: RunStore) -> None:
        """Case 40: after a start without a clock, in 1970, every run there is lies in the future."""
        ids = [of_the_original(store, NOW - day * DAY, status="completed") for day in (1, 2, 3, 4)]
        early = RunStore(store.runs_dir, max_runs=3, clock=ManualClock(60_000), durable=False)
        run_id = early.start_run("in 1970")
        assert runs(store) == {run_id, *ids[:2]}
        assert early.emit(run_id, "note", {})
        early.close()

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        ages=st.lists(st.integers(-3 * DAY, 900 * DAY), max_size=12, unique=True),
        keep=st.integers(0, 12),
        live=st.sets(st.integers(0, 11)),
    )
    def test_what_stays_is_what_a_sorted_list_says(
        self, tmp_path_factory: pytest.TempPathFactory, ages: list[int], keep: int, live: set[int]
    ) -> None:
        root = tmp_path_factory.mktemp("runs")
        store = RunStore(root, max_runs=keep, clock=ManualClock(NOW), durable=False)
        ids = {}
        for number, age in enumerate(ages):
            grew = NOW if number in live else NOW - 2 * DAY
            run_id = run_id_at(NOW - age, "abcdef")
            (root / run_id).mkdir()
            (root / run_id / "events.jsonl").touch()
            os.utime(root / run_id / "events.jsonl", (grew / 1000, grew / 1000))
            ids[run_id] = (age if age >= -DAY else 10**9 * DAY, number in live)
        newest = sorted(ids, key=lambda run_id: ids[run_id][0])[:keep]
        future = [run_id for run_id in ids if ids[run_id][0] == 10**9 * DAY]
        report = store.prune()
        assert {run_id for run_id in ids if ids[run_id][1]} <= runs(store)
        if len(future) < 2:
            assert runs(store) == {run_id for run_id in ids if run_id in newest or ids[run_id][1]}
        assert set(report.removed) == set(ids) - runs(store)


class TestTheStartOfARun:
    def test_is_not_held_up_by_what_there_is_to_remove(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Promise C9: what does not fit into the few milliseconds is done by a thread."""
        monkeypatch.setattr(housekeeping, "START_MS", 0.0)
        store = RunStore(tmp_path, max_runs=3, durable=False)
        for day in range(60):
            of_the_original(store, NOW - (day + 2) * DAY, status="completed")
        run_id = store.start_run("one")
        assert store.wait_for_prune(30)
        assert len(runs(store)) == 3
        assert run_id in runs(store)
        assert trash(store) == []
        store.close()

    def test_only_moves_what_is_too_much_and_leaves_it_to_a_thread_to_take_it_apart(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A disk may take long to let go of files; moving a directory takes microseconds."""
        store = RunStore(tmp_path, max_runs=1, clock=ManualClock(NOW), durable=False)
        old = of_the_original(store, NOW - DAY, status="completed")
        with monkeypatch.context() as patch:
            patch.setattr(housekeeping.Housekeeper, "_go_on", lambda _self, _fd, **_how: None)
            store.start_run("one")
        assert len(runs(store)) == 1
        (left,) = trash(store)
        assert left.startswith(f"{old}.")
        assert (store.runs_dir / ".trash" / left / "events.jsonl").exists()
        store.start_run("two")
        assert trash(store) == []
        store.close()

    def test_leaves_a_run_alone_that_ends_later_however_long_the_thread_is_at_work(
        self, store: RunStore
    ) -> None:
        """What goes is decided when a run starts, not whenever the thread gets to it."""
        first = store.start_run("first")
        store.end_run(store.start_run("goes"), "completed")
        for _ in range(3):
            store.start_run("open")
        store.end_run(first, "completed")
        assert trash(store) == []
        assert first in runs(store)

    def test_goes_on_when_no_thread_can_be_had(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def no_more_threads(*_args: object) -> None:
            raise RuntimeError("can't start new thread")

        store = RunStore(tmp_path, max_runs=0, durable=False)
        store.start_run("the first of a process sweeps the directory")
        store.close()
        assert SHARED.wait(30)
        of_the_original(store, NOW - DAY, status="completed")
        monkeypatch.setattr(housekeeping, "START_MS", 0.0)
        monkeypatch.setattr("_thread.start_new_thread", no_more_threads)
        before = open_files(tmp_path)
        for _ in range(3):
            assert store.emit(store.start_run("one"), "note", {})
        store.close()
        assert open_files(tmp_path) <= before

    def test_counts_what_stands_in_the_way_and_never_raises(self, store: RunStore) -> None:
        store.runs_dir.mkdir()
        (store.runs_dir / ".trash").write_text("a file")
        for _ in range(6):
            _ended(store)
        assert len(runs(store)) == 6
        assert sum(store.prune_problems.values()) >= 3
        assert store.prune().problems.keys() == {".trash"}

    def test_leaves_no_descriptor_open(self, store: RunStore) -> None:
        _ended(store)
        assert SHARED.wait(30)
        before = open_files(store.runs_dir)
        for _ in range(20):
            _ended(store)
        assert trash(store) == []
        assert open_files(store.runs_dir) == before


def _ended(store: RunStore) -> str:
    run_id = store.start_run("one")
    store.save_artifact(run_id, "plan.md", "x")
    store.end_run(run_id, "completed")
    return run_id


def _pruned(store: RunStore) -> tuple[str, ...]:
    return RunStore(store.runs_dir, max_runs=0, clock=ManualClock(NOW), durable=False).prune().removed
