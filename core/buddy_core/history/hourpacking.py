"""Hours as bytes: every counter under its own name, so that one that is added later is simply not there yet."""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple, TypeVar

import msgspec

from buddy_core.history.packing import Damaged, ErrorRow, compress, decompress, error_row
from buddy_core.metrics.counting.activity_counts import ActivityCounts
from buddy_core.metrics.counting.bounds import BoundCounts
from buddy_core.metrics.counting.hours import ErrorFacts, HourStats, Lasting
from buddy_core.metrics.counting.sketch import BOUNDS_MS
from buddy_core.metrics.counting.stats import ErrorStats, ProviderStats, ToolStats, UsageStats
from buddy_core.metrics.counting.timing import Timing
from buddy_core.metrics.model import ErrorRecord
from buddy_core.runs.folding.harvest import CustomValue

C = TypeVar("C", ToolStats, ProviderStats, ErrorStats, UsageStats, ActivityCounts)

Counters = dict[str, int | float]

MOST_SPANS = 10_000
"""Runs whose spans are remembered; those before have no turns any more."""

_NOT_STORED = ("_sketch", "waiting", "estimate", "estimates")
"""Estimates are made anew, by the prices of the day."""


class _Timed(NamedTuple):
    counters: Counters
    sketch: list[int] = []  # noqa: RUF012 - never added to
    """Bucket, count, bucket, count, …"""


class _Hour(NamedTuple):
    tools: dict[str, _Timed]
    providers: list[tuple[str, str, _Timed]]
    errors: dict[str, Counters]
    usage: Counters
    activity: Counters
    unpriced: list[tuple[str | None, str, list[int]]]


class _Facts(NamedTuple):
    latest: ErrorRow
    run_id: str | None
    runs: dict[str, int]


class _Lasting(NamedTuple):
    first_tokens: list[tuple[str, str, int, float, list[int]]]
    errors: dict[str, tuple[str, _Facts]]
    error_types: dict[str, int]
    newest: list[tuple[ErrorRow, str | None]]
    span: tuple[int, int] | None
    values: list[CustomValue]
    spans: list[tuple[int, int, bool]]


_encode = msgspec.msgpack.Encoder().encode
_hour = msgspec.msgpack.Decoder(_Hour).decode
_lasting = msgspec.msgpack.Decoder(_Lasting).decode


def pack_hour(found: HourStats) -> bytes:
    """An hour as bytes."""
    wire = _Hour(
        {name: _timed(stats) for name, stats in found.tools.items()},
        [(*key, _timed(stats)) for key, stats in found.providers.items()],
        {key: _counters(stats) for key, stats in found.errors.items()},
        _counters(found.usage),
        _counters(found.activity),
        [(*key, amounts) for key, amounts in found.unpriced.items()],
    )
    return compress(_encode(wire))


def unpack_hour(data: bytes) -> HourStats:
    """The hour again; raises `Damaged`."""
    try:
        wire = _hour(decompress(data))
    except msgspec.MsgspecError as error:
        raise Damaged(str(error)) from None
    return HourStats(
        {name: _as_timed(ToolStats(), timed) for name, timed in wire.tools.items()},
        {(provider, model): _as_timed(ProviderStats(), timed) for provider, model, timed in wire.providers},
        {key: _as_stats(ErrorStats(), counters) for key, counters in wire.errors.items()},
        _as_stats(UsageStats(), wire.usage),
        _as_stats(ActivityCounts(), wire.activity),
        {(provider, model): amounts for provider, model, amounts in wire.unpriced if len(amounts) == 5},
    )


class Merged(NamedTuple):
    """What is known of all runs that became hours."""

    lasting: Lasting
    values: list[CustomValue]
    """The latest of each label set."""
    spans: list[tuple[int, int, bool]]
    """When each was at work, and whether it stated its cost."""


def pack_merged(found: Merged) -> bytes:
    """What belongs to no hour, as bytes; texts are masked and cut."""
    lasting = found.lasting
    wire = _Lasting(
        [(*key, one.count, one.sum_ms, one.up_to) for key, one in lasting.first_tokens.items()],
        {key: (facts.type, _facts(facts)) for key, facts in lasting.errors.items()},
        dict(lasting.error_types),
        [(error_row(error, whole=True), error.run_id) for error in lasting.newest],
        lasting.span,
        found.values,
        found.spans[-MOST_SPANS:],
    )
    return compress(_encode(wire))


def unpack_merged(data: bytes) -> Merged:
    """The same again; raises `Damaged`."""
    try:
        wire = _lasting(decompress(data))
    except msgspec.MsgspecError as error:
        raise Damaged(str(error)) from None
    found = Lasting(
        {(provider, model): _bounds(*counts) for provider, model, *counts in wire.first_tokens},
        {
            key: ErrorFacts(type_, ErrorRecord(*facts.latest, facts.run_id), facts.runs)
            for key, (type_, facts) in wire.errors.items()
        },
        Counter(wire.error_types),
        [ErrorRecord(*error, run_id) for error, run_id in wire.newest],
        wire.span,
    )
    return Merged(found, wire.values, wire.spans)


def _facts(facts: ErrorFacts) -> _Facts:
    return _Facts(error_row(facts.latest, whole=True), facts.latest.run_id, facts.runs)


def _names(stats: object) -> list[str]:
    """Every counter, those of base classes too."""
    slots = [name for kind in type(stats).__mro__ for name in getattr(kind, "__slots__", ())]
    return [name for name in slots if name not in _NOT_STORED]


def _counters(stats: ToolStats | ProviderStats | ErrorStats | UsageStats | ActivityCounts) -> Counters:
    empty = type(stats)()
    return {name: value for name in _names(stats) if (value := getattr(stats, name)) != getattr(empty, name)}


def _timed(stats: ToolStats | ProviderStats) -> _Timed:
    stats.settle()
    return _Timed(_counters(stats), [number for pair in stats.sketch.items() for number in pair])


def _as_stats(stats: C, counters: Counters) -> C:
    for name in _names(stats):
        if name in counters:
            setattr(stats, name, counters[name])
    return stats


def _as_timed(stats: C, timed: _Timed) -> C:
    _as_stats(stats, timed.counters)
    if isinstance(stats, Timing):
        stats.sketch = dict(zip(timed.sketch[::2], timed.sketch[1::2], strict=False))
    return stats


def _bounds(*counts: Any) -> BoundCounts:  # noqa: ANN401 - the decoder has checked them
    bounds = BoundCounts()
    count, sum_ms, up_to = counts
    if len(up_to) == len(BOUNDS_MS):
        bounds.count, bounds.sum_ms, bounds.up_to = count, sum_ms, up_to
    return bounds
