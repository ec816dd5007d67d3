"""One record of a run as its file has it: its bytes, undecoded, and whether it has a line to itself."""

from __future__ import annotations

import os
from pathlib import Path

from buddy_core.runs.names import EVENTS_NAME
from buddy_core.runs.reading.salvage import BOM
from buddy_core.runs.records.wire import LENIENT
from buddy_core.safety.paths import open_beneath

MAX_RECORD = 1024 * 1024
"""Bytes of one record that are read to show it raw."""


def read_record(run_dir: Path, offset: int, *, limit: int = MAX_RECORD) -> bytes:
    """The bytes of the record at `offset` up to its newline, at most `limit`, undecoded.

    Raises:
        OSError: The file is gone, no plain file, or may not be read.
    """
    fd = open_beneath(run_dir.parent, run_dir.name, EVENTS_NAME)
    try:
        return os.pread(fd, limit, max(0, offset)).split(b"\n", 1)[0]
    finally:
        os.close(fd)


def stands_alone(run_dir: Path, offset: int) -> bool:
    """True when the record at `offset` has a line to itself; False of one recovered from a damaged line.

    Raises:
        OSError: As `read_record`.
    """
    before = max(0, offset - len(BOM))
    fd = open_beneath(run_dir.parent, run_dir.name, EVENTS_NAME)
    try:
        data = os.pread(fd, MAX_RECORD + len(BOM), before)
    finally:
        os.close(fd)
    lead, line = data[: offset - before], data[offset - before :].partition(b"\n")[0]
    if lead and not lead.endswith(b"\n") and not (before == 0 and lead == BOM):
        return False
    try:
        end = LENIENT.raw_decode(line.decode("latin-1"))[1]
    except (ValueError, RecursionError):
        return False
    return not line[end:].strip(b" \t\r")
