"""The slowest and the latest calls of a tool, and what its failures said: as if every call were still there."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from buddy_core import ErrorRecord, HistoryBatch, ManualClock, MetricsCollector, ToolCall, ToolColumn, Window
from buddy_core.metrics.counting.calls import KEPT, MOST_ROWS
from buddy_core.metrics.counting.grains import since_of
from buddy_core.metrics.counting.room import Room
from buddy_core.metrics.counting.texts import LEAST_TEXTS, MOST_TEXTS
from buddy_core.observing.ingest import Ingest
from buddy_core.observing.observer import Observer
from buddy_core.runs.folding.fold import RunFold
from buddy_core.runs.folding.harvest import Harvest
from buddy_core.runs.reading.jsonl import EventBatch
from buddy_core.runs.records.wire import WireEvent
from buddy_core.testing import RunDirectoryBuilder

NOW = 1_767_890_123_456
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000


class Call(NamedTuple):
    """A call as the model remembers it."""

    at_ms: int
    duration_ms: float | None
    success: bool
    run_id: str


def slowest(calls: list[Call], since_ms: int) -> list[float]:
    """Durations of the slowest, by looking at every call."""
    known = [call.duration_ms for call in calls if call.at_ms >= since_ms and call.duration_ms is not None]
    return sorted(known, reverse=True)[:KEPT]


def latest(calls: list[Call], since_ms: int) -> list[int]:
    """Times of the latest, by looking at every call."""
    return sorted((call.at_ms for call in calls if call.at_ms >= since_ms), reverse=True)[:KEPT]


def agree(collector: MetricsCollector, calls: list[Call], now_ms: int) -> None:
    """Every window shows exactly what a recount shows, each with a call that there was."""
    there = {(call.at_ms, call.duration_ms, call.success, call.run_id) for call in calls}
    for window in Window:
        depth, since = collector.tool_depth("bash", window), since_of(window, now_ms) or 0
        assert depth.exact
        assert [call.duration_ms for call in depth.slowest] == slowest(calls, since)
        assert [call.at_ms for call in depth.latest] == latest(calls, since)
        for call in (*depth.slowest, *depth.latest):
            assert (call.at_ms, call.duration_ms, call.success, call.run_id) in there


some_calls = st.lists(
    st.tuples(
        st.integers(0, 10 * DAY) | st.integers(0, 2 * HOUR) | st.integers(0, 20 * MINUTE),
        st.none() | st.integers(0, 40).map(float) | st.floats(0, 1e6),
        st.booleans(),
    ),
    max_size=120,
)


@settings(max_examples=60, deadline=None)
@given(past=st.lists(some_calls, max_size=5), live=some_calls)
def test_every_window_shows_what_a_recount_of_all_calls_shows(
    past: list[list[tuple[int, float | None, bool]]], live: list[tuple[int, float | None, bool]]
) -> None:
    clock = ManualClock(NOW)
    collector = MetricsCollector(clock=clock)
    calls: list[Call] = []
    for number, run in enumerate(past):
        made = [Call(NOW - ago, duration, ok, f"run_{number}") for ago, duration, ok in run]
        columns = ([c.at_ms for c in made], [c.duration_ms for c in made], [c.success for c in made])
        collector.absorb(HistoryBatch(f"run_{number}", tools={"bash": ToolColumn(*columns)}))
        calls += made
    agree(collector, calls, NOW)
    for ago, duration, ok in live:
        clock.advance(ago // 1_000)
        collector.record_tool_execution(name="bash", duration_ms=duration, success=ok, run_id="now")
        calls.append(Call(clock.now_ms(), duration, ok, "now"))
    agree(collector, calls, clock.now_ms())
    clock.advance(3 * HOUR)
    agree(collector, calls, clock.now_ms())


def test_of_very_many_calls_a_few_hundred_are_kept_and_every_window_is_exact_as_time_goes_on() -> None:
    clock, chance = ManualClock(NOW), random.Random(3)
    collector = MetricsCollector(clock=clock)
    calls = []
    for _ in range(20_000):
        clock.advance(chance.randrange(60_000))
        duration = chance.lognormvariate(5, 2)
        collector.record_tool_execution(name="bash", duration_ms=duration, run_id="r")
        calls.append(Call(clock.now_ms(), duration, True, "r"))
    agree(collector, calls, clock.now_ms())
    assert len(collector._ledger.tools["bash"].calls._rows) < MOST_ROWS


def test_a_wall_clock_that_went_back_changes_nothing() -> None:
    clock, chance = ManualClock(NOW), random.Random(5)
    collector = MetricsCollector(clock=clock)
    calls = []
    for number in range(400):
        clock.set_wall(NOW + number * 1_000 - (HOUR if number >= 200 else 0))
        duration = chance.random() * 1_000
        collector.record_tool_execution(name="bash", duration_ms=duration, run_id="r")
        calls.append(Call(clock.now_ms(), duration, True, "r"))
    clock.set_wall(NOW + 10 * MINUTE)
    agree(collector, calls, clock.now_ms())


@pytest.mark.parametrize("room", [50_000, 0])
def test_durations_that_only_fall_are_bounded_and_said_to_be_inexact(room: int) -> None:
    clock = ManualClock(NOW)
    collector = MetricsCollector(clock=clock)
    collector._ledger.room.calls = room
    for number in range(3_000):
        clock.advance(10_000)
        collector.record_tool_execution(name="bash", duration_ms=5_000.0 - number)
    depth = collector.tool_depth("bash", Window.ALL)
    assert not depth.exact
    assert [call.duration_ms for call in depth.slowest] == [5_000.0 - n for n in range(KEPT)]
    assert [call.duration_ms for call in depth.latest] == [
        5_000.0 - n for n in range(2_999, 2_999 - KEPT, -1)
    ]
    within = collector.tool_depth("bash", Window.M15)
    assert len(within.slowest) == KEPT
    assert all(call.at_ms >= clock.now_ms() - 16 * MINUTE for call in within.slowest)
    rows = collector._ledger.tools["bash"].calls._rows
    assert len(rows) <= MOST_ROWS
    assert collector._ledger.room.calls == room - len(rows)


def test_calls_without_a_believable_time_are_not_listed() -> None:
    collector = MetricsCollector(clock=ManualClock(NOW))
    for at in (5, NOW + DAY):
        collector.record_tool_execution(name="bash", duration_ms=1.0, at_ms=at)
        collector.absorb(HistoryBatch(tools={"bash": ToolColumn([at], [1.0], [True])}))
    depth = collector.tool_depth("bash", Window.ALL)
    assert (depth.slowest, depth.latest) == ((), ())
    assert collector.tool_depth("nobody", Window.ALL).latest == ()


def test_what_a_call_was_about_is_asked_only_of_calls_that_may_be_shown() -> None:
    collector = MetricsCollector(clock=ManualClock(NOW))
    asked: list[object] = []

    def argument_of(tool: str, call: object) -> str:
        asked.append(call)
        return f"{tool} {call}"

    count = 1_000
    column = ToolColumn(
        [NOW - DAY + n for n in range(count)], [float(n) for n in range(count)], [True] * count
    )
    column.calls = list(range(count))
    collector.absorb(HistoryBatch("r", tools={"bash": column}, argument_of=argument_of))
    assert sorted(asked, key=str) == sorted(range(count - KEPT, count), key=str)
    assert collector.tool_depth("bash", Window.ALL).slowest[0] == ToolCall(
        NOW - DAY + count - 1, count - 1.0, True, "r", f"bash {count - 1}"
    )
    older = ToolColumn([NOW - 2 * DAY], [900.0], [True])
    older.calls = ["never asked"]
    collector.absorb(HistoryBatch("r", tools={"bash": older}, argument_of=argument_of))
    assert "never asked" not in asked


def test_arguments_stay_with_their_calls_in_a_column_out_of_order() -> None:
    collector = MetricsCollector(clock=ManualClock(NOW))
    column = ToolColumn([NOW - 1, NOW - 3, 5, NOW - 2], [1.0, 3.0, 5.0, 2.0], [True] * 4)
    column.calls = ["1", "3", "undated", "2"]
    collector.absorb(HistoryBatch("r", tools={"bash": column}, argument_of=lambda _, call: str(call)))
    assert [c.argument for c in collector.tool_depth("bash", Window.ALL).slowest] == ["3", "2", "1"]


def test_a_recorder_may_say_what_a_call_was_about() -> None:
    collector = MetricsCollector(clock=ManualClock(NOW))
    for run_id in ("r", "s"):
        collector.record_tool_execution(name="bash", duration_ms=2.0, run_id=run_id)
    for name, run_id, at in (("bash", "r", NOW), ("bash", "r", NOW + 1), ("nobody", "r", NOW)):
        collector.describe_call(name, "make " * 200, at_ms=at, run_id=run_id)
    assert collector.tool_depth("bash", Window.H1).latest == (
        ToolCall(NOW, 2.0, True, "s"),
        ToolCall(NOW, 2.0, True, "r", ("make " * 200)[:300]),
    )


def by_recording(collector: MetricsCollector, tool: str, text: str, at_ms: int) -> None:
    collector.record_tool_execution(name=tool, success=False, error=text, at_ms=at_ms, run_id="r")


def by_absorbing(collector: MetricsCollector, tool: str, text: str, at_ms: int) -> None:
    error = ErrorRecord(at_ms, "tool_error", text, context={"tool": tool}, run_id="r")
    collector.absorb(HistoryBatch("r", tools={tool: ToolColumn([at_ms], [None], [False])}, errors=[error]))


@pytest.mark.parametrize("tell", [by_recording, by_absorbing])
def test_error_texts_are_counted_by_tool_and_window_whatever_their_numbers(
    tell: Callable[[MetricsCollector, str, str, int], None],
) -> None:
    collector = MetricsCollector(clock=ManualClock(NOW))
    for ago, tool, text in (
        (0, "bash", "Exit code 1"),
        (1, "bash", "Exit code 2"),
        (2, "search", "Exit code 1"),
        (3, "bash", "timed out"),
        (2 * HOUR, "bash", "timed out"),
        (2 * HOUR + 1, "bash", "timed out"),
    ):
        tell(collector, tool, text, NOW - ago)

    def texts(tool: str, window: Window) -> list[tuple[str, int]]:
        return [(group.latest.message, group.count) for group in collector.tool_depth(tool, window).texts]

    assert texts("bash", Window.H1) == [("Exit code 1", 2), ("timed out", 1)]
    assert texts("bash", Window.ALL) == [("timed out", 3), ("Exit code 1", 2)]
    assert texts("search", Window.ALL) == [("Exit code 1", 1)]


@pytest.mark.parametrize(("room", "most"), [(2_000, MOST_TEXTS), (0, LEAST_TEXTS)])
def test_no_more_texts_are_kept_than_there_is_room_for_and_the_longest_unseen_go_first(
    room: int, most: int
) -> None:
    collector = MetricsCollector(clock=ManualClock(NOW))
    ledger = collector._ledger
    ledger.room.texts, buckets = room, ledger.room.left
    for number in range(most + 30):
        text = "".join(chr(ord("a") + int(digit)) for digit in f"{number:04d}") + " went wrong"
        by_recording(collector, "bash", text * 200, NOW - DAY + number)
    depth = collector.tool_depth("bash", Window.ALL)
    assert (len(depth.texts), depth.forgotten) == (most, 30)
    assert min(group.last_at for group in depth.texts) == NOW - DAY + 30
    assert max(len(group.latest.message) for group in depth.texts) <= 1_000
    assert ledger.room.texts == room - most
    kept = [*ledger.series(), *ledger.texts["bash"]._by_key.values()]
    assert sum(len(one.tiers.minutes) + len(one.tiers.hours) for one in kept) == buckets - ledger.room.left


def test_little_waits_in_each_list_where_there_are_many_tools() -> None:
    collector = MetricsCollector(clock=ManualClock(NOW))
    for number in range(2_000):
        for _ in range(3):
            collector.record_tool_execution(name=f"tool {number}", duration_ms=1.0)
    last = collector._ledger.tools["tool 1999"].calls
    assert len(last._waiting.ok) == 3
    assert last._most_waiting < 50


def test_a_new_room_has_place() -> None:
    assert Room(10).calls > 0
    assert Room(10).texts > 0


def test_files_tell_run_and_argument_whether_read_as_history_or_as_they_grow(tmp_path: Path) -> None:
    clock = ManualClock(NOW)
    collector = MetricsCollector(clock=clock)
    run = RunDirectoryBuilder(tmp_path, started_at=NOW - HOUR)
    run.tool("bash", {"command": "make test"}, took_ms=3_000, error="Exit code 2").write()
    observer = Observer(tmp_path, collector, clock=clock)
    observer.load()
    depth = collector.tool_depth("bash", Window.H24)
    (call,) = depth.latest
    assert (call.run_id, call.argument, call.success) == (run.run_id, "make test", False)
    assert [group.latest.run_id for group in depth.texts] == [run.run_id]

    fold, harvest = RunFold(run.run_id), Harvest()
    named = {"toolName": "bash", "toolCallId": "x"}
    for at, kind, data in (
        (NOW - 1_000, "tool_call", named | {"args": {"command": "make docs"}}),
        (NOW - 500, "tool_result", named),
    ):
        event = WireEvent(at, kind, msgspec.Raw(json.dumps(data).encode()), run.run_id)
        harvest = fold.feed(EventBatch([event], [0], [0]), now_ms=NOW)
    Ingest(collector).deliver(run.run_id, harvest, live=True)
    call = collector.tool_depth("bash", Window.H1).latest[0]
    assert (call.run_id, call.argument, call.duration_ms) == (run.run_id, "make docs", 500.0)
    observer.close()
