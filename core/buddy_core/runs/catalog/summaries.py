"""What the summary of a run says of it, without its events: enough for a line in the list."""

from __future__ import annotations

from pathlib import Path

from buddy_core.runs.folding.facts import has_ended
from buddy_core.runs.folding.observed import ObservedRun
from buddy_core.runs.folding.seen import SeenRecords
from buddy_core.runs.query.candidate import Candidate


def summary_only(root: Path, run_id: str, *, now_ms: int) -> Candidate | None:
    """A run beneath `root` whose summary says how it ended; None for others, whose events must be asked."""
    run = ObservedRun(root, run_id, SeenRecords())
    try:
        run.refresh(now_ms=now_ms)
        if not has_ended(run.files):
            return None
        return Candidate(run.facts(now_ms=now_ms, turn_model=None, polling=False))
    finally:
        run.close()
