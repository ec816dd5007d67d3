"""Metrics by name: the ones that are always there, and those an agent registers for itself."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from buddy_core.metrics.checks import Refusals
from buddy_core.metrics.model import Metric, MetricPoint, MetricType
from buddy_core.metrics.stream import MetricRecorded

OTHER = "other"
"""Where names and label sets go that came after the limit was reached."""

Point = tuple[int, float, Mapping[str, str]]
"""Time, value and labels; turned into a `MetricPoint` only when somebody looks."""

ALWAYS: tuple[tuple[str, MetricType, str, str | None], ...] = (
    ("tokens_total", "counter", "Tokens of all model requests, by provider and model", "tokens"),
    ("cost_total", "counter", "Cost of all model requests that stated one, by provider and model", "USD"),
    ("response_time", "histogram", "Latency of model requests", "ms"),
    ("tool_execution_time", "histogram", "Duration of tool calls", "ms"),
    ("messages_total", "counter", "Messages by role", None),
    ("errors_total", "counter", "Recorded errors by type", None),
)
"""Name, type, description and unit of the metrics that need no registration."""


class Custom:
    """One registered metric: what it is, its newest points, and its running totals."""

    def __init__(self, name: str, type_: MetricType, description: str, unit: str | None, kept: int) -> None:
        self.name = name
        self.type: MetricType = type_
        self.description = description
        self.unit = unit
        self.points: deque[Point] = deque(maxlen=max(0, kept))
        self.totals: dict[tuple[tuple[str, str], ...], float] = {}
        """Running total of each label set, for `increment`."""

    def history(self, since_ms: int | None = None) -> list[MetricPoint]:
        """The points kept, oldest first, from `since_ms` on."""
        points = [MetricPoint(at, value, labels) for at, value, labels in self.points]
        points.sort(key=lambda point: point.timestamp)
        return points if since_ms is None else [point for point in points if point.timestamp >= since_ms]

    def as_metric(self) -> Metric:
        """The frozen value that leaves the collector."""
        return Metric(self.name, self.type, self.description, self.unit, tuple(self.history()))


class Registry:
    """All metrics by name; names and label sets are bounded. The collector's lock is held around every call."""

    def __init__(self, *, kept: int, most: int) -> None:
        self._kept = kept
        self._most = most
        self._label_sets = 0
        self.folded = 0
        """Values that went to `other` because the limit of names or label sets was reached."""
        self.metrics: dict[str, Custom] = {}
        for name, type_, description, unit in ALWAYS:
            self.metrics[name] = Custom(name, type_, description, unit, kept)

    def register(
        self, name: str, type_: MetricType, description: str = "", unit: str | None = None
    ) -> Custom:
        """The metric of this name, made now if it is new; the first registration decides what it is."""
        known = self.metrics.get(name)
        if known is not None:
            return known
        if len(self.metrics) >= self._most + len(ALWAYS):
            self.folded += 1
            name, type_, description, unit = OTHER, "gauge", "Metrics past the limit of names", None
        return self.metrics.setdefault(name, Custom(name, type_, description, unit, self._kept))

    def point(self, name: str, at_ms: int, value: float, labels: Mapping[str, str]) -> None:
        """Add a point to a metric that exists."""
        self.metrics[name].points.append((at_ms, value, labels))

    def accept(
        self,
        refusals: Refusals,
        name: str,
        value: float,
        labels: Mapping[str, str] | None,
        at_ms: int | None,
        now_ms: int,
        *,
        adding: bool,
    ) -> MetricRecorded | None:
        """Check one value and add its point: the value itself, or when `adding` the new running total."""
        checked, texts = refusals.name(name), refusals.labels(labels)
        number = refusals.number(value)
        if adding and number is not None:
            number = refusals.amount(number)
        if checked is None or texts is None or number is None:
            return None
        metric = self.register(checked, "counter" if adding else "gauge")
        if adding:
            number, texts = self._increase(metric, number, texts)
        moment = refusals.moment(at_ms, now_ms)
        metric.points.append((moment, number, texts))
        return MetricRecorded(metric.name, moment, number, texts)

    def _increase(
        self, metric: Custom, amount: float, labels: dict[str, str]
    ) -> tuple[float, dict[str, str]]:
        """Add to a label set's running total; gives the new total and the labels it is kept under."""
        key = tuple(sorted(labels.items()))
        if key not in metric.totals:
            if self._label_sets >= self._most:
                self.folded += 1
                key = (("labels", OTHER),)
            else:
                self._label_sets += 1
        total = metric.totals[key] = metric.totals.get(key, 0) + amount
        return total, dict(key)
