"""What an observer reads, and how well it can be read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """Where the numbers come from, and how well it can be read."""

    runs_dir: Path
    problem: str | None
    """Why the runs directory cannot be read, in words; None when it can."""
    mode: Literal["notify", "polling"]
    mode_reason: str
    """Why files are polled; empty when notifications work."""
    loaded: int
    """Runs read so far."""
    total: int
    """Runs found."""
    rejected_names: int
    """Entries that look like runs and have no run id for a name."""
    turn_metrics: Path | None
    """The file of model requests beside the runs; None when there is none."""
    turn_requests: int
    skipped_lines: int
    """Damaged lines in all files, of which no record could be had."""
    recovered_lines: int
    """Records dug out of damaged lines."""
    ambiguous_turns: int
    """Turns that more than one run could have made; they belong to none."""
    history: Path | None = None
    """The file that remembers runs after they are gone; None where nothing is remembered."""
    history_runs: int = 0
    """Runs whose directories are gone, and whose numbers come from the history."""
    history_turns: int = 0
    """Model requests that are in `turn_metrics` no more, and come from the history."""
    history_since_ms: int | None = None
    """The earliest moment that the history knows of; None when it knows of none."""
    history_problem: str | None = None
    """Why the history is not read or not kept, or what was lost of it, in words."""
    history_loading: bool = False
    """The history has not been counted to its end yet."""
    left_alone: int = 0
    """Runs that are there and were not read, because so many newer ones are; none of their numbers is counted."""
    latest_at: int | None = None
    """The latest event of all runs that were read, or start where there is none; None without a run."""
    left_before_ms: int | None = None
    """When the newest of them began; None when none is left alone."""
    unreadable: int = 0
    """Runs whose events cannot be read at present; each says why (`RunFacts.problem`), and is tried again."""

    @property
    def found(self) -> int:
        """All runs in the directory, read or not."""
        return self.total + self.left_alone

    def part_of(self, since_ms: int | None) -> str | None:
        """`the newest 5,000 of 100,000 runs`, where that is all that numbers since a moment are of; else None.

        `since_ms` None is the beginning of time. To the newest belong runs that have grown while they were watched.
        """
        if not self.left_alone or self.left_before_ms is None:
            return None
        if since_ms is not None and since_ms > self.left_before_ms:
            return None
        return f"the newest {self.total:,} of {self.found:,} runs"

    @property
    def complete(self) -> bool:
        """True when everything that is known has been counted."""
        return self.loaded >= self.total and not self.history_loading
