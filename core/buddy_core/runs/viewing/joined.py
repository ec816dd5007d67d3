"""A run's events with each call joined to its result, as JSON output has them."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from buddy_core.runs.model import RunEvent
from buddy_core.runs.names import EVENTS_NAME
from buddy_core.runs.reading.tail import FileTail
from buddy_core.runs.records.wire import payload
from buddy_core.runs.timeline.timeline import TimelineBuilder, TimelineRow
from buddy_core.safety.paths import real_root

MAX_EVENTS = 1_000_000
"""Rows of one run that are kept; beyond it the oldest are left out."""


class JoinedEvent(NamedTuple):
    """One line of a run: an event, and for a tool call the event that answered it."""

    row: TimelineRow
    event: RunEvent
    result: RunEvent | None


def joined_events(runs_dir: Path, run_id: str) -> list[JoinedEvent]:
    """Every intact event in the order of the file; a result stands with its call, not by itself."""
    tail = FileTail(real_root(runs_dir), run_id, EVENTS_NAME)
    builder = TimelineBuilder(max_rows=MAX_EVENTS)
    by_offset: dict[int, RunEvent] = {}
    try:
        more = True
        while more:
            change = tail.poll()
            if change.reset:
                builder = TimelineBuilder(max_rows=MAX_EVENTS)
                by_offset.clear()
            builder.feed(change.batch)
            events = (RunEvent(e.ts, e.type, run_id, payload(e.data)) for e in change.batch.events)
            by_offset.update(zip(change.batch.offsets, events, strict=True))
            more = change.more
    finally:
        tail.close()
    return [
        JoinedEvent(row, by_offset[row.offset], _at(by_offset, row.result_offset)) for row in builder.rows()
    ]


def _at(by_offset: dict[int, RunEvent], offset: int | None) -> RunEvent | None:
    return None if offset is None else by_offset.get(offset)
