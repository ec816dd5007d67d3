"""Model requests of the past counted by the column, like tool calls: see `bulk`.

The requests of one provider and model come as rows. A row is looked at alone only where its bucket has few.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from operator import itemgetter

import msgspec

from buddy_core.metrics.counting.activity import ActivityLog
from buddy_core.metrics.counting.activity_counts import ActivityCounts
from buddy_core.metrics.counting.grains import HOUR, MINUTE, Span, stretches
from buddy_core.metrics.counting.ledger import Ledger
from buddy_core.metrics.counting.rollup import Tiers
from buddy_core.metrics.counting.stats import ProviderStats
from buddy_core.metrics.model import ApiRequest
from buddy_core.metrics.recording.batch import HistoryBatch, ModelKey, RequestRow, row_of
from buddy_core.metrics.recording.checks import (
    LARGEST_AMOUNT,
    LARGEST_COUNT,
    LATEST_AT,
    Refusals,
    request_sample,
)

_at_ms = itemgetter(0)
_TYPES = frozenset({float, type(None)})


def absorb_requests(ledger: Ledger, batch: HistoryBatch, refusals: Refusals, now_ms: int) -> int:
    """Count every request in `batch`; gives the number of them."""
    count = 0
    for group in (batch.rows, _grouped(batch.requests)):
        for (provider, model), rows in group.items():
            count += len(rows)
            if rows and ((provider, model) in ledger.providers or refusals.names(provider, model)):
                _absorb(ledger, provider, model, _in_order(rows, refusals, now_ms), now_ms)
    return count


def _absorb(ledger: Ledger, provider: str, model: str, rows: list[RequestRow], now_ms: int) -> None:
    series = ledger.provider(provider, model)
    if (series.provider, series.model) != (provider, model):
        ledger.overflow["provider"] += len(rows) - 1  # each of them went to `other`; one is counted already
    series.version += 1
    ledger.version += 1
    series.first_tokens.waiting += [row[7] for row in rows if row[7] is not None]
    series.first_tokens.settle()
    _spread(series.tiers, ledger.activity, rows, now_ms)


def rows_of(batch: HistoryBatch, now_ms: int) -> dict[ModelKey, list[RequestRow]]:
    """Every request in `batch` by provider and model, with the values that are counted of it."""
    found = _grouped(batch.requests)
    for key, rows in batch.rows.items():
        found.setdefault(key, []).extend(rows)
    unheard = Refusals()  # what is refused was counted when it was absorbed
    return {key: _in_order(rows, unheard, now_ms) for key, rows in found.items() if rows}


def _grouped(requests: Iterable[ApiRequest]) -> dict[ModelKey, list[RequestRow]]:
    found: dict[ModelKey, list[RequestRow]] = {}
    for one in requests:
        found.setdefault((one.provider, one.model), []).append(row_of(one))
    return found


def _in_order(rows: list[RequestRow], refusals: Refusals, now_ms: int) -> list[RequestRow]:
    """Rows by time, every value checked."""
    if not _sound(rows):
        rows = [_checked(row, refusals, now_ms) for row in rows]
    return sorted(rows, key=_at_ms)


def _sound(rows: list[RequestRow]) -> bool:
    """True when no value in any row has to be looked at."""
    at_ms, prompt, completion, read, written, cost, latency, ttft, success = zip(*rows, strict=True)
    try:
        return (
            set(map(type, success)) <= {bool}
            and all(_are_counts(column, LARGEST_COUNT) for column in (prompt, completion, read, written))
            and _are_counts(at_ms, LATEST_AT + 1)
            and all(_are_amounts(column) for column in (cost, latency, ttft))
        )
    except (TypeError, ValueError, OverflowError):
        return False


def _are_counts(column: Sequence[int], below: int) -> bool:
    return set(map(type, column)) == {int} and min(column) >= 0 and max(column) < below


def _are_amounts(column: Sequence[float | None]) -> bool:
    if not set(map(type, column)) <= _TYPES:
        return False
    known = [value for value in column if value is not None]
    # A NaN hides from min and max, but never from a sum.
    return not known or (min(known) >= 0 and sum(known) <= LARGEST_AMOUNT)


def _checked(row: RequestRow, refusals: Refusals, now_ms: int) -> RequestRow:
    at_ms, prompt, completion, read, written, cost, latency, ttft, success = row
    tokens = (prompt, completion, read, written)
    moment = refusals.moment(at_ms, now_ms)
    return request_sample(refusals, moment, tokens, cost, latency, ttft, success)


def _spread(tiers: Tiers[ProviderStats], activity: ActivityLog, rows: list[RequestRow], now_ms: int) -> None:
    """Add every row to the buckets of its time, in the series and in the activity of everything."""
    at_ms = list(map(_at_ms, rows))
    span = Span.of(at_ms, now_ms)
    _add(rows[: span.first], (tiers.total,), (activity.total,))
    for here, there in stretches(at_ms, HOUR, span.first, span.end):
        hour = at_ms[here] // HOUR
        hourly, windows = tiers.hour(hour), tiers.windows(at_ms[here], at_ms[there - 1])
        _add(rows[here:there], (tiers.total, hourly, *windows), (activity.total, activity.hour(hour)))
        if there > span.recent:
            packed = msgspec.msgpack.encode(rows[max(here, span.recent) : there])  # they may wait for a day
            put = partial(_put_in_minutes, tiers, packed, now_ms)
            tiers.by_minute_later(hour, there - max(here, span.recent), put, now_ms)
    activity.add_requests(rows[span.first : span.end], now_ms)
    _add(rows[span.end :], (tiers.total,), (activity.total,))


def _add(
    rows: list[RequestRow], buckets: tuple[ProviderStats, ...], counters: tuple[ActivityCounts, ...]
) -> None:
    """Sum up `rows` once, and add them to each of `buckets` and of `counters`."""
    if not rows:
        return
    summed = ProviderStats()
    summed.add_rows(rows)
    for stats in buckets:
        stats.merge(summed)
    summed.settle()
    for counts in counters:
        counts.add_summed(summed)


_unpacked = msgspec.msgpack.Decoder(list[RequestRow]).decode


def _put_in_minutes(tiers: Tiers[ProviderStats], packed: bytes, now_ms: int) -> None:
    rows = _unpacked(packed)
    at_ms = list(map(_at_ms, rows))
    for here, there in stretches(at_ms, MINUTE, 0, len(rows)):
        tiers.minute(at_ms[here] // MINUTE, now_ms).add_rows(rows[here:there])
