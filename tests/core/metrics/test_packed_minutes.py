"""Minutes and hours that are over are packed: everything that is asked of them comes out as if they were not."""

from __future__ import annotations

import gc
import tracemalloc
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from buddy_core import HistoryBatch, ManualClock, MetricsCollector, ToolColumn, Window
from buddy_core.metrics.counting import rollup
from buddy_core.metrics.counting.sketch import ZERO, packed, unpacked
from buddy_core.metrics.counting.stats import ProviderStats, ToolStats
from buddy_core.metrics.counting.timing import Timing

NOW = 1_767_890_123_456
MINUTE, HOUR = 60_000, 3_600_000

indexes = st.one_of(st.integers(min_value=-1_400, max_value=32_000), st.just(ZERO))
counts = st.one_of(st.integers(min_value=1, max_value=300), st.integers(min_value=1, max_value=2**53))
quarters = st.integers(min_value=0, max_value=10**7).map(
    lambda number: number / 4
)  # of which all sums are exact
durations = st.lists(quarters, max_size=100)


@given(st.dictionaries(indexes, counts, max_size=60))
def test_a_packed_sketch_is_the_same_when_it_is_unpacked(sketch: dict[int, int]) -> None:
    data = packed(sketch)
    assert isinstance(data, bytes)
    assert unpacked(data) == sketch


def test_numbers_that_no_column_has_room_for_are_left_as_they_are() -> None:
    for sketch in ({1: 2**64}, {2**40: 1}, {1: -1}):
        assert packed(sketch) is sketch


def test_a_sketch_of_four_hundred_buckets_takes_little_more_than_a_kilobyte() -> None:
    sketch = {2 * number: 1 + number % 200 for number in range(400)}
    assert len(packed(sketch)) == 2 + 400 * 3


def told(timing: Timing) -> tuple[Any, ...]:
    timing.settle()
    return timing.count, timing.sum_ms, timing.low, timing.high, timing.sketch, timing.at(0.5, 0.95, 0.99)


@given(st.lists(st.tuples(durations, st.booleans(), st.booleans()), max_size=8))
def test_durations_that_come_before_and_after_packing_are_counted_alike(
    steps: list[tuple[list[float], bool, bool]],
) -> None:
    one, other = Timing(), Timing()
    for values, pack, merge in steps:
        for timing, packs in ((one, pack), (other, False)):
            if merge:
                timing.merge_timing(Timing.of(values))
            else:
                timing.add_durations(values)
            if packs:
                timing.pack()
        assert told(one) == told(other)


@given(durations, durations)
def test_a_packed_bucket_is_merged_as_one_that_is_not(mine: list[float], more: list[float]) -> None:
    for kind in (ToolStats, ProviderStats):
        found: list[tuple[Any, ...]] = []
        for pack in (True, False):
            whole, part = kind(), kind()
            whole.add_durations(mine)
            part.add_durations(more)
            if pack:
                whole.pack()
                part.pack()
            whole.merge(part)  # type: ignore[arg-type] # both are of the same kind
            found.append(told(whole))
        assert found[0] == found[1]


@contextmanager
def nothing_is_packed() -> Iterator[None]:
    with patch.object(rollup, "MOST_GROWING", 10**9):
        yield


calls = st.lists(
    st.tuples(
        st.one_of(st.integers(min_value=0, max_value=90), st.integers(min_value=0, max_value=26 * 60)),
        st.integers(min_value=0, max_value=59_000),
        quarters,
        st.booleans(),
    ),
    min_size=1,
    max_size=60,
)


def everything(calls: list[tuple[int, int, float, bool]]) -> list[Any]:
    """All that can be asked of a collector that was told so many calls and requests, some at once, some one by one."""
    clock = ManualClock(NOW - 2 * MINUTE)
    collector = MetricsCollector(clock=clock)
    found: list[Any] = []
    for ago, ms, took, at_once in calls:
        at = NOW - 2 * MINUTE - ago * MINUTE - ms
        if at_once:
            column = ToolColumn([at, at + 1], [took, took / 2], [True, False])
            collector.absorb(HistoryBatch(run_id=None, tools={"bash": column}))
        else:
            collector.record_tool_execution(name="bash", duration_ms=took, at_ms=at)
            collector.record_api_request(provider="p", model="m", latency_ms=took, at_ms=at)
    for later in (0, MINUTE, MINUTE):
        clock.advance(later)
        collector.record_tool_execution(name="bash", duration_ms=7.0)
        for window in Window:
            view = collector.view(window)
            found += [(row.total_calls, row.p50_duration_ms, row.p99_duration_ms) for row in view.tools]
            found += [(row.total_requests, row.p50_latency_ms, row.p95_latency_ms) for row in view.providers]
            found += [collector.history("tool", "bash", window, 30)]
            found += [collector.history("provider", "p/m", window, 30)]
            found += [
                collector.latency_histogram("tool", "bash", window),
                dict(collector.trends("tool", window)),
            ]
    return found


@settings(max_examples=25)
@given(calls)
def test_every_window_chart_and_histogram_is_what_it_would_be_without_packing(
    calls: list[tuple[int, int, float, bool]],
) -> None:
    with nothing_is_packed():
        expected = everything(calls)
    assert everything(calls) == expected


def minutes_of_work(collector: MetricsCollector, clock: ManualClock, minutes: int) -> None:
    """In each of them five hundred calls with durations all over the place."""
    for _ in range(minutes):
        clock.advance(MINUTE)
        took = [1.02**number for number in range(500)]
        at = [clock.now_ms() - 500 + number for number in range(500)]
        collector.absorb(HistoryBatch(run_id=None, tools={"bash": ToolColumn(at, list(took), [True] * 500)}))
        collector.view(Window.H1)


def test_minutes_of_very_many_calls_that_are_over_take_three_kilobytes_each() -> None:
    clock = ManualClock(NOW)
    collector = MetricsCollector(clock=clock)
    minutes_of_work(collector, clock, 20)
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        minutes_of_work(collector, clock, 40)
        gc.collect()
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert grown < 40 * 3_500 + 150_000  # unpacked: 40 × 20,000


class Line:
    """A line of a file, with all that was read with it."""


def test_calls_that_wait_for_their_minutes_do_not_hold_the_lines_they_were_read_from() -> None:
    clock = ManualClock(NOW)
    collector = MetricsCollector(clock=clock)
    line = Line()
    known = weakref.ref(line)
    column = ToolColumn([NOW - HOUR], [5.0], [True], [line])
    collector.absorb(HistoryBatch(run_id=None, tools={"bash": column}, argument_of=lambda _tool, _line: "ls"))
    del line, column
    assert known() is None
    assert collector.view(Window.H1).tools[0].total_calls == 1
    assert collector.tool_depth("bash", Window.H1).latest[0].argument == "ls"
