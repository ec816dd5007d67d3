"""Which runs go when the agent starts its next one."""

from __future__ import annotations

from pathlib import Path

import pytest

from buddy_core import RunStore
from buddy_core.clock import ManualClock
from buddy_core.runs.keeping.leaving import leaving_among, leaving_next
from buddy_core.runs.query.scan import read_once
from buddy_core.testing import RunDirectoryBuilder

AT = 1_767_890_000_000
CLOCK = ManualClock(AT + 5_000_000)


def record(root: Path, count: int, *, live: frozenset[int] = frozenset()) -> list[str]:
    """So many runs, oldest first; those in `live` have no end, and were active a moment ago."""
    ids = []
    for number in range(count):
        run = RunDirectoryBuilder(root, started_at=AT + number * 1_000)
        if number in live:
            run.wait(CLOCK.now_ms() - run.now_ms).tool("bash")
        else:
            run.end()
        run.write()
        ids.append(run.run_id)
    return ids


def test_below_the_limit_nothing_is_leaving(tmp_path: Path) -> None:
    record(tmp_path, 4)
    assert leaving_next(tmp_path, clock=CLOCK, max_runs=5) == ()


def test_at_the_limit_the_oldest_is_leaving(tmp_path: Path) -> None:
    ids = record(tmp_path, 5)
    assert leaving_next(tmp_path, clock=CLOCK, max_runs=5) == (ids[0],)
    assert leaving_next(tmp_path, clock=CLOCK, max_runs=5, starts=3) == tuple(ids[:3])


def test_a_run_that_is_recorded_stays(tmp_path: Path) -> None:
    ids = record(tmp_path, 6, live=frozenset([0]))
    assert leaving_next(tmp_path, clock=CLOCK, max_runs=5) == (ids[1],)


def test_where_more_lie_than_the_limit_allows_nobody_holds_to_it(tmp_path: Path) -> None:
    record(tmp_path, 9)
    assert leaving_next(tmp_path, clock=CLOCK, max_runs=5) == ()


@pytest.mark.parametrize("count", [4, 5, 6, 9])
@pytest.mark.parametrize("live", [frozenset[int](), frozenset([0])])
def test_whoever_knows_the_runs_concludes_the_same_without_reading(
    tmp_path: Path, count: int, live: frozenset[int]
) -> None:
    ids = record(tmp_path, count, live=live)
    facts = [read_once(tmp_path, run_id, now_ms=CLOCK.now_ms()).facts for run_id in reversed(ids)]
    for starts in (1, 3):
        known = leaving_among(facts, now_ms=CLOCK.now_ms(), max_runs=5, starts=starts)
        assert known == leaving_next(tmp_path, clock=CLOCK, max_runs=5, starts=starts)


def test_a_directory_that_is_not_there_has_none(tmp_path: Path) -> None:
    assert leaving_next(tmp_path / "missing") == ()


@pytest.mark.parametrize("limit", [1, 3])
def test_the_store_removes_what_was_said_to_leave(tmp_path: Path, limit: int) -> None:
    store = RunStore(tmp_path / "runs", max_runs=limit)
    for number in range(limit + 2):
        before = {path.name for path in store.runs_dir.glob("run_*")}
        leaving = leaving_next(store.runs_dir, max_runs=limit)
        with store.run(f"number {number}") as run:
            pass
        store.prune()  # to its end: at the start of a run there are only some milliseconds for it
        gone = before - {path.name for path in store.runs_dir.glob("run_*")}
        assert gone == set(leaving)
        assert run.run_id not in gone
