"""What the history no longer needs to tell apart becomes hours, so that its file stays small.

Runs that are gone for more than a week are added to the hours in which they happened. When the file is too
large even so, what is dropped first is what is missed least: single calls of younger runs that are gone (they
become hours as well), other directories that nobody has looked at for longest, then the copies of runs that
are still there. Hours are never dropped; old ones become days.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from buddy_core.clock import Clock
from buddy_core.history.contribution import MERGED_AFTER_MS, Contribution
from buddy_core.history.hourshelf import UNDATED
from buddy_core.history.shelf import DAY, Shelf, StoredRun
from buddy_core.metrics.counting.grains import AHEAD_MS, EARLIEST_AT, HOUR
from buddy_core.metrics.counting.hours import HourStats, hours_of, lasting_of, total_of
from buddy_core.metrics.counting.ledger import Ledger
from buddy_core.metrics.recording.batch import HistoryBatch, Usage
from buddy_core.metrics.recording.bulk import absorb_batch
from buddy_core.metrics.recording.checks import Refusals
from buddy_core.runs.folding.harvest import CustomValue

LIMIT = 64 * 1024 * 1024
"""Bytes of the file."""

AT_ONCE = 50
"""Runs that become hours in one transaction."""

YOUNGEST_MS = 26 * HOUR
"""Nothing younger becomes hours, whatever the size: windows look at its minutes."""

DAYS_AFTER_MS = 100 * DAY
"""Hours that are older become days: charts that reach so far have no finer slices."""


class Ageing:
    """To be called again and again in transactions of the writer, until it says that there is no more to do."""

    def __init__(self, is_present: Callable[[str], bool], clock: Clock, *, limit: int = LIMIT) -> None:
        self._is_present = is_present
        self._clock = clock
        self._limit = limit
        self.full = False
        """Not even all runs that are still there have room."""

    def __call__(self, shelf: Shelf) -> bool:
        """Do some of it; True when there is more."""
        now_ms = self._clock.now_ms()
        too_large = shelf.size() > self._limit
        before_ms = now_ms - (YOUNGEST_MS if too_large else MERGED_AFTER_MS)
        gone = [
            run for run in shelf.runs() if (run.last_at or 0) < before_ms and not self._is_present(run.run_id)
        ]
        if gone:
            merge_runs(shelf, gone[-AT_ONCE:], now_ms)
            return True
        if _make_days(shelf, (now_ms - DAYS_AFTER_MS) // HOUR):
            return True
        return too_large and (shelf.drop_another_root() or self._drop_copies(shelf))

    def _drop_copies(self, shelf: Shelf) -> bool:
        copies = [run_id for run_id in shelf.oldest_stored(AT_ONCE) if self._is_present(run_id)]
        for run_id in copies:
            shelf.hollow(run_id)
        self.full |= bool(copies)
        return bool(copies)


def merge_runs(shelf: Shelf, runs: list[StoredRun], now_ms: int) -> None:
    """Add runs to the hours in which they happened, from where nobody can tell them any more."""
    dated, undated = (Ledger(max_series=2_000, max_errors=100) for _ in range(2))
    unpriced: dict[int, HourStats] = {}
    merged = shelf.hours.merged()
    latest = {(value.name, _labels(value)): value for value in merged.values}
    for run in runs:
        found = shelf.contribution(run.run_id)
        for ledger, part in zip((dated, undated), _parted(found, run, now_ms), strict=True):
            absorb_batch(ledger, part, Refusals(), now_ms)
        for hour, key, amounts in _unpriced(found, run):
            unpriced.setdefault(hour, HourStats()).merge(HourStats(unpriced={key: amounts}))
        for value in found.values.values():
            key_ = (value.name, _labels(value))
            if key_ not in latest or latest[key_].at_ms <= value.at_ms:
                latest[key_] = value
        merged.spans.append((run.usage.since, run.usage.until, run.usage.states_cost))
        shelf.merge_away(run.run_id)
    for ledger in (dated, undated):
        merged.lasting.merge(lasting_of(ledger))
    for hours in (hours_of(dated), {UNDATED: total_of(undated)}, unpriced):
        for hour, stats in hours.items():
            shelf.hours.add(hour, stats)
    shelf.hours.set_merged(merged._replace(values=list(latest.values())))


def _labels(value: CustomValue) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((value.labels or {}).items()))


def _parted(found: Contribution, run: StoredRun, now_ms: int) -> tuple[HistoryBatch, HistoryBatch]:
    """What has a time that can be believed, and what has none."""

    def is_dated(at_ms: int) -> bool:
        return EARLIEST_AT <= at_ms <= now_ms + AHEAD_MS

    parts = HistoryBatch(run.run_id), HistoryBatch(run.run_id)
    for name, column in found.tools.items():
        for call in zip(column.at_ms, column.duration_ms, column.ok, strict=True):
            parts[not is_dated(call[0])].tools.setdefault(name, type(column)()).add(*call)
    for key, rows in found.rows.items():
        for row in rows:
            parts[not is_dated(row[0])].rows.setdefault(key, []).append(row)
    for error in found.errors:
        parts[not is_dated(error.timestamp)].errors.append(error)
    usage = run.usage
    if usage.total_tokens or usage.cost:
        cost = usage.cost or None
        counts = (usage.total_tokens, usage.prompt_tokens, usage.completion_tokens)
        part = parts[not is_dated(usage.at_ms)]
        part.usage.append(Usage(*counts, cost, run.run_id, usage.at_ms))
    return parts


def _unpriced(found: Contribution, run: StoredRun) -> Iterator[tuple[int, tuple[str | None, str], list[int]]]:
    """By hour and model, the tokens of requests whose cost nobody states; of a run that does not either."""
    usage = run.usage
    if usage.states_cost:
        return
    for key, rows in found.rows.items():
        for at_ms, *tokens, cost, _, _, _ in rows:
            if cost is None and any(tokens):
                yield _hour(at_ms), key, [1, *tokens]
    split = usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
    if usage.model and usage.total_tokens and split and not usage.cost and not found.rows:
        amounts = [1, usage.prompt_tokens, usage.completion_tokens, 0, 0]
        yield _hour(usage.at_ms), (None, usage.model), amounts


def _hour(at_ms: int) -> int:
    return at_ms // HOUR if at_ms >= EARLIEST_AT else UNDATED


def _make_days(shelf: Shelf, before_hour: int) -> bool:
    """Add some hours that are old enough to the first hours of their days."""
    old = [hour for hour in shelf.hours.known() if 0 <= hour < before_hour and hour % 24][:AT_ONCE]
    for hour in old:
        found = shelf.hours.one(hour)
        if found is not None:
            shelf.hours.add(hour // 24 * 24, found)
        shelf.hours.drop(hour)
    return bool(old)
