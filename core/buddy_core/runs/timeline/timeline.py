"""One run's events as lines to read: a call and its result are one line, steps indent what is inside them.

A timeline is bounded: it keeps the newest rows and says how many older ones it let go. Rows never change;
when a result comes, the row of its call is replaced by another one in the same place.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from buddy_core.runs.reading.jsonl import Accounting, EventBatch, WireEvent, payload
from buddy_core.runs.timeline.event_words import Payload, State, Words, call_id, describe, tool_name
from buddy_core.runs.timeline.joining import MAX_STEP_NAME, Joiner, between

MAX_ROWS = 20_000
"""Rows a timeline keeps unless told otherwise."""

WITHOUT_RESULT = "no result was recorded before the run ended"


class TimelineRow(msgspec.Struct, frozen=True, gc=False):
    """One line of a timeline. Its texts are observed and hostile."""

    index: int
    """Counts rows from the beginning of the run, also those that are not kept."""
    at_ms: int
    """Wall time of the (first) record."""
    since_start_ms: int
    """Since the first event with a time; never negative, whatever the clock did."""
    gap_ms: int | None
    """Since the record before it in the file; None for the first."""
    kind: str
    """The event type; of a call with its result, `tool_call`."""
    state: State
    title: str
    """The name of the tool, or the event type in words."""
    detail: str
    """The key argument, the message, the decision: at most 300 characters."""
    duration_ms: float | None
    """Of tools and requests as recorded, else between the two records that begin and end something."""
    output_bytes: int | None
    error: str | None
    depth: int
    """How many steps it is inside of."""
    step_id: str | None
    """Key of the innermost step: its name and the index of its first row."""
    offset: int
    """Where the (first) record begins in the file, for `read_record`."""
    result_offset: int | None = None
    """Where the record of the result begins."""


class Timeline(NamedTuple):
    """A whole run, read once."""

    rows: tuple[TimelineRow, ...]
    hidden: int
    """Older rows that are not kept."""
    accounting: Accounting


class TimelineBuilder:
    """Grows a timeline by batches of events, in the order of the file.

    Args:
        max_rows: How many of the newest rows are kept.
        first_at: When the run began, where the first batch is not its beginning.
    """

    def __init__(self, *, max_rows: int = MAX_ROWS, first_at: int | None = None) -> None:
        self.hidden = 0
        """Older rows that are not kept any more."""
        self._max_rows = max_rows
        self._rows: list[TimelineRow] = []
        self._snapshot: tuple[TimelineRow, ...] | None = ()
        self._first_at = first_at
        self._last_at: int | None = None
        self._joiner = Joiner()

    def rows(self) -> Sequence[TimelineRow]:
        """The kept rows, oldest first: the same tuple until something is fed."""
        if self._snapshot is None:
            self._snapshot = tuple(self._rows)
        return self._snapshot

    def feed(self, batch: EventBatch) -> None:
        """Add a batch."""
        if not batch.events:
            return
        for event, offset in zip(batch.events, batch.offsets, strict=True):
            self._add(event, offset)
            if len(self._rows) >= 2 * self._max_rows:
                self._let_go()
        self._let_go()
        self._snapshot = None

    def _add(self, event: WireEvent, offset: int) -> None:
        if self._first_at is None and event.ts > 0:
            self._first_at = event.ts
        data = payload(event.data)
        words = describe(event.type, data)
        if event.type == "tool_result":
            self._answer(event, offset, data, words)
        elif event.type == "step_end":
            self._end_step(event, offset, data, words)
        else:
            row = self._append(event, offset, title_of(event.type, data), words)
            if event.type == "tool_call":
                self._joiner.call(tool_name(data), call_id(data), row, event.ts)
            elif event.type == "step_start":
                self._joiner.begin_step(step_name(data), row, event.ts)
            elif event.type == "run_end":
                self._end_run()
        self._last_at = event.ts

    def _append(self, event: WireEvent, offset: int, title: str, words: Words) -> int:
        index = self.hidden + len(self._rows)
        first, last = self._first_at or event.ts, self._last_at
        steps = self._joiner.steps
        self._rows.append(
            TimelineRow(
                index=index,
                at_ms=event.ts,
                since_start_ms=max(0, event.ts - first),
                gap_ms=None if last is None else max(0, event.ts - last),
                kind=event.type,
                state=words.state,
                title=title,
                detail=words.detail,
                duration_ms=words.duration_ms,
                output_bytes=words.output_bytes,
                error=words.error,
                depth=len(steps),
                step_id=step_key(steps[-1].name, steps[-1].place) if steps else None,
                offset=offset,
            )
        )
        return index

    def _replace(self, index: int, **changes: object) -> None:
        """Put a changed row in the place of row `index`, if it is still kept."""
        place = index - self.hidden
        if 0 <= place < len(self._rows):
            self._rows[place] = msgspec.structs.replace(self._rows[place], **changes)

    def _answer(self, event: WireEvent, offset: int, data: Payload, words: Words) -> None:
        call = self._joiner.answered(tool_name(data), call_id(data))
        if call is None:  # a tool that was filtered out leaves a result without a call
            self._append(event, offset, tool_name(data), words)
            return
        took = words.duration_ms
        changes: dict[str, object] = {"detail": words.detail} if words.detail else {}
        self._replace(
            call.place,
            state=words.state,
            duration_ms=between(call.at_ms, event.ts) if took is None else took,
            output_bytes=words.output_bytes,
            error=words.error,
            result_offset=offset,
            **changes,
        )

    def _end_step(self, event: WireEvent, offset: int, data: Payload, words: Words) -> None:
        """Ends the innermost step of that name, and with it those inside whose end is missing."""
        ended, missing = self._joiner.end_step(step_name(data))
        for step in missing:
            self._replace(step.place, state="info")
        if ended is not None:
            took = between(ended.at_ms, event.ts)
            words = words._replace(duration_ms=took)
            self._replace(ended.place, state=words.state, duration_ms=took)
        self._append(event, offset, title_of(event.type, data), words)

    def _end_run(self) -> None:
        """Nothing that is still open will end now; a result that comes late is joined all the same."""
        for call in self._joiner.calls.values():
            self._replace(call.place, state="refused", error=WITHOUT_RESULT)
        for step in self._joiner.steps:
            self._replace(step.place, state="info")

    def _let_go(self) -> None:
        excess = len(self._rows) - self._max_rows
        if excess > 0:
            del self._rows[:excess]
            self.hidden += excess


def load_timeline(run_dir: Path, *, max_rows: int = MAX_ROWS) -> Timeline:
    """Read a whole run, of which the newest rows are made. A missing or unreadable event file gives no rows."""
    from buddy_core.runs.timeline.index.indextail import IndexTail
    from buddy_core.runs.timeline.index.rowmaker import RowMaker

    tail, maker = IndexTail(run_dir.parent, run_dir.name), RowMaker(run_dir.parent, run_dir.name)
    try:
        while tail.more:
            tail.grow()
        rows = tail.index.rows
        hidden = max(0, rows - max_rows)
        return Timeline(tuple(maker.rows(tail.index, range(hidden, rows))), hidden, tail.accounting)
    finally:
        tail.close()
        maker.close()


def title_of(kind: str, data: Payload) -> str:
    """What an event is called in a timeline: the name of its tool, or its type in words."""
    if kind in ("tool_call", "tool_result"):
        return tool_name(data)
    if kind == "metric" and data.get("kind") == "api_request":
        return "api request"
    return kind[:200].replace("_", " ") or "(no type)"


def step_name(data: Payload) -> str:
    """The name by which the beginning and the end of a step are joined."""
    return str(data.get("step") or "")[:MAX_STEP_NAME]


def step_key(name: str, row: int) -> str:
    """What tells a step from others of its name: the row that begins it."""
    return f"{name}:{row}"
