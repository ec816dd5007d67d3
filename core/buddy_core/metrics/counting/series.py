"""The series behind the tables: tools, providers and error groups, each with its buckets of time.

What is seen of a series, its row and its trend, is made in `looking` and only kept here until something new
arrives.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from buddy_core.metrics.counting.bounds import BoundCounts
from buddy_core.metrics.counting.calls import CallList
from buddy_core.metrics.counting.rollup import S, Tiers
from buddy_core.metrics.counting.room import Room
from buddy_core.metrics.counting.stats import ErrorStats, ProviderStats, ToolStats
from buddy_core.metrics.model import ErrorRecord
from buddy_core.metrics.window import Window

if TYPE_CHECKING:
    from buddy_core.metrics.looking.model import ErrorGroup, ProviderMetrics, ToolMetrics
    from buddy_core.metrics.looking.rows import Look
    from buddy_core.metrics.looking.trends import KnownTrend

R = TypeVar("R", "ToolMetrics", "ProviderMetrics", "ErrorGroup")
"""The row that a table has of a series."""

RUNS_NAMED = 20
"""Runs an error group remembers."""


class Series(ABC, Generic[S, R]):
    """One name's buckets."""

    FAILS: ClassVar[bool] = True
    """Some of what is counted is a failure, and some is not."""

    def __init__(self, make: Callable[[], S], room: Room) -> None:
        self.tiers: Tiers[S] = Tiers(make, room)
        self.version = 0
        """Bumped by whoever adds to the buckets."""
        self.looks: dict[Window, Look[S, R]] = {}
        """What was seen last through each window."""
        self.trends: dict[Window, KnownTrend] = {}
        """The trend that was made last for each window."""

    @property
    @abstractmethod
    def key(self) -> str:
        """What the series is asked for by."""

    @abstractmethod
    def counted(self, stats: S) -> tuple[int, int]:
        """How often it happened in a bucket, and how often it failed."""


class ToolSeries(Series[ToolStats, "ToolMetrics"]):
    """One tool."""

    def __init__(self, name: str, room: Room) -> None:
        super().__init__(ToolStats, room)
        self.name = name
        self.labels = {"tool": name}
        self.calls = CallList(room)

    @property
    def key(self) -> str:
        """The tool's name."""
        return self.name

    def counted(self, stats: ToolStats) -> tuple[int, int]:
        """Calls, and failed ones."""
        return stats.calls, stats.failures


class ProviderSeries(Series[ProviderStats, "ProviderMetrics"]):
    """One provider and model."""

    def __init__(self, provider: str, model: str, room: Room) -> None:
        super().__init__(ProviderStats, room)
        self.provider = provider
        self.model = model
        self.labels = {"provider": provider, "model": model}
        self.first_tokens = BoundCounts()
        """Milliseconds to the first token, since the beginning; the buckets of time have only their sums."""

    @property
    def key(self) -> str:
        """Provider and model, as `Ledger.provider_of` takes them apart."""
        return f"{self.provider}/{self.model}"

    def counted(self, stats: ProviderStats) -> tuple[int, int]:
        """Requests, and failed ones."""
        return stats.requests, stats.failures


class ErrorSeries(Series[ErrorStats, "ErrorGroup"]):
    """One group of errors that are the same but for numbers, paths and ids."""

    FAILS = False

    def __init__(self, key: str, type_: str, first: ErrorRecord, room: Room) -> None:
        super().__init__(ErrorStats, room)
        self._key = key
        self.type = type_
        self.latest = first
        self._runs: dict[str, int] = {}
        self._oldest = (0, "")  # a run that was forgotten: whatever is older would be at once, too

    @property
    def key(self) -> str:
        """The fingerprint."""
        return self._key

    def counted(self, stats: ErrorStats) -> tuple[int, int]:
        """Errors; that all of them are failures goes without saying."""
        return stats.count, 0

    def note(self, record: ErrorRecord) -> None:
        """Remember which run it was seen in, and the record itself if none is newer."""
        if record.timestamp >= self.latest.timestamp:
            self.latest = record
        run, at = record.run_id, record.timestamp
        if run is None or (at, run) < self._oldest:
            return
        if at > self._runs.get(run, -1):
            self._runs[run] = at
        if len(self._runs) > RUNS_NAMED:
            at, run = min((at, run) for run, at in self._runs.items())
            del self._runs[run]
            self._oldest = at, run

    @property
    def seen_in(self) -> Mapping[str, int]:
        """The newest runs it was seen in, each with the time of the last."""
        return self._runs

    def note_runs(self, runs: Mapping[str, int]) -> None:
        """Remember more runs, if they are among the newest."""
        for run, at in runs.items():
            self._runs[run] = max(at, self._runs.get(run, 0))
        for run in sorted(self._runs, key=lambda known: (self._runs[known], known))[:-RUNS_NAMED]:
            del self._runs[run]

    def runs_since(self, since_ms: int) -> tuple[str, ...]:
        """Those it was seen in since a moment, the newest first."""
        newest = sorted(self._runs.items(), key=lambda seen: (-seen[1], seen[0]))
        return tuple(run for run, at in newest if at >= since_ms)
