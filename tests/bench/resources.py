"""What a process holds over time, and whether it holds ever more: samples, and straight lines through them."""

from __future__ import annotations

import csv
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import psutil
from screens import cpu_seconds

HOUR_S = 3600.0


class Sample(NamedTuple):
    """A process at one moment."""

    at_s: float
    """Since its measuring began."""
    resident_mb: float
    descriptors: int
    threads: int
    cpu_s: float
    """Used so far, by all threads."""


def sample(process: psutil.Process, at_s: float) -> Sample:
    """Ask the system."""
    return Sample(
        at_s,
        process.memory_info().rss / 1e6,
        process.num_fds(),
        process.num_threads(),
        cpu_seconds(process),
    )


@dataclass(frozen=True)
class Slope:
    """The straight line nearest to the samples."""

    an_hour: float
    error: float
    """Standard error of the slope; samples that follow each other are alike, so the truth may be further off."""
    first: float
    last: float
    """The line's own values at its ends."""
    worst: float
    n: int

    @classmethod
    def of(cls, points: Sequence[tuple[float, float]]) -> Slope:
        """Through moments in seconds and their values; at least three of them."""
        xs, ys = [at / HOUR_S for at, _ in points], [value for _, value in points]
        slope, start = statistics.linear_regression(xs, ys)
        rest = sum((y - start - slope * x) ** 2 for x, y in zip(xs, ys, strict=True))
        spread = sum((x - statistics.fmean(xs)) ** 2 for x in xs)
        error = (rest / (len(xs) - 2) / spread) ** 0.5
        return cls(slope, error, start + slope * xs[0], start + slope * xs[-1], max(ys), len(xs))

    def words(self, unit: str, digits: int = 1) -> str:
        """Slope and its error, then from where to where, and the most there was."""
        return (
            f"{self.an_hour:+.{digits}f} (± {self.error:.{digits}f}) {unit} an hour; "
            f"from {self.first:.{digits}f} to {self.last:.{digits}f}, at most {self.worst:.{digits}f} {unit}"
        )


def slope(samples: Sequence[Sample], name: str, *, after_s: float = 0.0) -> Slope:
    """Of one field of the samples, without what came before `after_s`."""
    return Slope.of([(one.at_s, float(getattr(one, name))) for one in samples if one.at_s >= after_s])


def cpu_percent(samples: Sequence[Sample], *, after_s: float = 0.0, step_s: float = 60.0) -> Slope:
    """The share of one core, minute by minute."""
    points: list[tuple[float, float]] = []
    begin, *rest = [one for one in samples if one.at_s >= after_s]
    for one in rest:
        if one.at_s - begin.at_s >= step_s:
            share = 100 * (one.cpu_s - begin.cpu_s) / (one.at_s - begin.at_s)
            points.append((one.at_s, share))
            begin = one
    return Slope.of(points)


def keep(samples: Sequence[Sample], file: Path) -> None:
    """Write the samples as CSV."""
    with file.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        writer.writerow(Sample._fields)
        writer.writerows(samples)
