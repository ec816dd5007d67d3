"""What is said of a number: its kind, its samples, its formula, its files, and what is missing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from buddy_core.clock import ManualClock
from buddy_core.metrics.collector import MetricsCollector
from buddy_core.metrics.looking.model import WindowView
from buddy_core.metrics.window import Window
from buddy_core.observing.observer import Observer
from buddy_core.origins.errors import origin_of_errors
from buddy_core.origins.everything import origin_of_everything
from buddy_core.origins.model import Figure, Origin
from buddy_core.origins.money import price_words
from buddy_core.origins.providers import origin_of_provider
from buddy_core.origins.runs import origin_of_run
from buddy_core.origins.tools import origin_of_tool
from buddy_core.prices.rates import Price, Rates
from buddy_core.prices.table import PriceEntry, PriceTable
from buddy_core.testing import RunDirectoryBuilder

T0 = 1_767_890_000_000  # 2026-01-08 16:33:20 UTC
HOUR = 3_600_000
M = 1_000_000

PRICES = PriceTable([PriceEntry("claude-*", Rates(3.0, 15.0, 0.3), None, "/home/u/config.toml")])


class Bench:
    """A runs directory as it is read."""

    def __init__(self, home: Path, prices: PriceTable | None = PRICES) -> None:
        self.runs = home / "runs"
        self.clock = ManualClock(T0 + HOUR)
        self.collector = MetricsCollector(clock=self.clock, prices=prices)
        self.observer = Observer(self.runs, self.collector, clock=self.clock)

    def run(self, **more: object) -> RunDirectoryBuilder:
        return RunDirectoryBuilder(self.runs, started_at=T0, suffix="0a1b2c", **more)  # type: ignore[arg-type]

    def view(self, window: Window = Window.H24) -> WindowView:
        self.observer.load()
        return self.collector.view(window)

    def provider(self) -> Origin:
        view = self.view()
        (row,) = view.providers
        price = PRICES.find(row.provider, row.model, T0) if row.estimated_count else None
        return origin_of_provider(row, view, self.observer.sources(), price)

    def tool(self) -> Origin:
        view = self.view()
        return origin_of_tool(view.tools[0], view, self.observer.sources())

    def everything(self) -> Origin:
        view = self.view()
        state = self.collector.get_dashboard_state()
        return origin_of_everything(
            view, state, self.observer.sources(), self.observer.facts(), slice_ms=60_000
        )

    def of_run(self) -> Origin:
        self.observer.load()
        (run,) = self.observer.facts()
        return origin_of_run(
            run, self.runs, now_ms=self.clock.now_ms(), price=PRICES.find(None, "claude-x", T0)
        )


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def figure(origin: Origin, key: str) -> Figure:
    (found,) = [one for one in origin.figures if one.key == key]
    return found


def told(origin: Origin, key: str) -> tuple[str, str]:
    found = figure(origin, key)
    return found.value, found.kind


def missing(origin: Origin, words: str) -> bool:
    return any(words in line for line in origin.missing)


# Costs


def test_a_stated_cost_is_measured_and_says_how_many_state_it(bench: Bench) -> None:
    bench.run().request(cost=0.25).request(cost=0.25).end().write()
    origin = bench.provider()
    assert told(origin, "cost") == ("$0.50", "measured")
    assert figure(origin, "cost").how == "stated by 2 of 2 requests"


def test_an_estimated_cost_names_both_parts_and_the_price(bench: Bench) -> None:
    bench.run().request(cost=0.25).request(prompt=M, completion=0).end().write()
    origin = bench.provider()
    assert told(origin, "cost") == ("≈$3.25", "estimated")
    how = figure(origin, "cost").how
    assert how.startswith("$0.25 stated by 1 of 2 requests; ≈$3.00 priced from the tokens of 1")
    assert "claude-*: $3 in, $15 out, $0.3 cache read per million tokens (/home/u/config.toml)" in how
    assert told(origin, "share") == ("100 %", "estimated")


def test_an_estimate_without_any_cached_tokens_says_that_it_may_be_far_too_high(bench: Bench) -> None:
    run = bench.run().request(prompt=M)
    run.write()
    assert missing(bench.provider(), "priced as fresh input")
    assert missing(bench.everything(), "priced as fresh input")
    assert missing(bench.of_run(), "priced as fresh input")
    run.request(cache_read=5).write()
    assert not missing(bench.provider(), "priced as fresh input")
    assert not missing(bench.of_run(), "priced as fresh input")


def test_a_cost_that_is_a_lower_bound_says_how_many_requests_are_missing(tmp_path: Path) -> None:
    bench = Bench(tmp_path, prices=None)
    bench.run().request(cost=0.25).request().request(success=False).end().write()
    origin = bench.provider()
    assert told(origin, "cost") == ("≥$0.25", "measured")
    assert missing(origin, "1 answered request without a cost")


def test_an_unknown_cost_is_not_known_and_says_so(tmp_path: Path) -> None:
    bench = Bench(tmp_path, prices=None)
    bench.run().request().end().write()
    assert told(bench.provider(), "cost") == ("–", "not known")
    assert told(bench.provider(), "share") == ("–", "not known")
    assert told(bench.everything(), "cost") == ("–", "not known")


def test_a_price_with_tiers_says_from_where_on_others_hold() -> None:
    price = Price(Rates(1.25, 10.0), "genai-prices 1", "gemini", ((200_000, Rates(2.5, 15.0)),))
    assert price_words(price) == (
        "gemini: $1.25 in, $10 out, cache as input per million tokens; others above 200,000 tokens of input "
        "(genai-prices 1)"
    )


# Samples and formulas


def test_averages_and_percentiles_name_their_samples_and_their_error(bench: Bench) -> None:
    run = bench.run()
    for took in range(1, 41):
        run.request(latency_ms=took * 100, cost=0.0)
    run.request(cost=0.0)
    run.end().write()
    origin = bench.provider()
    assert figure(origin, "avg").how == "mean of 40 response times"
    assert figure(origin, "p95").how == "of 40 samples, at most 1 % off"
    assert missing(origin, "1 request without a response time")
    assert figure(origin, "ttft").kind == "not known"


def test_a_percentile_of_few_samples_says_that_it_is_the_longest(bench: Bench) -> None:
    bench.run().tool("bash", took_ms=100).tool("bash", took_ms=900).end().write()
    origin = bench.tool()
    assert figure(origin, "p95").how.endswith("so few that it is the longest")
    assert "so few" not in figure(origin, "p50").how
    assert told(origin, "max") == ("900 ms", "measured")


def test_a_success_rate_has_its_interval_and_a_score_its_formula(bench: Bench) -> None:
    run = bench.run()
    for number in range(10):
        run.tool("bash", took_ms=3_000, error="exit 1" if number == 0 else None)
    run.end().write()
    origin = bench.tool()
    assert told(origin, "success") == ("90 %", "derived")
    assert told(origin, "interval") == ("60–98 %", "derived")
    assert "Wilson" in figure(origin, "interval").how
    assert told(origin, "score") == (f"{0.8 * 0.9 + 0.2 * (1 - 3 / 30):.2f}", "derived")
    assert figure(origin, "score").how == "0.8 × 0.9 success + 0.2 × (1 − average / 30 s, at least 0)"


def test_a_tool_without_durations_says_what_its_score_is_then(bench: Bench) -> None:
    bench.run().event("tool_result", {"toolName": "bash", "toolCallId": "c", "success": True}).end().write()
    origin = bench.tool()
    assert told(origin, "p95") == ("–", "not known")
    assert "no duration is known" in figure(origin, "score").how
    assert missing(origin, "1 call without a duration")


# Everything


def test_the_headline_tells_requests_totals_and_estimates_apart(bench: Bench) -> None:
    run = bench.run(metadata={"tags": ["headless", "claude-opus"]}).tool("bash").end()
    run.metrics(totalTokens=M, promptTokens=M, completionTokens=0).write()
    origin = bench.everything()
    assert told(origin, "tokens") == ("1,000,000", "measured")
    assert figure(origin, "tokens").how == "1,000,000 of run totals that no request accounts for"
    assert told(origin, "cost") == ("≈$3.00", "estimated")
    assert figure(origin, "cost").how == "≈$3.00 priced from tokens"
    assert told(origin, "chart") == ("1m00s", "derived")


def test_totals_that_runs_state_are_told_from_what_requests_state(bench: Bench) -> None:
    bench.run().request(cost=0.5).end().metrics(totalCost=2.0).write()
    how = figure(bench.everything(), "cost").how
    assert how == "$0.50 stated by 1 request, $1.50 by totals of runs (metrics.json)"


def test_damage_and_silent_runs_are_missing(bench: Bench) -> None:
    bench.run().tool("bash").raw(b'{"broken\n').end().write()
    origin = bench.everything()
    assert missing(origin, "1 damaged line skipped")
    assert missing(origin, "runs whose cost is not known by run: 1 of 1")


def test_the_span_is_exact_and_names_the_grain(bench: Bench) -> None:
    bench.run().tool("bash").end().write()
    assert bench.tool().span == "2026-01-07 17:33:00 to 2026-01-08 17:33:20 (24h, begun on the whole minute)"
    view = bench.view(Window.ALL)
    assert "everything up to" in origin_of_tool(view.tools[0], view, bench.observer.sources()).span


def test_the_files_are_named_and_turns_only_where_they_matter(bench: Bench) -> None:
    bench.run().tool("bash").end().write()
    line = '{"at":"2026-01-08T16:33:20Z","provider":"a","model":"b","inputTokens":5}\n'
    (bench.runs.parent / "turn-metrics.jsonl").write_text(line)
    (runs,), (first, second) = bench.tool().files, bench.everything().files
    assert runs == first == f"{bench.runs}: events.jsonl, summary.json, metrics.json; 1 of 1 runs read"
    assert (
        second
        == f"{bench.runs.parent / 'turn-metrics.jsonl'}: 1 request, with tokens and times, never a cost"
    )


def test_what_comes_from_the_history_is_named_and_so_is_what_it_lost(bench: Bench) -> None:
    bench.run().tool("bash").end().write()
    view = bench.view()
    sources = replace(
        bench.observer.sources(),
        history=Path("/state/history.sqlite"),
        history_runs=3,
        history_turns=40,
        history_since_ms=T0,
        history_problem="it was damaged",
    )
    origin = origin_of_tool(view.tools[0], view, sources)
    kept = "3 runs that are gone, 40 requests that are in no file any more, since 2026-01-08 16:33:20"
    assert origin.files[1] == f"/state/history.sqlite: {kept}"
    assert missing(origin, "history: it was damaged")


# Runs and errors


def test_a_run_says_from_which_of_its_files_its_totals_are(bench: Bench) -> None:
    bench.run().tool("bash").end().metrics(totalTokens=900, promptTokens=900, totalCost=0.5).write()
    origin = bench.of_run()
    assert told(origin, "tokens") == ("900", "measured")
    assert figure(origin, "tokens").how == "900 prompt; total in metrics.json"
    assert figure(origin, "cost").how == "total in metrics.json"
    assert origin.files == (
        f"{bench.runs / 'run_mk5o26bk_0a1b2c'}: events.jsonl, summary.json, metrics.json",
    )


def test_a_run_that_was_priced_names_the_price(bench: Bench) -> None:
    bench.run().request(prompt=M, completion=0).request(cost=1.0).end().write()
    origin = bench.of_run()
    assert told(origin, "cost") == ("≈$4.00", "estimated")
    assert figure(origin, "cost").how.startswith("$1.00 stated, ≈$3.00 priced from tokens; claude-*: $3 in")


def test_a_run_that_logs_nothing_says_what_a_zero_means(bench: Bench) -> None:
    bench.run().tool("bash").end().write()
    origin = bench.of_run()
    assert told(origin, "tokens") == ("–", "not known")
    assert "which means not logged" in figure(origin, "tokens").how
    assert told(origin, "status") == ("completed", "measured")


def test_a_concluded_status_is_derived(bench: Bench) -> None:
    bench.run().tool("bash").write()
    assert figure(bench.of_run(), "status").kind == "derived"


def test_a_kind_of_error_and_a_single_one_are_told_apart(bench: Bench) -> None:
    bench.run().error("boom 1").error("boom 2").end().write()
    view = bench.view()
    (group,) = view.errors
    numbers = (group.count, group.first_at, group.last_at, len(group.run_ids))
    several = origin_of_errors("boom", *numbers, view, bench.observer.sources(), grouped=True)
    single = origin_of_errors("boom", 1, T0, T0, 1, view, bench.observer.sources(), grouped=False)
    assert [one.key for one in several.figures] == ["count", "last", "first", "runs"]
    assert (told(several, "count"), single.about) == (("2", "measured"), "one error")
    assert figure(single, "last").how == "2026-01-08 16:33:20, by the event's own clock"
