"""Marks that stand for numbers: bars beside rows, and sparklines of the last minutes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from buddy_core.metrics.looking.model import Activity, ActivityBucket
from buddy_core.safety.ascii import to_ascii

BAR = 10
"""Cells of the longest bar."""

_LEVELS = "▁▂▃▄▅▆▇█"
_EIGHTHS = "▏▎▍▌▋▊▉█"
_COARSE = str.maketrans("▏▎▍▌▋▊▉", "---====")


def bar(value: int, most: int) -> str:
    """A bar as long as the value's share of the largest, in eighths of a cell; a trace of what is not nothing."""
    eighths = max(round(8 * BAR * value / most), 1) if most and value else 0
    whole, part = divmod(eighths, 8)
    return "█" * whole + (_EIGHTHS[part - 1] if part else "")


class Trends:
    """Sparklines over the last minutes, all of them over the same slices."""

    def __init__(self, activity: Activity | None, slices: int) -> None:
        buckets = activity.buckets if activity else ()
        per_slice = max(1, (len(buckets) - 1) // slices)
        # Grouped from the end: the newest slice is whole, and stays at the right edge.
        first = len(buckets) % per_slice
        starts = range(first - per_slice if first else 0, len(buckets), per_slice)
        self._slices = [buckets[max(start, 0) : start + per_slice] for start in starts]

    def of(self, what: Callable[[Sequence[ActivityBucket]], float]) -> str:
        """One character a slice, oldest first: a blank is nothing, the highest block the largest slice."""
        values = [what(part) for part in self._slices]
        top = max(values, default=0)
        if top <= 0:
            return ""
        return "".join(_level(value / top) for value in values)


def _level(share: float) -> str:
    return _LEVELS[math.ceil(share * 8) - 1] if share > 0 else " "


def in_ascii(text: str) -> str:
    """A picture for a terminal without UTF-8, its columns where they were."""
    return to_ascii(text.translate(_COARSE))
