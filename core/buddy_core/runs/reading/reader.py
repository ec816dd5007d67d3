"""Which runs there are, and the small files of one, for code that asks once; `wholerun` reads the rest."""

from __future__ import annotations

import os
from pathlib import Path

from buddy_core.runs.model import RunMetrics, RunSummary
from buddy_core.runs.names import EVENTS_NAME, is_run_id, started_at_of
from buddy_core.runs.records.smallfiles import MAX_RECORD_BYTES, parse_metrics, parse_summary
from buddy_core.safety.paths import open_beneath, stat_beneath


def run_ids(runs_dir: Path) -> list[str]:
    """The ids of all run directories, newest first by the time in their names; none when unreadable."""
    try:
        with os.scandir(runs_dir) as entries:
            found = [e.name for e in entries if is_run_id(e.name) and e.is_dir(follow_symlinks=False)]
    except OSError:
        return []
    if (
        len(set(map(len, found))) <= 1
    ):  # as nearly always: digits of equal number sort as the times they stand for
        return sorted(found, reverse=True)
    return sorted(found, key=lambda run_id: (started_at_of(run_id), run_id), reverse=True)


def read_summary(runs_dir: Path, run_id: str) -> RunSummary:
    """The summary on the disk; where none can be read, what the id and the lock say.

    Nobody has called such a run running: it is, unless it has events and its lock is free, which says that its writer
    is gone. Before its first event it may be about to begin, with a lock that nobody has taken yet.
    """
    summary = _recorded_summary(runs_dir, run_id)
    status = "running"
    if summary is None and _writer_is_gone(runs_dir, run_id):
        # All of a short run may have happened since the first look.
        summary, status = _recorded_summary(runs_dir, run_id), "interrupted"
    if summary is not None:
        return summary
    return RunSummary(run_id=run_id, objective="", status=status, started_at=started_at_of(run_id) or 0)


def _recorded_summary(runs_dir: Path, run_id: str) -> RunSummary | None:
    data = read_small_file(runs_dir, run_id, "summary.json")
    return parse_summary(data, run_id) if data is not None else None


def _writer_is_gone(runs_dir: Path, run_id: str) -> bool:
    from buddy_core.runs.watching.liveness import lock_state  # runs begun in order have a summary

    try:
        begun = stat_beneath(runs_dir, run_id, EVENTS_NAME).st_size > 0
    except OSError:
        return False
    return begun and lock_state(runs_dir / run_id) == "free"


def read_metrics(runs_dir: Path, run_id: str) -> RunMetrics | None:
    """The totals on the disk; None when there are none that can be read."""
    data = read_small_file(runs_dir, run_id, "metrics.json")
    return parse_metrics(data) if data is not None else None


def read_small_file(runs_dir: Path, *parts: str, limit: int = MAX_RECORD_BYTES) -> bytes | None:
    """The bytes of a plain file beneath the root; None when it is missing, too large or no plain file."""
    try:
        fd = open_beneath(runs_dir, *parts)
    except OSError:
        return None
    with os.fdopen(fd, "rb", buffering=0) as file:
        try:
            data = file.read(limit + 1)
        except OSError:
            return None
    return data if data is not None and len(data) <= limit else None
