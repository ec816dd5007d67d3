"""What a collector is told becomes events of the run that is being recorded, so that a monitor elsewhere sees it.

An agent says each thing once: model requests and custom metrics to the collector, tool calls and errors to
its run (`tool_call`, `tool_result`, `error`). The bridge passes on the former, and with `tools` also the calls
of the run to the collector; tool executions and errors that a collector hears of are not turned into events, or
agents that say both would be counted twice.
"""

from __future__ import annotations

import sys
import threading
from collections import Counter
from collections.abc import Mapping
from types import ModuleType
from typing import Final

from buddy_core.bridge_calls import CallsOfRuns
from buddy_core.metrics.collector import MetricsCollector
from buddy_core.metrics.model import ApiRequest
from buddy_core.metrics.recording.broadcast import SLOW_MS
from buddy_core.metrics.recording.custom import ALWAYS
from buddy_core.metrics.recording.events import CollectorEvent, MetricRecorded
from buddy_core.metrics.recording.provenance import PassedOn, is_reading_files, passes_on
from buddy_core.runs.names import is_run_id
from buddy_core.runs.store.store import RunStore
from buddy_core.runs.writing.usage import API_REQUEST

VALUE: Final = "value"
"""The `kind` of a `metric` event that tells of one point of a custom metric."""

BURST = 60
"""Points of one series (a metric and its labels) that are passed on at once; …"""

REFILL_MS = 1_000.0
"""… then one in this time, the newest. Every series' last point is passed on before its run ends."""

_OWN = frozenset(name for name, *_rest in ALWAYS)
_PSEUDO = frozenset(("usage", "history"))

_Series = tuple[str, tuple[tuple[str, str], ...]]


def bridge(collector: MetricsCollector, store: RunStore, *, tools: bool = False) -> Bridge:
    """Pass on what `collector` is told to the runs of `store`; call the result to end that.

    With `tools`, the collector is told of every tool call that the store records (`run.tool`, or `tool_call` and
    `tool_result`), for agents that do not say `record_tool_execution` themselves.

    Requests go to their own run when the store is recording it, and to the current run when they name none.
    Those of a run that has ended, or that another store records, and all that comes while no run is open are
    dropped and counted. What was read in files is not passed on.
    """
    return Bridge(collector, store, tools=tools)


class Bridge:
    """One bridge; calling it takes it down, and may be done twice. Counts what it did."""

    def __init__(self, collector: MetricsCollector, store: RunStore, *, tools: bool = False) -> None:
        self.requests = 0
        """Model requests that were recorded as events."""
        self.values = 0
        """Points of custom metrics that were recorded as events."""
        self.thinned = 0
        """Points left out because newer ones of their series followed too fast."""
        self._collector = collector
        self._store = store
        self._dropped: Counter[str] = Counter()
        self._series: dict[_Series, _Rate] = {}
        self._guard = threading.RLock()
        self._open = True
        self._subscribe()
        self._off_ending = store.add_end_listener(self._flush)
        self._calls = CallsOfRuns(collector, store) if tools else None

    @property
    def calls(self) -> int:
        """Tool calls of runs that the collector was told of."""
        return 0 if self._calls is None else self._calls.told

    @property
    def dropped(self) -> Mapping[str, int]:
        """What was not recorded, by reason, and how often."""
        return dict(self._dropped)

    def __call__(self) -> None:
        """Take the bridge down; what was held back is passed on first."""
        with self._guard:
            if not self._open:
                return
            self._open = False
        self._flush(None)
        self._off_requests()
        self._off_values()
        self._off_ending()
        if self._calls is not None:
            self._calls.close()

    def _subscribe(self) -> None:
        self._off_requests = self._collector.on("api:request", self._on_request)
        self._off_values = self._collector.on("metric", self._on_value)

    def _on_request(self, event: CollectorEvent) -> None:
        request = event.payload
        if is_reading_files() or not isinstance(request, ApiRequest) or not self._open:
            return
        run_id = self._run_of(request.run_id)
        if run_id is None:
            return
        recorded = self._emit(run_id, API_REQUEST, _request_payload(request), request.at_ms)
        with self._guard:
            self.requests += recorded

    def _on_value(self, event: CollectorEvent) -> None:
        point = event.payload
        if is_reading_files() or not isinstance(point, MetricRecorded) or not self._is_custom(point):
            return
        run_id = self._run_of(None)
        if run_id is None:
            return
        if self._may_write(run_id, point):
            self._write(run_id, point)

    def _may_write(self, run_id: str, point: MetricRecorded) -> bool:
        """False for a point that comes too fast after others of its series; it is held until a newer one comes."""
        with self._guard:
            if not self._open:
                return False
            rate = self._series.setdefault(_series_of(point), _Rate())
            allowed = rate.allows(self._store.clock.monotonic_ms())
            self.thinned += rate.held is not None
            rate.held = None if allowed else (run_id, point)
            return allowed

    def _is_custom(self, point: MetricRecorded) -> bool:
        """False for what the collector says of itself; an agent may have a metric of such a name, though."""
        if point.name in _PSEUDO:
            return bool(self._collector.get_metric_history(point.name))
        return point.name not in _OWN

    def _run_of(self, named: str | None) -> str | None:
        """The run that something belongs to; None, and counted, when there is none to record it in."""
        if named is not None and self._store.is_open(named):
            return named
        elsewhere = named is not None and is_run_id(named)
        current = None if elsewhere else self._store.current_run_id
        if current is None:
            self._drop("its run is not being recorded here" if elsewhere else "no run is being recorded")
        return current

    def _drop(self, reason: str) -> None:
        with self._guard:
            self._dropped[reason] += 1

    def _write(self, run_id: str, point: MetricRecorded) -> None:
        data = {"kind": VALUE, "name": point.name, "value": point.value, "labels": dict(point.labels)}
        recorded = self._emit(run_id, VALUE, data, point.timestamp)
        with self._guard:
            self.values += recorded

    def _emit(self, run_id: str, kind: PassedOn, data: Mapping[str, object], at_ms: int) -> bool:
        """Record an event at its own time where that lies within the run, else now."""
        clock, started_at = self._store.clock, self._store.started_at(run_id)
        began = clock.monotonic_ms()
        within = started_at is not None and started_at <= at_ms <= clock.now_ms()
        passes_on(self._collector, run_id, kind)
        recorded = self._store.emit(run_id, "metric", data, at_ms=at_ms if within else None)
        if not recorded:
            self._drop("the run takes no events")
        if clock.monotonic_ms() - began > SLOW_MS / 2:
            self._begin_anew()
        return recorded

    def _begin_anew(self) -> None:
        """A disk that was slow for a while must not end the bridge, as a slow listener is left out for good."""
        with self._guard:
            if self._open:
                self._off_requests()
                self._off_values()
                self._subscribe()

    def _flush(self, run_id: str | None) -> None:
        """Record the points that are held back for a run (None: for any); they are its series' last."""
        waiting: list[tuple[str, MetricRecorded]] = []
        with self._guard:
            for rate in self._series.values():
                if rate.held is not None and run_id in (None, rate.held[0]):
                    waiting.append(rate.held)
                    rate.held = None
        for held in waiting:  # without the guard: listeners of the store may have locks of their own
            self._write(*held)


class _Rate:
    """How fast the points of one series come, and the newest one that was held back for it."""

    __slots__ = ("held", "refilled_ms", "tokens")

    def __init__(self) -> None:
        self.held: tuple[str, MetricRecorded] | None = None
        self.tokens: float = BURST
        self.refilled_ms = 0.0

    def allows(self, now_ms: float) -> bool:
        """Take a token if there is one; they come back one in `REFILL_MS`, up to `BURST`."""
        self.tokens = min(BURST, self.tokens + max(0.0, now_ms - self.refilled_ms) / REFILL_MS)
        self.refilled_ms = now_ms
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


def _request_payload(request: ApiRequest) -> dict[str, object]:
    """Every field of the format, null where nobody knows."""
    return {
        "kind": API_REQUEST,
        "provider": request.provider,
        "model": request.model,
        "promptTokens": request.prompt_tokens,
        "completionTokens": request.completion_tokens,
        "cacheReadTokens": request.cache_read_tokens,
        "cacheWriteTokens": request.cache_write_tokens,
        "cost": request.cost,
        "latencyMs": request.latency_ms,
        "ttftMs": request.ttft_ms,
        "success": request.success,
    }


def _series_of(point: MetricRecorded) -> _Series:
    return point.name, tuple(sorted(point.labels.items()))


class _Callable(ModuleType):
    """Lets `buddy_core.bridge` be called whichever it is: Python puts this module in the function's place
    as soon as anybody imports it."""

    def __call__(self, collector: MetricsCollector, store: RunStore, *, tools: bool = False) -> Bridge:
        return bridge(collector, store, tools=tools)


sys.modules[__name__].__class__ = _Callable
