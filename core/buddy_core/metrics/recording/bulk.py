"""History counted by the column: the same numbers as one call for every item, in a fraction of the time.

A column is cut where the hour changes (and, where somebody looks at minutes, the minute), and each piece is
summed by the interpreter's own loops.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple, cast

from buddy_core.metrics.counting.calls import CallList
from buddy_core.metrics.counting.errorlog import trimmed
from buddy_core.metrics.counting.grains import HOUR, MINUTE, Span, stretches
from buddy_core.metrics.counting.ledger import Ledger
from buddy_core.metrics.counting.rollup import Tiers
from buddy_core.metrics.counting.stats import ToolStats, UsageSample
from buddy_core.metrics.counting.timing import MOST_WAITING, Timing
from buddy_core.metrics.model import ErrorRecord
from buddy_core.metrics.recording.batch import HistoryBatch, ToolColumn, Usage
from buddy_core.metrics.recording.bulk_requests import absorb_requests
from buddy_core.metrics.recording.checks import LARGEST_AMOUNT, LATEST_AT, Refusals

FEW = 2
"""Up to this size a piece is cheaper to add call by call."""

MANY = MOST_WAITING
"""From this size on a piece is summed once and merged, instead of handed to each of its buckets."""


class _Calls:
    """A checked column in order of time."""

    __slots__ = ("at_ms", "calls", "durations", "gaps", "ok", "perfect")

    def __init__(self, column: ToolColumn, refusals: Refusals, now_ms: int) -> None:
        at_ms, durations, ok, self.calls = column.at_ms, column.duration_ms, column.ok, column.calls
        if not len(at_ms) == len(durations) == len(ok):
            shortest = min(len(at_ms), len(durations), len(ok))
            at_ms, durations, ok = at_ms[:shortest], durations[:shortest], ok[:shortest]
        if not _are_times(at_ms):
            at_ms = [refusals.moment(value, now_ms) for value in at_ms]
        if sorted(at_ms) != at_ms:
            order = sorted(range(len(at_ms)), key=at_ms.__getitem__)
            at_ms = [at_ms[n] for n in order]
            durations, ok = [durations[n] for n in order], [ok[n] for n in order]
            self.calls = [self.calls[n] for n in order] if len(self.calls) == len(order) else []
        self.gaps = None in durations
        if not _sound([value for value in durations if value is not None] if self.gaps else durations):
            durations = [refusals.amount(value) for value in durations]
            self.gaps = True
        self.at_ms, self.durations, self.ok = at_ms, durations, ok
        self.perfect = False not in ok

    def failed(self, first: int, end: int) -> list[int]:
        """Times of the calls that failed, of those from `first` up to `end`."""
        if self.perfect:
            return []
        return [at for at, ok in zip(self.at_ms[first:end], self.ok[first:end], strict=True) if not ok]

    def spread(self, tiers: Tiers[ToolStats], now_ms: int) -> tuple[int, int]:
        """Add every call to the buckets of its time; gives the range of calls whose time is believed."""
        at_ms = self.at_ms
        span = Span.of(at_ms, now_ms)
        self._add((tiers.total,), 0, span.first)
        for here, there in stretches(at_ms, HOUR, span.first, span.end):
            hour = at_ms[here] // HOUR
            hourly = tiers.hour(hour)
            self._add((tiers.total, hourly, *tiers.windows(at_ms[here], at_ms[there - 1])), here, there)
            if there > span.recent:
                start = max(here, span.recent)
                put = partial(_put_in_minutes, tiers, self._small(start, there), now_ms)
                tiers.by_minute_later(hour, there - start, put, now_ms)
        self._add((tiers.total,), span.end, len(at_ms))
        return span.first, span.end

    def list_in(
        self,
        kept: CallList,
        first: int,
        end: int,
        argument_of: Callable[[str, object], str] | None,
        tool: str,
        run_id: str | None,
        now_ms: int,
    ) -> None:
        """Offer the calls whose time is believed to the list of the slowest and the latest."""
        calls = self.calls

        def argument(row: int) -> str:
            return argument_of(tool, calls[first + row]) if argument_of and first + row < len(calls) else ""

        columns = self.at_ms[first:end], self.durations[first:end], self.ok[first:end]
        kept.add_column(*columns, run_id, argument, now_ms)

    def _small(self, first: int, end: int) -> _Waiting:
        """The calls from `first` up to `end`, in a fourth of the memory."""
        durations = self.durations[first:end]
        known = [math.nan if value is None else value for value in durations] if self.gaps else durations
        return _Waiting(
            array("q", self.at_ms[first:end]),
            array("d", cast("list[float]", known)),
            bytes(map(bool, self.ok[first:end])),
        )

    def _add(self, buckets: tuple[ToolStats, ...], first: int, end: int) -> None:
        """Add the calls from `first` up to `end` to each of `buckets`."""
        if end - first <= FEW:
            for number in range(first, end):
                for stats in buckets:
                    stats.add(self.at_ms[number], self.durations[number], self.ok[number])
            return
        calls, last = end - first, self.at_ms[end - 1]
        failures = 0 if self.perfect else self.ok[first:end].count(False)
        piece = self.durations[first:end]
        known = [value for value in piece if value is not None] if self.gaps else cast("list[float]", piece)
        summed = Timing.of(known) if calls > MANY else None
        for stats in buckets:
            stats.calls += calls
            stats.failures += failures
            stats.last_at = max(stats.last_at, last)
            if summed is None:
                stats.add_durations(known)
            else:
                stats.merge_timing(summed)


class _Waiting(NamedTuple):
    """Calls that wait for somebody to look at their minutes, which may take a day: 17 bytes each."""

    at_ms: array[int]
    durations: array[float]
    """Not a number where nobody measured."""
    ok: bytes

    def column(self) -> ToolColumn:
        """The calls as they were."""
        durations = [None if math.isnan(value) else value for value in self.durations]
        return ToolColumn(list(self.at_ms), durations, list(map(bool, self.ok)))


def _put_in_minutes(tiers: Tiers[ToolStats], waiting: _Waiting, now_ms: int) -> None:
    calls = _Calls(waiting.column(), Refusals(), now_ms)
    for here, there in stretches(calls.at_ms, MINUTE, 0, len(calls.at_ms)):
        calls._add((tiers.minute(calls.at_ms[here] // MINUTE, now_ms),), here, there)


def absorb_batch(ledger: Ledger, batch: HistoryBatch, refusals: Refusals, now_ms: int) -> int:
    """Count everything in `batch`; gives the number of items."""
    calls = absorb_tools(ledger, batch, refusals, now_ms) if batch.tools else 0
    for record in batch.errors:
        _absorb_error(ledger, record, refusals, now_ms)
    requests = absorb_requests(ledger, batch, refusals, now_ms)
    for usage in batch.usage:
        _absorb_usage(ledger, usage, refusals, now_ms)
    return calls + len(batch.errors) + requests + len(batch.usage)


def _absorb_error(ledger: Ledger, record: ErrorRecord, refusals: Refusals, now_ms: int) -> None:
    if refusals.name(record.type) is None:
        return
    at = record.timestamp
    if type(at) is not int or not 0 <= at <= LATEST_AT:
        record = replace(record, timestamp=refusals.moment(record.timestamp, now_ms))
    ledger.add_error(trimmed(record), now_ms)


def _absorb_usage(ledger: Ledger, usage: Usage, refusals: Refusals, now_ms: int) -> None:
    sample = UsageSample(
        refusals.moment(usage.at_ms, now_ms),
        refusals.count(usage.total_tokens),
        refusals.count(usage.prompt_tokens),
        refusals.count(usage.completion_tokens),
        refusals.amount(usage.cost),
    )
    ledger.add_usage(sample, now_ms)


def absorb_tools(ledger: Ledger, batch: HistoryBatch, refusals: Refusals, now_ms: int) -> int:
    """Count the calls of every tool; gives how many there were."""
    total = failures = 0
    dated: list[int] = []
    failed: list[int] = []
    run_id = refusals.run_id(batch.run_id)
    for name, column in batch.tools.items():
        if not column.at_ms or (name not in ledger.tools and refusals.name(name) is None):
            continue
        series = ledger.tool(name)
        series.version += 1
        calls = _Calls(column, refusals, now_ms)
        first, end = calls.spread(series.tiers, now_ms)
        calls.list_in(series.calls, first, end, batch.argument_of, name, run_id, now_ms)
        dated += calls.at_ms[first:end]
        failed += calls.failed(first, end)
        total += len(calls.at_ms)
        failures += calls.ok.count(False)
    ledger.activity.total.add_tools(total, failures)
    ledger.activity.add_tools(dated, failed, now_ms)
    ledger.version += 1
    return total


def _sound(values: Sequence[float | None]) -> bool:
    """True when every duration is a finite number that is not negative."""
    try:
        # A NaN hides from min and max, but never from a sum.
        return not values or (min(values) >= 0 and 0 <= sum(values) <= LARGEST_AMOUNT)  # type: ignore[type-var,arg-type,operator]
    except (TypeError, OverflowError):
        return False


def _are_times(values: list[int]) -> bool:
    """True when every value can be a wall time in milliseconds."""
    try:
        return min(values) >= 0 and max(values) <= LATEST_AT
    except (TypeError, ValueError):
        return False
