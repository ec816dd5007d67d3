"""The collector: where an agent, or the monitor reading its files, says what happened, and whoever asks is told.

Recording is synchronous, thread-safe, takes microseconds and never raises. Every number shown anywhere
comes from here.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from buddy_core.clock import Clock
from buddy_core.metrics.collecting.own import OwnRecorder
from buddy_core.metrics.counting.calls import NO_FLOOR
from buddy_core.metrics.counting.errorlog import error_record, text_of
from buddy_core.metrics.counting.ledger import TOOL_ERROR
from buddy_core.metrics.counting.stats import UsageSample
from buddy_core.metrics.model import (
    ApiRequest,
    ErrorRecord,
    ToolExecution,
)
from buddy_core.metrics.recording.checks import LARGEST_AMOUNT, request_row
from buddy_core.metrics.recording.events import CollectorEvent, CollectorReset, EventName, MetricRecorded
from buddy_core.metrics.recording.forks import OnePerProcess, renew_after_fork
from buddy_core.metrics.recording.live import MOST_WAITING
from buddy_core.metrics.recording.subscription import Subscription

if TYPE_CHECKING:
    from buddy_core.metrics.recording.batch import HistoryBatch, RequestRow
    from buddy_core.prices.table import PriceTable


LONGEST_ARGUMENT = 300
"""Characters kept of what a call was about."""


class MetricsCollector(OwnRecorder):
    """Counts requests, tools, errors, usage and custom metrics, and shows them through windows of time.

    `clock` is the only source of time. `max_history_points` bounds the points kept of each metric,
    `max_errors` the errors kept whole, `max_series` the providers, tools, error groups and label sets
    (each): what comes after goes to `other`, and `export().overflow` says how much did. Arguments that
    make no sense (NaN, negative counts, over-long names) are refused and counted in `export().rejected`:
    a bad number becomes unknown, a bad name refuses the whole record.

    With `prices`, requests that state no cost are priced from their tokens; such sums say how much of them
    is estimated. Without, which is the default, a cost that nobody stated stays unknown.

    Events: `api:request`, `tool:executed` and `error` for every record of their kind, `metric` for
    `record`, `increment` and once for each `absorb`, `session:started`, `session:ended`, `reset`.
    """

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        max_history_points: int = 1000,
        max_errors: int = 100,
        max_series: int = 2000,
        prices: PriceTable | None = None,
    ) -> None:
        super().__init__(clock, max_history_points, max_errors, max_series, prices)
        self._now_ms = self._clock.now_ms
        renew_after_fork(self)

    def record_api_request(
        self,
        *,
        provider: str,
        model: str,
        prompt_tokens: int = 0,
        completion_tokens: int = 0,
        cache_read_tokens: int = 0,
        cache_write_tokens: int = 0,
        cost: float | None = None,
        latency_ms: float | None = None,
        ttft_ms: float | None = None,
        success: bool = True,
        run_id: str | None = None,
        at_ms: int | None = None,
    ) -> None:
        """Count one model request: cost in US dollars (None: nobody said), `ttft_ms` to its first token."""
        try:
            with self._lock:
                refusals, now, live = self._refusals, self._now_ms(), self._live
                series = self._book.providers.get((provider, model))
                if series is None:
                    if not refusals.names(provider, model):
                        return
                    series = self._book.provider(provider, model)
                moment = now if at_ms is None else refusals.moment(at_ms, now)
                tokens = (prompt_tokens, completion_tokens, cache_read_tokens, cache_write_tokens)
                row = request_row(refusals, moment, tokens, cost, latency_ms, ttft_ms, success)
                if run_id is not None:
                    run_id = refusals.run_id(run_id)
                if at_ms is None:
                    live.requests.append((series, row))
                    if len(live.requests) >= MOST_WAITING:
                        live.shorten()
                else:
                    live.add_past_request(series, row, now)
            if self.prices is not None and row[5] is None:
                self._estimate({(provider, model): [row]})
        except Exception:  # noqa: BLE001 - nothing may be raised into the host
            self._refuse()
            return
        if "api:request" in self._broadcast.names_wanted:
            self._broadcast.send("api:request", _request_of(provider, model, row, run_id))

    def record_tool_execution(
        self,
        *,
        name: str,
        duration_ms: float | None = None,
        success: bool = True,
        error: str | None = None,
        run_id: str | None = None,
        at_ms: int | None = None,
    ) -> None:
        """Count one finished tool call; a failed one with an `error` text is also an error of type `tool_error`."""
        record: ErrorRecord | None = None
        try:
            with self._lock:
                refusals, now, live = self._refusals, self._now_ms(), self._live
                series = self._book.tools.get(name)
                if series is None:
                    if refusals.name(name) is None:
                        return
                    series = self._book.tool(name)
                moment = now if at_ms is None else refusals.moment(at_ms, now)
                duration = duration_ms
                if duration is not None and not (
                    type(duration) is float and 0.0 <= duration <= LARGEST_AMOUNT
                ):
                    duration = refusals.amount(duration)
                succeeded = success is True or bool(success)
                if error is not None:
                    error = text_of(error)
                if run_id is not None:
                    run_id = refusals.run_id(run_id)
                if at_ms is None:
                    waiting = live.calls
                    waiting.append((series, moment, duration, succeeded, run_id))
                    if len(waiting) >= MOST_WAITING:
                        live.shorten()
                else:
                    live.add_past_call((series, moment, duration, succeeded, run_id), now)
                if error and not succeeded:
                    record = error_record(moment, TOOL_ERROR, error, None, {"tool": name}, run_id)
                    self._count_error(record, now)
        except Exception:  # noqa: BLE001 - nothing may be raised into the host
            self._refuse()
            return
        if "tool:executed" in self._broadcast.names_wanted:
            execution = ToolExecution(name, duration, succeeded, error, run_id, moment)
            self._broadcast.send("tool:executed", execution)
        if record is not None and self._broadcast.wanted("error"):
            self._broadcast.send("error", record)

    def describe_call(self, name: str, argument: str, *, at_ms: int, run_id: str | None = None) -> None:
        """Say what a recorded call was about, its command or its path, where `tool_depth` still lists it.

        The call is the latest one of the tool with this time and run. It may be long forgotten: then nothing happens.
        """
        with self._lock:
            series = self._ledger.tools.get(name)
            if series is not None:
                series.calls.describe(at_ms, run_id, text_of(argument)[:LONGEST_ARGUMENT], self._now_ms())
                self._book.version += 1

    def listed_above(self, name: str, at_ms: int) -> float:
        """Milliseconds above which a call of that moment or before it may be in `tool_depth`; no other needs an argument."""
        with self._lock:
            series = self._ledger.tools.get(name)
            return NO_FLOOR if series is None else series.calls.floor_at(at_ms)

    def record_error(
        self,
        type: str,
        message: str,
        *,
        stack: str | None = None,
        context: Mapping[str, Any] | None = None,
        run_id: str | None = None,
        at_ms: int | None = None,
    ) -> None:
        """Count one error and keep it among the newest."""
        try:
            with self._lock:
                now = self._clock.now_ms()
                checked = self._refusals.name(type)
                if checked is None:
                    return
                moment = self._refusals.moment(at_ms, now)
                run_id = self._refusals.run_id(run_id)
                record = error_record(moment, checked, message, stack, context, run_id)
                self._count_error(record, now)
        except Exception:  # noqa: BLE001 - nothing may be raised into the host
            self._refuse()
            return
        if self._broadcast.wanted("error"):
            self._broadcast.send("error", record)

    def _count_error(self, record: ErrorRecord, now_ms: int) -> None:
        counted_as = self._ledger.add_error(record, now_ms)
        total = self._ledger.error_types[counted_as]
        self._registry.point("errors_total", record.timestamp, total, {"type": counted_as})

    def record_usage(
        self,
        *,
        total_tokens: int = 0,
        prompt_tokens: int = 0,
        completion_tokens: int = 0,
        cost: float | None = None,
        estimated_cost: float | None = None,
        run_id: str | None = None,
        at_ms: int | None = None,
    ) -> None:
        """Count tokens and cost of a run that no request accounts for: in totals and charts, in no provider.

        `estimated_cost` is what the tokens were priced at, where nobody states a cost.
        """
        try:
            with self._lock:
                refusals, now = self._refusals, self._clock.now_ms()
                sample = UsageSample(
                    refusals.moment(at_ms, now),
                    refusals.count(total_tokens),
                    refusals.count(prompt_tokens),
                    refusals.count(completion_tokens),
                    refusals.amount(cost),
                )
                self._ledger.add_usage(sample, now)
                if estimated_cost is not None:
                    self._ledger.add_estimates(None, [(sample.at_ms, estimated_cost)], now)
        except Exception:  # noqa: BLE001 - nothing may be raised into the host
            self._refuse()
            return
        if self._broadcast.wanted("metric"):
            self._broadcast.send("metric", MetricRecorded("usage", sample.at_ms, sample.tokens))

    def absorb(self, batch: HistoryBatch) -> None:
        """Count a run's past in bulk: the totals of recording every item, without an event for each."""
        from buddy_core.metrics.recording.bulk import (
            absorb_batch,  # a program that records has no past to read
        )

        try:
            with self._lock:
                now = self._clock.now_ms()
                count = absorb_batch(self._ledger, batch, self._refusals, now)
            self._estimate_batch(batch)
        except Exception:  # noqa: BLE001 - nothing may be raised into the host
            self._refuse()
            return
        if count and self._broadcast.wanted("metric"):
            self._broadcast.send("metric", MetricRecorded("history", now, count))

    def on(self, event: EventName, callback: Callable[[CollectorEvent], object]) -> Callable[[], None]:
        """Call `callback` with every event of this name, in the recorder's thread; the result unsubscribes.

        A callback that raises is isolated; after ten failures in a row (raising, or holding the recorder
        up for 50 ms; for 500 ms counts as ten) it is not called any more. `listener_failures` counts them.
        Raises `ValueError` for an event there is not, `TypeError` for what is no ordinary function.
        """
        return self._broadcast.on(event, callback)

    def subscribe(self, *events: EventName, maxsize: int = 1024) -> Subscription:
        """A bounded async stream of the events named (none: all), for a consumer in any thread's event loop.

        Raises `ValueError` for an event there is not.
        """
        return self._broadcast.subscribe(events, maxsize)

    @property
    def listener_failures(self) -> int:
        """Times a callback raised, was too slow, or was left out because callbacks recorded too deeply."""
        return self._broadcast.failures + self._broadcast.suppressed

    def reset(self) -> None:
        """Forget everything that was recorded; who listens goes on listening."""
        with self._lock:
            self._start_empty()
            now = self._clock.now_ms()
        if self._broadcast.wanted("reset"):
            self._broadcast.send("reset", CollectorReset(now))

    def dispose(self) -> None:
        """Forget everything, and everybody who listens: their streams end."""
        self._broadcast.close()
        self.reset()

    def after_fork(self) -> None:
        """In a child process: no lock is held by a thread that stayed with the parent. Called by itself."""
        self._lock = threading.RLock()
        self._live.after_fork()
        self._broadcast.after_fork()


def _request_of(provider: str, model: str, row: RequestRow, run_id: str | None) -> ApiRequest:
    at_ms, prompt, completion, cache_read, cache_write, cost, latency, ttft, success = row
    return ApiRequest(
        provider,
        model,
        prompt,
        completion,
        cache_read,
        cache_write,
        cost,
        latency,
        ttft,
        success,
        run_id,
        at_ms,
    )


_collectors = OnePerProcess(MetricsCollector)


def get_metrics_collector() -> MetricsCollector:
    """The collector of this process, made at the first call."""
    return _collectors.get()


def reset_metrics_collector() -> None:
    """Dispose of the process's collector; the next `get_metrics_collector` makes a new one."""
    gone = _collectors.take()
    if gone is not None:
        gone.dispose()
