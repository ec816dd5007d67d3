"""Metrics by name: the ones that are always there, and those an agent registers for itself."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from buddy_core.metrics.counting.timing import Timing
from buddy_core.metrics.model import METRIC_TYPES, OTHER, MetricType
from buddy_core.metrics.recording.checks import Refusals
from buddy_core.metrics.recording.events import MetricRecorded

ROLES = ("user", "assistant", "system", "tool")
"""Who a message can be from."""

LONGEST_DESCRIPTION = 1_000
"""Characters of a metric's description that are kept."""

LabelKey = tuple[tuple[str, str], ...]
"""A label set as a key: its pairs, sorted."""

FOLDED: LabelKey = (("labels", OTHER),)
"""The label set of everything past the limit."""

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
    """One registered metric: what it is, its newest points, and what each label set stands at."""

    def __init__(self, name: str, type_: MetricType, description: str, unit: str | None, kept: int) -> None:
        self.name = name
        self.type: MetricType = type_
        self.description = description
        self.unit = unit
        self.points: deque[Point] = deque(maxlen=max(0, kept))
        self.totals: dict[LabelKey, float] = {}
        """Of a counter the running total of each label set, of a gauge its latest value."""
        self.timings: dict[LabelKey, Timing] = {}
        """Of a histogram the values of each label set, summed up."""

    def __contains__(self, key: LabelKey) -> bool:
        return key in self.totals or key in self.timings

    def take(self, key: LabelKey, number: float, *, adding: bool) -> float:
        """Count a value in its label set; gives the value of its point."""
        if self.type == "histogram":
            self.timings.setdefault(key, Timing()).add_durations((number,))
            return number
        total = self.totals.get(key, 0)
        if adding:
            number += total
        # What `record` says of a counter is its total as somebody else counted it: it never takes any back.
        self.totals[key] = max(number, total) if self.type == "counter" else number
        return number


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
        # The roles have their place whatever labels an agent thinks of.
        self.metrics["messages_total"].totals = {(("role", role),): 0 for role in ROLES}

    def register(
        self, name: str, type_: MetricType, description: str = "", unit: str | None = None
    ) -> Custom:
        """The metric of this name, made now if it is new; the first registration decides what it is."""
        known = self.metrics.get(name)
        if known is not None:
            return known
        if type_ not in METRIC_TYPES:
            raise ValueError(f"there is no metric type {type_!r}; there are {', '.join(METRIC_TYPES)}")
        if len(self.metrics) >= self._most + len(ALWAYS):
            self.folded += 1
            name, type_, description, unit = OTHER, "gauge", "Metrics past the limit of names", None
        made = Custom(name, type_, description[:LONGEST_DESCRIPTION], unit and unit[:64], self._kept)
        return self.metrics.setdefault(name, made)

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
        if checked is None or texts is None or number is None:
            return None
        known = self.metrics.get(checked)
        type_: MetricType = known.type if known else "counter" if adding else "gauge"
        if number < 0 and type_ == "counter":
            refusals.refuse("negative")
            return None
        if adding and type_ == "histogram":
            refusals.refuse("no counter")
            return None
        metric = known or self.register(checked, type_)
        key = self._label_set(metric, texts)
        number, labels_kept = metric.take(key, number, adding=adding), dict(key)
        moment = refusals.moment(at_ms, now_ms)
        metric.points.append((moment, number, labels_kept))
        return MetricRecorded(metric.name, moment, number, dict(labels_kept))

    def _label_set(self, metric: Custom, labels: dict[str, str]) -> LabelKey:
        """The key a label set is kept under; `other` past the limit."""
        key = tuple(sorted(labels.items()))
        if not key or key in metric:
            return key
        if self._label_sets >= self._most:
            self.folded += 1
            return FOLDED
        self._label_sets += 1
        return key
