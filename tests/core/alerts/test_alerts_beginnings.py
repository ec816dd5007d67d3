"""Since when an alert holds: the moment of the event that caused it, not the one at which somebody began to look."""

from __future__ import annotations

import random
from collections import defaultdict
from pathlib import Path

import pytest

from buddy_core.alerts.beginnings import failing_since
from buddy_core.alerts.limits import Limits
from buddy_core.alerts.model import AlertKey, AlertState
from buddy_core.alerts.replay import replay_alerts
from buddy_core.alerts.watch import AlertWatch, alerts_now
from buddy_core.clock import ManualClock
from buddy_core.metrics.collector import MetricsCollector
from buddy_core.metrics.looking.model import SeriesPoint
from buddy_core.observing.observer import Observer
from buddy_core.testing import RunDirectoryBuilder

NOW = 1_767_961_867_000
MINUTE, HOUR = 60_000, 3_600_000


def seen_at(runs: Path, limits: Limits | None = None, now_ms: int = NOW) -> AlertState:
    """What somebody sees who begins to look only then."""
    clock = ManualClock(now_ms)
    collector = MetricsCollector(clock=clock)
    observer = Observer(runs, collector, clock=clock)
    observer.load()
    observer.close()
    return alerts_now(observer, collector, limits or Limits(), now_ms)


def since(state: AlertState) -> dict[str, int]:
    return {alert.rule: alert.since_ms for alert in state.alerts}


def test_failures_hold_since_the_one_that_made_them_too_many(tmp_path: Path) -> None:
    made = RunDirectoryBuilder(tmp_path, started_at=NOW - 9 * MINUTE)
    for number in range(12):
        made.tool("bash", {"command": f"{number}"}, error="exit 1", took_ms=20_000)
    made.end().write()
    tenth = NOW - 9 * MINUTE + 200_000
    assert since(seen_at(tmp_path)) == {"tool_errors": tenth // MINUTE * MINUTE}


def test_the_last_event_of_all_is_told_to_the_millisecond(tmp_path: Path) -> None:
    made = RunDirectoryBuilder(tmp_path, started_at=NOW - 9 * MINUTE)
    for _ in range(10):
        made.request("openai", "gpt-5.5", cost=0.3, latency_ms=1_234, success=False)
    made.end().write()
    tenth = NOW - 9 * MINUTE + 12_340
    told = since(seen_at(tmp_path, Limits(cost_per_hour=2.8, cost_per_day=2.8)))
    assert told == {"provider_errors": tenth, "cost_per_hour": tenth, "cost_per_day": tenth}


def test_a_budget_of_a_day_that_was_used_up_yesterday_says_so(tmp_path: Path) -> None:
    RunDirectoryBuilder(tmp_path, started_at=NOW - 30 * HOUR).request(cost=3.0).end().write()
    RunDirectoryBuilder(tmp_path, started_at=NOW - 20 * HOUR).request(cost=3.0).end().write()
    assert seen_at(tmp_path, Limits(cost_per_day=5.0)).alerts == (), "ten hours ago there were both"
    RunDirectoryBuilder(tmp_path, started_at=NOW - 5 * HOUR).request(cost=3.0).end().write()
    told = since(seen_at(tmp_path, Limits(cost_per_day=5.0)))
    assert told == {"cost_per_day": (NOW - 5 * HOUR) // MINUTE * MINUTE}
    RunDirectoryBuilder(tmp_path, started_at=NOW - 21 * HOUR).request(cost=3.0).end().write()
    told = since(seen_at(tmp_path, Limits(cost_per_day=5.0)))
    assert told == {"cost_per_day": (NOW - 21 * HOUR) // MINUTE * MINUTE}, (
        "the one of 30 hours ago counted then"
    )


def test_silence_waiting_and_circles_have_the_time_of_their_event(tmp_path: Path) -> None:
    quiet = RunDirectoryBuilder(tmp_path, started_at=NOW - 25 * MINUTE).tool("grep", took_ms=100)
    for _ in range(4):
        quiet.tool("bash", {"command": "npm test"}, took_ms=1_000)
    quiet.tool("bash", {"command": "npm test"}, took_ms=1_000).write()
    began = NOW - 25 * MINUTE
    assert since(seen_at(tmp_path)) == {"stalled": began + 5_100 + 10 * MINUTE, "repeating": began + 4_100}


def test_somebody_who_looked_all_along_and_somebody_who_comes_late_are_told_the_same(tmp_path: Path) -> None:
    clock = ManualClock(NOW)
    collector = MetricsCollector(clock=clock)
    observer = Observer(tmp_path, collector, clock=clock)
    watch = AlertWatch(observer, collector, Limits())
    made = RunDirectoryBuilder(tmp_path, started_at=NOW)
    told: AlertState | None = None
    for _ in range(14):
        made.tool("bash", error="exit 1", took_ms=7_000).write()
        clock.set_wall(made.now_ms)
        observer.load()
        told = watch.check(made.now_ms)
    watch.close()
    observer.close()
    assert told is not None
    [early] = [alert for alert in told.alerts if alert.rule == "tool_errors"]
    [late] = [alert for alert in seen_at(tmp_path, now_ms=made.now_ms).alerts if alert.rule == "tool_errors"]
    assert early.since_ms == NOW + 70_000, "while one looks: the very event"
    assert early.since_ms // MINUTE == late.since_ms // MINUTE, "later: the minute it happened in"


@pytest.mark.parametrize("seed", range(6))
def test_whatever_happened_it_is_the_minute_in_which_the_rules_would_have_fired(
    seed: int, tmp_path: Path
) -> None:
    """Against the same rules gone through event by event."""
    dice = random.Random(seed)
    made = RunDirectoryBuilder(tmp_path, started_at=NOW - 100 * MINUTE)
    while made.now_ms < NOW - MINUTE:
        if dice.random() < 0.6:
            made.tool("bash", took_ms=dice.randrange(90_000), error="exit 1" if dice.random() < 0.3 else None)
        else:
            ok, cost = dice.random() < 0.7, dice.random()
            made.request("acme", "one", cost=cost, latency_ms=dice.randrange(60_000), success=ok)
    made.end().write()
    limits = Limits(error_calls=6, error_percent=20.0, cost_per_hour=5.0, cost_per_day=6.0)
    fired: dict[AlertKey, list[int]] = defaultdict(list)
    for alert in replay_alerts(tmp_path, 0, limits, clock=ManualClock(NOW)):
        fired[alert.key].append(alert.since_ms // MINUTE)
    state = seen_at(tmp_path, limits)
    assert {alert.rule for alert in state.alerts} >= {"cost_per_day"}
    for alert in state.alerts:
        assert alert.since_ms // MINUTE in fired[alert.key], "a break of less than a minute is none"


def points(*minutes: tuple[int, int]) -> list[SeriesPoint]:
    return [SeriesPoint(at * MINUTE, count, failed) for at, (count, failed) in enumerate(minutes)]


def test_a_break_in_between_begins_it_anew() -> None:
    broken = points((10, 10), *[(0, 0)] * 16, (10, 10), (0, 0))
    assert failing_since(broken, Limits()) == 17 * MINUTE
    assert failing_since(points((10, 10), *[(0, 0)] * 15), Limits()) == 0
    assert failing_since(points((10, 10), *[(0, 0)] * 16), Limits()) is None
    assert failing_since((), Limits()) is None


def test_numbers_are_told_by_name(tmp_path: Path) -> None:
    made = RunDirectoryBuilder(tmp_path, started_at=NOW - 9 * MINUTE)
    for number in range(12):
        made.tool("bash", {"command": f"{number}"}, error="exit 1" if number % 2 else None, took_ms=20_000)
    made.request(cost=2.5).write()
    told = {alert.rule: dict(alert.numbers) for alert in seen_at(tmp_path, Limits(cost_per_hour=2.0)).alerts}
    assert told == {
        "tool_errors": {"failed": 6, "calls": 12, "percent": 50.0},
        "cost_per_hour": {"spent": 2.5, "limit": 2.0},
    }
