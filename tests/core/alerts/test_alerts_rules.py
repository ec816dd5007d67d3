"""The rules of the alerts, one by one: what fires, what it says, and that nothing unknown ever fires."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from buddy_core.alerts.calls import CUT_AT
from buddy_core.alerts.evaluate import AlertBook, Observed, evaluate
from buddy_core.alerts.limits import Limits
from buddy_core.alerts.model import Alert, BudgetUse, Known, Repetition
from buddy_core.alerts.repetition import RepetitionDetector
from buddy_core.clock import ManualClock
from buddy_core.metrics.collector import MetricsCollector
from buddy_core.metrics.window import Window
from buddy_core.runs.facts import RunFacts, RunningTool
from buddy_core.runs.reading.jsonl import EVENTS, LineReader
from buddy_core.testing import RunDirectoryBuilder

NOW = 1_767_961_867_000
MINUTE = 60_000
RUN = "run_mjqy6dxc_0000a1"


def run(**changes: Any) -> RunFacts:
    facts = RunFacts(RUN, "Fix the login", "running", "running", NOW - 3_600_000, None, NOW, None, 9, 9, 0, 0)
    return replace(facts, **changes)


def fired(limits: Limits | None = None, **observed: Any) -> list[Alert]:
    return list(evaluate(Observed(now_ms=NOW, **observed), limits or Limits()))


def waiting_run(waited_ms: int, *tools: str) -> RunFacts:
    calls = tuple(RunningTool(tool, "npm test", NOW - waited_ms) for tool in tools or ("bash",))
    return run(running_tools=calls)


def test_a_stalled_run_fires_and_says_how_long_it_was_silent_and_what_it_waits_for() -> None:
    silent = run(status="stalled", last_event_at=NOW - 723_000)
    [alert] = fired(runs=[silent])
    assert (alert.rule, alert.subject, alert.run_id) == ("stalled", "Fix the login", RUN)
    assert alert.why == "no event for 12m03s"
    assert alert.since_ms == NOW - 723_000 + 600_000
    [alert] = fired(runs=[replace(silent, running_tools=(RunningTool("bash", "", NOW - 723_000),))])
    assert alert.why == "no event for 12m03s, and bash has not answered"
    assert fired(Limits(stalled=False), runs=[silent]) == []
    assert fired(runs=[replace(silent, last_event_at=None)]) == []
    assert fired(runs=[run()]) == []


def test_a_call_that_waits_far_longer_than_its_tool_ever_took_fires() -> None:
    [alert] = fired(runs=[waiting_run(252_000)], known=lambda _: Known(212, 38_000.0))
    assert alert.why == "bash has waited 4m12s; its longest of 212 calls took 38.0 s"
    assert (alert.rule, alert.subject, alert.run_id) == ("waiting", "bash", RUN)
    assert alert.since_ms == NOW - 252_000 + 114_001


@pytest.mark.parametrize(
    ("waited_ms", "known", "fires"),
    [
        (60_001, Known(5, 100.0), True),
        (60_000, Known(5, 100.0), False),
        (600_000, Known(4, 100.0), False),
        (600_000, None, False),
        (600_000, Known(5, 200_000.0), False),
        (600_001, Known(5, 200_000.0), True),
    ],
    ids=["just too long", "a minute", "too few known", "nothing known", "three times", "more than that"],
)
def test_how_long_is_too_long(waited_ms: int, known: Known | None, fires: bool) -> None:
    assert bool(fired(runs=[waiting_run(waited_ms)], known=lambda _: known)) is fires


def test_two_calls_of_one_tool_that_wait_are_one_alert_and_those_of_an_ended_run_none() -> None:
    found = fired(runs=[waiting_run(90_000, "bash", "bash", "grep")], known=lambda _: Known(5, 10.0))
    assert sorted(alert.subject for alert in found) == ["bash", "grep"]
    ended = replace(waiting_run(90_000), status="completed")
    assert fired(runs=[ended], known=lambda _: Known(5, 10.0)) == []


def test_how_long_a_tool_takes_is_asked_only_where_somebody_waits() -> None:
    def never(tool: str) -> Known | None:
        raise AssertionError(tool)

    assert fired(runs=[waiting_run(59_000)], known=never) == []


def collected(failed: int, calls: int, *, minutes_ago: int = 5) -> MetricsCollector:
    collector = MetricsCollector(clock=ManualClock(NOW))
    at_ms = NOW - minutes_ago * MINUTE
    for number in range(calls):
        good = number >= failed
        collector.record_tool_execution(name="bash", success=good, at_ms=at_ms)
        collector.record_api_request(provider="anthropic", model="opus", success=good, at_ms=at_ms)
    return collector


@pytest.mark.parametrize(
    ("failed", "calls", "fires"), [(4, 10, True), (3, 10, False), (9, 9, False), (31, 100, True)]
)
def test_a_tool_and_a_model_that_fail_too_often_fire(failed: int, calls: int, fires: bool) -> None:
    view = collected(failed, calls).view(Window.M15, now_ms=NOW)
    found = fired(tools=view.tools, providers=view.providers)
    assert [alert.rule for alert in found] == (["provider_errors", "tool_errors"] if fires else [])
    if fires:
        share = f"{100 * failed // calls} %"
        assert found[1].why == f"bash failed {failed} of {calls} times in the last 15 minutes ({share})"
        assert found[0].subject == "anthropic/opus"
        assert found[0].severity == "bad"


def test_a_budget_fires_only_when_more_was_spent_and_never_when_nothing_is_known() -> None:
    [alert] = fired(budgets=[BudgetUse("cost_per_hour", 5.0, 5.12)])
    assert alert.why == "$5.12 spent in the last hour, over the budget of $5.00"
    [alert] = fired(budgets=[BudgetUse("cost_per_day", 5.0, 12.4)])
    assert alert.why == "$12.40 spent in the last 24 hours, over the budget of $5.00"
    assert fired(budgets=[BudgetUse("cost_per_hour", 5.0, 5.0), BudgetUse("cost_per_day", 5.0, None)]) == []


def test_worst_and_newest_come_first() -> None:
    found = fired(
        runs=[run(status="stalled", last_event_at=NOW - 700_000)],
        budgets=[BudgetUse("cost_per_day", 1.0, 2.0)],
        repetitions=[Repetition(RUN, "bash", "npm test", 4, NOW - 1)],
    )
    assert [alert.rule for alert in found] == ["cost_per_day", "repeating", "stalled"]


def test_an_alert_keeps_its_beginning_while_it_holds_and_gets_another_when_it_comes_again() -> None:
    book = AlertBook()
    over = [BudgetUse("cost_per_day", 1.0, 2.0)]

    def at(now_ms: int, budgets: list[BudgetUse]) -> list[int]:
        alerts = evaluate(Observed(now_ms=now_ms, budgets=budgets), Limits())
        return [alert.since_ms for alert in book.enter(alerts)]

    assert at(NOW, over) == [NOW]
    assert at(NOW + MINUTE, over) == [NOW]
    assert at(NOW + 2 * MINUTE, []) == []
    assert at(NOW + 3 * MINUTE, over) == [NOW + 3 * MINUTE]


def repetition(made: RunDirectoryBuilder) -> Repetition | None:
    made.write()
    batch = LineReader(EVENTS).feed(made.events_file.read_bytes())
    detector = RepetitionDetector(made.run_id, Limits())
    detector.feed(batch.events)
    return detector.repetition


@pytest.fixture
def made(tmp_path: Any) -> RunDirectoryBuilder:
    return RunDirectoryBuilder(tmp_path)


def test_the_same_call_with_the_same_result_four_times_in_a_row_fires(made: RunDirectoryBuilder) -> None:
    for _ in range(3):
        made.tool("bash", {"command": "npm test", "cwd": "/a"}, error="exit 1", output=9)
    assert repetition(made) is None
    made.tool("bash", {"cwd": "/a", "command": "npm test"}, error="exit 1", output=9)
    found = repetition(made)
    assert found == Repetition(made.run_id, "bash", "npm test", 4, made.now_ms)
    [alert] = fired(repetitions=[found])
    words = "bash was called 4 times in a row with the same arguments and the same result: npm test"
    assert alert.why == words
    made.tool("grep", {"pattern": "x"})
    assert repetition(made) is None, "something else was done since"


@pytest.mark.parametrize("other", [{"output": 8}, {"error": "exit 1"}, {"args": {"command": "npm"}}])
def test_another_result_or_another_argument_is_another_call(
    made: RunDirectoryBuilder, other: dict[str, Any]
) -> None:
    same: dict[str, Any] = {"args": {"command": "npm test"}, "output": 9}
    for number in range(8):
        made.tool("bash", **(same | other if number % 4 == 3 else same))
    assert repetition(made) is None


def test_calls_that_may_differ_where_nothing_was_recorded_are_not_the_same(made: RunDirectoryBuilder) -> None:
    """Unknown fires nothing: arguments that are missing or cut, results without a word of what they were."""
    for _ in range(5):
        made.tool("write_file", {"path": "a", "content": "x" * CUT_AT})
    assert repetition(made) is None
    for of_call, of_result in (({"truncated": True}, {}), ({}, {"truncated": True})):
        for number in range(5):
            cut: dict[str, Any] = {"toolName": "bash", "toolCallId": f"{len(of_call)}{number}"}
            made.event("tool_call", {**cut, "args": {}, **of_call})
            made.event("tool_result", {**cut, "outputLength": 1, **of_result})
        assert repetition(made) is None
    for number in range(5):
        bare = {"toolName": "bash", "toolCallId": f"a{number}"}
        made.event("tool_call", bare).event("tool_result", {**bare, "success": True, "outputLength": 1})
    assert repetition(made) is None
    for number in range(5):
        call: dict[str, Any] = {"toolName": "bash", "toolCallId": f"b{number}", "args": {"command": "ls"}}
        made.event("tool_call", call).event("tool_result", {**call, "success": True})
    assert repetition(made) is None


def test_arguments_nested_however_deep_do_no_harm(made: RunDirectoryBuilder) -> None:
    """Case 43: a hostile line must not end the thread that reads."""
    for depth in (100, 900, 1_100, 5_000, 100_000):
        deep = b'{"a":[' * depth + b"1" + b"]}" * depth
        head = b'{"ts":%d,"type":"tool_call","data":{"toolName":"x","args":' % made.now_ms
        made.raw(head + deep + b"}}\n")
        made.event("tool_result", {"toolName": "x", "outputLength": 1})
    assert repetition(made) is None


def test_results_without_an_id_find_their_calls_and_hostile_payloads_do_no_harm(
    made: RunDirectoryBuilder,
) -> None:
    for _ in range(4):
        made.event("tool_call", {"name": "ls", "args": {}}).event(
            "tool_result", {"name": "ls", "outputLength": 1}
        )
    found = repetition(made)
    assert found is not None
    assert (found.tool, found.argument, found.times) == ("ls", "", 4)
    for odd in (
        {"value": [1]},
        {"args": None},
        {"args": [[]], "toolName": 3},
        {"outputLength": "many", "error": {"a": 1}},
    ):
        made.event("tool_call", odd).event("tool_result", odd)
    assert repetition(made) is None
