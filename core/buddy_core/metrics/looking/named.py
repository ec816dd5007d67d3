"""Metrics by name, as they are looked at: what each is, and its newest points."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from buddy_core.metrics.model import MetricType
from buddy_core.metrics.recording.custom import Custom


@dataclass(frozen=True, slots=True)
class MetricPoint:
    """One recorded value of a custom metric."""

    timestamp: int
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Metric:
    """A registered metric with its newest points, oldest first."""

    name: str
    type: MetricType
    description: str = ""
    unit: str | None = None
    points: tuple[MetricPoint, ...] = ()


def metric_of(custom: Custom) -> Metric:
    """A metric with everything that is kept of it."""
    return Metric(custom.name, custom.type, custom.description, custom.unit, tuple(points_of(custom)))


def points_of(custom: Custom, since_ms: int | None = None) -> list[MetricPoint]:
    """The points that are kept of a metric, oldest first, from `since_ms` on."""
    first = -1 if since_ms is None else since_ms
    points = [MetricPoint(at, value, dict(labels)) for at, value, labels in custom.points if at >= first]
    points.sort(key=_time_of)
    return points


def _time_of(point: MetricPoint) -> int:
    return point.timestamp
