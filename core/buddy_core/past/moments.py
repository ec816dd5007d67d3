"""The moments of one run: when each of its events was written, and where it stands in the file."""

from __future__ import annotations

import os
from array import array
from bisect import bisect_right
from pathlib import Path

from buddy_core.past.moment import Believed, PastMoment
from buddy_core.past.observer import Abandoned, Cancelled
from buddy_core.runs.names import EVENTS_NAME, started_at_of
from buddy_core.runs.reading.jsonl import EVENTS, LineReader
from buddy_core.runs.reading.tail import CHUNK
from buddy_core.safety.paths import open_beneath, real_root


class RunMoments:
    """Every event of a run as the file was when it was read; sixteen bytes an event."""

    __slots__ = ("offsets", "run_id", "times")

    def __init__(self, run_id: str, times: array[int], offsets: array[int]) -> None:
        self.run_id = run_id
        self.times = times
        """Wall time of each event; never less than that of the event before it."""
        self.offsets = offsets
        """Where each begins in the file, in bytes."""

    def __len__(self) -> int:
        return len(self.times)

    def at(self, events: int) -> PastMoment:
        """The moment at which so many of them had happened; at least one and at most all."""
        events = max(1, min(len(self.times), events))
        return PastMoment(self.times[events - 1], self.run_id, events)

    def events_by(self, at_ms: int) -> int:
        """How many had happened by a wall time."""
        return bisect_right(self.times, at_ms)

    def events_to(self, offset: int) -> int:
        """How many had happened when the one that begins at `offset` in the file had."""
        return bisect_right(self.offsets, offset)

    def end_of(self, events: int) -> int | None:
        """Where the events begin that came after the first so many; None when none did."""
        return self.offsets[events] if events < len(self.offsets) else None


def read_moments(runs_dir: Path, run_id: str, *, now_ms: int, cancelled: Cancelled = bool) -> RunMoments:
    """Read a whole run for its times; a run without readable events has none.

    Raises:
        Abandoned: `cancelled` said so.
    """
    times, offsets = array("q"), array("q")
    believed = Believed(started_at_of(run_id) or 0, now_ms)
    reader = LineReader(EVENTS)
    try:
        fd = open_beneath(real_root(runs_dir), run_id, EVENTS_NAME)
    except OSError:
        return RunMoments(run_id, times, offsets)
    with os.fdopen(fd, "rb", buffering=0) as file:
        while chunk := file.read(CHUNK):
            batch = reader.feed(chunk)
            times.extend(believed.take(event.ts) for event in batch.events)
            offsets.extend(batch.offsets)
            if cancelled():
                raise Abandoned("another moment was asked for")
    return RunMoments(run_id, times, offsets)
