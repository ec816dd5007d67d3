"""How numbers and times are written; the library's plain-text views write them the same way."""

from __future__ import annotations

from buddy_core.format import (
    ESTIMATE,
    UNKNOWN,
    age,
    bytes_,
    clock,
    cost,
    cost_rate,
    count,
    date_time,
    day,
    duration,
    local,
    moment,
    percent,
    plural,
    rate,
    relative,
    share,
    tokens,
    tokens_full,
)

__all__ = [
    "ESTIMATE",
    "UNKNOWN",
    "age",
    "bytes_",
    "clock",
    "cost",
    "cost_rate",
    "count",
    "date_time",
    "day",
    "duration",
    "local",
    "moment",
    "percent",
    "plural",
    "rate",
    "relative",
    "share",
    "tokens",
    "tokens_full",
]
