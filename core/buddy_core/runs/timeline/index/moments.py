"""Moments of one run: as a person writes them, and the row of its index that one of them means."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from math import isclose, isnan

from buddy_core.runs.query.model import Date, TimeOfDay
from buddy_core.runs.query.values import duration_ms, moment
from buddy_core.runs.timeline.index.eventindex import CALL, RESULT, EventIndex

CallNamed = tuple[str, float | None]
"""Tool and duration of a call, which tell it from others that ended at the same moment."""

SAME_MOMENT_MS = 5
"""Durations are rounded, and a result is written a little after its call ended."""

_NEAR = 5_000
_SHARE = re.compile(r"(\d{1,3}(?:\.\d+)?) ?%", re.ASCII)


def moment_in_run(text: str, begin_ms: int, end_ms: int) -> int | None:
    """`14:05` or `14:05:30` (of the run's first day that has it), `+3m20s` (since it began), `-10s` (before its
    end), `40%` (of its time), `2026-01-08 14:05`; as milliseconds since the epoch. None for anything else.
    """
    text = text.strip()
    if found := _SHARE.fullmatch(text):
        return begin_ms + round((end_ms - begin_ms) * min(float(found.group(1)), 100.0) / 100)
    if text[:1] in ("+", "-"):
        length = duration_ms(text[1:].replace(" ", ""))
        if length is None:
            return None
        return begin_ms + length if text[0] == "+" else end_ms - length
    said = moment(text)
    if isinstance(said, TimeOfDay):
        begin = datetime.fromtimestamp(begin_ms / 1000).astimezone()
        midnight = begin.replace(hour=0, minute=0, second=0, microsecond=0)
        meant = midnight + timedelta(seconds=said.second)
        return _ms(meant if meant >= begin.replace(microsecond=0) else meant + timedelta(days=1))
    return _ms(datetime.fromisoformat(said.iso).astimezone()) if isinstance(said, Date) else None


def row_of_moment(index: EventIndex, at_ms: int, call: CallNamed | None = None) -> int:
    """The failure that was recorded at `at_ms`, else the last row that had begun by then; 0 without rows.

    A `call` that is named by its tool and duration is found first, by when it ended. A call is recorded as
    failed when its result comes, so of several parallel calls the one that ended at that moment is meant.
    """
    if call is not None and (row := _called(index, at_ms, *call)) is not None:
        return row
    failed = [row for row in _wrong_before(index, at_ms) if abs(_end(index, row) - at_ms) <= SAME_MOMENT_MS]
    if failed:
        return min(failed)
    if index.ordered:
        return index.row_at(at_ms)
    begun = (row for row in range(index.rows - 1, -1, -1) if index.times[index.events[row]] <= at_ms)
    return next(begun, 0)


def _called(index: EventIndex, at_ms: int, tool: str, took: float | None) -> int | None:
    """The call of that tool and length that ended nearest to that moment, among those around it."""
    number = index.tool_names.number_of(tool)
    near = index.row_at(at_ms - round(took or 0)) if index.ordered else 0
    rows = range(max(near - _NEAR, 0), min(near + _NEAR, index.rows)) if index.ordered else range(index.rows)
    meant = [
        (abs(_end(index, row) - at_ms), row)
        for row in rows
        if index.tools[row] == number
        and _is_length(index.durations[row], took)
        and index.kinds[index.events[row]] in (CALL, RESULT)
    ]
    return min(meant)[1] if meant else None


def _is_length(duration: float, took: float | None) -> bool:
    """Durations stand in an index with seven digits."""
    return isnan(duration) if took is None else isclose(duration, took, rel_tol=1e-6)


def _wrong_before(index: EventIndex, at_ms: int) -> Iterator[int]:
    """Rows that failed, from the last that had begun at that moment back, as many as are looked at."""
    after = index.row_at(at_ms + SAME_MOMENT_MS) + 1 if index.ordered else index.rows
    row = index.next_wrong(after, -1)
    for _ in range(_NEAR):
        if row is None:
            return
        yield row
        row = index.next_wrong(row, -1)


def _end(index: EventIndex, row: int) -> float:
    took = index.durations[row]
    return index.times[index.events[row]] + (0 if isnan(took) else took)


def _ms(moment_: datetime) -> int:
    return int(moment_.timestamp() * 1000)
