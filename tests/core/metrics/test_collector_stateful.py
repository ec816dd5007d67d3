"""Whatever is told to a collector, in whatever order: every number equals a naive recount of all that was told.

The model keeps lists and loops over them. `BUDDY_MODEL_RUNS=N` plays N sequences instead of 40.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from buddy_core import ManualClock, MetricsCollector

NOW = 1_767_890_000_000
FIVE_MINUTES = 300_000
RUNS = int(os.environ.get("BUDDY_MODEL_RUNS", "40"))

names = st.sampled_from(["a", "b", "c", "d", "", "x" * 300])
tokens = st.sampled_from([0, 1, 250, 2**40, -5, math.nan, "7", 3.0])
amounts = st.sampled_from([None, 0.0, 0.25, 100, 1e6, -1.0, math.inf, math.nan, "1"])
gaps = st.sampled_from([0, 1, 999, 30_000, 299_000, 301_000, 8 * 3_600_000])
MOST = 3
"""`max_series` of the collector: the fourth name is `other`."""


def valid_count(value: Any) -> int:
    """What a token count is worth: itself, or nothing."""
    if isinstance(value, str) or (isinstance(value, float) and not value.is_integer()) or value < 0:
        return 0
    return int(value)


def valid_amount(value: Any) -> float | None:
    """What a cost or a duration is worth: itself, or unknown."""
    good = not isinstance(value, str) and value is not None and math.isfinite(value) and value >= 0
    return value if good else None


def bad_count(value: Any) -> int:
    return int(isinstance(value, str) or (isinstance(value, float) and math.isnan(value)) or value < 0)


def bad_amount(value: Any) -> int:
    return int(value is not None and valid_amount(value) is None)


@dataclass
class Told:
    """One thing that was told and counts, at its place in the order of telling."""

    kind: str
    at: int
    name: str = ""
    ok: bool = True
    tokens: int = 0
    cost: float | None = None
    ms: float | None = None
    text: str = ""


@dataclass
class Model:
    """Everything told since the last reset, and what stands beside it."""

    began: float
    told: list[Told] = field(default_factory=list)
    refused: int = 0
    points: list[tuple[int, float]] = field(default_factory=list)
    sessions: int = 0
    session: tuple[str, int, float, int] | None = None
    """Id, wall time, monotonic time, and how much had been told when it began."""

    def of(self, *kinds: str, since: int = 0) -> list[Told]:
        return [one for one in self.told[since:] if one.kind in kinds]

    def folded(self, kind: str) -> dict[str, list[Told]]:
        """By name as the collector tells names apart: the first `MOST`, then `other`."""
        rows: dict[str, list[Told]] = {}
        for one in self.of(kind):
            known = one.name in rows or len(set(rows) - {"other"}) < MOST
            rows.setdefault(one.name if known else "other", []).append(one)
        return rows


class Machine(RuleBasedStateMachine):
    """Tells a collector and the model the same."""

    @initialize()
    def begin(self) -> None:
        self.clock = ManualClock(NOW)
        self.collector = MetricsCollector(
            clock=self.clock, max_series=MOST, max_history_points=4, max_errors=5
        )
        self.model = Model(0.0)

    def named(self, name: str) -> bool:
        """True when the record counts; else the name alone was refused."""
        good = 0 < len(name) <= 256
        self.model.refused += not good
        return good

    @rule(name=names, prompt=tokens, cached=tokens, cost=amounts, ms=amounts, ok=st.booleans())
    def request(self, name: str, prompt: Any, cached: Any, cost: Any, ms: Any, ok: bool) -> None:
        self.collector.record_api_request(
            provider=name, model="m", prompt_tokens=prompt, cache_read_tokens=cached, cost=cost, latency_ms=ms, success=ok
        )  # fmt: skip
        if self.named(name):
            self.model.refused += bad_count(prompt) + bad_count(cached) + bad_amount(cost) + bad_amount(ms)
            worth = valid_count(prompt) + valid_count(cached)
            self.model.told.append(
                Told("request", self.clock.now_ms(), name, ok, worth, valid_amount(cost), valid_amount(ms))
            )

    @rule(name=names, ms=amounts, ok=st.booleans(), reason=st.sampled_from([None, "", "no"]))
    def tool(self, name: str, ms: Any, ok: bool, reason: str | None) -> None:
        self.collector.record_tool_execution(name=name, duration_ms=ms, success=ok, error=reason)
        if self.named(name):
            self.model.refused += bad_amount(ms)
            at = self.clock.now_ms()
            self.model.told.append(Told("tool", at, name, ok, ms=valid_amount(ms)))
            if reason and not ok:
                self.model.told.append(Told("tool error", at, name, text=reason))

    @rule(name=names, message=st.sampled_from(["gone", "late"]))
    def error(self, name: str, message: str) -> None:
        self.collector.record_error(name, message)
        if self.named(name):
            self.model.told.append(Told("error", self.clock.now_ms(), name, text=message))

    @rule(count=tokens, cost=amounts)
    def usage(self, count: Any, cost: Any) -> None:
        self.collector.record_usage(total_tokens=count, cost=cost)
        self.model.refused += bad_count(count) + bad_amount(cost)
        self.model.told.append(
            Told("usage", self.clock.now_ms(), tokens=valid_count(count), cost=valid_amount(cost))
        )

    @rule(role=st.sampled_from(["user", "assistant", "system", "tool", "root"]))
    def message(self, role: Any) -> None:
        self.collector.record_message(role)
        if role == "root":
            self.model.refused += 1
        else:
            self.model.told.append(Told("message", self.clock.now_ms(), role))

    @rule(value=amounts)
    def gauge(self, value: Any) -> None:
        self.collector.record("load", value)
        if isinstance(value, str) or value is None or not math.isfinite(value):
            self.model.refused += 1
        else:
            self.model.points.append((self.clock.now_ms(), value))

    @rule(name=names)
    def start_session(self, name: str) -> None:
        self.collector.start_session(name)
        self.model.session = None
        if self.named(name):
            self.model.session = (name, self.clock.now_ms(), self.clock.monotonic_ms(), len(self.model.told))
            self.model.sessions += 1

    @rule()
    def end_session(self) -> None:
        ended = self.collector.end_session()
        assert (ended.session_id if ended else None) == (
            self.model.session[0] if self.model.session else None
        )
        self.model.session = None

    @rule(gap=gaps)
    def time_passes(self, gap: int) -> None:
        self.clock.advance(gap)

    @rule()
    def reset(self) -> None:
        self.collector.reset()
        self.model = Model(self.clock.monotonic_ms())

    @invariant()
    def totals_are_those_of_a_recount(self) -> None:
        collector, requests = self.collector, self.model.of("request")
        spent = self.model.of("request", "usage")
        latencies = [one.ms for one in requests if one.ms is not None]
        assert collector.get_total_tokens() == sum(one.tokens for one in spent)
        assert collector.get_total_cost() == pytest.approx(sum(one.cost or 0 for one in spent))
        assert collector.get_total_tool_calls() == len(self.model.of("tool"))
        failed = sum(not one.ok for one in requests)
        assert collector.get_error_rate() == pytest.approx(100 * failed / len(requests) if requests else 0)
        average = sum(latencies) / len(latencies) if latencies else 0
        assert collector.get_average_response_time() == pytest.approx(average)

    @invariant()
    def the_state_is_that_of_a_recount(self) -> None:
        state, model = self.collector.get_dashboard_state(), self.model
        assert state.uptime_ms == int(self.clock.monotonic_ms() - model.began)
        assert state.total_sessions == model.sessions
        assert state.active_session == (model.session[0] if model.session else None)
        assert state.total_tool_calls == len(model.of("tool"))
        assert (state.error_rate is None) == (not model.of("request"))
        assert state.tokens_per_minute == pytest.approx(self.rate("tokens"))
        assert state.cost_per_hour == pytest.approx(self.rate("cost"))

    def rate(self, what: str) -> float | None:
        now = self.clock.now_ms()
        dated = self.model.of("request", "tool", "error", "usage")
        first = min((one.at for one in dated), default=now)
        life = max(int(self.clock.monotonic_ms() - self.model.began), now - first)
        length = min(FIVE_MINUTES, max(life, 60_000))
        recent = [one for one in dated if one.at // 1000 >= (now - length) // 1000]
        known = self.known(what, recent)
        if known is None or self.known(what, dated) is None:
            return None
        return known * (60_000 if what == "tokens" else 3_600_000) / length

    def known(self, what: str, samples: list[Told]) -> float | None:
        """Tokens or costs of these; None where there was work that takes some and none was logged."""
        spent = [one for one in samples if one.kind in ("request", "usage")]
        if what == "tokens":
            worked = any(one.kind == "tool" or (one.kind == "request" and one.ok) for one in samples)
            total = sum(one.tokens for one in spent)
            return None if worked and not total else total
        busy = any(one.kind != "error" for one in samples)
        costs = [one.cost for one in spent if one.cost is not None]
        return None if busy and not costs else sum(costs)

    @invariant()
    def tools_and_providers_are_those_of_a_recount(self) -> None:
        tools = {row.name: row for row in self.collector.get_tool_metrics()}
        expected = self.model.folded("tool")
        assert tools.keys() == expected.keys()
        for name, calls in expected.items():
            times = [one.ms for one in calls if one.ms is not None]
            row = tools[name]
            assert (row.total_calls, row.error_count) == (len(calls), sum(not one.ok for one in calls))
            assert row.total_duration_ms == pytest.approx(sum(times))
            assert (row.min_duration_ms, row.max_duration_ms) == (
                min(times, default=None),
                max(times, default=None),
            )
            assert row.last_executed_at == max(one.at for one in calls)
        providers = {row.provider: row for row in self.collector.get_provider_metrics()}
        asked = self.model.folded("request")
        assert providers.keys() == asked.keys()
        for name, requests in asked.items():
            assert providers[name].total_tokens == sum(one.tokens for one in requests)
            assert providers[name].total_requests == len(requests)
            assert providers[name].error_count == sum(not one.ok for one in requests)

    @invariant()
    def the_session_is_that_of_a_recount(self) -> None:
        session, started = self.collector.get_session_metrics(), self.model.session
        if started is None:
            assert session is None
            return
        assert session is not None
        name, wall, monotonic, since = started
        messages = self.model.of("message", since=since)
        spent = self.model.of("request", "usage", since=since)
        costs = [one.cost for one in spent if one.cost is not None]
        tools = self.model.of("tool", since=since)
        failures = sum(not one.ok for one in (*spent, *tools)) + len(self.model.of("error", since=since))
        assert (session.session_id, session.started_at) == (name, wall)
        assert session.duration_ms == int(self.clock.monotonic_ms() - monotonic)
        assert session.message_count == len(messages)
        assert session.user_messages == sum(one.name == "user" for one in messages)
        assert session.assistant_messages == sum(one.name == "assistant" for one in messages)
        assert (session.tool_calls, session.error_count) == (len(tools), failures)
        assert session.total_tokens == sum(one.tokens for one in spent)
        assert session.total_cost == (None if spent and not costs else pytest.approx(sum(costs), abs=1e-6))

    @invariant()
    def errors_points_and_refusals_are_those_of_a_recount(self) -> None:
        errors = self.model.of("error", "tool error")
        newest = [(one.at, one.text) for one in errors[-5:]]
        assert [(one.timestamp, one.message) for one in self.collector.get_recent_errors()] == newest
        assert self.collector.get_recent_errors(2) == self.collector.get_recent_errors()[-2:]
        points = self.collector.get_metric_history("load")
        assert [(point.timestamp, point.value) for point in points] == self.model.points[-4:]
        export = self.collector.export()
        assert sum(export.rejected.values()) == self.model.refused
        assert export.state == self.collector.get_dashboard_state()


Machine.TestCase.settings = settings(max_examples=RUNS, stateful_step_count=40, deadline=None)
TestCollectorAgainstARecount = Machine.TestCase
