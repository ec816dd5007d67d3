"""What happened just before and just after an error in its run, without reading the whole run.

Records are written in order of time, so the place of an event is found by halving the file; where the clock
was set back in between and halving leads astray, the bytes are searched for the time itself.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from buddy_core.runs.names import EVENTS_NAME
from buddy_core.runs.reading.jsonl import EventBatch, JsonlReader, WireEvent, payload
from buddy_core.runs.timeline.event_words import describe
from buddy_core.runs.timeline.timeline import TimelineBuilder, TimelineRow
from buddy_core.safety.paths import BadName, open_beneath, real_root

MOST = 12
"""Rows given on each side of the event."""

SPANS = (64 * 1024, 1024 * 1024)
"""Bytes read on each side of its place: more where the first had too few events."""

SEARCHED = 64 * 1024 * 1024
"""Bytes searched for a time that is not where it should be."""

MOST_PLACES = 16
"""Places of such a time that are looked at."""

_STEP = 1024 * 1024
_COMPARED = 60
_TELLING = ("error", "tool_result")


class Moment(NamedTuple):
    """An error as it is looked for: it has no place of its own in what the collector keeps."""

    run_id: str
    at_ms: int
    message: str


@dataclass(frozen=True, slots=True)
class Surroundings:
    """A few rows of a run's timeline with the event in their midst."""

    rows: tuple[TimelineRow, ...] = ()
    """Oldest first, calls joined with their results; the steps around them are not told."""
    at: int | None = None
    """Index of the event in `rows`; None where it is not found."""
    later: int = 0
    """Rows behind it: fewer than `MOST` while the run, or what is left of it, ends here."""
    gone: bool = False
    """The run's events are not there any more: it was pruned or moved."""
    problem: str | None = None
    """Why its file cannot be read, in words."""


def events_around(runs_dir: Path, moment: Moment) -> Surroundings:
    """The rows around an error; never raises for what is on the disk. Opens a file: not for a drawing thread."""
    try:
        fd = open_beneath(real_root(runs_dir), moment.run_id, EVENTS_NAME)
    except FileNotFoundError:
        return Surroundings(gone=True)
    except (OSError, BadName) as error:
        return Surroundings(problem=str(getattr(error, "strerror", None) or error))
    try:
        return _around(fd, moment)
    except OSError as error:
        return Surroundings(problem=str(error.strerror or error))
    finally:
        os.close(fd)


def _around(fd: int, moment: Moment) -> Surroundings:
    size = os.fstat(fd).st_size
    best, said = _near(fd, size, _place_by_halving(fd, size, moment.at_ms), moment)
    if said:
        return best
    for place in islice(_places_by_search(fd, size, moment.at_ms), MOST_PLACES):
        found, said = _near(fd, size, place, moment)
        if said:
            return found
        best = best if best.at is not None else found
    return best


def _near(fd: int, size: int, place: int, moment: Moment) -> tuple[Surroundings, bool]:
    """The event with its neighbours, read from as few bytes around a place as have enough of them.

    With it: whether it says what it should say, or only happened at that time.
    """
    found, said = Surroundings(), False
    for span in SPANS:
        start, end = max(0, place - span), min(size, place + span)
        found, said = _midst(fd, start, end, moment)
        enough = said and (found.at or 0) >= MOST and found.later >= MOST
        if enough or (start == 0 and end == size):
            break
    return found, said


def _midst(fd: int, start: int, end: int, moment: Moment) -> tuple[Surroundings, bool]:
    batch, builder = _read(fd, start, end), TimelineBuilder()
    leading = 0
    if start > 0:
        first = _read(fd, 0, min(start, SPANS[0]))
        del first.events[1:], first.offsets[1:]
        builder.feed(first)  # times are told since the beginning of the run
        leading = len(builder.rows())
    builder.feed(batch)
    (place, said), rows = _place_in(batch, moment), builder.rows()[leading:]
    at = next((n for n, row in enumerate(rows) if place in (row.offset, row.result_offset)), None)
    if place is None or at is None:
        return Surroundings(), False
    kept = tuple(rows[max(0, at - MOST) : at + MOST + 1])
    here = min(at, MOST)
    return Surroundings(kept, here, later=len(kept) - here - 1), said


def _read(fd: int, start: int, end: int) -> EventBatch:
    """The whole records between two places, with where they begin in the file."""
    data = os.pread(fd, end - start, start)
    begin = data.find(b"\n") + 1 if start > 0 else 0
    if start > 0 and not begin:
        return EventBatch()
    batch = JsonlReader().feed(data[begin:])
    batch.offsets[:] = [offset + start + begin for offset in batch.offsets]
    return batch


def _place_in(batch: EventBatch, moment: Moment) -> tuple[int | None, bool]:
    """Where the record of the error begins, and whether it says what it should: one that does comes first."""
    at_that_time = [
        (event, offset)
        for event, offset in zip(batch.events, batch.offsets, strict=True)
        if event.ts == moment.at_ms and event.type in _TELLING
    ]
    told = [
        (not moment.message or _message_of(event)[:_COMPARED] == moment.message[:_COMPARED], -offset)
        for event, offset in at_that_time
    ]
    if not told:
        return None, False
    said, place = max(told)
    return -place, said


def _message_of(event: WireEvent) -> str:
    words = describe(event.type, payload(event.data))
    return words.error or words.detail


def _place_by_halving(fd: int, size: int, at_ms: int) -> int:
    """About where the first record of that time is, if time never went backwards in the file."""
    low, high = 0, size
    while high - low > SPANS[0] // 2:
        middle = (low + high) // 2
        time = _time_after(fd, middle, high)
        if time is not None and time < at_ms:
            low = middle
        else:
            high = middle
    return low


def _time_after(fd: int, start: int, end: int) -> int | None:
    """Time of the first whole record that begins at or after a place; None when there is none within a megabyte."""
    for span in (SPANS[0] // 4, _STEP):
        batch = _read(fd, start, min(end, start + span))
        for event in batch.events:
            if event.ts > 0:
                return event.ts
    return None


def _places_by_search(fd: int, size: int, at_ms: int) -> Iterator[int]:
    """Where the digits of the time stand, as far from the end as is searched; one place of those close together."""
    needle = str(at_ms).encode()
    start = max(0, size - SEARCHED)
    while start < size:
        found = os.pread(fd, _STEP + len(needle), start).find(needle)
        if found >= 0:
            yield start + found
        start += _STEP if found < 0 else found + SPANS[0]
