"""Rows of a timeline made when somebody looks at them: from an index, and the few records they come from.

What is read again is held against the index. A record that is no longer there, because the file was replaced
since, gives a row that says so; whoever follows the file hears of the replacement from its tail.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from buddy_core.runs.names import EVENTS_NAME
from buddy_core.runs.reading.jsonl import EVENTS, MAX_LINE, JsonlReader, WireEvent, payload
from buddy_core.runs.timeline.event_words import Payload, Words, describe
from buddy_core.runs.timeline.index.eventindex import CALL, NONE, EventIndex
from buddy_core.runs.timeline.joining import between
from buddy_core.runs.timeline.timeline import WITHOUT_RESULT, TimelineRow, step_key, step_name, title_of
from buddy_core.safety.paths import open_beneath, real_root

UNREADABLE = "this event can be read no more: its file is gone, or another one by now"

KEPT_ROWS = 2_000
"""Rows that are remembered once they are made."""

_SPAN = 1024 * 1024
_NEAR = 16 * 1024


class _Record(NamedTuple):
    """An event as it stands in the file, with its payload."""

    kind: str
    data: Payload


class RowMaker:
    """Makes rows of one run's event file; `index` may be another one at every call."""

    def __init__(self, root: Path, run_id: str) -> None:
        self._root = real_root(root)
        self._run_id = run_id
        self._fd: int | None = None
        self._index: EventIndex | None = None
        self._made: OrderedDict[int, tuple[tuple[int, int], TimelineRow]] = OrderedDict()
        self._step_names: OrderedDict[int, str] = OrderedDict()

    def close(self) -> None:
        """Let go of the file; the next rows open it again."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def rows(self, index: EventIndex, numbers: Iterable[int]) -> list[TimelineRow]:
        """The rows with these numbers, all of which `index` has; reads the file, never raises for what it holds."""
        if index is not self._index:
            self._forget(index)
        wanted = list(numbers)
        missing = [row for row in wanted if not self._known(index, row)]
        made: dict[int, TimelineRow] = {}
        for row, line in zip(missing, self._make(index, missing), strict=True):
            made[row] = line
            self._made[row] = ((index.states[row], index.answers[row]), line)
        found = [made.get(row) or self._made[row][1] for row in wanted]
        while len(self._made) > KEPT_ROWS:
            self._made.popitem(last=False)
        return found

    def _forget(self, index: EventIndex) -> None:
        self.close()
        self._index = index
        self._made.clear()
        self._step_names.clear()

    def _known(self, index: EventIndex, row: int) -> bool:
        kept = self._made.get(row)
        if kept is None or kept[0] != (index.states[row], index.answers[row]):
            return False
        self._made.move_to_end(row)
        return True

    def _make(self, index: EventIndex, rows: Sequence[int]) -> Iterator[TimelineRow]:
        events: set[int] = set()
        for row in rows:
            events.add(index.events[row])
            if index.kinds[index.events[row]] == CALL and index.answers[row] != NONE:
                events.add(index.answers[row])
        records = dict(self._records(index, sorted(events)))
        for row in rows:
            yield self._row(index, row, records)

    # Rows

    def _row(self, index: EventIndex, row: int, records: dict[int, _Record | None]) -> TimelineRow:
        event, answer = index.events[row], index.answers[row]
        record, state = records[event], index.state(row)
        result = records.get(answer) if answer != NONE else None
        words = Words(error=UNREADABLE) if record is None else describe(record.kind, record.data)
        is_call = index.kinds[event] == CALL
        if is_call and answer != NONE:
            words = _answered(words, result, index.times[event], index.times[answer])
        elif is_call and state == "refused":
            words = words._replace(error=WITHOUT_RESULT)
        elif answer != NONE:
            words = words._replace(duration_ms=_step_took(index, event, answer))
        at_ms = index.times[event]
        kind = index.kind_names.name(index.kinds[event]) or "" if record is None else record.kind
        step = index.step_of(row)
        return TimelineRow(
            index=row,
            at_ms=at_ms,
            since_start_ms=max(0, at_ms - (index.first_at or at_ms)),
            gap_ms=None if event == 0 else max(0, at_ms - index.times[event - 1]),
            kind=kind,
            state=state,
            title=title_of(kind, {} if record is None else record.data),
            detail=words.detail,
            duration_ms=words.duration_ms,
            output_bytes=words.output_bytes,
            error=words.error,
            depth=index.depth(row),
            step_id=None if step is None else self._step_key(index, step),
            offset=index.offsets[event],
            result_offset=index.offsets[answer] if is_call and answer != NONE else None,
        )

    def _step_key(self, index: EventIndex, step: int) -> str:
        row = index.step_rows[step]
        name = self._step_names.get(step)
        if name is None:
            record = next(iter(self._records(index, [index.events[row]])))[1]
            name = "" if record is None else step_name(record.data)
            self._step_names[step] = name
            while len(self._step_names) > KEPT_ROWS:
                self._step_names.popitem(last=False)
        return step_key(name, row)

    # Records

    def _records(self, index: EventIndex, events: Sequence[int]) -> Iterator[tuple[int, _Record | None]]:
        """Each of the events (in order) as it stands in the file now; None where another one does."""
        for span in _spans(index, events):
            begin = max(index.offsets[span[0]] - 1, 0)
            data = self.read(begin, _end_of(index, span[-1]) - begin)
            for event in span:
                yield event, self._record(index, event, data, begin)

    def _record(self, index: EventIndex, event: int, data: bytes, begin: int) -> _Record | None:
        at = index.offsets[event] - begin
        end = data.find(b"\n", at)
        found: WireEvent | None = None
        if end >= 0 and (at == 0 or data[at - 1] == 0x0A) and end - at <= MAX_LINE:
            found = _decoded(data[at:end])
        if found is None:  # its time may have come from the record before it, so it is not compared
            found = self._salvaged(index.offsets[event])
        elif found.ts != index.times[event]:
            return None
        if found is None or index.kind_names.number_of(found.type) != index.kinds[event]:
            return None
        return _Record(found.type, payload(found.data))

    def _salvaged(self, offset: int) -> WireEvent | None:
        """A record in the midst of a damaged line, got out of it as it was before."""
        first = max(0, offset - MAX_LINE - 1)
        before = self.read(first, offset - first)
        begin = first + before.rfind(b"\n") + 1
        if begin == first and first > 0:  # NUL bytes without end stand before the line
            begin = offset - len(before.lstrip(b"\0"))
        line = self.read(begin, MAX_LINE + 1 + offset - begin).split(b"\n", 1)[0]
        reader = JsonlReader()
        lead = b"\n" if begin > 0 else b""  # a byte order mark is one at the beginning of the file only
        batch = reader.feed(lead + line + b"\n")
        places = {
            place - len(lead) + begin: event for event, place in zip(batch.events, batch.offsets, strict=True)
        }
        return places.get(offset)

    def read(self, begin: int, size: int) -> bytes:
        """Bytes of the file from a place on, as many as there are; none where it cannot be read."""
        try:
            if self._fd is None:
                self._fd = open_beneath(self._root, self._run_id, EVENTS_NAME)
            return os.pread(self._fd, max(size, 0), begin)
        except OSError:
            return b""


def _spans(index: EventIndex, events: Sequence[int]) -> Iterator[list[int]]:
    """Events that stand so near each other that they are read together."""
    span: list[int] = []
    for event in events:
        if span:
            reach = index.offsets[event] - index.offsets[span[-1]]
            if reach > _NEAR or index.offsets[event] - index.offsets[span[0]] > _SPAN:
                yield span
                span = []
        span.append(event)
    if span:
        yield span


def _end_of(index: EventIndex, event: int) -> int:
    """Up to where an event is read: to the next one, but no further than a line may reach."""
    furthest = index.offsets[event] + MAX_LINE + 1
    return min(index.offsets[event + 1], furthest) if event + 1 < len(index.offsets) else furthest


def _decoded(line: bytes) -> WireEvent | None:
    try:
        line.decode()
        return EVENTS.strict(line)
    except (ValueError, RecursionError):
        return None


def _answered(words: Words, result: _Record | None, begin: int, end: int) -> Words:
    """What a call and its result say together."""
    if result is None:
        return words._replace(error=UNREADABLE)
    said = describe(result.kind, result.data)
    return Words(
        detail=said.detail or words.detail,
        duration_ms=between(begin, end) if said.duration_ms is None else said.duration_ms,
        output_bytes=said.output_bytes,
        error=said.error,
    )


def _step_took(index: EventIndex, event: int, answer: int) -> float | None:
    begin, end = sorted((event, answer))
    return between(index.times[begin], index.times[end])
