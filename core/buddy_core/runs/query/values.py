"""The values of the filter language, read and written: amounts, durations, moments.

Reading answers None for what is no such value; writing gives the shortest text that reads as the same value.
"""

from __future__ import annotations

import math
import re
from datetime import datetime

from buddy_core.runs.query.model import Ago, Date, DaysBack, Moment, TimeOfDay

_AMOUNT = re.compile(r"\$?(\d[\d_,]*(?:\.\d*)?|\.\d+)(e[+-]?\d{1,3})?([kmgt])?", re.ASCII | re.IGNORECASE)
_POWER = {"": 1, "k": 1_000, "m": 1_000_000, "g": 1_000_000_000, "t": 1_000_000_000_000}
_PART = re.compile(r"(\d+(?:\.\d+)?|\.\d+)(ms|s|m|h|d|w)", re.ASCII | re.IGNORECASE)
_UNITS = {"w": 604_800_000, "d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1}
_CLOCK = re.compile(r"(\d{1,2}):(\d\d)(?::(\d\d))?", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?)?", re.ASCII)
_DAYS = {"today": 0, "yesterday": 1}
_LONGEST = 40
_MAX_MS = 10**15


def amount(text: str) -> float | None:
    """`0.5`, `$0.5`, `100k`, `1.5M`, `100,000`."""
    found = _AMOUNT.fullmatch(text) if len(text) <= _LONGEST else None
    if found is None:
        return None
    digits = found.group(1).replace(",", "").replace("_", "")
    value = float(digits + (found.group(2) or "")) * _POWER[(found.group(3) or "").lower()]
    return value if math.isfinite(value) else None


def write_amount(value: float) -> str:
    """The shortest of the spellings that `amount` reads as exactly this."""
    whole = int(value)
    if whole == value and whole < 10**15:
        for letter, power in (("M", 1_000_000), ("k", 1_000)):
            if whole and whole % power == 0:
                return f"{whole // power}{letter}"
        return str(whole)
    return repr(value)


def duration_ms(text: str) -> int | None:
    """`90s`, `5m`, `1h30m`, `1.5h`, `2d`, `1w`, `250ms` as milliseconds."""
    if not text or len(text) > _LONGEST:
        return None
    at, total = 0, 0.0
    while at < len(text):
        found = _PART.match(text, at)
        if found is None:
            return None
        total += float(found.group(1)) * _UNITS[found.group(2).lower()]
        at = found.end()
    return round(total) if total <= _MAX_MS else None


def write_duration(ms: float) -> str:
    """Days, hours, minutes, seconds and milliseconds, those that are not nothing: `1h30m`."""
    rest, parts = int(ms), []
    for unit in ("d", "h", "m", "s", "ms"):
        number, rest = divmod(rest, _UNITS[unit])
        if number:
            parts.append(f"{number}{unit}")
    return "".join(parts) or "0s"


def moment(text: str) -> Moment | None:
    """`2h` (ago), `today`, `yesterday`, `14:02`, `2026-01-08`, `2026-01-08T14:02`."""
    if (days := _DAYS.get(text.lower())) is not None:
        return DaysBack(days)
    if (ago := duration_ms(text)) is not None:
        return Ago(ago)
    return _time_of_day(text) or _date(text)


def write_moment(value: Moment) -> str:
    """The text that `moment` reads as this."""
    if isinstance(value, DaysBack):
        return next(word for word, days in _DAYS.items() if days == value.days)
    if isinstance(value, Ago):
        return write_duration(value.ms)
    if isinstance(value, TimeOfDay):
        minutes, second = divmod(value.second, 60)
        return f"{minutes // 60:02d}:{minutes % 60:02d}" + (f":{second:02d}" if second else "")
    return value.iso


def _time_of_day(text: str) -> TimeOfDay | None:
    found = _CLOCK.fullmatch(text)
    if found is None:
        return None
    hour, minute, second = int(found.group(1)), int(found.group(2)), int(found.group(3) or 0)
    return (
        TimeOfDay(hour * 3600 + minute * 60 + second) if hour < 24 and minute < 60 and second < 60 else None
    )


def _date(text: str) -> Date | None:
    if not _DATE.fullmatch(text):
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return Date(at.date().isoformat() if len(text) == 10 else at.isoformat())
