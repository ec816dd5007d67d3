"""All rules at once, and the memory of what already holds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from buddy_core.alerts import rules
from buddy_core.alerts.limits import Limits
from buddy_core.alerts.model import Alert, AlertKey, BudgetUse, Known, Repetition
from buddy_core.metrics.looking.model import ProviderMetrics, ToolMetrics
from buddy_core.runs.facts import RunFacts


@dataclass(frozen=True, slots=True)
class Observed:
    """What the rules look at, as of one moment."""

    now_ms: int
    runs: Sequence[RunFacts] = ()
    """The live ones; others fire nothing."""
    known: Callable[[str], Known | None] = lambda _tool: None
    """How long a tool takes."""
    tools: Sequence[ToolMetrics] = ()
    """Of the last quarter of an hour."""
    providers: Sequence[ProviderMetrics] = ()
    """Of the last quarter of an hour."""
    budgets: Sequence[BudgetUse] = ()
    repetitions: Sequence[Repetition] = ()


def evaluate(observed: Observed, limits: Limits) -> tuple[Alert, ...]:
    """The alerts that hold at one moment, worst and newest first, each thing once."""
    now_ms, runs = observed.now_ms, observed.runs
    found = (
        *rules.stalled(runs, now_ms, limits),
        *rules.waiting(runs, observed.known, now_ms, limits),
        *rules.repeating(observed.repetitions),
        *rules.failing_tools(observed.tools, now_ms, limits),
        *rules.failing_providers(observed.providers, now_ms, limits),
        *rules.over_budget(observed.budgets, now_ms),
    )
    return in_order({alert.key: alert for alert in reversed(found)}.values())


def in_order(alerts: Iterable[Alert]) -> tuple[Alert, ...]:
    """Worst first, of equally bad ones the newest first."""
    return tuple(sorted(alerts, key=lambda alert: (alert.severity != "bad", -alert.since_ms, alert.key[:2])))


class AlertBook:
    """Remembers since when each alert holds, for as long as it does."""

    def __init__(self) -> None:
        self._since: dict[AlertKey, int] = {}

    def enter(
        self, alerts: Iterable[Alert], began: Callable[[Alert], int] = lambda alert: alert.since_ms
    ) -> tuple[Alert, ...]:
        """The same alerts, each with the time from which it holds; what ended is forgotten.

        `began` is asked for that time once, when an alert is new: it may have begun before anybody looked.
        """
        held = tuple(replace(alert, since_ms=self._begun(alert, began)) for alert in alerts)
        self._since = {alert.key: alert.since_ms for alert in held}
        return in_order(held)

    def _begun(self, alert: Alert, began: Callable[[Alert], int]) -> int:
        known = self._since.get(alert.key)
        return min(alert.since_ms, began(alert) if known is None else known)
