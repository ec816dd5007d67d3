"""What is known of a single row: its records and texts, its slowest and latest calls, the errors that concern it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from buddy_core.metrics.counting.calls import KeptCall
from buddy_core.metrics.counting.fingerprint import fingerprint
from buddy_core.metrics.counting.grains import since_of
from buddy_core.metrics.counting.ledger import Ledger
from buddy_core.metrics.counting.series import RUNS_NAMED, ErrorSeries
from buddy_core.metrics.looking.model import ErrorGroup, ToolCall, ToolDepth
from buddy_core.metrics.looking.rows import look_at_errors
from buddy_core.metrics.model import ErrorRecord
from buddy_core.metrics.window import Window


def build_records(ledger: Ledger, key: str) -> tuple[ErrorRecord, ...]:
    """What is retained of one error group, newest first."""
    group = ledger.errors.get(key)
    if group is None:
        return ()
    kept = [one for one in ledger.error_log.newest_first() if fingerprint(one.type, one.message) == key]
    return tuple(kept) if group.latest in kept else (group.latest, *kept)


def errors_concerning(ledger: Ledger, key: str) -> tuple[ErrorSeries, ...]:
    """The errors that concern the provider and model with the key `provider/model`; see `Blame`."""
    series = ledger.provider_of(key)
    if series is None:
        return ()
    return ledger.blame.concerning(series.provider, series.model, ledger.errors.values())


def error_groups(some: Iterable[ErrorSeries], window: Window, since_ms: int | None) -> list[ErrorGroup]:
    """What each of these series has in a window, where it has anything."""
    looks = (look_at_errors(series, window, since_ms)[1] for series in some)
    return [group for group in looks if group is not None]


def build_tool_depth(ledger: Ledger, name: str, window: Window, now_ms: int) -> ToolDepth:
    """Single calls of one tool, and its error texts."""
    series, texts = ledger.tools.get(name), ledger.texts.get(name)
    if series is None:
        return ToolDepth()
    since = since_of(window, now_ms)
    return ToolDepth(
        slowest=_as_calls(series.calls.slowest(since or 0, now_ms)),
        latest=_as_calls(series.calls.latest(since or 0, now_ms)),
        texts=_most_frequent(error_groups(texts.series(), window, since)) if texts is not None else (),
        exact=series.calls.exact,
        forgotten=texts.forgotten if texts is not None else 0,
    )


def _as_calls(rows: Iterable[KeptCall]) -> tuple[ToolCall, ...]:
    return tuple(ToolCall(at, duration, ok, run, argument or "") for at, duration, ok, run, argument in rows)


def _most_frequent(groups: Iterable[ErrorGroup]) -> tuple[ErrorGroup, ...]:
    """The most frequent first, of equals the latest."""
    return tuple(sorted(groups, key=lambda group: (-group.count, -group.last_at, group.fingerprint)))


def joined(groups: Iterable[ErrorGroup]) -> tuple[ErrorGroup, ...]:
    """One group for each kind, latest first."""
    found: dict[str, ErrorGroup] = {}
    for group in groups:
        known = found.get(group.fingerprint)
        found[group.fingerprint] = group if known is None else _together(known, group)
    return tuple(sorted(found.values(), key=lambda group: (-group.last_at, group.fingerprint)))


def _together(one: ErrorGroup, other: ErrorGroup) -> ErrorGroup:
    """Two counts of one kind of error as one."""
    newer = one if one.last_at >= other.last_at else other
    older = other if newer is one else one
    runs = tuple(dict.fromkeys((*newer.run_ids, *older.run_ids)))[:RUNS_NAMED]
    return replace(
        newer, count=one.count + other.count, first_at=min(one.first_at, other.first_at), run_ids=runs
    )
