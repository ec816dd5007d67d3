"""The tool calls of one run, read once from its first event to its last, with what the model used for each."""

from __future__ import annotations

from pathlib import Path

from buddy_core.clock import Clock
from buddy_core.runs.comparing.keys import Identity, identity
from buddy_core.runs.comparing.model import Call, Side
from buddy_core.runs.query.scan import read_once
from buddy_core.runs.reading.jsonl import EventBatch, WireEvent, payload
from buddy_core.runs.reading.payloads import MetricData, bounded, payload_decoder
from buddy_core.runs.reading.tail import FileTail
from buddy_core.runs.viewing.event_words import tool_name
from buddy_core.runs.viewing.timeline import TimelineBuilder, TimelineRow
from buddy_core.runs.writing.eventlog import EVENTS_NAME

MAX_CALLS = 100_000
"""Calls of one run that are compared, from its first on."""

_MAX_ROWS = 1_000_000
_TOLD = frozenset({"run_start", "tool_call", "tool_result", "step_start", "step_end", "run_end"})
_CALLS = ("tool_call", "tool_result")
_metric_of = payload_decoder(MetricData)


def read_side(root: Path, run_id: str, *, clock: Clock, max_calls: int = MAX_CALLS) -> Side:
    """The run `run_id` in the runs directory `root`, whose links are followed already.

    A result without a call (of a tool that was filtered out) counts as a call of which only the tool is known.
    """
    facts = read_once(root, run_id, now_ms=clock.now_ms()).facts
    reader = _read(root, run_id, facts.cwd, max_calls)
    return Side(facts, reader.calls(), reader.left_out)


def _read(root: Path, run_id: str, base: str | None, max_calls: int) -> _Reader:
    tail, reader = FileTail(root, run_id, EVENTS_NAME), _Reader(base, max_calls)
    try:
        while True:
            change = tail.poll()
            if change.reset:
                reader = _Reader(base, max_calls)
            reader.feed(change.batch)
            if not change.more:
                return reader
    finally:
        tail.close()


class _Reader:
    """Joins calls with their results, and keeps of each what comparing needs."""

    def __init__(self, base: str | None, max_calls: int) -> None:
        self.left_out = 0
        self._base = base
        self._max_calls = max_calls
        self._rows = TimelineBuilder(max_rows=_MAX_ROWS)
        self._identities: dict[int, Identity] = {}
        self._used: dict[int, tuple[int, float | None]] = {}
        self._tokens: int | None = None  # of the requests since the last call
        self._cost: float | None = None

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
        if self._tokens is not None:
            self._used[offset] = self._tokens, self._cost
            self._tokens = self._cost = None
        return True

    def _request(self, event: WireEvent) -> None:
        metric = _metric_of(event.data)
        if metric.kind != "api_request":
            return
        metric = bounded(metric)
        into = metric.prompt_tokens + metric.cache_read_tokens + metric.cache_write_tokens
        self._tokens = (self._tokens or 0) + into + metric.completion_tokens
        if metric.cost is not None:
            self._cost = (self._cost or 0.0) + metric.cost

    def _call(self, number: int, row: TimelineRow) -> Call:
        found = self._identities.get(row.offset) or Identity((row.title, ()), b"")
        tokens, cost = self._used.get(row.offset, (None, None))
        return Call(number, row, found.key, found.literal, tokens, cost)
