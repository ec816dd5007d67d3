"""A window that is looked at again and again says the same as one that is looked at for the first time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from buddy_core.clock import ManualClock
from buddy_core.metrics.collector import MetricsCollector
from buddy_core.metrics.counting import ledger
from buddy_core.metrics.looking.model import WindowView
from buddy_core.metrics.recording.batch import HistoryBatch, RequestRow, ToolColumn
from buddy_core.metrics.window import Window

MINUTE, HOUR = 60_000, 3_600_000
NOW = ManualClock().now_ms()

Deed = Callable[[MetricsCollector, ManualClock], None]
"""Something that happens to a collector."""

edges = st.sampled_from([0, *(window.ms for window in Window if window.ms)])
ages = st.one_of(
    st.just(0),
    st.integers(-6 * MINUTE, 3 * MINUTE),
    edges.flatmap(lambda edge: st.integers(edge - 2 * MINUTE, edge + 2 * MINUTE)),
    st.just(NOW),  # 1970: in no window that has a beginning
)
"""Milliseconds ago: now, around the beginnings of the windows, slightly ahead, and without a believable date."""

names = st.sampled_from(["bash", "grep"])
lengths = st.one_of(st.none(), st.integers(0, 5_000).map(float))


def call(name: str, length: float | None, ok: bool, age: int | None) -> Deed:
    def deed(collector: MetricsCollector, clock: ManualClock) -> None:
        at_ms = None if age is None else max(0, clock.now_ms() - age)
        error = None if ok or length is None else f"exit code {length:.0f}"
        collector.record_tool_execution(name=name, duration_ms=length, success=ok, error=error, at_ms=at_ms)

    return deed


def request(model: str, tokens: int, length: float | None, age: int | None) -> Deed:
    def deed(collector: MetricsCollector, clock: ManualClock) -> None:
        at_ms = None if age is None else max(0, clock.now_ms() - age)
        collector.record_api_request(
            provider="p", model=model, prompt_tokens=tokens, cost=0.25, latency_ms=length, at_ms=at_ms
        )

    return deed


def usage(tokens: int, age: int) -> Deed:
    def deed(collector: MetricsCollector, clock: ManualClock) -> None:
        collector.record_usage(total_tokens=tokens, cost=0.5, at_ms=max(0, clock.now_ms() - age))

    return deed


def history(name: str, calls: list[tuple[int, float | None, bool]]) -> Deed:
    def deed(collector: MetricsCollector, clock: ManualClock) -> None:
        now = clock.now_ms()
        times = [max(0, now - age) for age, _, _ in calls]
        column = ToolColumn(times, [length for _, length, _ in calls], [ok for _, _, ok in calls])
        rows: list[RequestRow] = [
            (at, 3, 1, 0, 0, 0.25, length, None, ok) for at, (_, length, ok) in zip(times, calls, strict=True)
        ]
        collector.absorb(HistoryBatch("r", tools={name: column}, rows={("p", name): rows}))

    return deed


def passing(ms: int) -> Deed:
    return lambda _collector, clock: clock.advance(ms)


def calls_of(ages: st.SearchStrategy[int]) -> st.SearchStrategy[list[tuple[int, float | None, bool]]]:
    return st.lists(st.tuples(ages, lengths, st.booleans()), min_size=1, max_size=5)


columns = st.one_of(
    calls_of(ages),
    edges.flatmap(lambda edge: calls_of(st.integers(edge - 2 * MINUTE, edge + 2 * MINUTE))),
)
"""Calls of any age, or all of them around the beginning of one window."""

deeds = st.one_of(
    st.builds(call, names, lengths, st.booleans(), st.one_of(st.none(), ages)),
    st.builds(request, names, st.integers(0, 9), lengths, st.one_of(st.none(), ages)),
    st.builds(usage, st.integers(0, 9), ages),
    st.builds(history, names, columns),
    st.builds(passing, st.sampled_from([1, 20_000, MINUTE, 7 * MINUTE, HOUR, 25 * HOUR])),
)


def never_looked_at(done: list[Deed]) -> tuple[MetricsCollector, ManualClock]:
    """A collector to which the same happened."""
    clock = ManualClock(NOW)
    collector = MetricsCollector(clock=clock)
    for deed in done:
        deed(collector, clock)
    return collector, clock


def words(view: WindowView) -> WindowView:
    """A view that may be held against one taken at another moment of the same minute."""
    return replace(view, taken_at=0)


@settings(max_examples=150, deadline=None)
@example([Window.D7, call("bash", 1.0, True, 7 * 24 * HOUR)])
@given(st.lists(st.one_of(deeds, st.sampled_from(list(Window))), max_size=25))
def test_looking_changes_nothing_of_what_is_seen_later(story: list[Deed | Window]) -> None:
    collector, clock = never_looked_at([])
    done: list[Deed] = []
    for step in [*story, *Window]:
        if isinstance(step, Window):
            fresh, _ = never_looked_at(done)
            assert words(collector.view(step)) == words(fresh.view(step, now_ms=clock.now_ms()))
        else:
            step(collector, clock)
            done.append(step)


def test_what_finds_no_room_in_a_window_is_not_seen_in_it_either_while_it_is_watched(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Case 50: past the limit of buckets samples are in the totals only."""
    monkeypatch.setattr(ledger, "BUCKETS", 2)
    clock = ManualClock(NOW // HOUR * HOUR + 59 * MINUTE)
    collector = MetricsCollector(clock=clock)
    collector.record_tool_execution(name="bash")
    assert collector.view(Window.H1).total_tool_calls == 1
    collector.record_tool_execution(name="bash", at_ms=clock.now_ms() - MINUTE)
    assert collector.view(Window.H1).total_tool_calls == 1
    assert collector.view(Window.ALL).total_tool_calls == 2
    assert collector.export().overflow["bucket"]
