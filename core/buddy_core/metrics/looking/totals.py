"""Everything counted since the beginning, one series at a time, for exporters: the same numbers as `view(Window.ALL)`.

Times are milliseconds. What is not known is None or not there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict

from buddy_core.metrics.counting.bounds import BoundCounts
from buddy_core.metrics.counting.ledger import Ledger
from buddy_core.metrics.counting.series import ProviderSeries, ToolSeries
from buddy_core.metrics.counting.sketch import ANY_BOUNDS, BOUNDS_MS, counts_up_to
from buddy_core.metrics.counting.timing import Timing
from buddy_core.metrics.looking.model import DashboardState, ProviderMetrics, ToolMetrics
from buddy_core.metrics.looking.rows import look_at_provider, look_at_tool
from buddy_core.metrics.model import MetricType
from buddy_core.metrics.recording.custom import ALWAYS, Custom, LabelKey
from buddy_core.metrics.window import Window

_ALWAYS = frozenset(name for name, *_ in ALWAYS)


@dataclass(frozen=True, slots=True)
class Distribution:
    """Values counted by upper bounds; exact."""

    bounds: Sequence[float]
    counted: Mapping[int, int] | Sequence[int]
    """A sketch, or what `up_to` is: the lock is not held any longer than a copy takes."""
    count: int
    sum: float
    lowest: float | None
    """None where nobody kept it, or nothing was counted."""

    @property
    def up_to(self) -> Sequence[int]:
        """Values at or below each bound; parallel to `bounds`."""
        counted = self.counted
        return counts_up_to(self.bounds, counted) if isinstance(counted, Mapping) else counted


@dataclass(frozen=True, slots=True)
class ProviderTotals:
    """One provider and model."""

    row: ProviderMetrics
    latency: Distribution
    first_token: Distribution
    stated_cost: float | None = None
    """What its requests stated; the rest of the row's cost is estimated."""


@dataclass(frozen=True, slots=True)
class ToolTotals:
    """One tool."""

    row: ToolMetrics
    duration: Distribution


@dataclass(frozen=True, slots=True)
class UsageTotals:
    """Tokens and cost known only as totals of runs."""

    tokens: int
    prompt_tokens: int
    completion_tokens: int
    cost: float | None
    """Stated."""
    estimated_cost: float | None = None


@dataclass(frozen=True, slots=True)
class CustomTotals:
    """One metric that an agent named: values of a counter or gauge, or distributions of a histogram."""

    name: str
    type: MetricType
    description: str
    unit: str | None
    values: Mapping[LabelKey, float]
    distributions: Mapping[LabelKey, Distribution]


class SmallTotals(TypedDict):
    """What is quickly read."""

    state: DashboardState
    usage: UsageTotals
    errors: Mapping[str, int]
    """Recorded errors by type."""
    messages: Mapping[str, int]
    """Messages by role."""


@dataclass(frozen=True, slots=True)
class Totals:
    """Everything, as of one moment unless there are very many series. The fields of `SmallTotals`, and the series."""

    state: DashboardState
    usage: UsageTotals
    errors: Mapping[str, int]
    messages: Mapping[str, int]
    providers: Sequence[ProviderTotals]
    tools: Sequence[ToolTotals]
    custom: Sequence[CustomTotals]


def of_providers(series: Iterable[ProviderSeries]) -> Iterator[ProviderTotals]:
    """Totals of each provider that did anything; the collector's lock is held."""
    for one in series:
        stats, row, _ = look_at_provider(one, Window.ALL, None)
        if row is not None:
            stated = stats.cost if stats.cost_count else None
            yield ProviderTotals(row, of_timing(stats), of_counts(one.first_tokens), stated)


def of_tools(series: Iterable[ToolSeries]) -> Iterator[ToolTotals]:
    """Totals of each tool that was called; the collector's lock is held."""
    for one in series:
        stats, row, _ = look_at_tool(one, Window.ALL, None)
        if row is not None:
            yield ToolTotals(row, of_timing(stats))


def of_usage(ledger: Ledger) -> UsageTotals:
    """What runs stated as a whole."""
    total = ledger.usage.total
    cost = total.cost if total.cost_count else None
    estimated = total.estimate if total.estimates else None
    return UsageTotals(total.tokens, total.prompt_tokens, total.completion_tokens, cost, estimated)


def of_messages(metric: Custom) -> dict[str, int]:
    """Running totals of `messages_total` by role."""
    return {role: int(total) for labels, total in metric.totals.items() for _, role in labels}


def named_by_agents(metrics: Mapping[str, Custom]) -> list[Custom]:
    """The metrics that are not always there; the collector's lock is held."""
    return [metric for name, metric in metrics.items() if name not in _ALWAYS]


def of_custom(
    metric: Custom, values: Mapping[LabelKey, float], distributions: Mapping[LabelKey, Distribution]
) -> CustomTotals:
    """A metric with what was read of it."""
    return CustomTotals(metric.name, metric.type, metric.description, metric.unit, values, distributions)


def of_timings(timings: Iterable[Timing], unit: str | None) -> Iterator[Distribution]:
    """Values of label sets of a histogram; the collector's lock is held."""
    bounds = BOUNDS_MS if unit == "ms" else ANY_BOUNDS
    return (of_timing(timing, bounds) for timing in timings)


def of_timing(timing: Timing, bounds: Sequence[float] = BOUNDS_MS) -> Distribution:
    """A sketch as a distribution."""
    timing.settle()
    return Distribution(bounds, dict(timing.sketch), timing.count, timing.sum_ms, timing.low)


def of_counts(counts: BoundCounts) -> Distribution:
    """Counts by bound as a distribution."""
    counts.settle()
    return Distribution(BOUNDS_MS, tuple(counts.up_to), counts.count, counts.sum_ms, None)
