"""The numbers of one run over its time: what it spent when, where the time went, how each tool did.

Fed piece by piece as the event file grows, in memory that does not grow with it but for the stretches of `TimeSheet`
(nine bytes each, at most two a call). Asking costs the same however long the run is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from buddy_core.metrics.counting.timing import Timing
from buddy_core.metrics.model import ApiRequest
from buddy_core.metrics.recording.batch import RequestRow, ToolColumn
from buddy_core.runs.folding.facts import LATEST_BELIEVED_MS
from buddy_core.runs.folding.fold import RunFold
from buddy_core.runs.numbers.slices import Slices
from buddy_core.runs.numbers.timespent import ASKED, ASKING_TOOLS, MODEL, TOOL, TimeSheet, TimeSpent
from buddy_core.runs.reading.jsonl import Batch
from buddy_core.runs.records.typed import TypedEvent
from buddy_core.runs.records.wire import WireEvent

if TYPE_CHECKING:
    from buddy_core.prices.table import PriceTable

MOST_TOOLS = 1_000
OTHER = "other"
"""Stands for all tools past `MOST_TOOLS`."""

_PAUSE = "pause_suggested"


@dataclass(frozen=True, slots=True)
class ToolUse:
    """One tool in one run; times in milliseconds, None where no call says how long it took."""

    name: str
    """Observed text."""
    calls: int
    """Calls that have a result, and those that are open."""
    failures: int
    open: int
    """Calls without a result so far."""
    total_ms: float | None
    p95_ms: float | None
    max_ms: float | None
    timed: int
    """Calls that say how long they took."""


@dataclass(frozen=True, slots=True)
class RunNumbers:
    """One run as of one moment."""

    run_id: str
    spent: TimeSpent
    tools: tuple[ToolUse, ...]
    """Those that took longest first."""
    start_ms: int
    """When the first slice of time begins."""
    slice_ms: int
    tokens: tuple[int, ...]
    """Tokens of the requests that ended in each slice."""
    cost: tuple[float | None, ...]
    """US dollars spent up to the end of each slice; None before any is known."""
    cost_estimated: bool
    """Some of it was priced from tokens."""
    requests: int
    timed_requests: int
    """Requests that say how long they took."""
    unpriced: int
    """Requests whose cost nobody knows."""
    from_turns: bool
    """The requests are from the file of turns beside the runs: none stands in the run's own events."""
    reading: bool = False
    """There is more to read."""


class NumbersFold:
    """Grows the numbers of the run `run_id`, which began at `started_at` (ms since the epoch)."""

    def __init__(self, run_id: str, started_at: int, prices: PriceTable | None = None) -> None:
        self.run_id = run_id
        self._prices = prices
        self._fold = RunFold(run_id)
        self._sheet = TimeSheet(started_at)
        self._slices = Slices(started_at)
        self._timings: dict[str, Timing] = {}
        self._counts: dict[str, list[int]] = {}  # results and failures by tool
        self._requests = self._timed = self._unpriced = 0
        self._estimated = self._from_turns = False
        self._late_turns: list[tuple[int, int]] = []
        self._pause_at: int | None = None

    def feed(self, batch: Batch[TypedEvent], *, now_ms: int) -> None:
        """Take the next events of the file; times after `now_ms` are not believed."""
        harvest = self._fold.feed(batch, now_ms=now_ms)
        self._reach(batch.events, now_ms)
        stretches = [self._take_tool(name, column) for name, column in harvest.tools.items()]
        for (provider, model), rows in harvest.requests.items():
            stretches.append(self._take_requests(provider, model, rows))
        for end, begin, kind in sorted(stretch for some in stretches for stretch in some):
            self._sheet.paint(begin, end, kind)
        self._paint_turns()

    def add_turns(self, turns: Iterable[ApiRequest]) -> None:
        """Take requests of this run that stand in the file of turns, each once; `at_ms` is when they began.

        Nothing, where the run's own events have requests.
        """
        if self._requests and not self._from_turns:
            return
        for turn in turns:
            self._from_turns = True
            took = max(0, round(turn.latency_ms or 0))
            row = (
                turn.at_ms + took, turn.prompt_tokens, turn.completion_tokens, turn.cache_read_tokens,
                turn.cache_write_tokens, turn.cost, turn.latency_ms, None, turn.success,
            )  # fmt: skip
            self._late_turns += (
                (begin, end) for end, begin, _ in self._take_requests(turn.provider, turn.model, [row])
            )
        self._paint_turns()

    def numbers(self, *, until: int, live: bool, reading: bool = False) -> RunNumbers:
        """As of `until`, the end of the run or the present moment; in a `live` run calls may be open."""
        calls = self._fold.open_calls if live else ()
        begun = min((call.at_ms for call in calls), default=None)
        tokens, cost = (
            self._slices.tokens(until),
            self._slices.cost_so_far(until),
        )  # slices may be joined here
        return RunNumbers(
            run_id=self.run_id,
            spent=self._sheet.spent(until, open_since=begun, model_known=self._timed > 0),
            tools=self._tools(),
            start_ms=self._slices.start_ms,
            slice_ms=self._slices.slice_ms,
            tokens=tokens,
            cost=cost,
            cost_estimated=self._estimated,
            requests=self._requests,
            timed_requests=self._timed,
            unpriced=self._unpriced,
            from_turns=self._from_turns,
            reading=reading,
        )

    def _reach(self, events: Sequence[TypedEvent], now_ms: int) -> None:
        latest = min(now_ms, LATEST_BELIEVED_MS)
        for event in events:
            if 0 < event.ts <= latest:
                if self._pause_at is not None and event.ts > self._pause_at:
                    self._sheet.reach(event.ts)
                    self._sheet.paint(self._pause_at, event.ts, ASKED)
                    self._pause_at = None
                self._sheet.reach(event.ts)
                if type(event) is WireEvent and event.type == _PAUSE:
                    self._pause_at = event.ts

    def _take_tool(self, name: str, column: ToolColumn) -> list[tuple[int, int, int]]:
        """Count the calls of one tool; returns their end, beginning and kind."""
        key = name if name in self._counts or len(self._counts) < MOST_TOOLS else OTHER
        counts = self._counts.setdefault(key, [0, 0])
        counts[0] += len(column.ok)
        counts[1] += column.ok.count(False)
        known = [value for value in column.duration_ms if value is not None]
        self._timings.setdefault(key, Timing()).add_durations(known)
        kind = ASKED if name.lower() in ASKING_TOOLS else TOOL
        return [
            (at, at - round(took), kind)
            for at, took in zip(column.at_ms, column.duration_ms, strict=True)
            if took is not None
        ]

    def _take_requests(
        self, provider: str, model: str, rows: Sequence[RequestRow]
    ) -> list[tuple[int, int, int]]:
        stretches = []
        for at, prompt, completion, read, written, cost, latency, _, success in rows:
            counts = (prompt or 0, completion or 0, read or 0, written or 0)
            if cost is None and self._prices is not None:
                cost = self._prices.of_request(provider, model, at, *counts)
                self._estimated |= cost is not None
            self._requests += 1
            self._unpriced += cost is None and success
            self._slices.add(at, sum(counts), cost)
            if latency is not None:
                self._timed += 1
                stretches.append((at, at - round(latency), MODEL))
        return stretches

    def _paint_turns(self) -> None:
        """Turns may be known before the events of their time are read."""
        waiting = []
        for begin, end in self._late_turns:
            if end <= self._sheet.reached:
                self._sheet.paint(begin, end, MODEL)
            else:
                waiting.append((begin, end))
        self._late_turns = waiting

    def _tools(self) -> tuple[ToolUse, ...]:
        opened: dict[str, int] = {}
        for call in self._fold.open_calls:
            opened[call.name] = opened.get(call.name, 0) + 1
        found = [self._tool(name, opened.get(name, 0)) for name in {**self._counts, **opened}]
        return tuple(sorted(found, key=lambda use: (-(use.total_ms or 0), -use.calls, use.name)))

    def _tool(self, name: str, opened: int) -> ToolUse:
        timing, (results, failures) = self._timings.get(name, Timing()), self._counts.get(name, (0, 0))
        timing.settle()
        known = timing.count > 0
        return ToolUse(
            name=name,
            calls=results + opened,
            failures=failures,
            open=opened,
            total_ms=timing.sum_ms if known else None,
            p95_ms=timing.at(0.95)[0] if known else None,
            max_ms=timing.high if known else None,
            timed=timing.count,
        )
