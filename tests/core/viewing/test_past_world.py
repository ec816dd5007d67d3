"""Time travel is exact: at every moment every number is that of an observer who looked at that moment."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.core.viewing.past_stores import (
    HOUR,
    MINUTE,
    NOW,
    PRICES,
    STORES,
    T0,
    TURNS,
    cut_store,
    fresh,
    numbers,
    write_store,
)

from buddy_core.clock import ManualClock
from buddy_core.past.moment import PastMoment
from buddy_core.past.moments import RunMoments, read_moments
from buddy_core.past.world import Abandoned, PastWorld
from buddy_core.testing import RunDirectoryBuilder

MOMENTS = st.lists(
    st.tuples(
        st.integers(-1_000, 6 * HOUR).map(lambda ms: T0 + ms),
        st.none() | st.tuples(st.integers(0), st.integers(0)),
    ),
    min_size=1,
    max_size=4,
)
_PHASES = [
    Phase.explicit,
    Phase.reuse,
    Phase.generate,
    Phase.shrink,
]  # explaining takes longer than all of these
EXACT = settings(deadline=None, suppress_health_check=list(HealthCheck), phases=_PHASES)


def every_number_is_exact(store: list[Any], turns: list[int], moments: list[Any], priced: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        runs = Path(folder, "home", "runs")
        ids = write_store(runs, store, turns)
        prices = PRICES if priced else None
        world = PastWorld(runs, clock=ManualClock(NOW), prices=prices)
        for number, (at_ms, event) in enumerate(moments):
            moment = PastMoment(at_ms)
            if event is not None:
                of_run = moments_of(runs, ids[event[0] % len(ids)])
                moment = of_run.at(event[1] % (len(of_run) + 1))
            cut = Path(folder, str(number), "runs")
            cut_store(runs, cut, moment)
            world.go(moment)
            expected = fresh(cut, moment.at_ms, prices)
            found = numbers(world.observer, world.collector, moment.at_ms)
            assert found == expected, [name for name in expected if found.get(name) != expected[name]]
        world.close()


def moments_of(runs: Path, run_id: str) -> RunMoments:
    return read_moments(runs, run_id, now_ms=NOW)


@settings(EXACT, max_examples=12)
@given(store=STORES, turns=TURNS, moments=MOMENTS, priced=st.booleans())
def test_every_number_is_that_of_a_fresh_look_at_the_store_cut_at_the_moment(
    store: list[Any], turns: list[int], moments: list[Any], priced: bool
) -> None:
    """Forwards it reads on, backwards anew; the order of the moments makes no difference."""
    every_number_is_exact(store, turns, moments, priced)


@pytest.mark.slow
@settings(EXACT, max_examples=600)
@given(store=STORES, turns=TURNS, moments=MOMENTS, priced=st.booleans())
def test_very_many_stores_are_exact_at_any_moment(
    store: list[Any], turns: list[int], moments: list[Any], priced: bool
) -> None:
    every_number_is_exact(store, turns, moments, priced)


class Past:
    """One world over a few runs that a test writes."""

    def __init__(self, home: Path) -> None:
        self.runs = home / "runs"
        self.world = PastWorld(self.runs, clock=ManualClock(NOW))

    def run(self, suffix: str = "0a1b2c", *, at: int = T0, **metadata: Any) -> RunDirectoryBuilder:
        return RunDirectoryBuilder(self.runs, started_at=at, suffix=suffix, metadata=metadata)

    def facts(self, at_ms: int) -> list[Any]:
        self.world.go(PastMoment(at_ms))
        return list(self.world.observer.facts())


@pytest.fixture
def past(tmp_path: Path) -> Past:
    return Past(tmp_path)


def test_a_finished_run_was_running_its_tool_before_it_ended(past: Past) -> None:
    run = past.run(tags=["headless", "gpt-5.2"], cwd="/src")
    call = run.wait(1_000).call("bash", {"command": "make"})
    run.wait(5_000).result("bash", call, took_ms=5_000).wait(100).end().write()

    (then,) = past.facts(T0 + 3_000)

    assert (then.status, then.ended_at, then.objective, then.cwd) == ("running", None, run.objective, "/src")
    assert (then.model, then.event_count, then.tool_calls) == ("gpt-5.2", 2, 1)
    assert [(tool.name, tool.argument, tool.since) for tool in then.running_tools] == [
        ("bash", "make", T0 + 1_000)
    ]
    assert past.world.collector.get_dashboard_state().total_tool_calls == 0
    (ended,) = past.facts(T0 + 7_000)
    assert (ended.status, ended.running_tools) == ("completed", ())


def test_a_run_stalls_and_is_given_up_by_the_rules_of_every_day(past: Past) -> None:
    past.run().tool("bash", took_ms=0).metrics(totalTokens=70, promptTokens=70).write()

    told = [past.facts(T0 + minutes * MINUTE)[0] for minutes in (9, 11, 61)]

    assert [run.status for run in told] == ["running", "stalled", "interrupted"]
    assert [run.total_tokens for run in told] == [None, None, 70]


def test_a_run_that_began_later_is_not_there(past: Past) -> None:
    past.run().end().write()
    later = past.run("ffffff", at=T0 + MINUTE)
    later.end().write()

    assert [run.run_id == later.run_id for run in past.facts(T0 + 1_000)] == [False]
    assert len(past.facts(T0 + MINUTE)) == 2


def test_events_of_the_same_millisecond_are_stepped_through_one_by_one(past: Past) -> None:
    run = past.run()
    run.tool("bash", took_ms=0).tool("bash", took_ms=0).end().write()
    moments = moments_of(past.runs, run.run_id)

    seen = []
    for number in (1, 2, 3, 4, 2):
        past.world.go(moments.at(number))
        (facts,) = past.world.observer.facts()
        seen.append((past.world.events, len(facts.running_tools), facts.tool_calls))

    assert len(set(moments.times)) == 1
    assert seen == [(1, 0, 0), (2, 1, 1), (3, 0, 1), (4, 1, 2), (2, 1, 1)]


def test_artifacts_are_there_from_the_moment_an_event_tells_of_them(past: Past) -> None:
    past.run().wait(1_000).artifact("plan.md", "first").wait(1_000).artifact("patch.diff", "x").wait(
        10
    ).end().write()

    assert [past.facts(T0 + ms)[0].artifacts for ms in (0, 1_500, 2_500)] == [
        (),
        ("plan.md",),
        ("patch.diff", "plan.md"),
    ]


def test_a_time_that_lies_in_the_future_counts_as_that_of_the_event_before_it(past: Past) -> None:
    """Case 40: a clock that was wrong for a moment keeps nothing from being reached."""
    run = past.run().wait(1_000)
    run.raw(b'{"ts":%d,"type":"error","data":{"message":"late"}}\n' % (NOW + HOUR))
    run.wait(1_000).error("early").end().write()

    assert list(moments_of(past.runs, run.run_id).times) == [T0, T0, T0 + 2_000, T0 + 2_000]
    assert [past.facts(T0 + ms)[0].errors for ms in (0, 2_000)] == [1, 2]


def test_damage_is_told_of_from_the_moment_it_happened(past: Past) -> None:
    past.run().wait(1_000).error("a").raw(b'{"ts":17678\n').wait(1_000).error("b").end().write()

    assert [past.facts(T0 + ms)[0].integrity.skipped_lines for ms in (500, 1_500, 2_500)] == [0, 1, 1]


def test_of_many_runs_the_newest_are_looked_at_and_always_the_one_travelled_through(past: Past) -> None:
    oldest = past.run("000000")
    oldest.end().write()
    for number in range(1, 6):
        past.run(f"{number:06x}", at=T0 + number * MINUTE).end().write()
    world = PastWorld(past.runs, most_runs=2, clock=ManualClock(NOW))

    world.go(PastMoment(T0 + 3 * MINUTE, oldest.run_id, 1))

    found = {run.run_id[-1] for run in world.observer.facts()}
    assert (found, world.observer.sources().left_alone) == ({"0", "2", "3"}, 1)


def test_going_there_can_be_abandoned_and_gone_on_with(past: Past) -> None:
    for number in range(5):
        past.run(f"{number:06x}", at=T0 + number).tool("bash", took_ms=1).end().write()
    asked: list[None] = []

    def impatient() -> bool:
        asked.append(None)
        return len(asked) > 3

    with pytest.raises(Abandoned):
        past.world.go(PastMoment(T0 + MINUTE), cancelled=impatient)
    assert past.world.progress == (3, 5)

    assert len(past.facts(T0 + MINUTE)) == 5
    assert past.world.collector.get_dashboard_state().total_tool_calls == 5


def test_a_turn_that_a_later_run_makes_ambiguous_belongs_to_nobody_from_then_on(tmp_path: Path) -> None:
    store = [(T0, [("tool", 0)], "crashed"), (T0 + 7 * MINUTE, [], "original")]
    moments = [(T0 + 6 * MINUTE + 59_000, None), (T0 + 8 * MINUTE, None)]

    every_number_is_exact(store, [T0 + 7 * MINUTE - 2_000], moments, False)


def test_nothing_is_written(past: Past, tmp_path: Path) -> None:
    past.run().tool("bash").artifact("plan.md", "x").end().write()
    before = stamps(tmp_path)

    past.facts(T0 + 50)
    past.facts(T0 + HOUR)
    past.facts(T0)
    past.world.close()

    assert stamps(tmp_path) == before


def stamps(home: Path) -> dict[Path, tuple[int, int]]:
    return {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in home.rglob("*")}
