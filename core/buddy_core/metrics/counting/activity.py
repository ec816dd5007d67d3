"""How busy everything together was: one series of small counters for the charts, the rates and the totals.

Seconds for the last quarter of an hour, minutes for as long as `MINUTES_HELD` minutes with activity
last (more than a week without a pause), hours for `HOURS_HELD`. (Single providers and tools keep no
seconds: nothing asks them for anything finer than a minute.)
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from buddy_core.metrics.counting.activity_counts import ActivityCounts
from buddy_core.metrics.counting.grains import AHEAD_MS, EARLIEST_AT, HOUR, MINUTE, SECOND, tally

if TYPE_CHECKING:
    from buddy_core.metrics.recording.batch import RequestRow

SECONDS_HELD = 16 * 60
"""Seconds kept: the 15 m chart has slices finer than a minute, and rates look back five minutes."""

MINUTES_HELD = 8 * 24 * 60
"""Minutes with activity kept: the 7 d window is whole even if no minute of it was quiet."""

HOURS_HELD = 5 * 365 * 24
"""Hours with activity kept for the chart of everything; older ones are in the totals only."""


class ActivityLog:
    """The activity of everything, by second, minute and hour. The collector's lock is held around every call."""

    def __init__(self) -> None:
        self.total = ActivityCounts()
        self.first_at: int | None = None
        """Time of the earliest dated sample, in milliseconds since the epoch, exact to the second."""
        self.last_at: int | None = None
        """Time of the latest, likewise."""
        self._seconds: dict[int, ActivityCounts] = {}
        self._minutes: dict[int, ActivityCounts] = {}
        self._hours: dict[int, ActivityCounts] = {}
        self._oldest_minute = 0
        """Minutes before this one have been given up; their hours are still there."""
        # A burst falls into one second: its counters are found once.
        self._newest_second = -1
        self._newest: tuple[ActivityCounts, ...] = ()

    def buckets(self, at_ms: int, now_ms: int) -> tuple[ActivityCounts, ...]:
        """The counters a sample of this moment is added to; the total is the first."""
        second = at_ms // SECOND
        if second == self._newest_second and at_ms <= now_ms + AHEAD_MS:
            return self._newest
        if not EARLIEST_AT <= at_ms <= now_ms + AHEAD_MS:
            return (self.total,)
        self._stretch(at_ms, at_ms)
        hour, minute = self.hour(at_ms // HOUR), self._minute(at_ms // MINUTE)
        if at_ms < now_ms - SECONDS_HELD * SECOND:
            return self.total, hour, minute
        self._newest = (self.total, hour, minute, self._second(second, now_ms))
        self._newest_second = second
        return self._newest

    def add_tools(self, at_ms: Sequence[int], failed_at_ms: Sequence[int], now_ms: int) -> None:
        """Count tool calls of the past in bulk: when each was, and again when each that failed was.

        All of them are dated. The total is not touched: it also has the calls that are not.
        """
        if not at_ms:
            return
        self._stretch(min(at_ms), max(at_ms))
        recent = now_ms - SECONDS_HELD * SECOND
        for moments, failed in ((sorted(at_ms), 0), (sorted(failed_at_ms), 1)):
            for hour, count in tally(moments, HOUR):
                self.hour(hour).add_tools(count * (1 - failed), count * failed)
            for minute, count in tally(moments, MINUTE):
                self._minute(minute).add_tools(count * (1 - failed), count * failed)
            for second, count in tally(moments[bisect_left(moments, recent) :], SECOND):
                self._second(second, now_ms).add_tools(count * (1 - failed), count * failed)

    def add_requests(self, rows: Sequence[RequestRow], now_ms: int) -> None:
        """Count model requests of the past in bulk by minute and second; they are dated, and in order of time.

        Their hours and the total are the caller's, who has summed them up.
        """
        if not rows:
            return
        self._stretch(rows[0][0], rows[-1][0])
        recent, minutes = now_ms - SECONDS_HELD * SECOND, self._minutes
        for at_ms, prompt, completion, read, written, cost, latency_ms, _, success in rows:
            tokens = prompt + completion + read + written
            minute = minutes.get(at_ms // MINUTE) or self._minute(at_ms // MINUTE)
            minute.add_request(tokens, cost, latency_ms, success)
            if at_ms >= recent:
                self._second(at_ms // SECOND, now_ms).add_request(tokens, cost, latency_ms, success)

    def _stretch(self, first: int, last: int) -> None:
        self.first_at = first if self.first_at is None else min(self.first_at, first)
        self.last_at = last if self.last_at is None else max(self.last_at, last)

    def _second(self, second: int, now_ms: int) -> ActivityCounts:
        if second not in self._seconds and len(self._seconds) > SECONDS_HELD + AHEAD_MS // SECOND:
            oldest = now_ms // SECOND - SECONDS_HELD
            self._seconds = {key: counts for key, counts in self._seconds.items() if key >= oldest}
        return self._seconds.setdefault(second, ActivityCounts())

    def _minute(self, minute: int) -> ActivityCounts:
        known = self._minutes.get(minute)
        if known is not None:
            return known
        if minute < self._oldest_minute:
            return ActivityCounts()
        if len(self._minutes) >= MINUTES_HELD + 60:
            self._newest_second = -1
            keys = sorted(self._minutes)
            self._oldest_minute = keys[60]
            for key in keys[:60]:
                del self._minutes[key]
            return self._minute(minute)
        return self._minutes.setdefault(minute, ActivityCounts())

    def hour(self, hour: int) -> ActivityCounts:
        """The counters of an hour since the epoch."""
        known = self._hours.get(hour)
        if known is not None:
            return known
        if len(self._hours) >= HOURS_HELD:
            self._newest_second = -1
            del self._hours[min(self._hours)]
        return self._hours.setdefault(hour, ActivityCounts())

    def hours(self) -> Mapping[int, ActivityCounts]:
        """The counters of every hour since the epoch in which something happened."""
        return self._hours

    def add_hour(self, hour: int | None, counts: ActivityCounts) -> None:
        """Add what is known of a whole hour only, or (None) of no time; from then on its minutes tell nothing."""
        self.total.merge(counts)
        if hour is None:
            return
        self.hour(hour).merge(counts)
        if self.first_at is not None and (hour + 1) * HOUR <= self.first_at:
            self._stretch(hour * HOUR, hour * HOUR)  # an hour that stands for its day
        self._newest_second = -1
        if (hour + 1) * 60 > self._oldest_minute:
            self._oldest_minute = (hour + 1) * 60
            for minute in [minute for minute in self._minutes if minute < self._oldest_minute]:
                del self._minutes[minute]

    def stretch(self, first_ms: int, last_ms: int) -> None:
        """Something dated happened at these moments."""
        self._stretch(first_ms, last_ms)

    def recent(self, since_ms: int, now_ms: int) -> ActivityCounts:
        """Everything from a moment at most a quarter of an hour ago until now, exact to the second.

        What is dated later (another clock, or ours before it was set back) counts when its time has come.
        """
        whole = ActivityCounts()
        for start, counts in self._from(self._seconds, SECOND, since_ms):
            if start <= now_ms:
                whole.merge(counts)
        return whole

    @property
    def span(self) -> tuple[int, int] | None:
        """Times of the earliest and the latest dated sample; None without any."""
        return None if self.first_at is None or self.last_at is None else (self.first_at, self.last_at)

    def since(self, since_ms: int, grain_ms: int) -> Iterator[tuple[int, ActivityCounts]]:
        """Beginning and counts of every second, minute or hour (by `grain_ms`) kept from a moment on."""
        if grain_ms == SECOND:
            return self._from(self._seconds, SECOND, since_ms)
        return self._from(self._minutes if grain_ms == MINUTE else self._hours, grain_ms, since_ms)

    @property
    def has_all_minutes(self) -> bool:
        """False once minutes have been given up, so that the picture of everything is one of hours."""
        return not self._oldest_minute

    def _from(
        self, tier: dict[int, ActivityCounts], grain: int, since_ms: int
    ) -> Iterator[tuple[int, ActivityCounts]]:
        """Beginning and counts of what a tier has from a moment on, by whichever way is shorter."""
        first, last = since_ms // grain, (self.last_at or 0) // grain
        if last - first < len(tier):
            keys = range(first, last + 1)
            return ((key * grain, tier[key]) for key in keys if key in tier)
        return ((key * grain, counts) for key, counts in tier.items() if key >= first)
