"""Where the ticks of a chart go: round values upwards, minutes, hours and days along. Pure functions."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, tzinfo
from typing import NamedTuple

from buddy_core.safety.text import Plain
from buddy_top.drawing.format import clock, day, local

_MINUTE, _HOUR, _DAY = 60_000, 3_600_000, 86_400_000
_TIME_STEPS = tuple(
    [minutes * _MINUTE for minutes in (1, 2, 5, 10, 15, 30)]
    + [hours * _HOUR for hours in (1, 2, 3, 6, 12)]
    + [days * _DAY for days in (1, 2, 7, 14, 28, 91, 182, 364)]
)
"""Distances between two ticks on the time axis, in milliseconds."""


class Tick(NamedTuple):
    """A mark on an axis: cells from its beginning, and the words beside it."""

    at: int
    label: Plain


class Scale(NamedTuple):
    """A value axis from 0 to `top`, with a tick every `step`; `top` is a whole number of steps."""

    top: float
    step: float

    @property
    def ticks(self) -> int:
        """Ticks above nought."""
        return round(self.top / self.step)


def value_scale(largest: float, rows: int, words: Callable[[float], Plain] | None = None) -> Scale:
    """The axis of round numbers for values up to `largest` in `rows` rows.

    Of all steps of one digit, the one that wastes least room above the largest value, as long as there is a
    tick about every third or fourth row. With `words` no step is chosen that they cannot tell: calls are
    counted in ones, not in halves.
    """
    if not math.isfinite(largest) or largest <= 0:
        return Scale(1.0, 1.0)
    largest = min(max(largest, 1e-300), 1e300)  # Beyond these, ten times as much is no number any more.
    most = max(rows // 2, 1)
    scales = [scale for scale in _scales(largest) if scale.ticks <= most]
    honest = [scale for scale in scales if words is None or _can_tell(scale, words)]
    return min(
        honest or scales, key=lambda scale: 1 - largest / scale.top + abs(scale.ticks - rows / 3.5) / 40
    )


def _scales(largest: float) -> Iterator[Scale]:
    exponent = math.floor(math.log10(largest))
    for power in (exponent - 1, exponent, exponent + 1):
        for digit in (1, 2, 3, 4, 5, 6, 8):
            step = digit * 10.0**power
            yield Scale(max(math.ceil(largest / step * (1 - 1e-9)), 1) * step, step)


def _can_tell(scale: Scale, words: Callable[[float], Plain]) -> bool:
    """True when every tick has words of its own, and none those of nought."""
    return len({words(number * scale.step) for number in range(scale.ticks + 1)}) == scale.ticks + 1


def value_ticks(scale: Scale, rows: int, words: Callable[[float], Plain]) -> list[Tick]:
    """Ticks at round values above 0 in `rows` rows; `at` counts rows from the top.

    A tick says how high a bar reaches that ends at the upper edge of its row. Two ticks never share a row, no
    two carry the same words, and none those of nought.
    """
    ticks: list[Tick] = []
    used = {shortened(words(0.0)), "0"}
    for number in range(scale.ticks, 0, -1):
        row = round(rows - number / scale.ticks * rows)
        label = shortened(words(number * scale.step))
        if row < rows and label not in used and not any(tick.at == row for tick in ticks):
            ticks.append(Tick(row, label))
            used.add(label)
    return ticks


def shortened(words: Plain) -> Plain:
    """A round value without its empty parts: `40.0k` as `40k`, `5.0 s` as `5 s`, `1m00s` as `1m`, `1d00h` as `1d`."""
    return Plain(re.sub(r"(?<=m)00s$|(?<=h)00m$|(?<=d)00h$", "", re.sub(r"\.0+(?!\d)", "", words)))


def time_ticks(
    start_ms: float, end_ms: float, width: int, tz: tzinfo | None = None, *, apart: int = 9
) -> list[Tick]:
    """Ticks on round local times in [start, end), at least `apart` cells from one another."""
    span = end_ms - start_ms
    if width < apart or span <= 0 or local(start_ms, tz) is None or local(end_ms, tz) is None:
        return []
    least = span / width * apart
    step = next((step for step in _TIME_STEPS if step >= least), None)
    if step is None:
        return []
    ticks: list[Tick] = []
    for moment in _round_times(start_ms, end_ms, step, tz):
        at = int((moment - start_ms) / span * width)
        if not ticks or at - ticks[-1].at >= apart - 1:
            ticks.append(Tick(at, _time_label(moment, step, tz)))
    return ticks


def _time_label(moment: float, step: int, tz: tzinfo | None) -> Plain:
    at = local(moment, tz)
    if at is not None and step >= _DAY:
        return Plain(day(moment, tz).partition(" ")[2])
    if at is not None and (at.hour, at.minute) == (0, 0):
        return day(moment, tz)
    return clock(moment, tz, seconds=False)


def _round_times(start_ms: float, end_ms: float, step: int, tz: tzinfo | None) -> list[float]:
    """Local times that are whole multiples of `step` since their own midnight (or, for days, by the date)."""
    first = local(start_ms, tz)
    if first is None:
        return []
    midnight = first.replace(hour=0, minute=0, second=0, microsecond=0)
    found: list[float] = []
    while (begin := _timestamp(midnight)) is not None and begin < end_ms:
        if step >= _DAY:
            if midnight.toordinal() % (step // _DAY) == 0:
                found.append(begin)
        else:
            # Counted on the wall clock of that day: on the night the clocks change 03:00 is still on the 3.
            found += [
                at
                for minutes in range(0, 24 * 60, step // _MINUTE)
                if (at := _wall_time(midnight, minutes)) is not None
            ]
        midnight = _next_midnight(midnight)
    return [moment for moment in found if start_ms <= moment < end_ms]


def _wall_time(midnight: datetime, minutes: int) -> float | None:
    """When the clocks show this many minutes after midnight; None on the day on which they skip it."""
    wanted = midnight + timedelta(minutes=minutes)
    at = _timestamp(wanted)
    shown = local(at, midnight.tzinfo)
    return at if shown is not None and (shown.hour, shown.minute) == (wanted.hour, wanted.minute) else None


def _next_midnight(midnight: datetime) -> datetime:
    following = midnight.replace(tzinfo=None) + timedelta(days=1)
    return following.replace(tzinfo=midnight.tzinfo)


def _timestamp(at: datetime) -> float | None:
    try:
        return at.timestamp() * 1000
    except (OverflowError, ValueError, OSError):
        return None
