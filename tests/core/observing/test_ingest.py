"""Everything that happened is recorded exactly once, whatever is done to the files that tell of it."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Raw
from tests.watching import following

from buddy_core.clock import ManualClock
from buddy_core.metrics.collector import MetricsCollector
from buddy_core.metrics.window import Window
from buddy_core.observing import remembered
from buddy_core.observing.ingest import Ingest
from buddy_core.observing.observer import Observer
from buddy_core.runs.folding.fold import RunFold
from buddy_core.runs.reading.jsonl import EventBatch
from buddy_core.runs.records.wire import WireEvent
from buddy_core.testing import RunDirectoryBuilder

T0 = 1_767_890_000_000
HOUR = 3_600_000


class Bench:
    """A runs directory, an observer of it, and the numbers that come out."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.runs = home / "runs"
        self.runs.mkdir(exist_ok=True)
        self.clock = ManualClock(T0 + 24 * HOUR)
        self.collector = MetricsCollector(clock=self.clock)
        self.observer = Observer(self.runs, self.collector, clock=self.clock)

    def run(self, suffix: str = "0a1b2c", *, at: int = T0) -> RunDirectoryBuilder:
        return RunDirectoryBuilder(self.runs, started_at=at, suffix=suffix)

    def turns(self, *moments: int, tokens: int = 100) -> None:
        """Append turns at `T0` plus so many milliseconds to the file beside the runs."""
        with (self.home / "turn-metrics.jsonl").open("a") as file:
            for ms in moments:
                at = datetime.fromtimestamp((T0 + ms) / 1000, UTC).isoformat()
                file.write(
                    json.dumps({"at": at, "provider": "anthropic", "model": "opus", "inputTokens": tokens})
                    + "\n"
                )

    def calls(self) -> int:
        self.observer.load()
        return self.collector.view(Window.ALL).total_tool_calls

    def tokens(self) -> int:
        self.observer.load()
        return self.collector.view(Window.ALL).total_tokens

    def cost(self) -> float | None:
        self.observer.load()
        return self.collector.view(Window.ALL).total_cost


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


# Exactly once


def test_reading_again_records_nothing_again(bench: Bench) -> None:
    bench.run().tool("bash").tool("bash", error="exit 1").error("boom").request(cost=0.5).end().write()
    bench.observer.load()
    before = bench.collector.view(Window.ALL)
    bench.observer.reread()
    bench.observer.load()

    assert bench.collector.view(Window.ALL) == before
    assert (before.total_tool_calls, before.total_requests, before.total_errors) == (2, 1, 2)


def test_a_file_that_grows_in_any_pieces_is_recorded_line_by_line(bench: Bench) -> None:
    """Case 21."""
    run = bench.run().tool("bash").tool("search")
    run.write()
    whole = run.events_file.read_bytes()
    for cut in range(0, len(whole), 41):
        run.events_file.write_bytes(whole[:cut])
        assert bench.calls() == sum(b"tool_result" in line for line in whole[:cut].split(b"\n")[:-1])
    run.events_file.write_bytes(whole)

    assert bench.calls() == 2


def test_a_file_replaced_by_its_copy_is_no_news(bench: Bench) -> None:
    """Cases 24 and 25."""
    run = bench.run().tool("bash").tool("bash")
    run.write()
    bench.observer.load()
    copy = run.events_file.with_suffix(".copy")
    shutil.copy(run.events_file, copy)
    copy.rename(run.events_file)

    assert bench.calls() == 2
    assert bench.observer.facts()[0].event_count == 5


def test_a_truncated_file_shows_less_and_takes_nothing_back(bench: Bench) -> None:
    """Case 24."""
    run = bench.run().tool("bash").tool("bash")
    run.write()
    bench.observer.load()
    whole = run.events_file.read_bytes()
    run.events_file.write_bytes(b"".join(whole.splitlines(keepends=True)[:3]))
    assert bench.calls() == 2
    assert bench.observer.facts()[0].tool_calls == 1
    run.events_file.write_bytes(whole)

    assert bench.calls() == 2
    assert bench.observer.facts()[0].tool_calls == 2


def test_a_file_rewritten_with_other_events_adds_only_those(bench: Bench) -> None:
    """Case 24."""
    run = bench.run().tool("bash").tool("bash")
    run.write()
    bench.observer.load()
    lines = run.events_file.read_bytes().splitlines(keepends=True)
    other = lines[-1].replace(b'"success":true', b'"success":false')
    run.events_file.write_bytes(b"".join([*lines[:3], other]))

    assert bench.calls() == 3
    assert bench.observer.facts()[0].tool_failures == 1


def test_a_run_deleted_and_made_again_is_the_same_run(bench: Bench) -> None:
    """Cases 26 and 27."""
    bench.run().tool("bash").metrics(totalTokens=50, totalCost=0.5).end().write()
    assert (bench.calls(), bench.tokens()) == (1, 50)
    shutil.rmtree(bench.run().run_dir)
    assert bench.calls() == 1
    assert bench.observer.facts() == ()
    bench.run().tool("bash").metrics(totalTokens=50, totalCost=0.5).end().write()

    assert (bench.calls(), bench.tokens(), bench.cost()) == (1, 50, 0.5)
    assert len(bench.observer.facts()) == 1


def test_equal_lines_in_one_file_are_two_events(bench: Bench) -> None:
    line = b'{"ts":1767890000000,"type":"error","data":{"message":"same"}}\n'
    bench.run().raw(line).raw(line).write()
    bench.observer.load()

    assert bench.collector.view(Window.ALL).total_errors == 2


def test_whoever_starts_late_sees_what_an_early_one_saw(bench: Bench, tmp_path: Path) -> None:
    run = bench.run().tool("bash", error="exit 1")
    for _ in range(5):
        run.tool("search").request(cost=0.01).error("x").write()
        bench.observer.load()
    run.end().write()
    bench.observer.load()
    late = Bench(tmp_path)
    late.observer.load()

    assert bench.collector.view(Window.ALL) == late.collector.view(Window.ALL)
    assert bench.observer.facts() == late.observer.facts()


LETTERS = st.lists(st.sampled_from("abcd"), max_size=4)
CHANGES = st.lists(
    st.tuples(st.sampled_from(["append", "rewrite", "replace", "remove run"]), LETTERS), max_size=8
)


@settings(deadline=None, max_examples=60)
@given(CHANGES)
def test_the_collector_knows_each_event_as_often_as_the_fullest_file_had_it(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[str, list[str]]]
) -> None:
    """Cases 24 to 27, in any order: errors named by a letter, looked at after every change."""
    bench = Bench(tmp_path_factory.mktemp("home"))
    run_dir = bench.run().run_dir
    content, most = "", Counter[str]()
    for kind, letters in changes:
        content = content + "".join(letters) if kind == "append" else "".join(letters)
        _change(run_dir, kind, content)
        most |= Counter(content if kind != "remove run" else "")
        bench.observer.load()
    bench.observer.close()
    recorded = Counter(error.message for error in bench.collector.get_recent_errors(1000))

    assert recorded == most
    shown = {run.run_id: run.errors for run in bench.observer.facts()}
    assert shown == ({run_dir.name: len(content)} if run_dir.exists() else {})


def _change(run_dir: Path, kind: str, content: str) -> None:
    if kind == "remove run":
        shutil.rmtree(run_dir, ignore_errors=True)
        return
    run_dir.mkdir(exist_ok=True)
    lines = "".join(f'{{"ts":{T0},"type":"error","data":{{"message":"{letter}"}}}}\n' for letter in content)
    target = run_dir / ("new" if kind == "replace" else "events.jsonl")
    target.write_text(lines)
    target.rename(run_dir / "events.jsonl")


# Usage that no request accounts for


def test_totals_without_requests_are_usage_of_the_run_at_its_end(bench: Bench) -> None:
    bench.run().wait(HOUR).end().metrics(
        totalTokens=900, promptTokens=800, completionTokens=100, totalCost=0.25
    ).write()
    bench.observer.load()
    view = bench.collector.view(Window.ALL)

    assert (view.total_tokens, view.prompt_tokens, view.completion_tokens) == (900, 800, 100)
    assert (view.unattributed_tokens, view.unattributed_cost, view.total_cost) == (900, 0.25, 0.25)
    assert view.providers == ()
    (slot,) = [slot for slot in bench.collector.activity(Window.H24, 24).buckets if slot.tokens]
    assert slot.start_at <= T0 + HOUR < slot.start_at + HOUR


def test_only_what_the_runs_own_requests_leave_is_added(bench: Bench) -> None:
    run = bench.run().request(prompt=100, completion=20, cost=0.1).end()
    run.metrics(totalTokens=150, promptTokens=130, completionTokens=20, totalCost=0.4).write()

    assert (bench.tokens(), bench.cost()) == (150, pytest.approx(0.4))
    assert bench.collector.view(Window.ALL).unattributed_tokens == 30


def test_requests_beyond_the_totals_add_nothing_and_take_nothing_away(bench: Bench) -> None:
    bench.run().request(prompt=100, completion=20, cost=0.1).end().metrics(
        totalTokens=70, totalCost=0.01
    ).write()

    assert (bench.tokens(), bench.cost()) == (120, 0.1)


def test_growing_totals_are_recorded_as_differences(bench: Bench) -> None:
    run = bench.run().tool("bash")
    for tokens in (100, 250, 250, 240, 900):
        run.metrics(totalTokens=tokens, totalCost=tokens / 1000).write()
        bench.observer.load()
    run.tool("bash").end().write()

    assert (bench.tokens(), bench.cost()) == (900, pytest.approx(0.9))


def test_a_truncated_file_does_not_turn_its_requests_into_usage(bench: Bench) -> None:
    run = bench.run().request(prompt=100, completion=20, cost=0.1).end()
    run.write()
    assert bench.tokens() == 120
    run.events_file.write_bytes(b"")

    assert (bench.tokens(), bench.cost()) == (120, 0.1)


def test_zeros_are_not_logged_and_cost_nothing(bench: Bench) -> None:
    bench.run().tool("bash").end().write()

    assert (bench.tokens(), bench.cost()) == (None, None)
    assert bench.observer.facts()[0].total_tokens is None
    assert bench.observer.facts()[0].total_cost is None


# Turns


def test_tokens_that_turns_account_for_are_not_counted_again_but_the_cost_is(bench: Bench) -> None:
    bench.run().wait(10_000).end().metrics(totalTokens=300, totalCost=0.7).write()
    bench.turns(1_000, 9_000, tokens=140)

    assert (bench.tokens(), bench.cost()) == (280, 0.7)
    assert bench.observer.facts()[0].total_tokens == 300
    assert bench.observer.facts()[0].model == "opus"


def test_a_turn_that_could_be_anybodys_still_keeps_its_tokens_from_counting_twice(bench: Bench) -> None:
    bench.run("00000a").wait(60_000).end().metrics(totalTokens=100).write()
    bench.run("00000b", at=T0 + 500).wait(60_000).end().metrics(totalTokens=100).write()
    bench.turns(30_000, 31_000)

    assert bench.tokens() == 200
    assert bench.observer.sources().ambiguous_turns == 2
    assert {run.model for run in bench.observer.facts()} == {None}


def test_runs_without_any_turn_in_their_time_keep_their_own_totals(bench: Bench) -> None:
    bench.run("00000a").end().metrics(totalTokens=100).write()
    bench.run("00000b", at=T0 + HOUR).end().metrics(totalTokens=1000).write()
    bench.turns(0)

    assert bench.tokens() == 1100
    assert bench.collector.view(Window.ALL).unattributed_tokens == 1000


def test_a_turn_outside_every_run_is_still_a_request(bench: Bench) -> None:
    bench.turns(-HOUR)

    assert bench.tokens() == 100
    assert bench.collector.get_provider_metrics()[0].total_requests == 1


async def test_while_a_run_lives_its_totals_wait_for_the_turns_that_may_explain_them(bench: Bench) -> None:
    bench.clock.set_wall(T0 + 1_000)
    bench.turns(-HOUR)
    run = bench.run().tool("bash").metrics(totalTokens=400, totalCost=0.2)
    run.write()
    async with following(bench.observer) as until:
        await until(lambda: len(bench.observer.facts()) == 1)
        assert bench.collector.get_total_tokens() == 100
        assert bench.collector.get_total_cost() == 0.2
        bench.turns(900, tokens=400)
        await until(lambda: bench.observer.sources().turn_requests == 2)
        run.end().write()
        await until(lambda: bench.observer.facts()[0].status == "completed")
        bench.clock.advance(HOUR)
        bench.observer.tick()

        assert bench.collector.get_total_tokens() == 500
        assert bench.observer.facts()[0].model == "opus"


async def test_totals_that_no_turn_explains_are_recorded_when_none_can_come_any_more(bench: Bench) -> None:
    bench.clock.set_wall(T0 + 1_000)
    bench.turns(-HOUR)
    bench.run().tool("bash").end().metrics(totalTokens=400).write()
    async with following(bench.observer) as until:
        await until(lambda: len(bench.observer.facts()) == 1)
        assert bench.collector.get_total_tokens() == 100
        bench.clock.advance(6_000)
        bench.observer.tick()
        bench.observer.tick()

        assert bench.collector.get_total_tokens() == 500


async def test_a_turn_tells_the_model_of_its_run_at_once(bench: Bench) -> None:
    bench.run().tool("bash").write()
    bench.clock.set_wall(T0 + 60_000)
    async with following(bench.observer) as until:
        await until(lambda: bench.observer.facts() != ())
        bench.turns(30_000)
        await until(lambda: bench.observer.sources().turn_requests == 1)

        assert bench.observer.facts()[0].model == "opus"


# What becomes of each kind of event


@pytest.mark.parametrize("live", [False, True])
def test_the_reason_of_a_failed_tool_is_an_error_whether_live_or_not(bench: Bench, live: bool) -> None:
    harvest = RunFold("run_a_000000").feed(_failed_call(), now_ms=T0)
    Ingest(bench.collector).deliver("run_a_000000", harvest, live=live)
    (group,) = bench.collector.view(Window.ALL).errors

    assert (group.type, group.latest.message, group.run_ids) == ("tool_error", "exit 1", ("run_a_000000",))
    assert bench.collector.view(Window.ALL).total_errors == 1


def _failed_call() -> EventBatch:
    data = b'{"toolName":"bash","toolCallId":"a","success":false,"error":"exit 1","durationMs":7}'
    return EventBatch([WireEvent(T0, "tool_result", Raw(data))], [1], [0])


def test_what_is_remembered_of_runs_that_are_gone_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "MAX_GONE", 2)
    memory = Ingest(MetricsCollector())
    records = {run_id: memory.record_of(run_id) for run_id in "abc"}
    for run_id in "abc":
        memory.run_gone(run_id)

    assert memory.record_of("a") is not records["a"]
    assert [memory.record_of(run_id) is records[run_id] for run_id in "bc"] == [True, True]


def test_of_very_long_runs_that_are_gone_fewer_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Case 39: an agent that writes without a pause, and whose runs are pruned, costs no more memory every hour."""
    monkeypatch.setattr(remembered, "MAX_GONE_RECORDS", 250)
    memory = Ingest(MetricsCollector())
    records = {run_id: memory.record_of(run_id) for run_id in "abcd"}
    for run_id, record in records.items():
        record.seen.sift(range(100))
        memory.run_gone(run_id)

    assert memory.record_of("a") is not records["a"]
    assert [memory.record_of(run_id) is records[run_id] for run_id in "bcd"] == [True, True, True]


def test_the_requests_of_a_run_are_those_of_its_provider_with_their_own_times(bench: Bench) -> None:
    bench.run().request(
        "openai", "gpt-5.2", prompt=10, completion=5, cache_read=7, cost=0.01, latency_ms=900
    ).end().write()
    bench.observer.load()
    (provider,) = bench.collector.get_provider_metrics()

    assert (provider.provider, provider.model, provider.total_requests) == ("openai", "gpt-5.2", 1)
    assert (provider.total_tokens, provider.cache_read_tokens, provider.total_cost) == (22, 7, 0.01)
    assert (provider.last_request_at, provider.avg_latency_ms) == (T0 + 900, 900.0)


def test_custom_values_become_points_of_their_metric(bench: Bench) -> None:
    bench.run().event("metric", {"kind": "value", "name": "queue", "value": 3, "labels": {"q": "a"}}).write()
    bench.observer.load()
    (point,) = bench.collector.get_metric_history("queue")

    assert (point.timestamp, point.value, dict(point.labels)) == (T0, 3.0, {"q": "a"})


async def test_live_events_are_heard_one_by_one_and_history_is_not(bench: Bench) -> None:
    heard: list[str] = []
    for name in ("tool:executed", "api:request", "error"):
        bench.collector.on(name, lambda event: heard.append(event.name))
    run = bench.run().tool("bash").error("old").request()
    run.write()
    async with following(bench.observer) as until:
        await until(lambda: bench.observer.facts() != ())
        assert heard == []
        run.tool("bash").tool("search", error="no match").request().error("new").write()
        await until(lambda: bench.observer.facts()[0].errors == 2)

    assert Counter(heard) == {"tool:executed": 2, "api:request": 1, "error": 2}
    view = bench.collector.view(Window.ALL)
    assert (view.total_tool_calls, view.failed_tool_calls, view.total_requests, view.total_errors) == (
        3,
        1,
        2,
        3,
    )
    (reason,) = [error for error in bench.collector.get_recent_errors() if error.type == "tool_error"]
    assert (reason.message, dict(reason.context or {})["tool"]) == ("no match", "search")
