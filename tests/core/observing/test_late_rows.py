"""Rows of tools and models: their quantiles are worked out late, and are those of the row's own moment."""

from __future__ import annotations

import copy
import pickle
from dataclasses import asdict, replace
from typing import Any

import msgspec
import pytest

from buddy_core.clock import ManualClock
from buddy_core.metrics.collector import MetricsCollector
from buddy_core.metrics.counting import timing
from buddy_core.metrics.looking import late
from buddy_core.metrics.looking import rows as row_makers
from buddy_core.metrics.looking.model import ProviderMetrics, ToolMetrics, WindowView
from buddy_core.metrics.window import Window


def recorded(*durations: float | None) -> MetricsCollector:
    collector = MetricsCollector(clock=ManualClock())
    for duration in durations:
        collector.record_tool_execution(name="bash", duration_ms=duration)
        collector.record_api_request(provider="p", model="m", latency_ms=duration)
    return collector


def rows(collector: MetricsCollector) -> tuple[ToolMetrics, ProviderMetrics]:
    view = collector.view(Window.H1)
    return view.tools[0], view.providers[0]


def test_a_row_read_later_tells_of_the_moment_it_was_taken_at() -> None:
    collector = recorded(10.0, 20.0)
    read_at_once, read_later = rows(recorded(10.0, 20.0)), rows(collector)
    assert all(map(repr, read_at_once))
    for _ in range(100):
        collector.record_tool_execution(name="bash", duration_ms=9_000.0)
        collector.record_api_request(provider="p", model="m", latency_ms=9_000.0)
    assert rows(collector)[0].p50_duration_ms == pytest.approx(9_000, rel=0.01)
    assert read_later == read_at_once
    assert read_later[0].p95_duration_ms == read_later[1].p99_latency_ms == 20.0


@pytest.mark.parametrize("durations", [(), (5.0,), (None, None)], ids=["none", "one", "unknown"])
@pytest.mark.parametrize("which", [0, 1], ids=["tool", "model"])
def test_whoever_takes_a_row_apart_finds_every_field(durations: tuple[float | None, ...], which: int) -> None:
    def fresh() -> Any:
        return rows(recorded(1.0, *durations))[which]

    fields = asdict(fresh())
    assert msgspec.json.decode(msgspec.json.encode(fresh())) == fields
    assert asdict(copy.copy(fresh())) == asdict(pickle.loads(pickle.dumps(fresh()))) == fields
    assert replace(fresh()) == fresh()
    assert hash(fresh()) == hash(fresh())
    with pytest.raises(AttributeError, match="p42_duration_ms"):
        _ = fresh().p42_duration_ms


def test_with_patience_only_rows_that_are_read_are_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two thousand tools that change before each picture only those on the screen cost anything."""
    made: list[str] = []

    def making(kind: type[Any], durations: timing.Timing, **fields: Any) -> Any:
        made.append(fields.get("name", ""))
        return late_row(kind, durations, **fields)

    late_row = late.late_row
    monkeypatch.setattr(row_makers, "late_row", making)
    clock = ManualClock()
    collector = MetricsCollector(clock=clock)
    names = [f"tool {number:02d}" for number in range(50)]

    def happen() -> None:
        for name in names:
            collector.record_tool_execution(name=name, duration_ms=5.0, success=name != "tool 13")

    def look(patience_ms: int = 1_000) -> WindowView:
        made.clear()
        return collector.view(Window.H1, patience_ms=patience_ms)

    happen()
    first = look()
    assert len(made) == 50
    assert first.tools[7].p95_duration_ms == 5.0  # this one is shown
    happen()
    second = look()
    assert made == ["tool 07"]
    assert [row.total_calls for row in second.tools] == [2, *[1] * 49]
    assert (second.total_tool_calls, second.failed_tool_calls, second.total_errors) == (100, 2, 2)
    assert [row.total_calls for row in look(patience_ms=0).tools] == [2] * 50
    happen()
    look()
    clock.advance(1_000)
    assert [row.total_calls for row in look().tools] == [3] * 50


def test_with_patience_a_tool_is_there_from_its_first_call_on() -> None:
    collector = recorded(1.0)
    assert len(collector.view(Window.H1, patience_ms=1_000).tools) == 1
    collector.record_tool_execution(name="grep")
    assert len(collector.view(Window.H1, patience_ms=1_000).tools) == 2


def test_with_patience_trends_are_those_of_a_moment_ago() -> None:
    clock = ManualClock()
    collector = MetricsCollector(clock=clock)
    collector.record_tool_execution(name="bash")
    before = collector.trends("tool", Window.H1, patience_ms=1_000)
    collector.record_tool_execution(name="bash")
    assert collector.trends("tool", Window.H1, patience_ms=1_000) is before
    assert sum(collector.trends("tool", Window.H1)["bash"].counts) == 2
    clock.advance(1_000)
    assert sum(collector.trends("tool", Window.H1, patience_ms=1_000)["bash"].counts) == 2


def test_a_row_without_durations_has_no_quantiles() -> None:
    tool, model = rows(recorded(None))
    assert tool.p50_duration_ms is tool.p95_duration_ms is tool.p99_duration_ms is None
    assert model.p50_latency_ms is model.p95_latency_ms is model.p99_latency_ms is None


def test_of_rows_that_nobody_reads_no_quantile_is_worked_out(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def counting(*args: Any) -> list[float]:
        asked.append(args)
        return quantiles_within(*args)

    quantiles_within = timing.quantiles_within
    monkeypatch.setattr(late, "quantiles_within", counting)
    collector = MetricsCollector(clock=ManualClock())
    for number in range(50):
        collector.record_tool_execution(name=f"tool {number}", duration_ms=float(number))
    view = collector.view(Window.H1)
    assert len(view.tools) == 50
    assert not asked
    assert view.tools[7].p95_duration_ms == view.tools[7].max_duration_ms
    assert view.tools[7].p99_duration_ms is not None
    assert len(asked) == 1
