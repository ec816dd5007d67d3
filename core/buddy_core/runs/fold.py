"""One run's events folded into counts, and into what the collector has not been told yet.

The counts describe the file as it stands. The harvest of a batch holds only what is new: after a file was
replaced or read again the caller says which records are fresh, the counts start anew and nothing is
recorded twice. Only the payloads that carry numbers are decoded, each at most once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import repeat
from typing import NamedTuple, TypeAlias

import msgspec

from buddy_core.metrics.batch import ToolColumn
from buddy_core.metrics.model import ApiRequest
from buddy_core.runs import payloads
from buddy_core.runs.harvest import CustomValue, Harvest, RequestSums, error_record, tool_error_record
from buddy_core.runs.json_values import MAX_INT
from buddy_core.runs.jsonl import EventBatch
from buddy_core.runs.model import RunMetadata
from buddy_core.runs.payloads import (
    MALFORMED,
    MAX_NAME,
    UNNAMED,
    ToolCallData,
    ToolResultData,
    coerced,
    observed_text,
    plain_payload,
)
from buddy_core.runs.records import metadata_from_wire

MAX_UNANSWERED = 256
"""Calls without a result that are remembered; older ones were refused, and would make pairing slow."""

_MAX_STEPS = 100
_MAX_MODELS = 100
_MAX_ARGUMENTS = 65_536
_NOTHING = Harvest()  # stands in between two batches, and is never added to
_NO_ARGUMENTS = msgspec.Raw(b"{}")

# Most events are calls and results: for them the decoders are used without a function around them.
_strict_call = msgspec.json.Decoder(ToolCallData).decode
_strict_result = msgspec.json.Decoder(ToolResultData).decode
_step_of = payloads.payload_decoder(payloads.StepData)
_metric_of = payloads.payload_decoder(payloads.MetricData)


class OpenCall(NamedTuple):
    """A tool call whose result has not come."""

    name: str
    at_ms: int
    data: msgspec.Raw
    """The call's payload, for whoever shows its arguments."""


_Call: TypeAlias = tuple[str, int, msgspec.Raw]
"""The fields of an `OpenCall`; a plain tuple is made in a fraction of the time."""


class RunFold:
    """The state of one run after every event fed so far."""

    __slots__ = (
        "_harvest",
        "_idless",
        "_open",
        "_steps",
        "end_status",
        "ended_at",
        "errors",
        "event_count",
        "failovers",
        "first_at",
        "foreign_records",
        "fork_reason",
        "last_at",
        "metadata",
        "models",
        "objective",
        "parent_run_id",
        "run_id",
        "sums",
        "tool_calls",
        "tool_failures",
    )

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id
        self.event_count = 0
        self.tool_calls = 0
        self.tool_failures = 0
        self.errors = 0
        self.failovers = 0
        self.foreign_records = 0
        """Records that claim another run's id; the directory's name wins, and this is told."""
        self.first_at: int | None = None
        self.last_at: int | None = None
        """Time of the last event that does not lie in the future."""
        self.end_status: str | None = None
        self.ended_at: int | None = None
        self.objective: str | None = None
        self.metadata: RunMetadata | None = None
        self.parent_run_id: str | None = None
        self.fork_reason: str | None = None
        self.sums = RequestSums()
        self.models: Counter[str] = Counter()
        self._open: dict[str | int, _Call] = {}
        self._idless = 0
        self._steps: list[str] = []
        self._harvest = _NOTHING

    @property
    def open_calls(self) -> tuple[OpenCall, ...]:
        """Calls without a result, oldest first, at most `MAX_UNANSWERED`."""
        return tuple(map(OpenCall._make, self._open.values()))

    @property
    def step(self) -> str | None:
        """The innermost step that has begun and not ended."""
        return self._steps[-1] if self._steps else None

    def feed(self, batch: EventBatch, *, now_ms: int, fresh: Sequence[bool] | None = None) -> Harvest:
        """Fold a batch; `fresh` says of each event whether it was never recorded (None: all are fresh)."""
        self._harvest = harvest = Harvest()
        own, handlers, foreign = self.run_id, _HANDLERS, 0
        for event, new in zip(batch.events, repeat(True) if fresh is None else fresh, strict=False):
            handler = handlers.get(event.type)
            if handler is not None:
                handler(self, event.ts, event.data, new)
            if event.run_id != own and event.run_id is not None:
                foreign += 1
        self.foreign_records += foreign
        self.event_count += len(batch.events)
        self._note_times(batch, now_ms)
        self._harvest = _NOTHING
        return harvest

    def _note_times(self, batch: EventBatch, now_ms: int) -> None:
        if self.first_at is None:
            self.first_at = next((event.ts for event in batch.events if event.ts > 0), None)
        last = next((event.ts for event in reversed(batch.events) if 0 < event.ts <= now_ms), None)
        self.last_at = self.last_at if last is None else last

    def _tool_call(self, ts: int, data: msgspec.Raw, new: bool) -> None:
        try:
            call = _strict_call(data)
        except MALFORMED:
            call = coerced(ToolCallData, plain_payload(data))
        self.tool_calls += 1
        key: str | int | None = call.tool_call_id or call.call_id or call.id
        if key is None:
            key = self.tool_calls
            self._idless += 1
        calls = self._open
        kept = data if len(data) <= _MAX_ARGUMENTS else _NO_ARGUMENTS
        calls[key] = ((call.tool_name or call.name or UNNAMED)[:MAX_NAME], ts, kept)
        if len(calls) > MAX_UNANSWERED:
            self._answer(next(iter(calls)))

    def _tool_result(self, ts: int, data: msgspec.Raw, new: bool) -> None:
        try:
            result = _strict_result(data)
        except MALFORMED:
            result = coerced(ToolResultData, plain_payload(data))
        key = result.tool_call_id or result.call_id or result.id
        call = self._open.pop(key, None) if key is not None else None
        if call is None:
            call = self._best_guess(key, (result.tool_name or result.name or UNNAMED)[:MAX_NAME])
        if not result.success:
            self.tool_failures += 1
        if not new:
            return
        duration = result.duration_ms
        if duration is None or not 0 <= duration <= MAX_INT:
            duration = _time_between(call, ts)
        name = result.tool_name or result.name or (call[0] if call is not None else UNNAMED)
        name = name[:MAX_NAME]
        column = self._harvest.tools.get(name)
        if column is None:
            column = self._harvest.tools[name] = ToolColumn([], [], [])
        if result.error and not result.success:
            record = tool_error_record(name, ts, result.error, self.run_id)
            self._harvest.tool_errors.append((name, len(column.ok), record))
        column.at_ms.append(ts)
        column.duration_ms.append(duration)
        column.ok.append(result.success)

    def _best_guess(self, key: str | None, tool: str) -> _Call | None:
        """The oldest call of the tool that a result without a call of its id could be meant for."""
        if key is not None and not self._idless:
            return None  # a filtered tool leaves a result without a call
        for candidate, call in self._open.items():
            if call[0] == tool and (key is None or isinstance(candidate, int)):
                return self._answer(candidate)
        return None

    def _answer(self, key: str | int) -> _Call:
        if isinstance(key, int):
            self._idless -= 1
        return self._open.pop(key)

    def _error(self, ts: int, data: msgspec.Raw, new: bool) -> None:
        self.errors += 1
        if new:
            self._harvest.errors.append(error_record(plain_payload(data), ts, self.run_id))

    def _metric(self, ts: int, data: msgspec.Raw, new: bool) -> None:
        metric = _metric_of(data)
        if metric.kind == "api_request":
            self._api_request(metric, ts, new)
        elif metric.kind == "value" and new and metric.name and metric.value is not None:
            self._harvest.values.append(CustomValue(metric.name, metric.value, metric.labels, ts))

    def _api_request(self, metric: payloads.MetricData, ts: int, new: bool) -> None:
        if not payloads.is_sound(metric):
            metric = payloads.bounded(metric)
        request = ApiRequest(
            metric.provider[:MAX_NAME] or UNNAMED,
            metric.model[:MAX_NAME] or UNNAMED,
            metric.prompt_tokens,
            metric.completion_tokens,
            metric.cache_read_tokens,
            metric.cache_write_tokens,
            metric.cost,
            metric.latency_ms,
            metric.ttft_ms,
            metric.success,
            self.run_id,
            ts,
        )
        self.sums.add(request)
        if request.model in self.models or len(self.models) < _MAX_MODELS:
            self.models[request.model] += 1
        if new:
            self._harvest.requests.append(request)

    def _run_start(self, ts: int, data: msgspec.Raw, new: bool) -> None:
        found = plain_payload(data)
        if self.objective is None:
            self.objective = observed_text(found.get("objective"))
        if self.metadata is None:
            self.metadata = metadata_from_wire(found.get("metadata"))

    def _run_end(self, ts: int, data: msgspec.Raw, new: bool) -> None:
        """The first end counts; whatever is written after it was late."""
        status = plain_payload(data).get("status")
        if self.end_status is None and isinstance(status, str):
            self.end_status = observed_text(status, MAX_NAME)
            self.ended_at = ts

    def _step_start(self, ts: int, data: msgspec.Raw, new: bool) -> None:
        if len(self._steps) < _MAX_STEPS:
            self._steps.append(_step_of(data).step[:MAX_NAME])

    def _step_end(self, ts: int, data: msgspec.Raw, new: bool) -> None:
        """Ends the innermost step of that name, and with it those inside whose end is missing."""
        name = _step_of(data).step[:MAX_NAME]
        if name in self._steps:
            while self._steps.pop() != name:
                pass

    def _decision(self, ts: int, data: msgspec.Raw, new: bool) -> None:
        found = plain_payload(data)
        if found.get("kind") == "provider_fallback":
            self.failovers += 1
        elif found.get("kind") == "fork" and self.parent_run_id is None:
            self.parent_run_id = observed_text(found.get("parentRunId"), MAX_NAME)
            self.fork_reason = observed_text(found.get("reason"), MAX_NAME)


_HANDLERS: dict[str, Callable[[RunFold, int, msgspec.Raw, bool], None]] = {
    "tool_call": RunFold._tool_call,
    "tool_result": RunFold._tool_result,
    "metric": RunFold._metric,
    "error": RunFold._error,
    "run_start": RunFold._run_start,
    "run_end": RunFold._run_end,
    "step_start": RunFold._step_start,
    "step_end": RunFold._step_end,
    "decision": RunFold._decision,
}
"""Event types that count for more than one event; all others are only counted."""


def _time_between(call: _Call | None, ts: int) -> float | None:
    """Milliseconds from a call to its result, where both times are usable and in order."""
    if call is None or call[1] <= 0 or ts < call[1]:
        return None
    return float(ts - call[1])
