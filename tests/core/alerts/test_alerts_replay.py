"""The alerts of stored runs are those that would have fired while the runs were alive, at the same moments.

`BUDDY_TOP_ALERT_EXAMPLES=500` tries so many runs instead of ten.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from buddy_core.alerts import watch
from buddy_core.alerts.limits import Limits
from buddy_core.alerts.model import Alert
from buddy_core.alerts.replay import replay_alerts
from buddy_core.alerts.watch import AlertWatch
from buddy_core.clock import ManualClock
from buddy_core.errors import StoreUnavailable
from buddy_core.metrics.collector import MetricsCollector
from buddy_core.observing.observer import Observer
from buddy_core.testing import RunDirectoryBuilder

START = 1_767_960_000_000
MINUTE = 60_000
DAY = 24 * 60 * MINUTE
BUDGETS = Limits(cost_per_hour=1.0, cost_per_day=2.5)


def replayed(runs: Path, now_ms: int, since_ms: int = 0, limits: Limits = BUDGETS) -> list[Alert]:
    return replay_alerts(runs, since_ms, limits, clock=ManualClock(now_ms))


def test_each_rule_says_when_it_would_have_fired(tmp_path: Path) -> None:
    made = RunDirectoryBuilder(tmp_path, started_at=START, objective="Fix it")
    for _ in range(6):
        made.tool("bash", {"command": "npm test"}, error="exit 1", took_ms=1_000)
    repeated_at = START + 4_000
    for number in range(4):
        made.tool("bash", {"command": f"{number}"}, took_ms=30_000)
    failed_at = made.now_ms
    made.request(cost=0.6).wait(5 * MINUTE).request(cost=0.6)
    spent_at = made.now_ms
    made.wait(11 * MINUTE).step("x")
    stalled_at = made.now_ms - MINUTE
    waits_from = made.now_ms
    made.tool("bash", {"command": "sleep"}, took_ms=3 * MINUTE).end().write()
    told = {alert.rule: alert for alert in replayed(tmp_path, made.now_ms + DAY)}
    assert {rule: alert.since_ms for rule, alert in told.items()} == {
        "repeating": repeated_at,
        "tool_errors": failed_at,
        "cost_per_hour": spent_at,
        "stalled": stalled_at,
        "waiting": waits_from + 90_001,
    }
    assert told["waiting"].why == "bash has waited 1m30s; its longest of 10 calls took 30.0 s"
    assert told["tool_errors"].why == "bash failed 6 of 10 times in the last 15 minutes (60 %)"


def test_newest_come_first_and_none_from_before(tmp_path: Path) -> None:
    made = RunDirectoryBuilder(tmp_path, started_at=START)
    for _ in range(3):
        made.wait(15 * MINUTE).step("x")
    made.end().write()
    fired = [START + 10 * MINUTE + number * 15 * MINUTE for number in range(3)]
    assert [alert.since_ms for alert in replayed(tmp_path, START + DAY)] == fired[::-1]
    assert [alert.since_ms for alert in replayed(tmp_path, START + DAY, fired[1])] == fired[:0:-1]


def test_a_run_without_an_end_stalls_once_and_a_call_without_a_result_waits_once(tmp_path: Path) -> None:
    made = RunDirectoryBuilder(tmp_path, started_at=START)
    for number in range(5):
        made.tool("bash", {"command": number}, took_ms=10)
    made.call("bash")
    made.write()
    told = replayed(tmp_path, START + DAY)
    assert [(alert.rule, alert.since_ms) for alert in told] == [
        ("stalled", made.now_ms + 10 * MINUTE),
        ("waiting", made.now_ms + MINUTE + 1),
    ]
    assert told[0].why == "no event for 10m00s, and bash has not answered"
    assert replayed(tmp_path, made.now_ms + 9 * MINUTE)[0].rule == "waiting"
    (made.run_dir / "run.lock").touch()
    assert replayed(tmp_path, START + DAY) == [], "nobody knows when the writer went"


def test_a_rate_that_rises_because_good_calls_are_long_ago_fires_when_they_leave_the_window(
    tmp_path: Path,
) -> None:
    begun = START // MINUTE * MINUTE + 30_000
    made = RunDirectoryBuilder(tmp_path, started_at=begun)
    for number in range(20):
        made.tool("bash", {"command": number}, took_ms=0)
    made.wait(14 * MINUTE)
    for number in range(10):
        made.tool("bash", {"command": number}, took_ms=0, error="exit 1" if number < 4 else None)
    made.wait(9 * MINUTE).end().write()
    [alert] = [alert for alert in replayed(tmp_path, begun + DAY) if alert.rule == "tool_errors"]
    assert alert.since_ms == begun - 30_000 + 16 * MINUTE
    assert alert.why == "bash failed 4 of 10 times in the last 15 minutes (40 %)"


def test_an_event_that_claims_to_be_of_tomorrow_ends_no_silence(tmp_path: Path) -> None:
    """Case 40."""
    made = RunDirectoryBuilder(tmp_path, started_at=START)
    made.wait(2 * DAY).step("x").wait(20 * MINUTE - 2 * DAY).step("y").write()
    fired = [alert.since_ms for alert in replayed(tmp_path, START + 45 * MINUTE)]
    assert fired == [START + 30 * MINUTE, START + 10 * MINUTE]


def test_a_run_that_ended_well_or_a_directory_without_runs_fires_nothing(tmp_path: Path) -> None:
    assert replayed(tmp_path, START) == []
    RunDirectoryBuilder(tmp_path, started_at=START).tool("bash").request(cost=0.1).end().write()
    assert replayed(tmp_path, START + DAY) == []
    with pytest.raises(StoreUnavailable):
        replayed(tmp_path / "nowhere", START)


EXAMPLES = int(os.environ.get("BUDDY_TOP_ALERT_EXAMPLES", "10"))


class Step(NamedTuple):
    """One thing an agent does, and how long it takes."""

    kind: str
    took_ms: int
    variant: int


STEPS = st.lists(
    st.builds(
        Step,
        st.sampled_from(["bash", "bash", "bash", "grep", "open", "request", "quiet"]),
        st.sampled_from([10, 900, 12_345, 61_500, 200_000, 610_000]),
        st.integers(0, 2),
    ),
    min_size=6,
    max_size=18,
)


class Live:
    """A run that is written while it is watched: at every event, just before it, and at every whole minute."""

    def __init__(self, runs: Path) -> None:
        self.clock = ManualClock(START)
        self.made = RunDirectoryBuilder(runs, started_at=START).without_metrics()
        collector = MetricsCollector(clock=self.clock)
        self._observer = Observer(runs, collector, clock=self.clock)
        self._watch = AlertWatch(self._observer, collector, BUDGETS)
        self._held: set[tuple[str, str, str | None]] = set()
        self.fired: list[Alert] = []

    def do(self, step: Step) -> None:
        if step.kind == "quiet":
            self._pass(step.took_ms)
        elif step.kind == "open":
            self.made.call("bash", {"command": "never"})
        elif step.kind == "request":
            self._pass(step.took_ms)
            self.made.request(cost=0.4, success=step.variant != 0)
        else:
            call = self.made.call(step.kind, {"command": step.variant})
            self._pass(step.took_ms)
            error = "exit 1" if step.variant == 0 else None
            self.made.result(step.kind, call, took_ms=step.took_ms, error=error)
        self.look()

    def _pass(self, ms: int) -> None:
        self.look()
        end = self.made.now_ms + ms
        for moment in (*_minutes(self.made.now_ms, end), end - 1):
            self.made.wait(moment - self.made.now_ms)
            self.look()
        self.made.wait(end - self.made.now_ms)

    def look(self) -> None:
        if len(self.made._lines) > self.made._written:
            self.made.write()
        self.clock.set_wall(self.made.now_ms)
        self._observer.load()
        self._observer.tick()
        state = self._watch.check(self.clock.now_ms())
        self.fired += [alert for alert in state.alerts if alert.key not in self._held]
        self._held = {alert.key for alert in state.alerts}

    def close(self) -> None:
        self._watch.close()
        self._observer.close()


def _minutes(start: int, end: int) -> Iterator[int]:
    yield from range((start // MINUTE + 1) * MINUTE, end - 1, MINUTE)


def told(alerts: list[Alert]) -> list[tuple[str, str, int]]:
    """Rule, subject and time; a wait is told without, for it may be noticed later than it was too long."""
    return sorted((a.rule, a.subject, 0 if a.rule == "waiting" else a.since_ms) for a in alerts)


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_replaying_a_run_tells_what_watching_it_told(
    steps: list[Step], tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "SUMS_MS", 0)
    runs = tmp_path_factory.mktemp("runs")
    live = Live(runs)
    try:
        for step in steps:
            live.do(step)
    finally:
        live.close()
    assert told(replayed(runs, live.clock.now_ms())) == told(live.fired)
