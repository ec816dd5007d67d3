"""Costs that nobody states are priced from tokens, are told apart, and give way to what a source states."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.watching import following

from buddy_core.alerts.limits import Limits
from buddy_core.alerts.replay import replay_alerts
from buddy_core.alerts.watch import AlertWatch
from buddy_core.clock import ManualClock
from buddy_core.metrics.collector import MetricsCollector
from buddy_core.metrics.looking.model import WindowView
from buddy_core.metrics.model import ApiRequest
from buddy_core.metrics.recording.batch import HistoryBatch
from buddy_core.metrics.window import Window
from buddy_core.observing.observer import Observer
from buddy_core.prices.rates import Rates
from buddy_core.prices.table import PriceEntry, PriceTable
from buddy_core.prometheus.exporter import PrometheusExporter
from buddy_core.runs.facts import RunFacts
from buddy_core.testing import RunDirectoryBuilder

T0 = 1_767_890_000_000
MINUTE, HOUR = 60_000, 3_600_000
M = 1_000_000

PRICES = PriceTable(
    [PriceEntry("claude-*", Rates(3.0, 15.0, 0.3, 3.75)), PriceEntry("opus", Rates(1.0, 1.0))]
)


class Bench:
    """A runs directory, an observer of it that may price, and the numbers that come out."""

    def __init__(self, home: Path, prices: PriceTable | None = PRICES) -> None:
        self.home, self.prices = home, prices
        self.runs = home / "runs"
        self.runs.mkdir(exist_ok=True)
        self.clock = ManualClock(T0 + 2 * HOUR)
        self.collector = MetricsCollector(clock=self.clock, prices=prices)
        self.observer = Observer(self.runs, self.collector, clock=self.clock)

    def run(self, suffix: str = "0a1b2c", *, at: int = T0, **more: object) -> RunDirectoryBuilder:
        return RunDirectoryBuilder(self.runs, started_at=at, suffix=suffix, **more)  # type: ignore[arg-type]

    def turns(self, *moments: int) -> None:
        """Append turns of a million tokens, a dollar each, at `T0` plus so many milliseconds."""
        with (self.home / "turn-metrics.jsonl").open("a") as file:
            for ms in moments:
                at = datetime.fromtimestamp((T0 + ms) / 1000, UTC).isoformat()
                line = {"at": at, "provider": "anthropic", "model": "opus", "inputTokens": M}
                file.write(json.dumps(line) + "\n")

    def view(self, window: Window = Window.ALL) -> WindowView:
        self.observer.load()
        return self.collector.view(window)

    def facts(self) -> RunFacts:
        self.observer.load()
        return self.observer.facts()[0]

    def again(self) -> WindowView:
        """The same files, read by somebody who has not seen them grow."""
        return Bench(self.home, self.prices).view()


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def money(view: WindowView) -> tuple[float | None, float | None]:
    return view.total_cost, view.estimated_cost


# An agent's own collector


def test_without_prices_a_cost_that_nobody_states_stays_unknown() -> None:
    collector = MetricsCollector(clock=ManualClock(T0))
    collector.record_api_request(provider="anthropic", model="claude-opus", prompt_tokens=M)
    state = collector.get_dashboard_state()
    assert (state.total_cost, state.estimated_cost, state.cost_per_hour) == (None, None, None)


def test_with_prices_it_is_estimated_and_every_sum_says_how_much_of_it_is() -> None:
    clock = ManualClock(T0)
    collector = MetricsCollector(clock=clock, prices=PRICES)
    collector.start_session("s")
    collector.record_api_request(provider="anthropic", model="claude-opus", prompt_tokens=M, cost=7.0)
    assert collector.get_dashboard_state().estimated_cost is None
    collector.record_api_request(provider="anthropic", model="claude-opus", completion_tokens=M)
    collector.record_api_request(provider="anthropic", model="claude-opus")  # no tokens: nothing to price
    clock.advance(MINUTE)

    state, session = collector.get_dashboard_state(), collector.get_session_metrics()
    view, (row,) = collector.view(Window.M15), collector.get_provider_metrics()
    assert (state.total_cost, state.estimated_cost) == (22.0, 15.0)
    assert (state.cost_per_hour, state.estimated_cost_per_hour) == (22.0 * 60, 15.0 * 60)
    assert money(view) == (22.0, 15.0)
    assert (row.total_cost, row.estimated_cost, row.cost_count, row.estimated_count) == (22.0, 15.0, 1, 1)
    assert session is not None
    assert (session.total_cost, session.estimated_cost) == (22.0, 15.0)
    assert collector.get_total_cost() == 22.0
    assert sum(bucket.cost for bucket in collector.activity(Window.M15, 15).buckets) == 22.0


def test_who_listens_hears_what_was_told_and_nothing_that_was_reckoned() -> None:
    collector, heard = MetricsCollector(clock=ManualClock(T0), prices=PRICES), []
    collector.on("api:request", lambda event: heard.append(event.payload))
    collector.record_api_request(provider="anthropic", model="claude-opus", prompt_tokens=M)
    assert [isinstance(request, ApiRequest) and request.cost for request in heard] == [None]


request_rows = st.lists(
    st.tuples(
        st.integers(T0 - 30 * HOUR, T0),
        st.integers(0, M),
        st.integers(0, M),
        st.integers(0, M),
        st.integers(0, M),
        st.one_of(st.none(), st.floats(0, 10)),
        st.none(),
        st.none(),
        st.booleans(),
    ),
    max_size=30,
)


@given(rows=request_rows)
def test_history_is_priced_as_if_it_had_been_told_one_by_one_in_every_window(rows: list[tuple]) -> None:  # type: ignore[type-arg]
    clock = ManualClock(T0)
    absorbed, told = (
        MetricsCollector(clock=clock, prices=PRICES),
        MetricsCollector(clock=clock, prices=PRICES),
    )
    absorbed.absorb(HistoryBatch(rows={("anthropic", "claude-opus"): list(rows)}))
    names = ("prompt_tokens", "completion_tokens", "cache_read_tokens", "cache_write_tokens", "cost")
    for at_ms, *values, _, _, success in rows:
        told.record_api_request(
            provider="anthropic",
            model="claude-opus",
            at_ms=at_ms,
            success=success,
            **dict(zip(names, values, strict=True)),
        )
    for window in Window:
        one, other = absorbed.view(window), told.view(window)
        priced = [row for row in rows if row[5] is None and any(row[1:5]) and row[0] >= (one.since_ms or 0)]
        expected = sum(Rates(3.0, 15.0, 0.3, 3.75).of(*row[1:5]) for row in priced)
        assert one.estimated_cost == (pytest.approx(expected) if priced else None)
        assert other.estimated_cost == pytest.approx(one.estimated_cost)
        assert other.total_cost == pytest.approx(one.total_cost)


def test_what_does_not_fit_among_the_series_is_priced_by_its_own_name() -> None:
    collector = MetricsCollector(clock=ManualClock(T0), prices=PRICES, max_series=1)
    for model in ("claude-a", "claude-b", "unpriced"):
        collector.record_api_request(provider="p", model=model, prompt_tokens=M)
    assert collector.get_dashboard_state().estimated_cost == 6.0
    assert [row.estimated_cost for row in collector.get_provider_metrics() if row.model == "other"] == [3.0]
    assert collector.export().overflow == {"provider": 2}


# Runs


def test_a_run_whose_requests_state_no_cost_is_priced_request_by_request(bench: Bench) -> None:
    bench.run().request(prompt=M, completion=0).request(prompt=0, completion=M, cost=2.0).end().write()
    facts = bench.facts()
    assert (facts.total_cost, facts.estimated_cost) == (5.0, 3.0)
    assert money(bench.view()) == (5.0, 3.0)


def test_a_run_total_that_says_more_than_its_requests_covers_all_of_them(bench: Bench) -> None:
    """What the source states wins: not the estimate, and not both."""
    bench.run().request(prompt=M, completion=0).end().metrics(totalCost=0.5).write()
    assert (bench.facts().total_cost, bench.facts().estimated_cost) == (0.5, None)
    assert money(bench.view()) == (0.5, None)
    assert bench.view().providers[0].total_cost is None


def test_a_total_that_is_the_rounded_sum_of_its_requests_covers_only_those(bench: Bench) -> None:
    run = bench.run().request(prompt=M, completion=0).request(cost=0.123456749).end()
    run.metrics(totalCost=0.123457).write()
    assert bench.facts().estimated_cost == 3.0
    assert bench.view().total_cost == pytest.approx(3.123457, abs=1e-6)
    assert bench.view().estimated_cost == 3.0


def test_an_estimate_is_taken_back_in_every_window_when_the_run_states_its_cost_at_last(bench: Bench) -> None:
    run = bench.run(at=T0 + 2 * HOUR - 5 * MINUTE).request(prompt=M, completion=0)
    run.write()
    assert [money(bench.view(window)) for window in Window] == [(3.0, 3.0)] * 5
    run.wait(1000).request(prompt=M, completion=0).end().metrics(totalCost=4.0).write()
    assert [money(bench.view(window)) for window in Window] == [(4.0, None)] * 5
    assert bench.collector.get_dashboard_state().estimated_cost is None
    assert money(bench.again()) == (4.0, None)


def test_a_run_that_logs_only_totals_is_priced_by_its_model(bench: Bench) -> None:
    run = bench.run(metadata={"tags": ["headless", "claude-opus"]}).tool("bash").end()
    run.metrics(totalTokens=2 * M, promptTokens=M, completionTokens=M).write()
    facts, view = bench.facts(), bench.view()
    assert (facts.total_cost, facts.estimated_cost) == (18.0, 18.0)
    assert money(view) == (18.0, 18.0)
    assert (view.unattributed_cost, view.unattributed_estimated_cost) == (18.0, 18.0)
    run.metrics(totalCost=20.0).write()
    assert (bench.facts().total_cost, bench.facts().estimated_cost) == (20.0, None)
    assert money(bench.view()) == (20.0, None)


@pytest.mark.parametrize(
    ("tags", "totals"),
    [
        (["headless", "claude-opus"], {"totalTokens": 2 * M}),  # prompt or completion?
        (["headless", "claude-opus"], {"totalTokens": 3 * M, "promptTokens": M, "completionTokens": M}),
        (["headless", "no-such-model"], {"totalTokens": 2 * M, "promptTokens": M, "completionTokens": M}),
        (["bugfix"], {"totalTokens": 2 * M, "promptTokens": M, "completionTokens": M}),
    ],
)
def test_totals_whose_kinds_or_model_nobody_knows_have_no_price(
    bench: Bench, tags: list[str], totals: dict[str, int]
) -> None:
    bench.run(metadata={"tags": tags}).tool("bash").end().metrics(**totals).write()
    assert (bench.facts().total_cost, bench.facts().estimated_cost) == (None, None)
    assert money(bench.view()) == (None, None)


# Turns of the original writer, which name no run


def test_turns_are_priced_until_their_run_states_its_cost(bench: Bench) -> None:
    run = bench.run().tool("bash")
    run.write()
    bench.turns(50, 80)
    assert money(bench.view()) == (2.0, 2.0)
    run.wait(60_000).end().metrics(totalCost=1.5, totalTokens=2 * M).write()
    assert money(bench.view()) == (1.5, None)
    assert money(bench.again()) == (1.5, None)


def test_a_turn_that_two_runs_could_have_made_is_part_of_what_either_states(bench: Bench) -> None:
    bench.run("aaaaaa").wait(60_000).end().metrics(totalCost=1.5).write()
    bench.run("bbbbbb").wait(60_000).end().write()
    bench.turns(30_000, 30 * MINUTE)  # one in both runs, one in none
    assert money(bench.view()) == (2.5, 1.0)
    assert money(bench.again()) == (2.5, 1.0)


async def test_a_turn_that_comes_after_its_run_was_settled_is_part_of_what_the_run_stated(
    bench: Bench,
) -> None:
    bench.run().wait(60_000).end().metrics(totalCost=1.5).write()
    async with following(bench.observer) as until:
        await until(lambda: bench.collector.view(Window.ALL).total_cost == 1.5)
        bench.turns(30_000)
        await until(lambda: bench.observer.sources().turn_requests == 1)
        await until(
            lambda: money(bench.collector.view(Window.ALL)) == (1.5, None)
        )  # once its run was read on


def test_nothing_is_left_of_estimates_that_were_taken_back(bench: Bench) -> None:
    """Sums of floats that come and go leave dust, which would be shown as a cost of less than nothing."""
    run = bench.run().request(cost=0.0)
    for tokens in (110_000, 230_000, 370_000):
        run.request(prompt=tokens, completion=0)
    run.write()
    assert bench.view().estimated_cost == pytest.approx(2.13)
    run.end().metrics(totalCost=3.0).write()
    assert bench.view().providers[0].total_cost == 0.0


@settings(max_examples=40)
@given(
    steps=st.lists(st.sampled_from(["request", "stated", "turn", "total", "tool"]), min_size=1, max_size=12),
    reads=st.lists(st.booleans(), min_size=12, max_size=12),
)
def test_however_files_grow_the_estimates_are_those_of_reading_them_once(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str], reads: list[bool]
) -> None:
    bench = Bench(tmp_path_factory.mktemp("grow"))
    run, moment = bench.run(), 0
    for step, read in zip(steps, reads, strict=False):
        run.wait(1_000)
        moment += 1_000
        if step == "request":
            run.request(prompt=1000, completion=10)
        elif step == "stated":
            run.request(cost=0.25)
        elif step == "turn":
            bench.turns(moment)
        elif step == "total":
            run.metrics(totalCost=100.0 + moment)
        elif step == "tool":
            run.tool("bash")
        run.write()
        if read:
            bench.view()
    run.end().write()
    seen, fresh = bench.view(), bench.again()
    assert seen.estimated_cost == (
        None if fresh.estimated_cost is None else pytest.approx(fresh.estimated_cost)
    )


# Budgets, and whoever else reads


def test_a_budget_that_rests_on_estimates_says_so_live_and_in_hindsight(bench: Bench) -> None:
    run = bench.run(at=T0 + HOUR + 30 * MINUTE).request(prompt=M, completion=0)
    run.wait(1_000).request(cost=0.1).end().write()
    bench.observer.load()
    limits = Limits(cost_per_hour=1.0)
    state = AlertWatch(bench.observer, bench.collector, limits).check(bench.clock.now_ms())
    assert [(one.spent, one.estimated) for one in state.budgets] == [(3.1, True)]
    (live,) = [alert for alert in state.alerts if alert.rule == "cost_per_hour"]
    (past,) = replay_alerts(bench.runs, 0, limits, clock=bench.clock, prices=PRICES)
    assert live.why.startswith("≈$3.10 spent")
    assert past.why.startswith("≈$3.00 spent")
    assert live.why.endswith("estimated from tokens, in part or all")
    assert replay_alerts(bench.runs, 0, limits, clock=bench.clock) == []


def test_hindsight_does_not_count_what_a_run_states_twice(bench: Bench) -> None:
    bench.run().request(prompt=M, completion=0).end().metrics(totalCost=2.0).write()
    limits = Limits(cost_per_hour=1.5)
    (past,) = replay_alerts(bench.runs, 0, limits, clock=bench.clock, prices=PRICES)
    assert past.why.startswith("$2.00 spent")
    assert (
        replay_alerts(bench.runs, 0, replace(limits, cost_per_hour=2.5), clock=bench.clock, prices=PRICES)
        == []
    )


def test_prometheus_keeps_estimates_apart_from_what_was_stated(bench: Bench) -> None:
    bench.run().request(prompt=M, completion=0).request(prompt=0, completion=0, cost=0.5).end().write()
    bench.observer.load()
    lines = PrometheusExporter(bench.collector).export().splitlines()
    labels = '{model="claude-sonnet-4-5",provider="anthropic"}'
    assert [line for line in lines if "cost_usd" in line and not line.startswith("#")] == [
        f"codebuddy_cost_usd_total{labels} 0.5",
        f"codebuddy_estimated_cost_usd{labels} 3.0",
    ]
    assert "# TYPE codebuddy_estimated_cost_usd gauge" in lines
