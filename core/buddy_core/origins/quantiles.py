"""What is said of averages and percentiles."""

from __future__ import annotations

from buddy_core import format as fmt
from buddy_core.origins.model import Figure, kind_of

ACCURACY = "at most 1 % off"
"""The relative error of the sketch."""


def average(key: str, value: float | None, samples: int, of_what: str) -> Figure:
    """An exact mean."""
    how = f"mean of {samples:,} {of_what}" if samples else f"no {of_what} logged"
    return Figure(key, "average", fmt.duration(value), kind_of(value, otherwise="derived"), how)


def quantile(percent: int, value: float | None, samples: int) -> Figure:
    """A percentile out of the sketch."""
    few = "; so few that it is the longest" if 0 < samples < 100 / (100 - percent) else ""
    how = f"of {fmt.plural(samples, 'sample')}, {ACCURACY}{few}" if samples else "no sample"
    key = f"p{percent}"
    return Figure(key, key, fmt.duration(value), kind_of(value, otherwise="derived"), how)
