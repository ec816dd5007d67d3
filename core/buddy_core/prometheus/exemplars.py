"""Exemplars: the run of the latest request or tool call in each bucket, so that a slow one can be looked up."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping
from typing import NamedTuple

from buddy_core.metrics.collector import MetricsCollector
from buddy_core.metrics.model import ApiRequest, ToolExecution
from buddy_core.metrics.sketch import BOUNDS_MS
from buddy_core.metrics.stream import CollectorEvent
from buddy_core.prometheus.families import Labels, labelled
from buddy_core.prometheus.fixed import FIRST_TOKEN, REQUEST_DURATION, TOOL_DURATION
from buddy_core.prometheus.labels import label_value
from buddy_core.runs.names import is_run_id

MOST_SERIES = 1_000
"""Series that exemplars are kept of; later ones have none."""


class Latest(NamedTuple):
    """What was observed last in a bucket."""

    run_id: str
    seconds: float
    at_s: float
    """Since the epoch."""


class LatestRuns:
    """Listens to a collector and remembers, for each bucket, what fell into it last and of which run it was.

    Only what names a run, and whose run has the name of a run, is remembered. It is called in the threads that
    record, and must be quick there.
    """

    def __init__(self, collector: MetricsCollector) -> None:
        self._series: dict[tuple[str, Labels], dict[int, Latest]] = {}
        self._end = (
            collector.on("api:request", self._heard),
            collector.on("tool:executed", self._heard),
            collector.on("reset", lambda _: self._series.clear()),
        )

    def of(self, family: str, labels: Labels) -> Mapping[int, Latest]:
        """Exemplars of one series by the number of the bucket."""
        return dict(self._series.get((family, labels), {}))

    def close(self) -> None:
        """Listen no longer."""
        for end in self._end:
            end()

    def _heard(self, event: CollectorEvent) -> None:
        told = event.payload
        if isinstance(told, ApiRequest):
            labels = labelled(provider=label_value(told.provider), model=label_value(told.model))
            self._note(REQUEST_DURATION, labels, told, told.latency_ms)
            self._note(FIRST_TOKEN, labels, told, told.ttft_ms)
        elif isinstance(told, ToolExecution):
            self._note(TOOL_DURATION, labelled(tool=label_value(told.name)), told, told.duration_ms)

    def _note(self, family: str, labels: Labels, told: ApiRequest | ToolExecution, ms: float | None) -> None:
        if ms is None or told.run_id is None or not math.isfinite(ms) or not is_run_id(told.run_id):
            return
        buckets = self._series.get((family, labels))
        if buckets is None:
            if len(self._series) >= MOST_SERIES:
                return
            buckets = self._series.setdefault((family, labels), {})
        buckets[bisect_left(BOUNDS_MS, ms)] = Latest(told.run_id, ms / 1000, told.at_ms / 1000)
