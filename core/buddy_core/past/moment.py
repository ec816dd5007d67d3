"""A moment in the past of a runs directory, and which times in files are believed."""

from __future__ import annotations

from typing import NamedTuple

FIRST_REAL_MS = 100_000_000_000
"""March 1973: an earlier time belongs to a clock that starts at zero."""


class PastMoment(NamedTuple):
    """A moment to look back to, to the very event within one run."""

    at_ms: int
    """Wall time: whatever was written later is not there."""
    run_id: str | None = None
    """The run that is travelled through; None for none."""
    events: int | None = None
    """How many of its events have happened; None: those that `at_ms` says."""


class Believed:
    """When each record of a file was written, by the times in them.

    Records are written one after the other, so none is older than one before it; a time later than
    `latest_ms` is a clock's mistake, and its record as old as the one before it.
    """

    __slots__ = ("_latest", "last")

    def __init__(self, since_ms: int, latest_ms: int) -> None:
        self.last = since_ms
        """When the last of them was written, or the file begun."""
        self._latest = latest_ms

    def take(self, said_ms: int | None) -> int:
        """When the next record was written that gives this time."""
        if said_ms is not None and self.last < said_ms <= self._latest and said_ms >= FIRST_REAL_MS:
            self.last = said_ms
        return self.last
