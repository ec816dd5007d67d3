"""Measured pairs as ratios: what A took over what B took, pair by pair, as median and quartiles."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class Spread:
    """A sample, described by what does not depend on its worst moments."""

    n: int
    median: float
    low: float
    """First quartile."""
    high: float
    """Third quartile."""
    p99: float
    worst: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Describe `values`, of which there is at least one."""
        ordered = sorted(values)
        low, median, high = (
            statistics.quantiles(ordered, n=4, method="inclusive") if len(ordered) > 1 else ordered * 3
        )
        p99 = ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))]
        return cls(len(ordered), median, low, high, p99, ordered[-1])

    def text(self, scale: float = 1.0, digits: int = 2) -> str:
        """Median, and the quartiles around it."""
        return (
            f"{self.median * scale:.{digits}f} ({self.low * scale:.{digits}f}–{self.high * scale:.{digits}f})"
        )


Side = Literal["at most", "at least", "only told"]


@dataclass(frozen=True)
class Finding:
    """One line of the results."""

    what: str
    measured: str
    n: int
    value: float
    """What is held against the target."""
    side: Side = "only told"
    target: float = 0.0
    unit: str = "×"
    note: str = ""

    @property
    def verdict(self) -> str:
        """Whether the target is met, in one word; a dash where there is none, `absent` where nothing was measured."""
        if not self.n:
            return "absent"
        if self.side == "only told":
            return "–"
        met = self.value <= self.target if self.side == "at most" else self.value >= self.target
        return "met" if met else "MISSED"

    def row(self) -> str:
        """The finding as a row of a Markdown table."""
        target = "–" if self.side == "only told" else f"{self.side} {self.target:g} {self.unit}"
        cells = (self.what, self.measured, str(self.n), target, self.verdict, self.note)
        return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def absent(what: str, why: str) -> Finding:
    """The line of what could not be measured here, with the reason: nothing is left out in silence."""
    return Finding(what, "–", 0, 0.0, note=why)


@dataclass
class Pairs:
    """Two programs measured in turn, so that both meet the same moods of the machine."""

    ours: list[float] = field(default_factory=list)
    theirs: list[float] = field(default_factory=list)

    def add(self, ours: float, theirs: float) -> None:
        """One pair, measured one right after the other."""
        self.ours.append(ours)
        self.theirs.append(theirs)

    @property
    def ratios(self) -> Spread:
        """Ours over theirs, pair by pair."""
        return Spread.of([a / b for a, b in zip(self.ours, self.theirs, strict=True)])

    def finding(
        self, what: str, *, side: Side = "only told", target: float = 0.0, note: str = "", scale: str = "s"
    ) -> Finding:
        """The ratio as a finding, with both medians told beside it; `scale` is `s`, `ms` or `MB`."""
        ratio, factor = self.ratios, 1000.0 if scale == "ms" else 1.0
        ours, theirs = Spread.of(self.ours).median * factor, Spread.of(self.theirs).median * factor
        beside = f"{ours:.3g} {scale} to {theirs:.3g} {scale}"
        return Finding(
            what,
            ratio.text(),
            ratio.n,
            ratio.median,
            side,
            target,
            note=f"{beside}; {note}" if note else beside,
        )
