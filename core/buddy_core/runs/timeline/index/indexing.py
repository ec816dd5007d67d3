"""Grows an `EventIndex` by batches of events: what `TimelineBuilder` does with rows, done with numbers alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from buddy_core.runs.reading.jsonl import Batch
from buddy_core.runs.records.json_values import MAX_INT
from buddy_core.runs.records.payloads import MAX_NAME
from buddy_core.runs.records.wire import WireEvent, payload
from buddy_core.runs.timeline.event_words import Words, call_id, describe, text, tool_name
from buddy_core.runs.timeline.index.eventindex import (
    CALL,
    ERROR,
    FAILED,
    INFO,
    KINDS,
    METRIC,
    NONE,
    OK,
    REFUSED,
    RESULT,
    RUNNING,
    STATES,
    STEP_END,
    STEP_START,
    EventIndex,
)
from buddy_core.runs.timeline.index.indexlines import (
    CallNames,
    IndexApplied,
    IndexCall,
    IndexCreated,
    IndexDecision,
    IndexFault,
    IndexLine,
    IndexMetric,
    IndexResult,
    IndexRunEnd,
    IndexRunStart,
    IndexStepEnd,
    IndexStepStart,
)
from buddy_core.runs.timeline.joining import MAX_STEP_NAME, Joiner, Opened, between
from buddy_core.runs.timeline.timeline import step_name

_UNKNOWN = float("nan")
_STATE_NUMBERS = {state: number for number, state in enumerate(STATES)}
_UNNAMED = tool_name({})
_MOST_NAMES = 1_000


class Indexer:
    """Feeds one index."""

    def __init__(self, index: EventIndex) -> None:
        self.index = index
        self._joiner = Joiner()
        self._tools: dict[str, str] = {}
        self._steps: list[int] = []  # the numbers of the open steps, the outermost first

    def feed(self, batch: Batch[IndexLine]) -> None:
        """Add the next events of the file."""
        index, events = self.index, batch.events
        times = [event.ts for event in events]
        if index.first_at is None:
            index.first_at = next((ts for ts in times if ts > 0), None)
        if index.ordered:
            last = index.times[-1:].tolist()
            index.ordered = sorted(last + times) == last + times
        place = len(index.kinds)
        index.offsets.extend(batch.offsets)
        index.times.extend(times)
        kinds = index.kinds
        for event in events:
            if isinstance(event, WireEvent):
                kinds.append(index.kind_names.number(event.type))
                self._wire(event, place)
            else:
                number, add = _ADDERS[type(event)]
                kinds.append(number)
                add(self, event, place)
            place += 1

    def _append(
        self, place: int, state: int, tool: int = 0, duration: float = _UNKNOWN, answer: int = NONE
    ) -> None:
        """Add a row; its duration last, which is what counts rows, so that no reader sees half of one."""
        index = self.index
        index.events.append(place)
        index.answers.append(answer)
        index.states.append(state)
        index.steps.append(self._steps[-1] if self._steps else NONE)
        index.tools.append(tool)
        index.durations.append(duration)

    # Events with the payload of the usual writer

    def _plain(self, _event: IndexLine, place: int) -> None:
        self._append(place, INFO)

    def _fault(self, _event: IndexLine, place: int) -> None:
        self._append(place, ERROR)

    def _call(self, event: IndexCall, place: int) -> None:
        data = event.data
        self._open_call(self._tool_of(data), _id_of(data), event.ts, place)

    def _result(self, event: IndexResult, place: int) -> None:
        data = event.data
        state = OK
        if data.blocked_by:
            state = REFUSED
        elif not data.success:
            state = FAILED
        took = data.duration_ms
        if took is not None and not 0 <= took <= MAX_INT:
            took = None
        self._answer(self._tool_of(data), _id_of(data), event.ts, place, state, took)

    def _metric(self, event: IndexMetric, place: int) -> None:
        data = event.data
        if data.kind == "api_request":
            took = data.latency_ms
            known = took is not None and 0 <= took <= MAX_INT
            self._append(
                place, OK if data.success else FAILED, 0, took if known and took is not None else _UNKNOWN
            )
        else:
            self._append(place, INFO)

    def _decision(self, event: IndexDecision, place: int) -> None:
        blocks = event.data.kind == "tool_filter_block" and not event.data.description
        self._append(place, REFUSED if blocks else INFO)

    def _step_start(self, event: IndexStepStart, place: int) -> None:
        self._begin_step(event.data.step[:MAX_STEP_NAME], event.ts, place)

    def _step_end(self, event: IndexStepEnd, place: int) -> None:
        passed = event.data.passed
        state = INFO if passed is None else OK if passed else FAILED
        self._end_step(event.data.step[:MAX_STEP_NAME], event.ts, place, state)

    def _run_end(self, event: IndexRunEnd, place: int) -> None:
        status = event.data.status
        self._append(place, OK if status == "completed" else FAILED if status == "failed" else INFO)
        self._end_run()

    # Events of any other form

    def _wire(self, event: WireEvent, place: int) -> None:
        data = payload(event.data)
        words = describe(event.type, data)
        state = _STATE_NUMBERS[words.state]
        if event.type == "tool_call":
            self._open_call(tool_name(data), call_id(data), event.ts, place)
        elif event.type == "tool_result":
            self._answer(tool_name(data), call_id(data), event.ts, place, state, words.duration_ms)
        elif event.type == "step_start":
            self._begin_step(step_name(data), event.ts, place)
        elif event.type == "step_end":
            self._end_step(step_name(data), event.ts, place, state)
        else:
            self._append(place, state, 0, _length(words))
            if event.type == "run_end":
                self._end_run()

    def _tool_of(self, data: CallNames) -> str:
        """The tool of a call; most have one of a few names, which are read once."""
        known = self._tools.get(data.tool_name or "")
        if known is not None:
            return known
        name = text(data.tool_name) or text(data.name) or _UNNAMED
        if data.tool_name and len(name) <= MAX_NAME and len(self._tools) < _MOST_NAMES:
            self._tools[data.tool_name] = name
        return name

    # What they do to rows

    def _open_call(self, tool: str, key: str | None, at_ms: int, place: int) -> None:
        self._joiner.call(tool, key, self.index.rows, at_ms)
        self._append(place, RUNNING, self.index.tool_names.number(tool))

    def _answer(
        self, tool: str, key: str | None, at_ms: int, place: int, state: int, took: float | None
    ) -> None:
        call, index = self._joiner.answered(tool, key), self.index
        if call is None:
            self._append(place, state, index.tool_names.number(tool), _UNKNOWN if took is None else took)
            return
        if took is None:
            took = between(call.at_ms, at_ms)
        index.answers[call.place] = place
        index.states[call.place] = state
        index.durations[call.place] = _UNKNOWN if took is None else took
        index.changed.append(call.place)

    def _begin_step(self, name: str, at_ms: int, place: int) -> None:
        index, row = self.index, self.index.rows
        self._append(place, RUNNING)
        if self._joiner.begin_step(name, row, at_ms):
            index.step_parents.append(self._steps[-1] if self._steps else NONE)
            index.step_depths.append(len(self._steps))
            index.step_ends.append(NONE)
            index.step_rows.append(row)
            self._steps.append(len(index.step_rows) - 1)

    def _end_step(self, name: str, at_ms: int, place: int, state: int) -> None:
        ended, missing = self._joiner.end_step(name)
        for step in missing:
            self._stands(step.place, INFO)
        if ended is None:
            self._append(place, state)
            return
        for _ in range(len(missing) + 1):
            self.index.step_ends[self._steps.pop()] = self.index.rows
        self._close_step(ended, at_ms, place, state)

    def _close_step(self, ended: Opened, at_ms: int, place: int, state: int) -> None:
        index = self.index
        took = between(ended.at_ms, at_ms)
        duration = _UNKNOWN if took is None else took
        index.answers[ended.place] = place
        index.durations[ended.place] = duration
        self._stands(ended.place, state)
        self._append(place, state, 0, duration, index.events[ended.place])

    def _end_run(self) -> None:
        for call in self._joiner.calls.values():
            self._stands(call.place, REFUSED)
        for step in self._joiner.steps:
            self._stands(step.place, INFO)

    def _stands(self, row: int, state: int) -> None:
        self.index.states[row] = state
        self.index.changed.append(row)


def _length(words: Words) -> float:
    return _UNKNOWN if words.duration_ms is None else words.duration_ms


def _id_of(data: CallNames) -> str | None:
    return data.tool_call_id or data.call_id or data.id or None


_ADDERS: Mapping[type, tuple[int, Callable[[Indexer, Any, int], None]]] = {
    IndexCall: (CALL, Indexer._call),
    IndexResult: (RESULT, Indexer._result),
    IndexMetric: (METRIC, Indexer._metric),
    IndexStepStart: (STEP_START, Indexer._step_start),
    IndexStepEnd: (STEP_END, Indexer._step_end),
    IndexRunEnd: (KINDS.index("run_end"), Indexer._run_end),
    IndexDecision: (KINDS.index("decision"), Indexer._decision),
    IndexFault: (KINDS.index("error"), Indexer._fault),
    IndexRunStart: (KINDS.index("run_start"), Indexer._plain),
    IndexCreated: (KINDS.index("patch_created"), Indexer._plain),
    IndexApplied: (KINDS.index("patch_applied"), Indexer._plain),
}
"""Number and adder of each form; bound to an indexer they would hold it in a circle, and with it megabytes."""
