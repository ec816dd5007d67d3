"""The last rows of a run, read from the end of its file: what is seen of a long live run before it is indexed."""

from __future__ import annotations

import os
from pathlib import Path

from buddy_core.runs.names import EVENTS_NAME
from buddy_core.runs.reading.jsonl import JsonlReader
from buddy_core.runs.timeline.timeline import TimelineBuilder, TimelineRow
from buddy_core.safety.paths import BadName, open_beneath, real_root

END = 64 * 1024
"""Bytes that are read: a few hundred rows."""


def newest_rows(root: Path, run_id: str, first_at: int | None = None) -> tuple[TimelineRow, ...]:
    """The rows of the last whole records, oldest first; none where the file cannot be read.

    Times since the start are those since `first_at`, when the run began (ms since the epoch). The numbers of the
    rows and the steps around them are not those of the run: only its whole index knows these. A result whose call stands further up is a row of its own.
    """
    try:
        fd = open_beneath(real_root(root), run_id, EVENTS_NAME)
    except (OSError, BadName):
        return ()
    try:
        begin = max(0, os.fstat(fd).st_size - END)
        data = os.pread(fd, END, begin)
    except OSError:
        return ()
    finally:
        os.close(fd)
    whole = data.find(b"\n") + 1 if begin else 0
    batch = JsonlReader().feed(data[whole:])
    batch.offsets[:] = [offset + begin + whole for offset in batch.offsets]
    builder = TimelineBuilder(first_at=first_at)
    builder.feed(batch)
    return tuple(builder.rows())
