"""History counted by the column: the same numbers as one call for every item, in a fraction of the time.

A column is cut where the hour (and, within the last day, the minute) changes, and each piece is summed
by the interpreter's own loops.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from buddy_core.metrics.batch import HistoryBatch, ToolColumn
from buddy_core.metrics.checks import LARGEST_AMOUNT, Refusals, request_sample
from buddy_core.metrics.errorlog import trimmed
from buddy_core.metrics.ledger import Ledger
from buddy_core.metrics.model import ApiRequest, Usage
from buddy_core.metrics.rollup import AHEAD_MS, EARLIEST_AT, HOUR, MINUTE, MINUTES_KEPT, Tiers
from buddy_core.metrics.stats import ToolStats, UsageSample

FEW = 3
"""Pieces up to this size are cheaper to count call by call than to sum."""


class _Calls:
    """A checked column in order of time."""

    __slots__ = ("at_ms", "durations", "gaps", "ok", "perfect")

    def __init__(self, column: ToolColumn, refusals: Refusals) -> None:
        at_ms, durations, ok = column.at_ms, column.duration_ms, column.ok
        if not len(at_ms) == len(durations) == len(ok):
            shortest = min(len(at_ms), len(durations), len(ok))
            at_ms, durations, ok = at_ms[:shortest], durations[:shortest], ok[:shortest]
        if any(map(int.__gt__, at_ms, at_ms[1:])):
            order = sorted(range(len(at_ms)), key=at_ms.__getitem__)
            at_ms = [at_ms[n] for n in order]
            durations, ok = [durations[n] for n in order], [ok[n] for n in order]
        self.gaps = None in durations
        if not _sound([value for value in durations if value is not None] if self.gaps else durations):
            durations = [refusals.amount(value) for value in durations]
            self.gaps = True
        self.at_ms, self.durations, self.ok = at_ms, durations, ok
        self.perfect = all(ok)

    def add_to(self, stats: ToolStats, first: int, end: int) -> None:
        """Add the calls from `first` up to `end` to a bucket."""
        if end - first <= FEW:
            for number in range(first, end):
                stats.add(self.at_ms[number], self.durations[number], self.ok[number])
            return
        stats.calls += end - first
        stats.last_at = max(stats.last_at, self.at_ms[end - 1])
        if not self.perfect:
            stats.failures += self.ok[first:end].count(False)
        stats.add_durations([value for value in self.durations[first:end] if value is not None])

    def spread(self, tiers: Tiers[ToolStats], now_ms: int) -> tuple[int, int]:
        """Add every call to the buckets of its time; gives the range of calls whose time is believed."""
        at_ms = self.at_ms
        self.add_to(tiers.total, 0, len(at_ms))
        first = bisect_left(at_ms, EARLIEST_AT)
        end = bisect_right(at_ms, now_ms + AHEAD_MS, first)
        here = first
        while here < end:
            hour = at_ms[here] // HOUR
            there = bisect_left(at_ms, (hour + 1) * HOUR, here, end)
            self.add_to(tiers.hour(hour), here, there)
            here = there
        here = bisect_left(at_ms, (now_ms // MINUTE - MINUTES_KEPT) * MINUTE, first, end)
        while here < end:
            minute = at_ms[here] // MINUTE
            there = bisect_left(at_ms, (minute + 1) * MINUTE, here, end)
            self.add_to(tiers.minute(minute, now_ms), here, there)
            here = there
        return first, end


def absorb_batch(ledger: Ledger, batch: HistoryBatch, refusals: Refusals, now_ms: int) -> int:
    """Count everything in `batch`; gives the number of items."""
    for record in batch.errors:
        ledger.add_error(trimmed(record), now_ms)
    for request in batch.requests:
        _absorb_request(ledger, request, refusals, now_ms)
    for usage in batch.usage:
        _absorb_usage(ledger, usage, refusals, now_ms)
    calls = absorb_tools(ledger, batch.tools, refusals, now_ms) if batch.tools else 0
    return calls + len(batch.errors) + len(batch.requests) + len(batch.usage)


def _absorb_request(ledger: Ledger, request: ApiRequest, refusals: Refusals, now_ms: int) -> None:
    provider, model = request.provider, request.model
    if (provider, model) not in ledger.providers and not refusals.names(provider, model):
        return
    tokens = (
        request.prompt_tokens,
        request.completion_tokens,
        request.cache_read_tokens,
        request.cache_write_tokens,
    )
    moment = refusals.moment(request.at_ms, now_ms)
    sample = request_sample(
        refusals, moment, tokens, request.cost, request.latency_ms, request.ttft_ms, request.success
    )
    ledger.add_request(ledger.provider(provider, model), sample, now_ms)


def _absorb_usage(ledger: Ledger, usage: Usage, refusals: Refusals, now_ms: int) -> None:
    sample = UsageSample(
        refusals.moment(usage.at_ms, now_ms),
        refusals.count(usage.total_tokens),
        refusals.count(usage.prompt_tokens),
        refusals.count(usage.completion_tokens),
        refusals.amount(usage.cost),
    )
    ledger.add_usage(sample, now_ms)


def absorb_tools(ledger: Ledger, tools: dict[str, ToolColumn], refusals: Refusals, now_ms: int) -> int:
    """Count the calls of every tool in `tools`; gives how many there were."""
    total = 0
    dated: list[int] = []
    failed: list[int] = []
    for name, column in tools.items():
        known = name if name in ledger.tools else refusals.name(name)
        if known is None or not column.at_ms:
            continue
        series = ledger.tool(known)
        series.version += 1
        calls = _Calls(column, refusals)
        first, end = calls.spread(series.tiers, now_ms)
        total += len(calls.at_ms)
        dated += calls.at_ms[first:end]
        bad = [] if calls.perfect else [at for at, ok in zip(calls.at_ms, calls.ok, strict=True) if not ok]
        failed += [at for at in bad if EARLIEST_AT <= at <= now_ms + AHEAD_MS]
        ledger.activity.total.add_tools(len(calls.at_ms), len(bad))
    ledger.activity.add_tools(dated, failed, now_ms)
    ledger.version += 1
    return total


def _sound(values: Sequence[float | None]) -> bool:
    """True when every duration is a finite number that is not negative."""
    try:
        # A NaN hides from min and max, but never from a sum.
        return not values or (min(values) >= 0 and 0 <= sum(values) <= LARGEST_AMOUNT)  # type: ignore[type-var,arg-type,operator]
    except TypeError:
        return False
