"""What the summary of a run says of it, without its events: enough for a line in the list."""

from __future__ import annotations

import os
from pathlib import Path

from buddy_core.runs.folding.facts import RunFiles, build_facts, has_ended
from buddy_core.runs.folding.fold import RunFold
from buddy_core.runs.query.candidate import Candidate
from buddy_core.runs.reading.records import MAX_RECORD_BYTES, parse_summary
from buddy_core.runs.watching.liveness import conclude_status
from buddy_core.safety.paths import open_beneath


def summary_only(root: Path, run_id: str, *, now_ms: int) -> Candidate | None:
    """A run beneath `root` whose summary says how it ended; None for others, whose events must be asked.

    One small file is read: totals and artifacts come with the events, a moment later.
    """
    summary = parse_summary(_summary(root, run_id), run_id)
    files = RunFiles(RunFold(run_id), summary)
    if summary is None or not has_ended(files):
        return None
    status = conclude_status(summary.status, lock="none", now_ms=now_ms, last_activity_ms=None)
    return Candidate(build_facts(files, status=status, turn_model=None, polling=False))


def _summary(root: Path, run_id: str) -> bytes:
    """The bytes of the summary, or so many that it is too large; none where it cannot be read."""
    try:
        fd = open_beneath(root, run_id, "summary.json")
    except OSError:
        return b""
    try:
        return os.read(fd, min(os.fstat(fd).st_size, MAX_RECORD_BYTES) + 1)
    except OSError:
        return b""
    finally:
        os.close(fd)
