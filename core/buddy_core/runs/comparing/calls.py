"""The tool calls of one run, read once from its first event to its last, with what the model used for each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from buddy_core.clock import Clock
from buddy_core.runs.comparing.keys import Identity, identity
from buddy_core.runs.comparing.model import Call, Side
from buddy_core.runs.names import EVENTS_NAME
from buddy_core.runs.query.scan import read_once
from buddy_core.runs.reading.jsonl import EventBatch, WireEvent, payload
from buddy_core.runs.reading.tail import FileTail
from buddy_core.runs.records.payloads import MetricData, bounded, payload_decoder
from buddy_core.runs.timeline.event_words import tool_name
from buddy_core.runs.timeline.timeline import TimelineBuilder, TimelineRow

if TYPE_CHECKING:
    from buddy_core.prices.table import PriceTable

MAX_CALLS = 100_000
"""Calls of one run that are compared, from its first on."""

_MAX_ROWS = 1_000_000
_TOLD = frozenset({"run_start", "tool_call", "tool_result", "step_start", "step_end", "run_end"})
_CALLS = ("tool_call", "tool_result")
_metric_of = payload_decoder(MetricData)


def read_side(
    root: Path,
    run_id: str,
    *,
    clock: Clock,
    max_calls: int = MAX_CALLS,
    prices: PriceTable | None = None,
) -> Side:
    """The run `run_id` in the runs directory `root`, whose links are followed already.

    What requests cost that do not say so is estimated by `prices`.

    A result without a call (of a tool that was filtered out) counts as a call of which only the tool is known.
    """
    facts = read_once(root, run_id, now_ms=clock.now_ms(), prices=prices).facts
    reader = _read(root, run_id, lambda: _Reader(facts.cwd, max_calls, prices))
    return Side(facts, reader.calls(), reader.left_out)


def _read(root: Path, run_id: str, fresh: Callable[[], _Reader]) -> _Reader:
    tail, reader = FileTail(root, run_id, EVENTS_NAME), fresh()
    try:
        while True:
            change = tail.poll()
            if change.reset:
                reader = fresh()
            reader.feed(change.batch)
            if not change.more:
                return reader
    finally:
        tail.close()


class _Used(NamedTuple):
    """What requests used."""

    tokens: int
    cost: float | None
    estimated: bool


class _Reader:
    """Joins calls with their results, and keeps of each what comparing needs."""

    def __init__(self, base: str | None, max_calls: int, prices: PriceTable | None) -> None:
        self.left_out = 0
        self._base = base
        self._max_calls = max_calls
        self._prices = prices
        self._rows = TimelineBuilder(max_rows=_MAX_ROWS)
        self._identities: dict[int, Identity] = {}
        self._used: dict[int, _Used] = {}
        self._since: _Used | None = None  # by the requests since the last call

    def feed(self, batch: EventBatch) -> None:
        """Take the next events of the file."""
        told: EventBatch = EventBatch()
        for event, offset in zip(batch.events, batch.offsets, strict=True):
            if event.type == "metric":
                self._request(event)
            elif event.type in _TOLD and self._wanted(event, offset):
                told.events.append(event)
                told.offsets.append(offset)
        self._rows.feed(told)

    def calls(self) -> tuple[Call, ...]:
        """Every call so far, in the order in which they were made."""
        rows = [row for row in self._rows.rows() if row.kind in _CALLS]
        return tuple(self._call(number, row) for number, row in enumerate(rows, 1))

    def _wanted(self, event: WireEvent, offset: int) -> bool:
        if event.type != "tool_call":
            return event.type != "tool_result" or not self.left_out
        if len(self._identities) >= self._max_calls:
            self.left_out += 1
            return False
        data = payload(event.data)
        self._identities[offset] = identity(tool_name(data), data.get("args"), base=self._base)
        if self._since is not None:
            self._used[offset], self._since = self._since, None
        return True

    def _request(self, event: WireEvent) -> None:
        metric = _metric_of(event.data)
        if metric.kind != "api_request":
            return
        metric = bounded(metric)
        prompt, completion = metric.prompt_tokens, metric.completion_tokens
        kinds = (prompt, completion, metric.cache_read_tokens, metric.cache_write_tokens)
        before = self._since or _Used(0, None, False)
        cost, estimated = metric.cost, before.estimated
        if cost is None and self._prices is not None:
            cost = self._prices.of_request(metric.provider, metric.model, event.ts, *kinds)
            estimated = estimated or cost is not None
        known = before.cost if cost is None else (before.cost or 0.0) + cost
        self._since = _Used(before.tokens + sum(kinds), known, estimated)

    def _call(self, number: int, row: TimelineRow) -> Call:
        found = self._identities.get(row.offset) or Identity((row.title, ()), b"")
        tokens, cost, estimated = self._used.get(row.offset) or (None, None, False)
        return Call(number, row, found.key, found.literal, tokens, cost, estimated)
