"""Who records waits for a little work at a time, however much there is to look at (promise C9).

Counted is work and not time: the merges of buckets between taking the collector's lock and letting it go.
"""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Any, Self

import pytest

from buddy_core import (
    ApiRequest,
    ErrorRecord,
    HistoryBatch,
    ManualClock,
    MetricsCollector,
    ToolColumn,
    Usage,
    Window,
)
from buddy_core.metrics.collecting.books import AT_ONCE
from buddy_core.metrics.counting.stats import ErrorStats, ProviderStats, ToolStats
from buddy_core.metrics.looking import gathering
from buddy_core.metrics.recording.batch import batches

SERIES = 1_300
"""Of each kind: nearly four thousand in all."""

HOUR = 3_600_000
MOST_OF_ONE = 200
"""Buckets of one series that a window can hold: the hours of a week and some minutes."""


class Holds:
    """Stands in for the collector's lock, and counts what is merged during each hold."""

    def __init__(self) -> None:
        self.merges = 0
        self.heaviest = 0
        self.count = 0
        self._lock = threading.RLock()
        self._depth = 0
        self._before = 0

    def __enter__(self) -> Self:
        self._lock.acquire()
        self._depth += 1
        if self._depth == 1:
            self._before = self.merges
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._depth -= 1
        if self._depth == 0:
            self.heaviest = max(self.heaviest, self.merges - self._before)
            self.count += 1
        self._lock.release()


@pytest.fixture
def holds(monkeypatch: pytest.MonkeyPatch) -> Holds:
    """Counts every merge of a bucket."""
    holds = Holds()
    for stats in (ProviderStats, ToolStats, ErrorStats):
        whole = stats.merge

        def counted(self: Any, other: Any, _merge: Any = whole) -> None:
            holds.merges += 1
            _merge(self, other)

        monkeypatch.setattr(stats, "merge", counted)
    return holds


def busy(holds: Holds) -> MetricsCollector:
    """A collector with thousands of series, each with something in two hours and in several minutes."""
    clock = ManualClock()
    now = clock.now_ms()
    at_ms = [now - 2 * HOUR, now - 5 * 60_000, now - 3 * 60_000, now - 60_000]
    row = (0, 1, 0, 0, None, 5.0, None, True)
    collector = MetricsCollector(clock=clock)
    collector.absorb(
        HistoryBatch(
            tools={f"t{n}": ToolColumn(at_ms, [1.0] * 4, [True] * 4) for n in range(SERIES)},
            rows={("p", f"m{n}"): [(at, *row) for at in at_ms] for n in range(SERIES)},
            errors=[ErrorRecord(at, f"e{n}", "x") for n in range(SERIES) for at in at_ms],
        )
    )
    collector._lock = holds  # type: ignore[assignment]
    return collector


@pytest.mark.parametrize("window", list(Window))
def test_a_view_of_thousands_of_series_holds_the_lock_for_a_little_at_a_time(
    holds: Holds, window: Window
) -> None:
    """Case 44."""
    collector = busy(holds)

    view = collector.view(window)

    assert len(view.tools) == len(view.providers) == len(view.errors) == SERIES
    assert (
        view.total_requests == view.total_tool_calls == SERIES * (3 if window.value in ("15m", "1h") else 4)
    )
    assert holds.heaviest <= gathering.WORK + MOST_OF_ONE


def test_what_is_known_of_thousands_of_series_is_taken_by_steps_too(holds: Holds) -> None:
    collector = busy(holds)
    collector.view(Window.H24)
    collector.record_tool_execution(name="t1", duration_ms=1.0)
    holds.count = 0

    assert collector.view(Window.H24).total_tool_calls == 4 * SERIES + 1
    tools = SERIES // gathering.KNOWN_A_MERGE
    assert holds.count >= (2 * SERIES + tools) // gathering.WORK


def test_the_errors_of_one_provider_are_looked_at_a_few_at_a_time(holds: Holds) -> None:
    collector = busy(holds)
    at_ms = collector._clock.now_ms() - 60_000
    collector.absorb(
        HistoryBatch(errors=[ErrorRecord(at_ms, f"late{n}", "p: too late") for n in range(SERIES // 2)])
    )
    holds.heaviest = 0

    assert len(collector.provider_errors("p/m1", Window.ALL)) == SERIES // 2
    assert holds.heaviest <= AT_ONCE * 4


def test_a_view_of_few_series_is_of_one_moment(holds: Holds) -> None:
    collector = MetricsCollector(clock=ManualClock())
    for name in ("a", "b", "c"):
        collector.record_tool_execution(name=name, duration_ms=1.0)
    collector._lock = holds  # type: ignore[assignment]

    collector.view(Window.ALL)

    assert holds.count == 2  # one to look, one to remember


def test_a_view_gathered_over_a_reset_is_not_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    collector = MetricsCollector(clock=ManualClock())
    collector.record_tool_execution(name="a")
    whole = gathering.Gathering.view

    def reset_meanwhile(self: gathering.Gathering) -> Any:
        collector.reset()
        return whole(self)

    with monkeypatch.context() as patch:
        patch.setattr(gathering.Gathering, "view", reset_meanwhile)
        assert collector.view(Window.ALL).total_tool_calls == 1
    assert collector.view(Window.ALL).total_tool_calls == 0


def test_recording_goes_on_while_a_view_is_gathered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread that records gets the lock between two steps; nothing that was there before is missed."""
    collector = MetricsCollector(clock=ManualClock())
    for n in range(200):
        collector.record_tool_execution(name=f"t{n}", duration_ms=1.0)
    monkeypatch.setattr(gathering, "WORK", 50)
    step = gathering.Gathering.step

    def record_between(self: gathering.Gathering) -> bool:
        more = step(self)
        recorder = threading.Thread(target=collector.record_tool_execution, kwargs={"name": "t0"})
        pending.append(recorder)
        recorder.start()
        return more

    pending: list[threading.Thread] = []
    with monkeypatch.context() as patch:
        patch.setattr(gathering.Gathering, "step", record_between)
        first = collector.view(Window.ALL)
    for recorder in pending:
        recorder.join(10)
    assert 200 <= first.total_tool_calls <= 200 + len(pending)
    assert collector.view(Window.ALL).total_tool_calls == 200 + len(pending)


def test_a_long_history_is_cut_into_pieces_that_add_up_to_it() -> None:
    now = ManualClock().now_ms()
    at_ms = list(range(now - 2_500, now))
    whole = HistoryBatch(
        run_id="run_a",
        tools={
            "bash": ToolColumn(at_ms, [1.0] * 2_500, [True] * 2_500),
            "grep": ToolColumn([now], [None], [False]),
        },
        rows={("p", "m"): [(at, 1, 2, 0, 0, 0.5, 5.0, None, True) for at in at_ms]},
        errors=[ErrorRecord(now, "e", str(n)) for n in range(1_200)],
        requests=[ApiRequest("p", "n", 1, at_ms=now)] * 1_100,
        usage=[Usage(5, at_ms=now)] * 3,
    )
    at_once, by_pieces = MetricsCollector(clock=ManualClock()), MetricsCollector(clock=ManualClock())

    pieces = list(batches(whole, 1_000))
    at_once.absorb(whole)
    for piece in pieces:
        by_pieces.absorb(piece)

    assert max(map(len, pieces)) == 1_000
    assert sum(map(len, pieces)) == len(whole)
    assert by_pieces.view(Window.H24) == at_once.view(Window.H24)
    assert list(batches(HistoryBatch())) == []


def test_many_tools_with_a_call_each_are_absorbed_together() -> None:
    now = ManualClock().now_ms()
    whole = HistoryBatch(tools={f"tool {n}": ToolColumn([now], [1.0], [True]) for n in range(2_500)})
    assert [len(piece) for piece in batches(whole, 1_000)] == [1_000, 1_000, 500]
