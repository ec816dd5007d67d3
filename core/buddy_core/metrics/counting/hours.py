"""Everything that was counted, hour by hour: what stays of a past whose single calls nobody needs any more.

An hour holds sums and sketches of each series, so that hours of several origins add up, and a ledger that is
told hours counts what one that was told every call does, but for the minutes within them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from buddy_core.metrics.counting.activity_counts import ActivityCounts
from buddy_core.metrics.counting.bounds import BoundCounts
from buddy_core.metrics.counting.grains import HOUR
from buddy_core.metrics.counting.ledger import Ledger
from buddy_core.metrics.counting.rollup import S, Tiers
from buddy_core.metrics.counting.series import RUNS_NAMED
from buddy_core.metrics.counting.stats import ErrorStats, ProviderStats, ToolStats, UsageStats
from buddy_core.metrics.model import ErrorRecord

if TYPE_CHECKING:
    from buddy_core.metrics.recording.batch import ModelKey
    from buddy_core.prices.table import PriceTable

K = TypeVar("K")

MOST_NEWEST = 100
"""Errors that are kept whole."""

Unpriced = list[int]
"""Of requests that state no cost: how many, and their prompt, completion, cache read and cache write tokens."""


@dataclass(slots=True)
class ErrorFacts:
    """What is known of a group of errors beside its counts."""

    type: str
    latest: ErrorRecord
    runs: dict[str, int] = field(default_factory=dict)

    def merge(self, other: ErrorFacts) -> None:
        """Add what `other` knows."""
        if other.latest.timestamp > self.latest.timestamp:
            self.latest = other.latest
        for run, at in other.runs.items():
            self.runs[run] = max(at, self.runs.get(run, 0))
        for run in sorted(self.runs, key=lambda known: (self.runs[known], known))[:-RUNS_NAMED]:
            del self.runs[run]


@dataclass(slots=True)
class HourStats:
    """What happened in one hour, or at times that nobody can believe."""

    tools: dict[str, ToolStats] = field(default_factory=dict)
    providers: dict[ModelKey, ProviderStats] = field(default_factory=dict)
    errors: dict[str, ErrorStats] = field(default_factory=dict)
    usage: UsageStats = field(default_factory=UsageStats)
    activity: ActivityCounts = field(default_factory=ActivityCounts)
    unpriced: dict[tuple[str | None, str], Unpriced] = field(default_factory=dict)
    """By provider and model; without a provider those of totals that belong to no request."""

    def merge(self, other: HourStats) -> None:
        """Add everything `other` counted; its parts become this object's own."""
        _merge_all(self.tools, other.tools)
        _merge_all(self.providers, other.providers)
        _merge_all(self.errors, other.errors)
        self.usage.merge(other.usage)
        self.activity.merge(other.activity)
        for key, more in other.unpriced.items():
            self.unpriced[key] = [
                sum(pair) for pair in zip(self.unpriced.get(key, [0] * 5), more, strict=True)
            ]


@dataclass(slots=True)
class Lasting:
    """What is known of all hours together, and of none alone."""

    first_tokens: dict[ModelKey, BoundCounts] = field(default_factory=dict)
    errors: dict[str, ErrorFacts] = field(default_factory=dict)
    error_types: Counter[str] = field(default_factory=Counter)
    newest: list[ErrorRecord] = field(default_factory=list)
    """The newest errors, whole."""
    span: tuple[int, int] | None = None
    """Times of the earliest and the latest."""

    def merge(self, other: Lasting) -> None:
        """Add everything `other` knows; its parts become this object's own."""
        for key, counts in other.first_tokens.items():
            mine = self.first_tokens.setdefault(key, counts)
            if mine is not counts:
                mine.merge(counts)
        for fingerprint, facts in other.errors.items():
            known = self.errors.setdefault(fingerprint, facts)
            if known is not facts:
                known.merge(facts)
        self.error_types.update(other.error_types)
        self.newest = sorted(self.newest + other.newest, key=lambda error: -error.timestamp)[:MOST_NEWEST]
        spans = [span for span in (self.span, other.span) if span is not None]
        if spans:
            self.span = min(first for first, _ in spans), max(last for _, last in spans)


def hours_of(ledger: Ledger) -> dict[int, HourStats]:
    """What a ledger that is not used any more counted in each hour since the epoch."""
    hours: dict[int, HourStats] = {}

    def of(hour: int) -> HourStats:
        return hours.setdefault(hour, HourStats())

    for name, tool in ledger.tools.items():
        for hour, calls in tool.tiers.hours.items():
            of(hour).tools[name] = calls
    for key, provider in ledger.providers.items():
        for hour, requests in provider.tiers.hours.items():
            of(hour).providers[key] = requests
    for fingerprint, group in ledger.errors.items():
        for hour, errors in group.tiers.hours.items():
            of(hour).errors[fingerprint] = errors
    for hour, usage in ledger.usage.hours.items():
        of(hour).usage = usage
    for hour, counts in ledger.activity.hours().items():
        of(hour).activity = counts
    return hours


def total_of(ledger: Ledger) -> HourStats:
    """What a ledger that is not used any more counted altogether."""
    return HourStats(
        {name: tool.tiers.total for name, tool in ledger.tools.items()},
        {key: provider.tiers.total for key, provider in ledger.providers.items()},
        {key: group.tiers.total for key, group in ledger.errors.items()},
        ledger.usage.total,
        ledger.activity.total,
    )


def lasting_of(ledger: Ledger) -> Lasting:
    """The rest of what it knows."""
    for provider in ledger.providers.values():
        provider.first_tokens.settle()
    return Lasting(
        {key: one.first_tokens for key, one in ledger.providers.items() if one.first_tokens.count},
        {key: ErrorFacts(one.type, one.latest, dict(one.seen_in)) for key, one in ledger.errors.items()},
        Counter(ledger.error_types),
        ledger.error_log.newest_first(),
        ledger.activity.span,
    )


def absorb_hour(ledger: Ledger, hour: int | None, found: HourStats, prices: PriceTable | None) -> None:
    """Count an hour since the epoch, or (None) what has no time; groups of errors have to be known already."""
    _price(found, hour, prices)
    for name, calls in found.tools.items():
        tool = ledger.tool(name)
        tool.version += 1
        _add(tool.tiers, hour, calls)
    for key, requests in found.providers.items():
        provider = ledger.provider(*key)
        provider.version += 1
        _add(provider.tiers, hour, requests)
    for fingerprint, errors in found.errors.items():
        group = ledger.errors.get(fingerprint)
        if group is not None:
            group.version += 1
            _add(group.tiers, hour, errors)
    _add(ledger.usage, hour, found.usage)
    ledger.activity.add_hour(hour, found.activity)
    ledger.version += 1


def absorb_lasting(ledger: Ledger, found: Lasting) -> None:
    """Count what belongs to no hour; to be done before the hours are absorbed."""
    for key, counts in found.first_tokens.items():
        series = ledger.provider(*key)
        series.first_tokens.settle()
        series.first_tokens.merge(counts)
    for fingerprint, facts in found.errors.items():
        group = ledger.error_group(fingerprint, facts.type, facts.latest)
        group.note(facts.latest)
        group.note_runs(facts.runs)
    ledger.error_types.update(found.error_types)
    for error in found.newest:
        ledger.error_log.add(error)
    if found.span is not None:
        ledger.activity.stretch(*found.span)
    ledger.version += 1


def _add(tiers: Tiers[S], hour: int | None, stats: S) -> None:
    tiers.total.merge(stats)
    if hour is not None:
        tiers.hour(hour).merge(stats)
        for window in tiers.windows(hour * HOUR, hour * HOUR + HOUR - 1):
            window.merge(stats)


def _price(found: HourStats, hour: int | None, prices: PriceTable | None) -> None:
    """Estimate what states no cost, with the prices of that hour; large requests as if they were not."""
    if prices is None:
        return
    for (provider, model), (count, prompt, completion, read, written) in found.unpriced.items():
        price = prices.find(provider, model, (hour or 0) * HOUR)
        if price is None:
            continue
        dollars = price.rates.of(prompt, completion, read, written)
        series = found.usage if provider is None else found.providers.get((provider, model))
        for counts in (series, found.activity):
            if counts is not None:
                counts.estimates += count
                counts.estimate += dollars


def _merge_all(mine: dict[K, S], more: Mapping[K, S]) -> None:
    for key, stats in more.items():
        known = mine.setdefault(key, stats)
        if known is not stats:
            known.merge(stats)
