"""Buckets of time for one series: minutes for a day, hours for three months, and the running total.

A window never needs the samples themselves: it is a merge of whole buckets. So that this is exact, a
window begins on a whole minute (15 m, 1 h, 24 h) or a whole hour (7 d), see `grains.since_of`. A window that was
looked at is one more bucket that what comes is added to, so that looking again merges nothing.
"""

# Comparing before assigning costs half of what min() and max() cost, and this runs for every sample.
# ruff: noqa: PLR1730

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Generic, TypeVar

from buddy_core.metrics.counting.grains import AHEAD_MS, EARLIEST_AT, HOUR, MINUTE, MINUTES_KEPT
from buddy_core.metrics.counting.room import MOST_WAITING_SAMPLES, Room
from buddy_core.metrics.counting.stats import Stats
from buddy_core.metrics.window import Window

HOURS_KEPT = 90 * 24
"""Hours with activity that a series keeps, newest first: at least 90 days, more where days were quiet."""

MOST_GROWING = 4
"""Minutes, and hours, of one series that are kept as they grow; those before are packed, to a tenth or less."""

MOST_LATER = 2_000
"""Samples of an hour of one series that wait for its minutes: a millisecond or two when somebody looks."""

S = TypeVar("S", bound=Stats)


class _Waiting:
    """What waits for the minutes of one hour of one series."""

    __slots__ = ("puts", "samples")

    def __init__(self) -> None:
        self.samples = 0
        self.puts: list[Callable[[], None]] = []


class Tiers(Generic[S]):
    """One series' buckets by minute and hour, and its running total.

    `make` gives an empty bucket. History is put into its minutes when somebody looks at that hour by the
    minute, which for most hours is never. Not locked: the collector's lock is held around every call.
    """

    __slots__ = (
        "_growing",
        "_later",
        "_make",
        "_newest",
        "_newest_key",
        "_room",
        "_touched",
        "_windows",
        "hours",
        "marked",
        "minutes",
        "total",
    )

    def __init__(self, make: Callable[[], S], room: Room) -> None:
        self._make = make
        self._room = room
        self.minutes: dict[int, S] = {}
        self.hours: dict[int, S] = {}
        self.total = make()
        # Live samples come in their order: the buckets of the last minute seen are those of the next sample.
        self._newest_key = -1
        self._newest: tuple[S, ...] = ()
        self._growing: dict[int, dict[int, S]] = {MINUTE: {}, HOUR: {}}
        self._later: dict[int, _Waiting] = {}
        self._windows: dict[Window, tuple[int, S]] = {}
        self.marked = 0
        """How often `mark` was called: who called it last knows what `touched` speaks of."""
        self._touched = {MINUTE: -1, HOUR: -1}

    def by_minute_later(self, hour: int, samples: int, put: Callable[[], None], now_ms: int) -> None:
        """`put` adds so many samples of an hour to its minutes, and to nothing else: when it has to be, or now."""
        if samples > MOST_LATER or self._room.waiting + samples > MOST_WAITING_SAMPLES:
            put()
            return
        if len(self._later) > MINUTES_KEPT // 60:
            self._forget_hours(now_ms // MINUTE - MINUTES_KEPT)
        self._room.waiting += samples
        waiting = self._later.setdefault(hour, _Waiting())
        waiting.samples += samples
        waiting.puts.append(put)
        if waiting.samples > MOST_LATER:
            self._make_minutes(hour, hour)

    def _make_minutes(self, first_hour: int, last_hour: int | None = None) -> None:
        """Put what waits into its minutes, from one hour up to and with another."""
        for hour in [h for h in self._later if h >= first_hour and (last_hour is None or h <= last_hour)]:
            for put in self._let_go(hour):
                put()

    def _forget_hours(self, before_minute: int) -> None:
        """What waits for minutes that are not kept any more needs none."""
        for hour in [hour for hour in self._later if (hour + 1) * 60 <= before_minute]:
            self._let_go(hour)

    def _let_go(self, hour: int) -> Sequence[Callable[[], None]]:
        waiting = self._later.pop(hour, _Waiting())
        self._room.waiting -= waiting.samples
        return waiting.puts

    def buckets(self, at_ms: int, now_ms: int) -> tuple[S, ...]:
        """The buckets a sample of this moment is added to; the total is always the first."""
        key = at_ms // MINUTE
        if key == self._newest_key and at_ms <= now_ms + AHEAD_MS:
            return self._newest
        if not EARLIEST_AT <= at_ms <= now_ms + AHEAD_MS:
            return (self.total,)
        hour = self.hour(at_ms // HOUR)
        if key < now_ms // MINUTE - MINUTES_KEPT:
            return self.total, hour, *self.windows(at_ms, at_ms)
        minute = self.minute(key, now_ms)
        self._newest = (self.total, hour, minute, *self.windows(at_ms, at_ms))
        self._newest_key = key
        return self._newest

    def windows(self, first_ms: int, last_ms: int) -> tuple[S, ...]:
        """The windows somebody looks at, for dated samples from one moment to another: they belong there too."""
        if not self._windows:
            return ()
        for window, (since_ms, _) in tuple(self._windows.items()):
            if first_ms < since_ms <= last_ms or last_ms >= since_ms + _longest(window):
                self._shut(window)  # begins among the samples, or nobody has looked at it for a while
        return tuple(stats for since_ms, stats in self._windows.values() if first_ms >= since_ms)

    def _shut(self, *windows: Window) -> None:
        """Merge these from the buckets when somebody looks again."""
        for window in windows:
            del self._windows[window]

    def minute(self, key: int, now_ms: int) -> S:
        """The bucket of a minute since the epoch, opened if need be."""
        if key < self._touched[MINUTE]:
            self._touched[MINUTE] = key
        if key in self._growing[MINUTE]:
            return self._growing[MINUTE][key]
        if key in self.minutes:
            return self._grow(self.minutes[key], MINUTE, key)
        if len(self.minutes) > MINUTES_KEPT + AHEAD_MS // MINUTE + 1:
            oldest = now_ms // MINUTE - MINUTES_KEPT
            self._forget_hours(oldest)
            self._drop(self.minutes, [known for known in self.minutes if known < oldest])
        return self._open(self.minutes, MINUTE, key)

    def hour(self, key: int) -> S:
        """The bucket of an hour since the epoch, opened if need be."""
        if key < self._touched[HOUR]:
            self._touched[HOUR] = key
        if key in self._growing[HOUR]:
            return self._growing[HOUR][key]
        if key in self.hours:
            return self._grow(self.hours[key], HOUR, key)
        if len(self.hours) >= HOURS_KEPT + 24:
            self._drop(self.hours, sorted(self.hours)[:24])
        return self._open(self.hours, HOUR, key)

    def _open(self, tier: dict[int, S], grain_ms: int, key: int) -> S:
        bucket = self._make()
        if self._room.left > 0:
            self._room.left -= 1
            tier[key] = bucket
            return self._grow(bucket, grain_ms, key)
        self._room.refused += 1
        self._shut(*self._windows)  # what goes into this bucket is in no window
        return bucket

    def _grow(self, bucket: S, grain_ms: int, key: int) -> S:
        """A bucket that is about to be added to; once there are too many of these, those before it are packed."""
        growing = self._growing[grain_ms]
        if len(growing) >= MOST_GROWING:
            for full in growing.values():
                full.pack()
            growing.clear()
            self._newest_key = -1
        growing[key] = bucket
        return bucket

    def _drop(self, tier: dict[int, S], keys: list[int]) -> None:
        self._newest_key = -1
        self._touched = {MINUTE: -1, HOUR: -1}
        growing = self._growing[MINUTE if tier is self.minutes else HOUR]
        for key in keys:
            del tier[key]
            growing.pop(key, None)
        self._room.left += len(keys)

    def close(self) -> None:
        """Give the room back; nobody adds anything any more."""
        self._drop(self.minutes, list(self.minutes))
        self._drop(self.hours, list(self.hours))

    def parts(self, window: Window, since_ms: int | None) -> int:
        """About how many buckets `look` merges, and how much else it does that takes as long as that."""
        if window is Window.ALL or (window in self._windows and self._windows[window][0] == since_ms):
            return 1
        if window is Window.D7:
            return min(len(self.hours), 7 * 24 + 1)
        waiting = sum(hour.samples for hour in self._later.values())
        if window is Window.H24:
            return min(len(self.hours), 25) + min(len(self.minutes), 60) + waiting // max(1, len(self._later))
        return min(len(self.minutes), 60 + AHEAD_MS // MINUTE) + waiting

    def look(self, window: Window, since_ms: int | None) -> S:
        """Everything in the window as one bucket, which grows with what comes; `since_ms` comes from `since_of`."""
        if since_ms is None:
            self.total.settle()
            return self.total
        known = self._windows.get(window)
        if known is None or known[0] != since_ms:
            whole = self._make()
            for part in self._parts(window, since_ms):
                whole.merge(part)
            known = self._windows[window] = (since_ms, whole)
            self._newest_key = -1
        known[1].settle()
        return known[1]

    def _parts(self, window: Window, since_ms: int) -> Iterator[S]:
        if window is Window.M15 or window is Window.H1:
            self._make_minutes(since_ms // HOUR)
            yield from _between(self.minutes, since_ms // MINUTE, None)
            return
        first_hour = -(-since_ms // HOUR)
        if first_hour * HOUR > since_ms:
            self._make_minutes(first_hour - 1, first_hour - 1)
        yield from _between(self.minutes, since_ms // MINUTE, first_hour * HOUR // MINUTE)
        yield from _between(self.hours, first_hour, None)

    def finest(self, window: Window, since_ms: int | None, now_ms: int) -> tuple[int, list[tuple[int, S]]]:
        """The finest complete tier for a chart of the window: its grain in ms, and (start, bucket) pairs."""
        if since_ms is None:
            kept_since = (now_ms // MINUTE - MINUTES_KEPT) * MINUTE
            by_minute = bool(self.hours) and min(self.hours) * HOUR >= kept_since
        else:
            by_minute = window is not Window.D7
        if by_minute:
            self._make_minutes((since_ms or 0) // HOUR)
        grain, tier = (MINUTE, self.minutes) if by_minute else (HOUR, self.hours)
        since = since_ms or 0
        return grain, [(key * grain, bucket) for key, bucket in tier.items() if key * grain >= since]

    def since(self, first: int, grain_ms: int, end: int | None = None) -> list[tuple[int, S]]:
        """Number and bucket of the minutes or hours (by `grain_ms`) kept from number `first` on, up to `end`."""
        tier = self.minutes if grain_ms < HOUR else self.hours
        if end is not None:
            return [(key, tier[key]) for key in range(first, end) if key in tier]
        return [(key, bucket) for key, bucket in tier.items() if key >= first]

    def make_minutes(self, first_ms: int) -> None:
        """Put whatever waits into its minutes, from the hour of this moment on."""
        if self._later:
            self._make_minutes(first_ms // HOUR)

    def mark(self, grain_ms: int) -> int:
        """From now on `touched` says what changed; gives the number of the bucket that is growing, at least 0."""
        self.marked += 1
        # What is added to the newest minute is not noted, so that one must be among those that are growing.
        newest = self._newest_key if self._newest_key >= 0 else next(reversed(self.minutes), 0)
        hour = newest // 60 if newest else next(reversed(self.hours), 0)
        self._touched = {MINUTE: newest, HOUR: hour}
        return self._touched[grain_ms]

    def touched(self, grain_ms: int) -> int:
        """Number of the earliest minute or hour that may have changed since `mark`."""
        return self._touched[grain_ms]


def _longest(window: Window) -> int:
    """How long after its beginning a window may end; one that would be longer has another beginning by now."""
    return (window.ms or 0) + AHEAD_MS + 2 * (HOUR if window is Window.D7 else MINUTE)


def _between(tier: dict[int, S], first: int, end: int | None) -> Iterator[S]:
    """Buckets with keys from `first` up to, not including, `end`, by whichever way is shorter."""
    if not tier:
        return
    last = max(tier) if end is None else end - 1
    if last - first < len(tier):
        yield from (tier[key] for key in range(first, last + 1) if key in tier)
    else:
        yield from (bucket for key, bucket in tier.items() if first <= key <= last)
