"""A family of samples on its way from the collector to an exposition, independent of any format.

Samples are added up by their labels: two names that look the same once secrets are masked and long ones cut
are one series with the sum of both, never one series twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from buddy_core.metrics.looking.totals import Distribution
from buddy_core.metrics.model import MetricType

Labels = tuple[tuple[str, str], ...]
"""Label names and values, ready to be written."""


@dataclass(slots=True)
class Buckets:
    """One series of a histogram, in the family's unit."""

    bounds: Sequence[float]
    up_to: list[int]
    count: int
    sum: float | None
    """None where values below zero were observed: such a sum is no counter."""

    def add(self, other: Buckets) -> None:
        """Add the observations of a series with the same bounds."""
        self.up_to = [mine + more for mine, more in zip(self.up_to, other.up_to, strict=True)]
        self.count += other.count
        self.sum = None if self.sum is None or other.sum is None else self.sum + other.sum


@dataclass(slots=True)
class Family:
    """One family: what it is, and its samples by labels."""

    name: str
    """Without the `_total` that a counter's samples end in."""
    type: MetricType
    help: str
    values: dict[Labels, float] = field(default_factory=dict)
    """Of a counter or gauge."""
    buckets: dict[Labels, Buckets] = field(default_factory=dict)
    """Of a histogram."""

    def add(self, labels: Labels, value: float | None) -> None:
        """Add to a counter's series, set a gauge's; None is unknown, and no sample."""
        if value is not None:
            before = self.values.get(labels, 0) if self.type == "counter" else 0
            self.values[labels] = before + value

    def observe(self, labels: Labels, found: Distribution, scale: float) -> None:
        """Add a distribution, its values times `scale`; one of nothing is no sample."""
        if not found.count:
            return
        below_zero = found.lowest is not None and found.lowest < 0
        series = Buckets(
            [float(f"{bound * scale:.12g}") for bound in found.bounds],
            list(found.up_to),
            found.count,
            None if below_zero else found.sum * scale,
        )
        known = self.buckets.setdefault(labels, series)
        if known is not series:
            known.add(series)


def labelled(**labels: str) -> Labels:
    """Labels in the order of their names."""
    return tuple(sorted(labels.items()))
