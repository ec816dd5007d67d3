"""Where the time of a run went: the parts always add up to its duration, and nothing is counted twice."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buddy_core.metrics.model import ApiRequest
from buddy_core.runs.numbers.runnumbers import MOST_TOOLS, OTHER, NumbersFold, RunNumbers
from buddy_core.runs.numbers.slices import MOST_SLICES, Slices
from buddy_core.runs.numbers.timespent import ASKED, MODEL, SILENCE_MS, TOOL, TimeSheet
from buddy_core.runs.reading.tail import Tail
from buddy_core.runs.records.typed import TYPED_EVENTS
from buddy_core.testing import RunDirectoryBuilder

T0 = 1_767_890_000_000
MINUTE = 60_000


def numbers(run: RunDirectoryBuilder, *, piece: int = 1 << 20, **how: object) -> RunNumbers:
    """The numbers of a run that was written, read in pieces of so many bytes."""
    run.write()
    folded = NumbersFold(run.run_id, T0)
    for turn in how.pop("turns", ()):  # type: ignore[attr-defined]
        folded.add_turns([turn])
    tail = Tail(run.root, run.run_id, "events.jsonl", dialect=TYPED_EVENTS, places=False)
    with contextlib.closing(tail):
        more = True
        while more:
            change = tail.poll(piece)
            folded.feed(change.batch, now_ms=T0 + 10**9)
            more = change.more
    until = how.get("until", run.now_ms)
    assert isinstance(until, int)
    return folded.numbers(until=until, live=bool(how.get("live")))


def test_parallel_calls_take_their_time_once(tmp_path: Path) -> None:
    run = RunDirectoryBuilder(tmp_path)
    run.request(latency_ms=2_000, cost=0.1)
    one, two = run.call("bash"), run.call("bash")
    run.wait(3_000).result("bash", one, took_ms=3_000).wait(1_000).result("bash", two, took_ms=4_000)
    run.wait(500).end()
    spent = numbers(run).spent
    assert (spent.total_ms, spent.model_ms, spent.tools_ms, spent.idle_ms) == (6_500, 2_000, 4_000, 500)
    (use,) = numbers(run).tools
    assert (use.calls, use.total_ms, use.max_ms, use.timed) == (2, 7_000, 4_000, 2)


def test_a_request_beside_a_tool_is_the_tools_time(tmp_path: Path) -> None:
    run = RunDirectoryBuilder(tmp_path)
    call = run.call("task")
    run.wait(1_000).request(latency_ms=2_000).wait(1_000).result("task", call, took_ms=4_000).end()
    spent = numbers(run).spent
    assert (spent.tools_ms, spent.model_ms, spent.total_ms) == (4_000, 0, 4_000)


def test_a_long_silence_and_a_question_are_waiting(tmp_path: Path) -> None:
    run = RunDirectoryBuilder(tmp_path).request(latency_ms=1_000)
    run.tool("ask_user", took_ms=30_000).wait(5_000).event("decision", {"description": "go on"})
    run.wait(2 * MINUTE).event("pause_suggested", {}).wait(7_000).tool("bash", took_ms=1_000).end()
    spent = numbers(run).spent
    assert spent.waiting_ms == 30_000 + 2 * MINUTE + 7_000
    assert (spent.idle_ms, spent.tools_ms, spent.unknown_ms) == (5_000, 1_000, 0)


def test_what_is_left_of_a_silence_beside_a_request_may_be_too_short_for_one(tmp_path: Path) -> None:
    run = RunDirectoryBuilder(tmp_path).wait(20_000).request(latency_ms=MINUTE).end()
    spent = numbers(run).spent
    assert (spent.model_ms, spent.idle_ms, spent.waiting_ms) == (MINUTE, 20_000, 0)


def test_without_a_request_that_says_how_long_it_took_the_rest_is_unknown(tmp_path: Path) -> None:
    run = (
        RunDirectoryBuilder(tmp_path).wait(5_000).tool("bash", took_ms=2_000).wait(3 * MINUTE).request().end()
    )
    found = numbers(run)
    assert (found.requests, found.timed_requests) == (1, 0)
    spent = found.spent
    assert (spent.tools_ms, spent.unknown_ms) == (2_000, 5_000 + 3 * MINUTE)
    assert (spent.idle_ms, spent.waiting_ms, spent.model_ms) == (0, 0, 0)


def test_an_open_call_of_a_live_run_lasts_until_now(tmp_path: Path) -> None:
    run = RunDirectoryBuilder(tmp_path).request(latency_ms=1_000)
    run.wait(500).call("bash")
    run.wait(1_000).event("decision", {"description": "still at it"})
    found = numbers(run, until=T0 + 10_000, live=True)
    assert (found.spent.tools_ms, found.spent.idle_ms, found.spent.total_ms) == (8_500, 500, 10_000)
    assert (found.tools[0].open, found.tools[0].calls, found.tools[0].total_ms) == (1, 1, None)
    ended = numbers(run, until=T0 + 10_000)
    assert ended.spent.tools_ms == 0  # nobody knows how long a call without a result took


def test_turns_beside_the_runs_are_the_models_time_where_the_run_has_no_requests(tmp_path: Path) -> None:
    turns = [
        ApiRequest("anthropic", "m", prompt_tokens=10, completion_tokens=5, latency_ms=3_000, at_ms=T0 + at)
        for at in (-1_000, 4_000)
    ]
    run = RunDirectoryBuilder(tmp_path).wait(5_000).tool("bash", took_ms=2_000).wait(3_000).end()
    found = numbers(run, turns=turns)
    assert found.from_turns
    assert (sum(found.tokens), found.timed_requests) == (30, 2)
    spent = found.spent  # of the first turn a second lies before the run, of the second two beside the tool
    assert (spent.model_ms, spent.tools_ms, spent.idle_ms) == (3_000, 2_000, 5_000)


def test_any_split_into_pieces_gives_the_same_numbers(tmp_path: Path) -> None:
    run = RunDirectoryBuilder(tmp_path)
    for number in range(40):
        run.request(latency_ms=700, cost=0.01).tool(f"tool{number % 3}", took_ms=90 * number).wait(
            1_700 * number
        )
    run.end()
    whole = numbers(run)
    assert numbers(run, piece=500) == whole
    assert [use.name for use in whole.tools] == ["tool0", "tool2", "tool1"]
    assert whole.cost[-1] == pytest.approx(0.4)
    assert sum(whole.tokens) == 40 * 1_100


def test_times_that_cannot_be_are_passed_over(tmp_path: Path) -> None:
    """Case 40."""
    run = RunDirectoryBuilder(tmp_path).request(latency_ms=1_000)
    for ts in ("9" * 30, "-5", "0", "1e300", "253402300799999"):
        run.raw(b'{"ts":%s,"runId":"%s","type":"tool_call","data":{}}\n' % (ts.encode(), run.run_id.encode()))
    run.wait(2_000).end()
    spent = numbers(run).spent
    assert (spent.total_ms, spent.model_ms, spent.idle_ms) == (3_000, 1_000, 2_000)


def test_any_number_of_tools_is_bounded(tmp_path: Path) -> None:
    """Case 50."""
    run = RunDirectoryBuilder(tmp_path)
    for number in range(MOST_TOOLS + 50):
        run.tool(f"t{number}", took_ms=1)
    found = numbers(run.end())
    assert len(found.tools) == MOST_TOOLS + 1
    assert next(use for use in found.tools if use.name == OTHER).calls == 50


STRETCHES = st.lists(
    st.tuples(st.integers(0, 80), st.integers(0, 60), st.sampled_from([ASKED, MODEL, TOOL])), max_size=25
)


@given(STRETCHES, st.none() | st.integers(0, 150), st.integers(0, 200), st.booleans())
def test_the_parts_add_up_whatever_overlaps(
    stretches: list[tuple[int, int, int]], open_since: int | None, until: int, model_known: bool
) -> None:
    """Each of the events may paint back over any earlier stretch; counted second by second it is the same."""
    sheet, marks = TimeSheet(T0), [0] * 400
    reached = 0
    for begin, length, kind in stretches:
        reached = max(reached, begin + length)
        sheet.reach(T0 + reached * 1_000)
        sheet.paint(T0 + begin * 1_000, T0 + (begin + length) * 1_000, kind)
        marks[begin : begin + length] = [max(kind, old) for old in marks[begin : begin + length]]
    end = max(until, reached)
    if open_since is not None:
        marks[open_since:end] = [TOOL] * (end - open_since)
    since = None if open_since is None else T0 + open_since * 1_000
    spent = sheet.spent(T0 + until * 1_000, open_since=since, model_known=model_known)
    assert sum(value for _, value in spent.parts) == spent.total_ms == end * 1_000
    assert spent.tools_ms == 1_000 * marks[:end].count(TOOL)
    assert spent.model_ms == 1_000 * marks[:end].count(MODEL)
    if not model_known:
        assert spent.waiting_ms == 1_000 * marks[:end].count(ASKED)
    assert len(sheet) <= 2 * len(stretches) + 1


@given(
    st.lists(
        st.tuples(st.integers(0, 40_000_000), st.integers(0, 1_000), st.none() | st.just(0.5)), max_size=60
    )
)
def test_slices_hold_every_token_however_long_the_run_becomes(
    spent: list[tuple[int, int, float | None]],
) -> None:
    slices = Slices(T0)
    for at, tokens, cost in spent:
        slices.add(T0 + at, tokens, cost)
    assert sum(slices.tokens(T0)) == sum(tokens for _, tokens, _ in spent)
    known = [cost for _, _, cost in spent if cost is not None]
    assert slices.cost_so_far(T0)[-1] == (sum(known) if known else None)
    assert len(slices.tokens(T0)) <= MOST_SLICES


def test_a_silence_is_a_minute() -> None:
    sheet = TimeSheet(T0)
    sheet.reach(T0 + SILENCE_MS - 1)
    sheet.reach(T0 + 2 * SILENCE_MS - 1)
    spent = sheet.spent(T0, model_known=True)
    assert (spent.idle_ms, spent.waiting_ms) == (SILENCE_MS - 1, SILENCE_MS)
