"""Exemplars: the run of the latest request or tool call in each bucket, so that a slow one can be looked up."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from typing import NamedTuple

from buddy_core.metrics.collector import MetricsCollector
from buddy_core.metrics.counting.sketch import BOUNDS_MS
from buddy_core.metrics.model import ApiRequest, ToolExecution
from buddy_core.metrics.recording.events import CollectorEvent
from buddy_core.prometheus.families import Labels, labelled
from buddy_core.prometheus.fixed import FIRST_TOKEN, REQUEST_DURATION, TOOL_DURATION
from buddy_core.prometheus.labels import label_value
from buddy_core.runs.names import is_run_id

MOST_NAMES = 1_000
"""Tools, and pairs of provider and model, that exemplars are kept of; later ones have none."""


class Latest(NamedTuple):
    """What was observed last in a bucket."""

    run_id: str
    seconds: float
    at_s: float
    """Since the epoch."""


Buckets = dict[int, Latest]
"""What was observed last, by the number of the bucket."""


class LatestRuns:
    """Listens to a collector and remembers, for each bucket, what fell into it last and of which run it was.

    Only what names a run, and whose run has the name of a run, is remembered. It is called in the threads that
    record, and must be quick there.
    """

    def __init__(self, collector: MetricsCollector) -> None:
        self._series: dict[tuple[str, Labels], Buckets] = {}
        self._known: dict[tuple[str, ...], tuple[Buckets, ...]] = {}
        """The series of names as they were recorded."""
        self._run_id: str | None = None
        """The latest id that was found to be one."""
        self._end = (
            collector.on("api:request", self._heard_request),
            collector.on("tool:executed", self._heard_tool),
            collector.on("reset", self._forget),
        )

    def of(self, family: str, labels: Labels) -> Mapping[int, Latest]:
        """Exemplars of one series by the number of the bucket."""
        return dict(self._series.get((family, labels), {}))

    def close(self) -> None:
        """Listen no longer."""
        for end in self._end:
            end()

    def _heard_request(self, event: CollectorEvent) -> None:
        told = event.payload
        if not isinstance(told, ApiRequest) or not self._names_a_run(told.run_id):
            return
        key = (told.provider, told.model)
        series = self._known[key] if key in self._known else self._add_provider(key)
        if series is not None:
            _note(series[0], told, told.latency_ms)
            _note(series[1], told, told.ttft_ms)

    def _heard_tool(self, event: CollectorEvent) -> None:
        told = event.payload
        if not isinstance(told, ToolExecution) or not self._names_a_run(told.run_id):
            return
        key = (told.name,)
        series = self._known[key] if key in self._known else self._add_tool(key)
        if series is not None:
            _note(series[0], told, told.duration_ms)

    def _forget(self, _: CollectorEvent) -> None:
        self._series, self._known = {}, {}

    def _names_a_run(self, run_id: str | None) -> bool:
        if run_id is None:
            return False
        if run_id != self._run_id:
            if not is_run_id(run_id):
                return False
            self._run_id = run_id
        return True

    def _add_provider(self, key: tuple[str, str]) -> tuple[Buckets, ...] | None:
        labels = labelled(provider=label_value(key[0]), model=label_value(key[1]))
        return self._add(key, (REQUEST_DURATION, labels), (FIRST_TOKEN, labels))

    def _add_tool(self, key: tuple[str]) -> tuple[Buckets, ...] | None:
        return self._add(key, (TOOL_DURATION, labelled(tool=label_value(key[0]))))

    def _add(self, key: tuple[str, ...], *series: tuple[str, Labels]) -> tuple[Buckets, ...] | None:
        if len(self._known) >= MOST_NAMES:
            return None
        self._known[key] = tuple(self._series.setdefault(one, {}) for one in series)
        return self._known[key]


def _note(buckets: Buckets, told: ApiRequest | ToolExecution, ms: float | None) -> None:
    if ms is not None and told.run_id is not None:
        buckets[bisect_left(BOUNDS_MS, ms)] = Latest(told.run_id, ms / 1000, told.at_ms / 1000)
