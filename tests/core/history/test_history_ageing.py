"""What is old becomes hours: the file stays small, and no number changes by it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.core.history_home import DAY, NOW, Home, a_run, differences, numbers, saw_everything

from buddy_core.caches.db import open_writer
from buddy_core.history.ageing import Ageing
from buddy_core.history.layout import HISTORY
from buddy_core.history.shelf import Shelf
from buddy_core.metrics.collector import MetricsCollector
from buddy_core.metrics.window import Window
from buddy_core.testing import RunDirectoryBuilder

WEEKS = st.lists(
    st.tuples(st.floats(0.2, 20 * 1440), st.integers(0, 2**16), st.booleans()), min_size=1, max_size=7
)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def calls(collector: MetricsCollector) -> int:
    return collector.view(Window.ALL).total_tool_calls


def aged(home: Home, ageing: Ageing) -> dict[str, int]:
    """Let it do all it wants to do; how many rows the tables have then."""
    cache = open_writer(home.history, HISTORY)
    try:
        more = True
        while more:
            with cache.transaction() as connection:
                more = ageing(Shelf.make(connection, home.runs, NOW))
        return {table: count(cache.connection, table) for table in ("runs", "merged", "hours", "roots")}
    finally:
        cache.close()


def count(connection: Any, table: str) -> int:
    return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plan=WEEKS, turns=st.lists(st.floats(0.2, 20_000), max_size=3))
def test_runs_that_became_hours_are_in_every_number_as_if_they_were_still_there(
    tmp_path_factory: pytest.TempPathFactory, plan: list[tuple[float, int, bool]], turns: list[float]
) -> None:
    base = tmp_path_factory.mktemp("home")
    home = Home(base / "home")
    runs = [home.run(n, minutes_ago=ago, seed=seed) for n, (ago, seed, _) in enumerate(plan)]
    for ago in turns:
        home.turn(ago)
    shutil.copytree(home.path, base / "all")
    home.monitor()
    home.prune(*(run for run, (_, _, gone) in zip(runs, plan, strict=True) if gone))
    home.monitor()

    collector, observer = home.monitor()
    assert observer.sources().history_runs == sum(gone for _, _, gone in plan)
    assert differences(numbers(collector), numbers(saw_everything(home, base / "all"))) == []


def test_a_run_that_became_hours_and_comes_back_is_shown_and_not_counted_again(
    home: Home, tmp_path: Path
) -> None:
    old = home.run(1, minutes_ago=12 * 1440, seed=7)
    before, _ = home.monitor()
    shutil.move(old.run_dir, tmp_path / "away")
    home.monitor()
    shutil.move(tmp_path / "away", old.run_dir)

    for _ in range(2):
        collector, observer = home.monitor()
        assert [facts.run_id for facts in observer.facts()] == [old.run_id]
        assert differences(numbers(collector), numbers(before)) == []


def test_turns_of_a_run_that_stated_its_cost_are_not_priced_beside_it_when_it_has_become_hours(
    home: Home,
) -> None:
    run = RunDirectoryBuilder(home.runs, started_at=NOW - 12 * DAY).wait(60_000).end().metrics(totalCost=2.0)
    run.write()
    home.turn(12 * 1440 - 0.5, tokens=1_000_000)
    assert home.monitor()[0].get_dashboard_state().total_cost == pytest.approx(2.0)
    home.prune(run)
    for _ in range(3):
        collector, _ = home.monitor()
        assert collector.get_dashboard_state().total_cost == pytest.approx(2.0)
    collector, _ = home.monitor(history=False)
    assert collector.get_dashboard_state().total_cost == pytest.approx(1.000014)


def test_only_runs_that_are_long_gone_become_hours(home: Home) -> None:
    home.run(1, minutes_ago=12 * 1440, seed=7)
    home.prune(home.run(2, minutes_ago=2 * 1440, seed=8))
    home.monitor()
    gone = [home.run(number, minutes_ago=days * 1440, seed=9) for number, days in ((3, 12), (4, 2))]
    home.monitor()
    home.prune(*gone)
    home.monitor()
    rows = aged(home, Ageing(lambda run_id: run_id.endswith("000001"), home.clock))
    assert (rows["runs"], rows["merged"]) == (2, 1)


def test_without_room_younger_runs_become_hours_and_then_other_directories_go(
    home: Home, tmp_path: Path
) -> None:
    other = Home(tmp_path / "other")
    other.history = home.history
    other.prune(*_stored(other, range(3)))
    right = calls(home.monitor()[0])
    runs = _stored(home, range(4))
    right = calls(home.monitor()[0])
    home.prune(*runs)
    ageing = Ageing(lambda _: False, home.clock, limit=1)
    assert aged(home, ageing) | {"hours": 0} == {"runs": 0, "merged": 4, "hours": 0, "roots": 1}
    assert not ageing.full
    assert calls(home.monitor()[0]) == right


def test_without_any_room_copies_of_runs_that_are_still_there_go_and_nothing_is_counted_wrong(
    home: Home,
) -> None:
    _stored(home, range(4))
    right = calls(home.monitor()[0])
    ageing = Ageing(lambda _: True, home.clock, limit=1)
    rows = aged(home, ageing)
    assert (rows["runs"], rows["merged"], ageing.full) == (4, 0, True)
    assert calls(home.monitor()[0]) == right


def test_hours_of_another_season_become_days_and_add_up_to_the_same(home: Home) -> None:
    runs = [home.run(n, minutes_ago=(120 + n / 5) * 1440, seed=n) for n in range(8)]
    right, _ = home.monitor()
    home.prune(*runs)
    home.monitor()
    rows = aged(home, Ageing(lambda _: False, home.clock))
    found, _ = home.monitor()
    assert differences(numbers(found), numbers(right)) == []
    first, last = (NOW - int(days * DAY) for days in (121.4, 120))
    assert rows["hours"] <= last // DAY - first // DAY + 3


def _stored(home: Home, numbers: range) -> list[Any]:
    runs = [a_run(home.runs, number, 3 * 1440 + number, number) for number in numbers]
    home.monitor()
    return runs
