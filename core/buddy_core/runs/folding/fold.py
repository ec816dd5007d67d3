"""One run's events folded into counts, and into what the collector has not been told yet.

The counts describe the file as it stands. The harvest of a batch holds only what is new: after a file was
replaced or read again the caller says which records are fresh, the counts start anew and nothing is
recorded twice. Only the payloads that carry numbers are decoded, each at most once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import repeat
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from buddy_core.metrics.recording.batch import ToolColumn
from buddy_core.runs.folding.calls import (
    MAX_ARGUMENTS,
    NO_ARGUMENTS,
    GoodResults,
    OpenCall,
    called,
    duration_of,
    name_of,
)
from buddy_core.runs.folding.harvest import CustomValue, Harvest, error_record, tool_error_record
from buddy_core.runs.folding.pairing import MAX_UNANSWERED, WaitingCalls
from buddy_core.runs.folding.requests import RequestSums, count_requests
from buddy_core.runs.model import RunMetadata
from buddy_core.runs.names import is_run_id
from buddy_core.runs.reading.jsonl import Batch, EventBatch, WireEvent
from buddy_core.runs.records.payloads import (
    MALFORMED,
    MAX_NAME,
    UNNAMED,
    MetricData,
    StepData,
    ToolCallData,
    ToolResultData,
    coerced,
    observed_text,
    payload_decoder,
    plain_payload,
)
from buddy_core.runs.records.smallfiles import metadata_from_wire
from buddy_core.runs.records.typed import (
    PLAIN_LINES,
    CallLine,
    MetricLine,
    ResultLine,
    StepEndLine,
    StepStartLine,
    TypedEvent,
)

if TYPE_CHECKING:
    from buddy_core.prices.table import PriceTable

MAX_FOREIGN = 16
"""Other runs whose records in a run's file are told apart."""

_MAX_STEPS = 100
_NOTHING = Harvest()  # stands in between two batches, and is never added to

# Most events are calls and results: for them the decoders are used without a function around them.
_call_of = msgspec.json.Decoder(ToolCallData).decode
_result_of = msgspec.json.Decoder(ToolResultData).decode
_step_of = payload_decoder(StepData)
_metric_of = payload_decoder(MetricData)


class RunFold:
    """The state of one run after every event fed so far."""

    __slots__ = (
        "_harvest",
        "_lines",
        "_requests",
        "_steps",
        "_waiting",
        "end_status",
        "ended_at",
        "errors",
        "event_count",
        "failovers",
        "first_at",
        "foreign",
        "foreign_records",
        "fork_reason",
        "last_at",
        "metadata",
        "models",
        "objective",
        "parent_run_id",
        "prices",
        "run_id",
        "sums",
        "tool_calls",
        "tool_failures",
    )

    def __init__(self, run_id: str, prices: PriceTable | None = None) -> None:
        self.run_id = run_id
        self.prices = prices
        """What requests that state no cost are priced by; None: they are not."""
        self.event_count = 0
        self.tool_calls = 0
        self.tool_failures = 0
        self.errors = 0
        self.failovers = 0
        self.foreign_records = 0
        """Records that claim another run's id; the directory's name wins, and this is told."""
        self.foreign: dict[str, RunFold] = {}
        """The same folded apart, by the run they name, at most `MAX_FOREIGN` of them: a fork that was begun with
        its parent's records did not spend that again."""
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
        self._waiting = WaitingCalls()
        self._steps: list[str] = []
        self._harvest = _NOTHING
        self._lines: dict[str | None, GoodResults] = {}
        self._requests: list[MetricLine] = []  # they wait to be counted together

    @property
    def open_calls(self) -> tuple[OpenCall, ...]:
        """Calls without a result, oldest first, at most `MAX_UNANSWERED`."""
        return self._waiting.kept

    @property
    def step(self) -> str | None:
        """The innermost step that has begun and not ended."""
        return self._steps[-1] if self._steps else None

    def feed(
        self,
        batch: EventBatch | Batch[TypedEvent],
        *,
        now_ms: int,
        fresh: Sequence[bool] | None = None,
        harvest: Harvest | None = None,
    ) -> Harvest:
        """Fold a batch; `fresh` says of each event whether it was never recorded (None: all are fresh).

        What is new goes to the `harvest` of the batch before, or into one of its own.
        """
        self._harvest = harvest = Harvest() if harvest is None else harvest
        events: Sequence[TypedEvent] = batch.events
        self._lines = {name: GoodResults(column) for name, column in harvest.tools.items()}
        if fresh is None:
            self._fold_new(events)
        else:
            self._fold(events, fresh)
        self._waiting.let_go_of_lines()
        self._note_owners(events)
        self._note_times(events, now_ms)
        self.event_count += len(events)
        self._harvest, self._lines = _NOTHING, {}
        return harvest

    def _fold_new(self, events: Sequence[TypedEvent]) -> None:
        """Take events in their order, none of which was recorded before.

        Calls and results as they should be, nine of ten, go no way round, and good results are looked at together.
        """
        waiting, lines_of, made = self._waiting, self._lines.get, 0
        calls, take = waiting.by_key, waiting.by_key.pop
        for event in events:
            if type(event) is ResultLine:
                result = event.data
                key = result.tool_call_id
                if (
                    key
                    and result.success
                    and (lines := lines_of(result.tool_name)) is not None
                    and (call := take(key, None)) is not None
                ):
                    lines.results.append(event)
                    lines.calls.append(call)
                else:
                    self._result(event.ts, result, True)
            elif type(event) is CallLine:
                made += 1
                key = event.data.tool_call_id
                if key:
                    calls[key] = event
                    if len(calls) > MAX_UNANSWERED:
                        waiting.forget_oldest()
                else:
                    waiting.add(event.data, event)
            elif type(event) is MetricLine and event.data.kind == "api_request":
                self._requests.append(event)
            else:
                self._other(event, True)
        self.tool_calls += made
        self._enter_requests()
        for lines in self._lines.values():
            lines.enter()

    def _fold(self, events: Sequence[TypedEvent], fresh: Iterable[bool]) -> None:
        """The same, told of each event whether it is new."""
        for event, new in zip(events, fresh, strict=False):
            if isinstance(event, ResultLine):
                self._result(event.ts, event.data, new)
            elif isinstance(event, CallLine):
                self.tool_calls += 1
                self._waiting.add(event.data, event)
            else:
                self._other(event, new)

    def _other(self, event: TypedEvent, new: bool) -> None:
        handler: _Handler | None = _LINE_HANDLERS.get(type(event))
        if handler is None and isinstance(event, WireEvent):
            handler = _HANDLERS.get(event.type)
        if handler is not None:
            handler(self, event.ts, event.data, new)

    def _note_times(self, events: Sequence[TypedEvent], now_ms: int) -> None:
        if self.first_at is None:
            self.first_at = next((event.ts for event in events if event.ts > 0), None)
        last = next((event.ts for event in reversed(events) if 0 < event.ts <= now_ms), None)
        self.last_at = self.last_at if last is None else last

    def _note_owners(self, events: Sequence[TypedEvent]) -> None:
        named = [event.run_id for event in events]
        if named.count(self.run_id) < len(named):
            foreign = [event for event in events if event.run_id not in (None, self.run_id)]
            self.foreign_records += len(foreign)
            self._fold_apart(foreign)

    def _fold_apart(self, foreign: Sequence[TypedEvent]) -> None:
        by_run: dict[str, list[TypedEvent]] = {}
        for event in foreign:
            by_run.setdefault(event.run_id or "", []).append(event)
        for run_id, events in by_run.items():
            if run_id in self.foreign or (len(self.foreign) < MAX_FOREIGN and is_run_id(run_id)):
                apart = self.foreign.setdefault(run_id, RunFold(run_id, self.prices))
                apart._fold(events, repeat(False))
                apart._waiting.let_go_of_lines()

    def _wire_call(self, ts: int, data: msgspec.Raw, new: bool) -> None:
        """A call that the typed decoder refused, or that comes from a reader without one."""
        self.tool_calls += 1
        try:
            call = _call_of(data)
        except MALFORMED:
            call = coerced(ToolCallData, plain_payload(data))
        kept = data if len(data) <= MAX_ARGUMENTS else NO_ARGUMENTS
        self._waiting.add(call, OpenCall(called(call), ts, kept))

    def _wire_result(self, ts: int, data: msgspec.Raw, new: bool) -> None:
        try:
            result = _result_of(data)
        except MALFORMED:
            result = coerced(ToolResultData, plain_payload(data))
        self._result(ts, result, new)

    def _result(self, ts: int, result: ToolResultData, new: bool) -> None:
        """Count a result."""
        call = self._waiting.answered_by(result)
        if not result.success:
            self.tool_failures += 1
        if not new:
            return
        duration = duration_of(result.duration_ms, call, ts)
        name = (result.tool_name or result.name or (name_of(call) if call is not None else UNNAMED))[
            :MAX_NAME
        ]
        column = self._column(name)
        if result.error and not result.success:
            record = tool_error_record(name, ts, result.error, self.run_id)
            self._harvest.tool_errors.append((name, len(column.ok), record))
        column.at_ms.append(ts)
        column.duration_ms.append(duration)
        column.ok.append(result.success)
        column.calls.append(call)

    def _column(self, name: str) -> ToolColumn:
        """The calls of a tool in the harvest, all results before the present one among them."""
        lines = self._lines.get(name)
        if lines is None:
            lines = self._lines[name] = GoodResults(self._harvest.tools.setdefault(name, ToolColumn()))
        lines.enter()
        return lines.column

    def _error(self, ts: int, data: msgspec.Raw, new: bool) -> None:
        self.errors += 1
        if new:
            self._harvest.errors.append(error_record(plain_payload(data), ts, self.run_id))

    def _wire_metric(self, ts: int, data: msgspec.Raw, new: bool) -> None:
        self._metric(ts, _metric_of(data), new)

    def _metric(self, ts: int, metric: MetricData, new: bool) -> None:
        if metric.kind == "api_request":
            self._enter_requests()
            self._count_requests([(ts, metric)], new)
        elif metric.kind == "value" and new and metric.name and metric.value is not None:
            self._harvest.values.append(CustomValue(metric.name, metric.value, metric.labels, ts))

    def _enter_requests(self) -> None:
        """Count the requests that wait, before whatever comes after them."""
        lines, self._requests = self._requests, []
        if lines:
            self._count_requests([(line.ts, line.data) for line in lines], True)

    def _count_requests(self, found: Iterable[tuple[int, MetricData]], new: bool) -> None:
        harvested = self._harvest.requests if new else None
        count_requests(found, self.sums, self.models, prices=self.prices, harvested=harvested)

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

    def _wire_step_start(self, ts: int, data: msgspec.Raw, new: bool) -> None:
        self._step_start(ts, _step_of(data), new)

    def _step_start(self, ts: int, data: StepData, new: bool) -> None:
        if len(self._steps) < _MAX_STEPS:
            self._steps.append(data.step[:MAX_NAME])

    def _wire_step_end(self, ts: int, data: msgspec.Raw, new: bool) -> None:
        self._step_end(ts, _step_of(data), new)

    def _step_end(self, ts: int, data: StepData, new: bool) -> None:
        """Ends the innermost step of that name, and with it those inside whose end is missing."""
        name = data.step[:MAX_NAME]
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


_Handler: TypeAlias = Callable[[RunFold, int, Any, bool], None]

_HANDLERS: dict[str, _Handler] = {
    "tool_call": RunFold._wire_call,
    "tool_result": RunFold._wire_result,
    "metric": RunFold._wire_metric,
    "error": RunFold._error,
    "run_start": RunFold._run_start,
    "run_end": RunFold._run_end,
    "step_start": RunFold._wire_step_start,
    "step_end": RunFold._wire_step_end,
    "decision": RunFold._decision,
}
"""Event types that count for more than one event; all others are only counted."""

_LINE_HANDLERS: dict[type, _Handler] = {
    MetricLine: RunFold._metric,
    StepStartLine: RunFold._step_start,
    StepEndLine: RunFold._step_end,
    **{line: _HANDLERS[kind] for kind, line in PLAIN_LINES.items() if kind in _HANDLERS},
}
"""The same for lines that are typed, and neither calls nor results."""
