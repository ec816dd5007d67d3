"""Everything that stored runs tell of tools, models and costs, in the order of time, for rules to go through.

It is read by the very code that feeds the monitor's collector, so both look at the same numbers.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from buddy_core.alerts.rules import provider_subject
from buddy_core.clock import Clock
from buddy_core.metrics.collector import MetricsCollector
from buddy_core.metrics.recording.batch import HistoryBatch
from buddy_core.observing.observer import Observer
from buddy_core.runs.facts import RunFacts

if TYPE_CHECKING:
    from buddy_core.history.keeper import RunHistory
    from buddy_core.prices.estimates import Estimates
    from buddy_core.prices.table import PriceTable


class Attempt(NamedTuple):
    """One finished call of a tool, or one request to a model."""

    at_ms: int
    ok: bool


class Spending(NamedTuple):
    """Money that was spent, or an estimate that is taken back."""

    at_ms: int
    cost: float
    """US dollars; negative when it is taken back."""
    estimates: int = 0
    """1 for an estimate, -1 for one that is taken back, 0 for a cost that was stated."""


@dataclass(slots=True)
class History:
    """What happened, each list in the order of time once it is `sorted`."""

    runs: tuple[RunFacts, ...] = ()
    tools: dict[str, list[Attempt]] = field(default_factory=lambda: defaultdict(list))
    providers: dict[str, list[Attempt]] = field(default_factory=lambda: defaultdict(list))
    durations: dict[str, list[tuple[int, float]]] = field(default_factory=lambda: defaultdict(list))
    """When calls of a tool ended, and how long they took, where that is known."""
    costs: list[Spending] = field(default_factory=list)

    def sort(self) -> None:
        """Put everything into the order of time."""
        for attempts in (*self.tools.values(), *self.providers.values()):
            attempts.sort(key=lambda attempt: attempt.at_ms)
        for durations in self.durations.values():
            durations.sort()
        self.costs.sort()


def read_history(
    runs_dir: Path, clock: Clock, prices: PriceTable | None = None, kept: RunHistory | None = None
) -> History:
    """Read all runs there are; `prices` are for what states no cost.

    Of runs that are gone it reads what was `kept`, as far as that tells single calls.
    """
    history = History()
    observer = Observer(runs_dir, _Listener(history, clock, prices), clock=clock, history=kept)
    try:
        observer.load()
        history.runs = observer.facts()
    finally:
        observer.close()
    history.sort()
    return history


class _Listener(MetricsCollector):
    """Stands where a collector stands, and keeps what it is told instead of summing it."""

    def __init__(self, history: History, clock: Clock, prices: PriceTable | None) -> None:
        super().__init__(clock=clock, prices=prices)
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
        self._estimate_batch(batch)

    def _request(self, name: str, at_ms: int, cost: float | None, ok: bool) -> None:
        self._history.providers[name].append(Attempt(at_ms, ok))
        if cost is not None:
            self._history.costs.append(Spending(at_ms, cost))

    def record_usage(
        self,
        *,
        cost: float | None = None,
        estimated_cost: float | None = None,
        at_ms: int | None = None,
        **_counts: Any,  # noqa: ANN401
    ) -> None:
        """Keep what a run cost beyond its requests."""
        if at_ms is None:
            return
        if cost is not None:
            self._history.costs.append(Spending(at_ms, cost))
        if estimated_cost is not None:
            self._history.costs.append(Spending(at_ms, estimated_cost, 1))

    def _count_estimates(self, estimates: Estimates, *, take_back: bool) -> None:
        sign = -1 if take_back else 1
        for _, amounts in estimates.by_model():
            self._history.costs += [Spending(at_ms, sign * dollars, sign) for at_ms, dollars in amounts]

    def record(self, *_args: Any, **_more: Any) -> None:  # noqa: ANN401
        """Numbers that agents name themselves are no matter of any rule."""
