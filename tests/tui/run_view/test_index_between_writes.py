"""Whoever reads an index while another thread lets it grow sees whole rows and whole events, whatever was written last.

Threads take turns wherever they like; here the reader gets its turn after every single write (case 39).
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Callable
from typing import Any

from buddy_core.runs.reading.jsonl import LineReader
from buddy_core.runs.timeline.index.eventindex import EventIndex
from buddy_core.runs.timeline.index.folds import Folded, outermost_steps, steps_around
from buddy_core.runs.timeline.index.indexing import Indexer
from buddy_core.runs.timeline.index.indexlines import INDEX_LINES
from buddy_core.runs.timeline.index.moments import row_of_moment
from buddy_top.run_view.timeline.remarks import _running

NOW = 1_770_000_000_000

Turn = Callable[[], None]


class WatchedArray(array):  # type: ignore[type-arg] # generic for type checkers only
    """A column after each of whose writes the reader has its turn."""

    turn: Turn

    def append(self, value: Any) -> None:
        super().append(value)
        self.turn()

    def extend(self, values: Any) -> None:
        super().extend(values)
        self.turn()

    def __setitem__(self, at: Any, value: Any) -> None:
        super().__setitem__(at, value)
        self.turn()


class WatchedBytes(bytearray):
    """The same for a column of bytes."""

    turn: Turn

    def append(self, value: Any) -> None:
        super().append(value)
        self.turn()

    def __setitem__(self, at: Any, value: Any) -> None:
        super().__setitem__(at, value)
        self.turn()


def watched(reader: Callable[[EventIndex], None]) -> tuple[EventIndex, list[int]]:
    """An index between any two writes of which `reader` looks at it; and how often it did."""
    index, turns = EventIndex(), [0]

    def turn() -> None:
        turns[0] += 1
        reader(index)

    for name, column in list(vars(index).items()):
        watching: Any
        if isinstance(column, array):
            watching = WatchedArray(column.typecode)
        elif isinstance(column, bytearray):
            watching = WatchedBytes()
        else:
            continue
        watching.turn = turn
        setattr(index, name, watching)
    return index, turns


def a_run() -> bytes:
    """Calls with and without results, steps in steps, failures, errors and an end."""
    said: list[tuple[str, dict[str, Any]]] = [("run_start", {})]
    for number in range(4):
        said += [
            ("step_start", {"step": f"outer {number}"}),
            ("tool_call", {"toolName": "bash", "toolCallId": f"a{number}"}),
            ("step_start", {"step": f"inner {number}"}),
            ("tool_call", {"toolName": f"tool {number}"}),
            ("tool_result", {"toolName": "bash", "toolCallId": f"a{number}", "success": number % 2 == 0}),
            ("error", {"message": "no"}),
            ("step_end", {"step": f"inner {number}", "passed": number % 2 == 1}),
            ("odd", {"of": "another writer"}),
        ]
    said.append(("run_end", {"status": "failed"}))
    lines = (
        json.dumps({"ts": NOW + 1_000 * at, "runId": "r", "type": kind, "data": data})
        for at, (kind, data) in enumerate(said)
    )
    return "\n".join(lines).encode() + b"\n"


def looks_everywhere(index: EventIndex) -> None:
    """Ask everything a screen asks, of the last rows and events and of what lies behind them."""
    rows, events = index.rows, len(index)
    for row in range(max(rows - 3, 0), rows):
        assert index.events[row] < events
        index.state(row), index.depth(row), index.step_of(row), steps_around(index, row)
        index.tool_names.name(index.tools[row])
        index.kind_names.name(index.kinds[index.events[row]])
        assert index.row_of_event(index.events[row]) == row
    for row in (-1, 0, rows - 2, rows - 1, rows, rows + 1):
        for step in (1, -1):
            wrong = index.next_wrong(row, step)
            assert wrong is None or wrong < rows
        begun = index.step_begun_at(row)
        assert begun is None or index.step_rows[begun] == row
    for event in range(events, events + 3):
        assert index.row_of_event(event) is None
    for offset in index.offsets[-3:]:
        event_there = index.event_at(offset)
        assert event_there is None or event_there < events
    for at_ms in (NOW, NOW + 1_000 * events, NOW + 1_000_000):
        assert index.events_until(at_ms) <= events
        assert index.row_at(at_ms) < max(rows, 1)
        if rows:
            assert row_of_moment(index, at_ms) < rows
    running = index.last_running()
    assert running is None or running < rows
    _running(index, NOW)
    folds = Folded(index, rows, outermost_steps(index))
    assert len(folds) + folds.hidden == rows


def test_between_any_two_writes_every_question_is_answered_from_whole_rows() -> None:
    index, turns = watched(looks_everywhere)

    Indexer(index).feed(LineReader(INDEX_LINES).feed(a_run()))

    assert len(index) == 34
    assert turns[0] > 6 * index.rows  # each column of each row, and what was changed since
