"""How numbers and times are written, everywhere the same: on the screen, in tables and in plain text.

Every function takes None for "not known" and answers `–`; a zero is a zero. Widths are small and steady,
so that a right-aligned column does not jump when a number grows.
"""

from __future__ import annotations

import math
import re
from datetime import datetime, tzinfo
from typing import Protocol, TypeGuard

from buddy_core.safety.text import Plain

UNKNOWN = Plain("–")
"""Stands where a number is not known."""

ESTIMATE = "≈"
"""Stands before a number that was reckoned, not stated."""

AT_LEAST = "≥"
"""Stands before a sum of which some parts are not known."""

_DAY_NAMES = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def count(value: int | None) -> Plain:
    """A whole number with separators: `1,284`."""
    return UNKNOWN if value is None else Plain(f"{value:,}")


def count_within(width: int, value: int | None) -> Plain:
    """`count` where it fits into so many columns, else shorter: `600k`, `1.28M`; a cut number would be a wrong one."""
    words = count(value)
    if value is None or len(words) <= width:
        return words
    short = tokens(value)
    return short if len(short) <= width else Plain(re.sub(r"\.\d+", "", short))


def tokens(value: float | None) -> Plain:
    """Tokens for a narrow column, three digits at most: `842`, `61.2k`, `182k`, `1.28M`."""
    return UNKNOWN if not _known(value) else Plain(_three_digits(value, ("", "k", "M", "G", "T")))


def tokens_full(value: float | None) -> Plain:
    """Tokens for a tile, every digit: `1,284,093`."""
    return UNKNOWN if not _known(value) else Plain(f"{round(value):,}")


def rate(value: float | None, per: str) -> Plain:
    """A rate of small whole things: `612/min`, `0.4/min`."""
    if not _known(value):
        return UNKNOWN
    words = f"{value:.1f}" if 0 < value < 9.95 else _three_digits(value, ("", "k", "M", "G", "T"))
    return Plain(f"{words}/{per}")


def cost(value: float | None, *, estimated: bool = False) -> Plain:
    """US dollars: `$0.0042` below a cent, then `$0.61`, `$12.40`, `$1,204`; `≈` first when estimated."""
    if not _known(value):
        return UNKNOWN
    sign = "-" if value < 0 else ""
    return Plain(f"{ESTIMATE if estimated else ''}{sign}{_dollars(abs(value))}")


class Spent(Protocol):
    """Anything that may have cost something."""

    @property
    def total_cost(self) -> float | None:
        """US dollars; None where that is not known."""
        ...

    @property
    def estimated_cost(self) -> float | None:
        """Part of it that was priced from tokens; None: nothing was."""
        ...


def cost_of(thing: Spent) -> Plain:
    """What a run, a model or everything together cost; `≈` first when any of it is estimated."""
    return cost(thing.total_cost, estimated=thing.estimated_cost is not None)


def _dollars(value: float) -> str:
    if value == 0:
        return "$0.00"
    if value < 0.00005:
        return "<$0.0001"
    if value < 0.00995:
        return f"${value:.4f}"
    return f"${value:.2f}" if value < 999.995 else f"${value:,.0f}"


def cost_rate(value: float | None, *, estimated: bool = False) -> Plain:
    """US dollars an hour: `$0.82/h`."""
    return UNKNOWN if not _known(value) else Plain(f"{cost(value, estimated=estimated)}/h")


def duration(ms: float | None) -> Plain:
    """How long something took: `840 ms`, `1.8 s`, `6m41s`, `2h03m`, `3d04h`."""
    if not _known(ms):
        return UNKNOWN
    if ms < 0:
        return Plain(f"-{duration(-ms)}")
    if ms < 999.5:
        return Plain(f"{ms:.0f} ms" if ms >= 1 or ms == 0 else f"{ms:.1f} ms")
    if ms < 59_950:
        return Plain(f"{ms / 1000:.1f} s")
    return Plain(_long_duration(round(ms / 1000)))


def _long_duration(seconds: int) -> str:
    if seconds < 3600:
        return f"{seconds // 60}m{seconds % 60:02d}s"
    minutes = seconds // 60
    if minutes < 24 * 60:
        return f"{minutes // 60}h{minutes % 60:02d}m"
    return f"{minutes // 1440}d{minutes // 60 % 24:02d}h"


def age(ms: float | None) -> Plain:
    """How long ago, in one unit: `12s`, `4m`, `3h`, `2d`. A moment in the future is `0s` ago."""
    if not _known(ms):
        return UNKNOWN
    seconds = max(int(ms // 1000), 0)
    for limit, unit, suffix in ((60, 1, "s"), (3600, 60, "m"), (86_400, 3600, "h")):
        if seconds < limit:
            return Plain(f"{seconds // unit}{suffix}")
    return Plain(f"{seconds // 86_400}d")


def relative(ms: float | None) -> Plain:
    """Time since the beginning of a run: `+0.00`, `+12.4`, `+3m07s`, `+2h03m`."""
    if not _known(ms):
        return UNKNOWN
    sign, ms = ("-", -ms) if ms < 0 else ("+", ms)
    if ms < 9_995:
        return Plain(f"{sign}{ms / 1000:.2f}")
    if ms < 59_950:
        return Plain(f"{sign}{ms / 1000:.1f}")
    return Plain(f"{sign}{_long_duration(round(ms / 1000))}")


def local(ms: float | None, tz: tzinfo | None = None) -> datetime | None:
    """Wall time as a local date (in `tz`, else the machine's zone); None when no calendar holds it."""
    if not _known(ms):
        return None
    try:
        return datetime.fromtimestamp(ms / 1000, tz)
    except (OverflowError, ValueError, OSError):
        return None


def clock(ms: float | None, tz: tzinfo | None = None, *, seconds: bool = True) -> Plain:
    """Local time of day: `12:31:07`, or `12:31` without seconds."""
    at = local(ms, tz)
    return UNKNOWN if at is None else Plain(at.strftime("%H:%M:%S" if seconds else "%H:%M"))


def day(ms: float | None, tz: tzinfo | None = None) -> Plain:
    """Local date, in English whatever the locale: `Mon 5 Jan`."""
    at = local(ms, tz)
    return UNKNOWN if at is None else Plain(f"{_DAY_NAMES[at.weekday()]} {at.day} {_MONTHS[at.month - 1]}")


def moment(ms: float | None, now_ms: float, tz: tzinfo | None = None) -> Plain:
    """A moment in at most six columns: `12:30` today, `5 Jan` this year, else `2024`."""
    at, now = local(ms, tz), local(now_ms, tz)
    if at is None or now is None:
        return UNKNOWN
    if at.date() == now.date():
        return Plain(f"{at:%H:%M}")
    return Plain(f"{at.day} {_MONTHS[at.month - 1]}" if at.year == now.year else f"{at.year:04d}")


def date_time(ms: float | None, now_ms: float, tz: tzinfo | None = None) -> Plain:
    """A moment with its time of day, in at most twelve columns: `12:30` today, `5 Jan 12:30`, `5 Jan 2024`."""
    at, now = local(ms, tz), local(now_ms, tz)
    if at is None or now is None:
        return UNKNOWN
    if at.date() == now.date():
        return Plain(f"{at:%H:%M}")
    date = f"{at.day} {_MONTHS[at.month - 1]}"
    return Plain(f"{date} {at:%H:%M}" if at.year == now.year else f"{date} {at.year:04d}")


def percent(value: float | None) -> Plain:
    """A percentage given as 0 to 100: `12 %`, `0.4 %`, and `99.9 %` where `100 %` would be a lie."""
    if not _known(value):
        return UNKNOWN
    if 0 < abs(value) < 0.95:
        return Plain(f"{value:.1f} %" if abs(value) >= 0.05 else "<0.1 %")
    if 99.5 <= value < 100:
        return Plain(f"{math.floor(value * 10) / 10:.1f} %")
    return Plain(f"{value:.0f} %")


def share(part: float | None, whole: float | None) -> Plain:
    """`part` of `whole` as a percentage; not known when the whole is zero."""
    if part is None or not _known(whole) or whole == 0:
        return UNKNOWN
    return percent(100 * part / whole)


def bytes_(value: float | None) -> Plain:
    """A size, three digits at most: `842 B`, `61.2 kB`, `1.28 MB`."""
    return UNKNOWN if not _known(value) else Plain(_three_digits(value, (" B", " kB", " MB", " GB", " TB")))


def plural(value: int, one: str, many: str | None = None) -> Plain:
    """A count with its noun: `1 tool`, `12 tools`, `no tools`."""
    noun = one if value == 1 else many or f"{one}s"
    return Plain(f"{value:,} {noun}" if value else f"no {noun}")


def _known(value: float | None) -> TypeGuard[float]:
    return value is not None and math.isfinite(value)


def _three_digits(value: float, suffixes: tuple[str, ...]) -> str:
    """At most three digits and the suffix of the power of a thousand; whole numbers below a thousand."""
    sign, value = ("-", -value) if value < 0 else ("", value)
    if value < 999.5:
        return f"{sign}{value:.0f}{suffixes[0]}"
    for power, suffix in enumerate(suffixes[1:], start=1):
        scaled = value / 1000**power
        if scaled < 999.5:
            # Each limit is where rounding would need one digit more: 9.995 is 10.0, not 9.99 or 10.00.
            decimals = 2 if scaled < 9.995 else 1 if scaled < 99.95 else 0
            return f"{sign}{scaled:.{decimals}f}{suffix}"
    return f"{sign}{value:.0e}{suffixes[0]}"
