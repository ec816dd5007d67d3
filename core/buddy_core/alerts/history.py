"""Everything that stored runs tell of tools, models and costs, in the order of time, for rules to go through.

It is read by the very code that feeds the monitor's collector, so both look at the same numbers.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from buddy_core.alerts.rules import provider_subject
from buddy_core.clock import Clock
from buddy_core.metrics.batch import HistoryBatch
from buddy_core.metrics.collector import MetricsCollector
from buddy_core.observe import Observer
from buddy_core.runs.model import RunFacts


class Attempt(NamedTuple):
    """One finished call of a tool, or one request to a model."""

    at_ms: int
    ok: bool


@dataclass(slots=True)
class History:
    """What happened, each list in the order of time once it is `sorted`."""

    runs: tuple[RunFacts, ...] = ()
    tools: dict[str, list[Attempt]] = field(default_factory=lambda: defaultdict(list))
    providers: dict[str, list[Attempt]] = field(default_factory=lambda: defaultdict(list))
    durations: dict[str, list[tuple[int, float]]] = field(default_factory=lambda: defaultdict(list))
    """When calls of a tool ended, and how long they took, where that is known."""
    costs: list[tuple[int, float]] = field(default_factory=list)
    """When money was spent, and how much."""

    def sort(self) -> None:
        """Put everything into the order of time."""
        for attempts in (*self.tools.values(), *self.providers.values()):
            attempts.sort(key=lambda attempt: attempt.at_ms)
        for durations in self.durations.values():
            durations.sort()
        self.costs.sort()


def read_history(runs_dir: Path, clock: Clock) -> History:
    """Read all runs there are."""
    history = History()
    observer = Observer(runs_dir, _Listener(history, clock), clock=clock)
    try:
        observer.load()
        history.runs = observer.facts()
    finally:
        observer.close()
    history.sort()
    return history


class _Listener(MetricsCollector):
    """Stands where a collector stands, and keeps what it is told instead of summing it."""

    def __init__(self, history: History, clock: Clock) -> None:
        super().__init__(clock=clock)
        self._history = history

    def absorb(self, batch: HistoryBatch) -> None:
        """Keep what a run's events brought."""
        history = self._history
        for tool, column in batch.tools.items():
            rows = zip(column.at_ms, column.duration_ms, column.ok, strict=True)
            for at_ms, duration_ms, ok in rows:
                history.tools[tool].append(Attempt(at_ms, ok))
                if duration_ms is not None:
                    history.durations[tool].append((at_ms, duration_ms))
        for (provider, model), requests in batch.rows.items():
            for row in requests:
                self._request(provider_subject(provider, model), row[0], row[5], row[8])
        for request in batch.requests:
            name = provider_subject(request.provider, request.model)
            self._request(name, request.at_ms, request.cost, request.success)

    def _request(self, name: str, at_ms: int, cost: float | None, ok: bool) -> None:
        self._history.providers[name].append(Attempt(at_ms, ok))
        if cost is not None:
            self._history.costs.append((at_ms, cost))

    def record_usage(self, *, cost: float | None = None, at_ms: int | None = None, **_counts: Any) -> None:  # noqa: ANN401
        """Keep what a run cost beyond its requests."""
        if cost is not None and at_ms is not None:
            self._history.costs.append((at_ms, cost))

    def record(self, *_args: Any, **_more: Any) -> None:  # noqa: ANN401
        """Numbers that agents name themselves are no matter of any rule."""
