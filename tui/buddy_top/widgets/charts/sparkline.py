"""Series of numbers as bars made of eighths of a character cell: pure functions over plain strings."""

from __future__ import annotations

import itertools
import math
import sys
from collections.abc import Callable, Sequence
from typing import Literal

EIGHTHS = " ▁▂▃▄▅▆▇█"
"""Bars of nought to eight eighths of a cell, growing upwards."""

Values = Sequence[float | None]
"""Numbers, oldest first; None where nothing is known. Neither it nor a number that is not finite draws."""

How = Literal["max", "sum", "mean"]


def resample(values: Values, width: int, how: How = "max") -> list[float | None]:
    """Exactly `width` values: neighbours joined where there are more, repeated where there are fewer.

    With `max` no peak is lost, with `sum` no amount.
    """
    total = len(values)
    if width <= 0 or not total:
        return [None] * max(width, 0)
    if total <= width:
        return [finite(values[column * total // width]) for column in range(width)]
    edges = [column * total // width for column in range(width + 1)]
    join = _JOIN[how]
    return [join(values[start:end]) for start, end in itertools.pairwise(edges)]


def finite(value: float | None) -> float | None:
    """The value, or None if it is not known, not a number or infinite."""
    return value if value is not None and math.isfinite(value) else None


def _joined(reduce: Callable[[list[float]], float]) -> Callable[[Values], float | None]:
    def join(values: Values) -> float | None:
        known = [value for value in values if value is not None and math.isfinite(value)]
        return reduce(known) if known else None

    return join


def _total(known: list[float]) -> float:
    """Their sum; beyond all numbers it is the largest there is, which draws a full bar."""
    try:
        return math.fsum(known)
    except OverflowError:
        share = math.fsum(value / len(known) for value in known)
        total = share * len(known)
        return total if math.isfinite(total) else math.copysign(sys.float_info.max, share)


_JOIN: dict[How, Callable[[Values], float | None]] = {
    "max": _joined(max),
    "sum": _joined(_total),
    "mean": _joined(lambda known: _total(known) / len(known)),
}


def top_of(*series: Values) -> float:
    """The largest known value of all series, at least 0: the scale that a row of sparklines shares."""
    return max((value for values in series for value in values if value is not None and math.isfinite(value)),
               default=0.0)  # fmt: skip


def columns(values: Values, height: int, scale: float) -> list[str]:
    """Bars as `height` lines of text, top line first; `scale` is the value of a full bar.

    A value above nought is never invisible: it draws at least one eighth.
    """
    levels = [level(value, height, scale) for value in values]
    return [
        "".join(EIGHTHS[min(max(eighths - 8 * row, 0), 8)] for eighths in levels)
        for row in range(height - 1, -1, -1)
    ]


def level(value: float | None, height: int, scale: float) -> int:
    """Eighths of a cell that a value fills in bars `height` cells high."""
    if value is None or not math.isfinite(value) or value <= 0 or scale <= 0:
        return 0
    return min(max(round(value / scale * height * 8), 1), height * 8)


def sparkline(values: Values, width: int, *, scale: float | None = None, how: How = "max") -> str:
    """One line of `width` bars; `scale` is the value of a full bar (the largest value by default)."""
    shown = resample(values, width, how)
    return columns(shown, 1, top_of(shown) if scale is None else scale)[0]
