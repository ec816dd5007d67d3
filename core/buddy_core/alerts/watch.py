"""The alerts of what is observed live: asked once for every picture, and cheap where nothing has changed.

Events are read only of live runs that may go in circles, a piece at a time, and only after they have grown.
What is summed over a quarter of an hour or more is asked for every few seconds at most, and only after
something was recorded or a minute has passed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from buddy_core.alerts.beginnings import Recent, began_at
from buddy_core.alerts.evaluate import AlertBook, Observed, evaluate
from buddy_core.alerts.limits import Limits
from buddy_core.alerts.model import NO_ALERTS, AlertState, BudgetUse, Known, Repetition
from buddy_core.alerts.repetition import RepetitionDetector
from buddy_core.metrics.collecting.reading import MetricsReader
from buddy_core.metrics.counting.grains import MINUTE
from buddy_core.metrics.looking.model import ProviderMetrics, ToolMetrics
from buddy_core.metrics.window import Window
from buddy_core.observing.observer import Observer
from buddy_core.runs.facts import RunFacts
from buddy_core.runs.names import EVENTS_NAME
from buddy_core.runs.reading.tail import FileTail

SUMS_MS = 5_000
"""Sums over a window of time are at least this old before they are made anew."""

PIECE_BYTES = 256 * 1024
"""Read of events for one picture, where there is that much; the rest is read for the next."""


class AlertWatch:
    """Watches the runs of one observer. Not thread-safe: it lives where the observer is asked for pictures."""

    def __init__(self, observer: Observer, collector: MetricsReader, limits: Limits) -> None:
        self._observer = observer
        self._collector = collector
        self._limits = limits
        self._book = AlertBook()
        self._circles = _Circles(observer.runs_dir, limits)
        self._sums = _Sums(collector, limits)

    def check(self, now_ms: int, *, whole: bool = False) -> AlertState:
        """What holds now. Nothing is said before every run has been read: half a story fires false alarms.

        With `whole` the events of live runs are read to their end at once, however long that takes.
        """
        sources = self._observer.sources()
        if sources.loaded < sources.total:
            return NO_ALERTS
        live = self._observer.at_work()
        self._sums.refresh(now_ms)
        observed = Observed(
            now_ms=now_ms,
            runs=live,
            known=self._known,
            tools=self._sums.tools,
            providers=self._sums.providers,
            budgets=self._sums.budgets,
            repetitions=self._circles.look(live, whole=whole),
        )
        found = evaluate(observed, self._limits)
        recent = Recent(self._sums.tools, self._sums.providers)
        held = self._book.enter(
            found, lambda alert: began_at(alert, self._collector, recent, self._limits, now_ms)
        )
        return AlertState(held, self._sums.budgets)

    def close(self) -> None:
        """Let go of all files."""
        self._circles.close()

    def _known(self, tool: str) -> Known | None:
        bins = self._collector.latency_histogram("tool", tool, Window.ALL, 1)
        return Known(bins[0].count, bins[0].high_ms) if bins else None


def alerts_now(observer: Observer, collector: MetricsReader, limits: Limits, now_ms: int) -> AlertState:
    """What holds now, for whoever looks once and has read everything: the rules and the limits of the screen."""
    watch = AlertWatch(observer, collector, limits)
    try:
        return watch.check(now_ms, whole=True)
    finally:
        watch.close()


class _Sums:
    """What happened in the last quarter of an hour, and what was spent."""

    def __init__(self, collector: MetricsReader, limits: Limits) -> None:
        self._collector = collector
        self._limits = limits
        self._stamp: object = None
        self._made_at = 0
        self.tools: tuple[ToolMetrics, ...] = ()
        self.providers: tuple[ProviderMetrics, ...] = ()
        self.budgets: tuple[BudgetUse, ...] = ()

    def refresh(self, now_ms: int) -> None:
        """Sum again if anything can have changed, and the last time is not just now."""
        stamp = (self._collector.version, now_ms // MINUTE)
        if stamp == self._stamp or (self._stamp is not None and abs(now_ms - self._made_at) < SUMS_MS):
            return
        self._stamp, self._made_at = stamp, now_ms
        view = self._collector.view(Window.M15, now_ms=now_ms)
        self.tools, self.providers = view.tools, view.providers
        self.budgets = tuple(self._budgets(now_ms))

    def _budgets(self, now_ms: int) -> Iterable[BudgetUse]:
        limits = self._limits
        if limits.cost_per_hour is not None:
            view = self._collector.view(Window.H1, now_ms=now_ms)
            estimated = view.estimated_cost is not None
            yield BudgetUse("cost_per_hour", limits.cost_per_hour, view.total_cost, estimated)
        if limits.cost_per_day is not None:
            view = self._collector.view(Window.H24, now_ms=now_ms)
            estimated = view.estimated_cost is not None
            yield BudgetUse("cost_per_day", limits.cost_per_day, view.total_cost, estimated)


class _Circles:
    """Follows the events of live runs as far as it takes to see one go in circles."""

    def __init__(self, runs_dir: Path, limits: Limits) -> None:
        self._runs_dir = runs_dir
        self._limits = limits
        self._followed: dict[str, _Follower] = {}

    def look(self, live: Iterable[RunFacts], *, whole: bool) -> list[Repetition]:
        """Read on where something was written, to the end if it is to be `whole`; say who goes in circles."""
        able = {run.run_id: run for run in live if run.tool_calls >= self._limits.repeats}
        for gone in self._followed.keys() - able.keys():
            self._followed.pop(gone).close()
        for run_id in able.keys() - self._followed.keys():
            self._followed[run_id] = _Follower(self._runs_dir, run_id, self._limits)
        while self._read(able) and whole:
            pass
        found = (follower.repetition for follower in self._followed.values())
        return [repetition for repetition in found if repetition is not None]

    def _read(self, able: Mapping[str, RunFacts]) -> bool:
        """Read on in every run, but no more than one whole piece; who had it comes last the next time.

        True when there is more to read.
        """
        for run_id, follower in tuple(self._followed.items()):
            if follower.read(able[run_id].event_count):
                self._followed[run_id] = self._followed.pop(run_id)
                return True
        return False

    def close(self) -> None:
        """Let go of all files."""
        for follower in self._followed.values():
            follower.close()
        self._followed.clear()


class _Follower:
    """The events of one live run."""

    def __init__(self, runs_dir: Path, run_id: str, limits: Limits) -> None:
        self._run_id = run_id
        self._limits = limits
        self._tail = FileTail(runs_dir, run_id, EVENTS_NAME)
        self._detector = RepetitionDetector(run_id, limits)
        self._seen: int | None = None

    @property
    def repetition(self) -> Repetition | None:
        """What the run does over and over, as far as it was read."""
        return self._detector.repetition

    def read(self, event_count: int) -> bool:
        """Read on if the run has more events than it had; True when a whole piece did not reach the end."""
        if event_count == self._seen:
            return False
        change = self._tail.poll(PIECE_BYTES)
        if change.reset:
            self._detector = RepetitionDetector(self._run_id, self._limits)
        self._detector.feed(change.batch.events)
        self._seen = None if change.more else event_count
        return change.more

    def close(self) -> None:
        """Let go of the file."""
        self._tail.close()
