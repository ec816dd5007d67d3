"""What a collector has been told of each run, remembered for as long as the process lives.

Also while a run's directory is away: should it come back, nothing of it is recorded again. Of runs that are gone only
so many are remembered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from buddy_core.observing.residual import Residual
from buddy_core.runs.folding.requests import RequestSums
from buddy_core.runs.folding.seen import SeenRecords

if TYPE_CHECKING:
    from buddy_core.prices.estimates import Estimates

MAX_GONE = 1_000
"""Runs whose directories are gone and whose records are still remembered; the longest gone are forgotten."""

MAX_GONE_RECORDS = 250_000
"""And of so many records all told, at eight bytes each; the run that left last is remembered whatever its length."""


class ToldRun:
    """What the collector has been told of one run id."""

    __slots__ = ("estimates", "requests", "seen", "usage", "usage_at")

    def __init__(self) -> None:
        self.seen = SeenRecords()
        self.requests = RequestSums()
        """Every request recorded for the run, also those of a file that has been replaced since."""
        self.usage = Residual()
        """What was recorded beyond them."""
        self.usage_at = 0
        """When the last of it is dated."""
        self.estimates: Estimates | None = None
        """What was estimated for the run, as long as it has not stated its cost."""


class ToldRuns:
    """One `ToldRun` a run."""

    def __init__(self) -> None:
        self._runs: dict[str, ToldRun] = {}
        self._gone: dict[str, ToldRun] = {}

    def of(self, run_id: str) -> ToldRun:
        """What is remembered of a run; a new or forgotten run begins with nothing."""
        record = self._runs.get(run_id)
        if record is None:
            record = self._runs[run_id] = self._gone.pop(run_id, ToldRun())
        return record

    def present(self, run_id: str) -> ToldRun | None:
        """The same of a run whose directory is there, if anything was asked of it before."""
        return self._runs.get(run_id)

    def has_counted(self, run_id: str) -> bool:
        """True when anything was read of the run, be its directory there or gone."""
        record = self._runs.get(run_id) or self._gone.get(run_id)
        return record is not None and len(record.seen) > 0

    def gone(self, run_id: str) -> list[str]:
        """The run's directory is gone; gives the runs, gone before, that are forgotten for it."""
        forgotten: list[str] = []
        record = self._runs.pop(run_id, None)
        if record is not None:
            self._gone[run_id] = record
            while len(self._gone) > MAX_GONE or self._gone_records() > MAX_GONE_RECORDS:
                forgotten.append(next(iter(self._gone)))
                del self._gone[forgotten[-1]]
        return forgotten

    def _gone_records(self) -> int:
        """Records of runs that are gone, without the latest of these."""
        return sum(len(record.seen) for record in list(self._gone.values())[:-1])
