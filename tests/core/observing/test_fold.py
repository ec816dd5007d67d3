"""One run's events become counts and a harvest; whatever a payload looks like, nothing is raised."""

from __future__ import annotations

import itertools
import json
from itertools import pairwise
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from buddy_core.runs.folding.fold import RunFold
from buddy_core.runs.folding.harvest import Harvest
from buddy_core.runs.folding.pairing import MAX_UNANSWERED
from buddy_core.runs.reading.jsonl import EventBatch, JsonlReader
from buddy_core.runs.records.payloads import MAX_NAME, UNNAMED
from buddy_core.runs.records.wire import WireEvent

RUN = "run_mk000001_aaaaaa"
T0 = 1_767_890_000_000
LATER = T0 + 10**9


def batch(*events: tuple[int, str, Any]) -> EventBatch:
    """Events at `T0` plus so many milliseconds, as the reader would hand them over."""
    wire = [
        WireEvent(T0 + ms, kind, msgspec.Raw(json.dumps(data).encode()), RUN) for ms, kind, data in events
    ]
    return EventBatch(wire, list(range(len(wire))), [0] * len(wire))


def fold(*events: tuple[int, str, Any]) -> tuple[RunFold, Harvest]:
    folded = RunFold(RUN)
    return folded, folded.feed(batch(*events), now_ms=LATER)


def call(ms: int, tool: str | None, call_id: str | None = None, **more: Any) -> tuple[int, str, Any]:
    return ms, "tool_call", _named(tool, call_id) | more


def result(
    ms: int, tool: str | None, call_id: str | None = None, ok: Any = True, **more: Any
) -> tuple[int, str, Any]:
    return ms, "tool_result", _named(tool, call_id) | {"success": ok} | more


def _named(tool: str | None, call_id: str | None) -> dict[str, Any]:
    names = {"toolName": tool, "toolCallId": call_id}
    return {key: value for key, value in names.items() if value is not None}


def durations(harvest: Harvest) -> dict[str, list[float | None]]:
    return {tool: column.duration_ms for tool, column in harvest.tools.items()}


def test_a_result_is_a_tool_record_with_the_duration_its_writer_measured() -> None:
    folded, harvest = fold(call(0, "bash", "a"), result(900, "bash", "a", durationMs=842))

    assert (folded.event_count, folded.tool_calls, folded.tool_failures) == (2, 1, 0)
    column = harvest.tools["bash"]
    assert (column.at_ms, column.duration_ms, column.ok) == ([T0 + 900], [842.0], [True])


def test_without_a_measured_duration_the_time_since_the_call_counts() -> None:
    _, harvest = fold(call(0, "bash", "a"), result(900, "bash", "a"))

    assert durations(harvest) == {"bash": [900.0]}


def test_without_a_call_a_duration_is_unknown_and_not_zero() -> None:
    _, harvest = fold(result(900, "bash", "filtered"))

    assert durations(harvest) == {"bash": [None]}


def test_a_clock_that_went_backwards_gives_no_duration() -> None:
    _, harvest = fold(call(500, "bash", "a"), result(100, "bash", "a"))

    assert durations(harvest) == {"bash": [None]}


def test_results_find_their_calls_by_id_in_any_order() -> None:
    _, harvest = fold(
        call(0, "bash", "a"), call(10, "bash", "b"), result(30, "bash", "b"), result(50, "bash", "a")
    )

    assert durations(harvest) == {"bash": [20.0, 50.0]}


def test_without_ids_calls_are_answered_first_in_first_out_per_tool() -> None:
    _, harvest = fold(
        call(0, "bash"),
        call(5, "search"),
        call(10, "bash"),
        result(30, "bash"),
        result(50, "bash"),
        result(60, "search"),
    )

    assert durations(harvest) == {"bash": [30.0, 40.0], "search": [55.0]}


def test_a_result_without_an_id_answers_the_oldest_call_of_its_tool_that_has_one() -> None:
    folded, harvest = fold(call(0, "bash", "a"), call(10, "bash", "b"), result(30, "bash"))

    assert durations(harvest) == {"bash": [30.0]}
    assert [open_call.at_ms for open_call in folded.open_calls] == [T0 + 10]


def test_a_filtered_result_does_not_steal_the_call_of_another_id() -> None:
    folded, harvest = fold(call(0, "bash", "a"), result(10, "bash", "filtered"), result(30, "bash", "a"))

    assert durations(harvest) == {"bash": [None, 30.0]}
    assert folded.open_calls == ()


def test_a_result_of_another_id_answers_a_call_without_one_rather_than_one_of_its_own_id() -> None:
    folded, harvest = fold(call(0, "bash", "a"), call(10, "bash"), result(25, "bash", "other"))

    assert durations(harvest) == {"bash": [15.0]}
    assert [open_call.at_ms for open_call in folded.open_calls] == [T0]


def test_other_spellings_of_name_and_id_are_understood() -> None:
    _, harvest = fold(
        (0, "tool_call", {"name": "bash", "callId": "a"}),
        (9, "tool_result", {"name": "bash", "callId": "a", "success": True}),
        (10, "tool_call", {"toolName": "grep", "id": "b"}),
        (17, "tool_result", {"id": "b", "success": True}),
    )

    assert durations(harvest) == {"bash": [9.0], "grep": [7.0]}


def test_a_call_without_a_name_is_still_a_call() -> None:
    """Case 46."""
    folded, harvest = fold((0, "tool_call", "[REDACTED]"), (5, "tool_result", None))

    assert folded.tool_calls == 1
    assert durations(harvest) == {UNNAMED: [5.0]}


def test_over_long_and_empty_names_are_cut_or_replaced_so_that_nothing_is_refused() -> None:
    """Case 50."""
    _, harvest = fold(call(0, "x" * 999, "a"), result(5, "x" * 999), request(6, model="m" * 999, provider=""))

    assert durations(harvest) == {"x" * MAX_NAME: [5.0]}
    assert list(harvest.requests) == [(UNNAMED, "m" * MAX_NAME)]


def test_calls_without_a_result_stay_open_oldest_first_and_are_bounded() -> None:
    folded, _ = fold(*(call(n, "bash", f"id{n}") for n in range(MAX_UNANSWERED + 5)))

    assert len(folded.open_calls) == MAX_UNANSWERED
    assert folded.open_calls[0].at_ms == T0 + 5
    assert folded.tool_calls == MAX_UNANSWERED + 5


def test_the_arguments_of_an_open_call_are_kept_undecoded() -> None:
    folded, _ = fold(call(0, "bash", "a", args={"command": "ls"}))

    assert json.loads(bytes(folded.open_calls[0].data))["args"] == {"command": "ls"}


def test_a_failed_call_that_gives_a_reason_is_also_an_error_of_its_tool() -> None:
    folded, harvest = fold(result(7, "bash", "a", ok=False, error="exit 1"), result(8, "bash", "b", ok=False))

    assert folded.tool_failures == 2
    assert folded.errors == 0
    ((tool, row, error),) = harvest.tool_errors
    assert (tool, row) == ("bash", 0)
    assert (error.type, error.message, error.context) == ("tool_error", "exit 1", {"tool": "bash"})
    assert (error.timestamp, error.run_id) == (T0 + 7, RUN)


def test_success_is_false_only_when_the_record_says_so() -> None:
    folded, harvest = fold(
        *(result(n, "t", str(n), ok=ok) for n, ok in enumerate([True, None, "false", False, 0, "yes", {}]))
    )

    assert harvest.tools["t"].ok == [True, True, False, False, False, True, True]
    assert folded.tool_failures == 3


def test_numbers_in_quotes_are_numbers_and_absurd_ones_are_unknown() -> None:
    """Cases 44 and 46."""
    _, harvest = fold(
        *(result(n, "t", str(n), durationMs=ms) for n, ms in enumerate(["12.5", -1, 1e300, "x", True, [], 0]))
    )

    assert harvest.tools["t"].duration_ms == [12.5, None, None, None, None, None, 0.0]


def test_error_events_are_counted_and_recorded_with_what_they_carry() -> None:
    folded, harvest = fold(
        (1, "error", {"message": "boom", "stack": "at x", "code": "E42", "status": 529}),
        (2, "error", {"error": "other spelling"}),
        (3, "error", {"message": 12}),
        (4, "error", "just a text"),
    )

    assert folded.errors == 4
    first = harvest.errors[0]
    assert (first.type, first.message, first.stack, first.context) == (
        "E42",
        "boom",
        "at x",
        {"status": "529"},
    )
    assert [error.message for error in harvest.errors[1:3]] == ["other spelling", "12"]
    assert {error.type for error in harvest.errors[1:]} == {"error"}


def test_half_a_character_in_an_error_becomes_a_replacement_mark() -> None:
    """Case 45."""
    reader = JsonlReader()
    line = rb'{"ts":1767890000000,"type":"error","data":{"message":"cut \ud83c"}}' + b"\n"
    harvest = RunFold(RUN).feed(reader.feed(line), now_ms=LATER)

    assert harvest.errors[0].message == "cut \ufffd"


def request(ms: int, **fields: Any) -> tuple[int, str, Any]:
    return ms, "metric", {"kind": "api_request", "provider": "anthropic", "model": "opus"} | fields


def test_api_request_events_become_requests_and_sums() -> None:
    folded, harvest = fold(
        request(5, promptTokens=100, completionTokens=20, cacheReadTokens=3, cacheWriteTokens=4, cost=0.5,
                latencyMs=1200, ttftMs=300),
        request(9, promptTokens=1, success=False),
    )  # fmt: skip

    first, second = harvest.requests["anthropic", "opus"]
    assert first == (T0 + 5, 100, 20, 3, 4, 0.5, 1200.0, 300.0, True)
    assert second == (T0 + 9, 1, 0, 0, 0, None, None, None, False)
    sums = folded.sums
    assert (sums.requests, sums.total_tokens, sums.prompt_tokens, sums.completion_tokens) == (2, 128, 101, 20)
    assert sums.cost == 0.5


def test_requests_that_state_no_cost_leave_the_cost_unknown() -> None:
    folded, _ = fold(request(1, promptTokens=5))

    assert folded.sums.cost is None


def test_absurd_counts_in_a_request_do_not_count() -> None:
    """Case 44."""
    _, harvest = fold(
        request(1, promptTokens=10**40, completionTokens=-5, cost=-1, latencyMs="fast", cacheReadTokens="7")
    )

    assert harvest.requests == {("anthropic", "opus"): [(T0 + 1, 0, 0, 7, 0, None, None, None, True)]}


def test_custom_values_are_harvested_and_unknown_metrics_are_only_counted() -> None:
    folded, harvest = fold(
        (1, "metric", {"kind": "value", "name": "queue", "value": -3.5, "labels": {"q": "a"}}),
        (2, "metric", {"kind": "value", "name": "", "value": 1}),
        (3, "metric", {"kind": "value", "name": "x", "value": "NaN"}),
        (4, "metric", {"kind": "gpu", "watts": 12}),
    )

    assert folded.event_count == 4
    assert [tuple(value) for value in harvest.values] == [("queue", -3.5, {"q": "a"}, T0 + 1)]


def test_the_first_run_end_counts_and_later_ones_were_late() -> None:
    """Case 16."""
    folded, _ = fold((5, "run_end", {"status": "failed"}), (9, "run_end", {"status": "completed"}))

    assert (folded.end_status, folded.ended_at) == ("failed", T0 + 5)


def test_steps_nest_and_a_missing_end_is_made_up_for_by_the_outer_one() -> None:
    folded, _ = fold(
        (0, "step_start", {"step": "plan"}),
        (1, "step_start", {"step": "read"}),
        (2, "step_start", {"step": "ls"}),
    )
    assert folded.step == "ls"
    folded.feed(batch((3, "step_end", {"step": "unknown"}), (4, "step_end", {"step": "read"})), now_ms=LATER)
    assert folded.step == "plan"
    folded.feed(batch((5, "step_end", {"step": "plan"})), now_ms=LATER)
    assert folded.step is None


def test_forks_and_failovers_are_read_from_decisions() -> None:
    folded, _ = fold(
        (0, "decision", {"kind": "fork", "parentRunId": "run_mk000000_bbbbbb", "reason": "retry"}),
        (1, "decision", {"kind": "provider_fallback", "from": "a", "to": "b"}),
        (2, "decision", {"description": "go on"}),
    )

    assert (folded.parent_run_id, folded.fork_reason, folded.failovers) == ("run_mk000000_bbbbbb", "retry", 1)


def test_records_that_name_another_run_are_counted_and_kept() -> None:
    """Case 46: the directory's name wins."""
    events = batch((0, "error", {}), (1, "error", {}))
    events.events[0] = WireEvent(T0, "error", msgspec.Raw(b"{}"), "run_mk999999_ffffff")
    folded = RunFold(RUN)
    folded.feed(events, now_ms=LATER)

    assert (folded.errors, folded.foreign_records) == (2, 1)


def test_the_last_activity_is_the_last_event_that_does_not_lie_in_the_future() -> None:
    """Case 40."""
    folded = RunFold(RUN)
    folded.feed(batch((0, "a", {}), (1000, "b", {}), (50_000, "c", {})), now_ms=T0 + 2_000)

    assert (folded.first_at, folded.last_at) == (T0, T0 + 1000)


def test_what_was_recorded_before_is_folded_again_but_not_harvested_again() -> None:
    events = batch(
        call(0, "bash", "a"), result(10, "bash", "a", ok=False, error="x"), (11, "error", {"message": "e"}),
        request(12, promptTokens=7), result(20, "bash", "b"),
    )  # fmt: skip
    folded = RunFold(RUN)
    harvest = folded.feed(events, now_ms=LATER, fresh=[False, False, False, False, True])

    assert (folded.tool_calls, folded.tool_failures, folded.errors) == (1, 1, 1)
    assert folded.sums.total_tokens == 7
    assert harvest.tools["bash"].at_ms == [T0 + 20]
    assert (harvest.tool_errors, harvest.errors, harvest.requests) == ([], [], {})


def test_unknown_types_count_as_events_and_nothing_else() -> None:
    folded, harvest = fold((0, "skill_selected", {"x": 1}), (1, "", {}), (2, "😀", []))

    assert folded.event_count == 3
    assert not harvest


KINDS = [
    "tool_call",
    "tool_result",
    "metric",
    "error",
    "run_start",
    "run_end",
    "step_start",
    "step_end",
    "decision",
]
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)
FIELDS = [
    "toolName", "toolCallId", "id", "success", "durationMs", "error", "message", "kind", "provider", "promptTokens",
    "cost", "status", "step", "parentRunId", "objective", "metadata", "name", "value", "labels", "stack", "type",
]  # fmt: skip
PAYLOADS = st.dictionaries(st.sampled_from(FIELDS), VALUES | st.just("api_request"), max_size=8) | VALUES
EVENTS = st.lists(st.tuples(st.integers(-(10**6), 10**6), st.sampled_from(KINDS), PAYLOADS), max_size=12)


@given(EVENTS)
def test_no_payload_of_any_shape_is_an_exception(events: list[tuple[int, str, Any]]) -> None:
    """Case 46."""
    folded, harvest = fold(*events)

    assert folded.event_count == len(events)
    assert folded.tool_calls == sum(kind == "tool_call" for _, kind, _ in events)
    assert sum(len(column.ok) for column in harvest.tools.values()) == sum(
        kind == "tool_result" for _, kind, _ in events
    )
    for _, *tokens, cost, latency_ms, ttft_ms, _success in itertools.chain(*harvest.requests.values()):
        assert all(0 <= count < 2**53 for count in tokens)
        assert all(amount is None or 0 <= amount <= 2**53 for amount in (cost, latency_ms, ttft_ms))


@given(EVENTS, st.lists(st.integers(0, 12), max_size=4))
def test_any_split_into_batches_gives_the_same(events: list[tuple[int, str, Any]], cuts: list[int]) -> None:
    whole, harvest = fold(*events)
    parts, calls = RunFold(RUN), 0
    edges = [0, *sorted(min(cut, len(events)) for cut in cuts), len(events)]
    for begin, end in pairwise(edges):
        part = parts.feed(batch(*events[begin:end]), now_ms=LATER)
        calls += sum(len(column.ok) for column in part.tools.values())

    assert calls == sum(len(column.ok) for column in harvest.tools.values())
    for name in (
        "event_count",
        "tool_calls",
        "tool_failures",
        "errors",
        "failovers",
        "step",
        "open_calls",
        "first_at",
        "end_status",
    ):
        assert getattr(parts, name) == getattr(whole, name)
    assert repr(parts.sums) == repr(whole.sums)
