"""A runs directory at any moment, forwards and backwards.

Forwards it reads on: a step costs what happened in it. Backwards it reads anew, from the beginning of what the
windows need. Nothing is written and nothing of the present changes. Not thread-safe: one thread travels.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from buddy_core.clock import Clock, ManualClock, SystemClock
from buddy_core.metrics.collector import MetricsCollector
from buddy_core.past.moment import PastMoment
from buddy_core.past.observer import Abandoned, Cancelled, PastObserver
from buddy_core.runs.names import started_at_of
from buddy_core.runs.reading.reader import run_ids
from buddy_core.safety.paths import real_root

if TYPE_CHECKING:
    from buddy_core.prices.table import PriceTable

MOST_RUNS = 1_000
"""Runs that are looked at: the newest that had begun by the moment, for going back reads all of them anew."""


class PastWorld:
    """What an observer of `runs_dir` and its collector would have said at a moment.

    Args:
        runs_dir: Where run directories live.
        prices: What requests that state no cost are priced by.
        turn_metrics: The original writer's file of model requests; beside the runs directory by default.
        most_runs: How many runs are looked at; the one that is travelled through is always among them.
        clock: Of the present, for what lies in the future.
    """

    def __init__(
        self,
        runs_dir: Path | str,
        *,
        prices: PriceTable | None = None,
        turn_metrics: Path | None = None,
        most_runs: int = MOST_RUNS,
        clock: Clock | None = None,
    ) -> None:
        self._runs_dir = Path(runs_dir)
        self._prices = prices
        self._turn_metrics = turn_metrics
        self._most_runs = most_runs
        self._clock = clock or SystemClock()
        self._at: tuple[PastObserver, MetricsCollector] | None = None
        self._seen: frozenset[str] = frozenset()
        self.moment: PastMoment | None = None
        """Where it stands; None before the first `go` and after one that was abandoned."""

    @property
    def observer(self) -> PastObserver:
        """The runs as of the moment; another object after going back."""
        return self._standing()[0]

    @property
    def collector(self) -> MetricsCollector:
        """The numbers as of the moment; another object after going back."""
        return self._standing()[1]

    @property
    def events(self) -> int:
        """How many events of the run that is travelled through have happened."""
        moment = self.moment
        return 0 if moment is None or moment.run_id is None else self.observer.events_of(moment.run_id)

    @property
    def progress(self) -> tuple[int, int]:
        """Runs read so far on the way to a moment, and how many there are; may be asked from any thread."""
        return (0, 0) if self._at is None else self._at[0].counted

    def go(self, moment: PastMoment, *, cancelled: Cancelled = bool) -> None:
        """Stand at a moment: everything written later is not there.

        Raises:
            Abandoned: `cancelled` said so.
        """
        self.moment = None
        anew = self._at is None or not self._can_go_on(self._at[0], moment)
        if anew:
            self._begin(moment)
        observer = self._standing()[0]
        observer.go(moment, cancelled=cancelled)
        if not anew and not observer.still_true:
            self._begin(moment)
            self._standing()[0].go(moment, cancelled=cancelled)
        self.moment = moment

    def close(self) -> None:
        """Let go of everything that was read."""
        if self._at is not None:
            self._at[0].close()
        self._at = self.moment = None

    def _standing(self) -> tuple[PastObserver, MetricsCollector]:
        if self._at is None:
            raise RuntimeError("no moment was gone to yet")
        return self._at

    def _can_go_on(self, observer: PastObserver, moment: PastMoment) -> bool:
        if moment.at_ms < observer.moment.at_ms:
            return False
        own = moment.run_id
        if own is None:
            return True
        return own in self._seen and (moment.events is None or observer.events_of(own) <= moment.events)

    def _begin(self, moment: PastMoment) -> None:
        self.close()
        clock = ManualClock(moment.at_ms)
        collector = MetricsCollector(clock=clock, prices=self._prices)
        chosen, left = self._choose(moment)
        self._seen = frozenset(chosen)
        observer = PastObserver(
            self._runs_dir,
            chosen,
            collector,
            clock=clock,
            now_ms=self._clock.now_ms(),
            moment=moment,
            turn_metrics=self._turn_metrics,
            left=left,
        )
        self._at = observer, collector

    def _choose(self, moment: PastMoment) -> tuple[list[str], list[str]]:
        """The runs to look at: the newest that had begun, all that begin later, the one travelled through; the rest."""
        newest_first = run_ids(real_root(self._runs_dir))
        begun = [run_id for run_id in newest_first if (started_at_of(run_id) or 0) <= moment.at_ms]
        later = newest_first[: len(newest_first) - len(begun)]
        kept, left = begun[: self._most_runs], begun[self._most_runs :]
        own = [run_id for run_id in left if run_id == moment.run_id]
        return [*later, *kept, *own], [run_id for run_id in left if run_id != moment.run_id]


__all__ = ["MOST_RUNS", "Abandoned", "Cancelled", "PastMoment", "PastWorld"]
