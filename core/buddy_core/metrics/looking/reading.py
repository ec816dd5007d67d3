"""The reading half of the collector: totals, tables, charts and windows, the same for every screen and exporter."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from buddy_core.clock import Clock, SystemClock
from buddy_core.metrics.counting.ledger import Ledger
from buddy_core.metrics.counting.rollup import HOUR, MINUTE, SECOND, since_of
from buddy_core.metrics.looking import views
from buddy_core.metrics.looking.blame import joined
from buddy_core.metrics.looking.gathering import Gathering
from buddy_core.metrics.model import (
    Activity,
    DashboardState,
    ErrorGroup,
    ErrorRecord,
    HistogramBin,
    MetricPoint,
    MetricsExport,
    ProviderMetrics,
    SeriesPoint,
    SessionMetrics,
    ToolDepth,
    ToolMetrics,
    Trend,
    Window,
    WindowView,
)
from buddy_core.metrics.recording.checks import Refusals
from buddy_core.metrics.recording.custom import Registry
from buddy_core.metrics.recording.live import Live
from buddy_core.metrics.recording.sessions import Sessions

if TYPE_CHECKING:
    from buddy_core.metrics.counting import totals as summing  # only exporters ask for totals

T = TypeVar("T")
R = TypeVar("R")

RATE_MS = 5 * MINUTE
"""How far the rates of the dashboard state look back."""

AT_ONCE = 50
"""Series merged while the lock is held, where there are more: a millisecond or two."""

MOST_LOOKS = 512
"""Charts remembered until something new is recorded."""


class MetricsReader:
    """Everything that can be asked of a collector. See `MetricsCollector`, which adds what can be told to it."""

    def __init__(self, clock: Clock | None, points: int, errors: int, series: int) -> None:
        self._clock: Clock = clock or SystemClock()
        self._limits = (max(0, points), max(0, errors), max(1, series))
        # Re-entrant: a signal handler that records must not wait for the very thread it interrupted.
        self._lock = threading.RLock()
        self._generation = 0
        self._start_empty()

    def _start_empty(self) -> None:
        points, errors, series = self._limits
        self._generation += 1
        self._refusals = Refusals()
        self._book = Ledger(max_series=series, max_errors=errors)
        self._names = Registry(kept=points, most=series)
        self._live = Live(self._book, self._names)
        self._sessions = Sessions(self._clock)
        self._looks: dict[tuple[object, ...], tuple[object, object]] = {}
        self._trends_made: dict[tuple[object, ...], tuple[object, int, Mapping[str, Trend]]] = {}
        self._started_at = self._clock.now_ms()
        self._started_monotonic = self._clock.monotonic_ms()

    @property
    def version(self) -> tuple[int, int]:
        """Changes whenever any number may have changed; compare for equality only."""
        return self._generation, self._live.version

    @property
    def _ledger(self) -> Ledger:
        """Everything that was counted, with what was told in the last moments; to be read under the lock."""
        with self._lock:
            self._live.settle()
            return self._book

    @property
    def _registry(self) -> Registry:
        """The metrics by name, with the points of the last moments; to be read under the lock."""
        with self._lock:
            self._live.settle()
            return self._names

    def _look(self, key: tuple[object, ...], moment: object, build: Callable[[], T]) -> T:
        """What `build` gives, or gave before if nothing was recorded since and `moment` is the same."""
        with self._lock:
            stamp = (self._ledger.version, moment)
            known = self._looks.get(key)
            if known is not None and known[0] == stamp:
                return known[1]  # type: ignore[return-value]
            if len(self._looks) >= MOST_LOOKS:
                self._looks.clear()
            built = build()
            self._looks[key] = (stamp, built)
            return built

    def view(self, window: Window, *, now_ms: int | None = None, patience_ms: int = 0) -> WindowView:
        """Everything about `window` as it ends at `now_ms` (now, by default).

        Exact: equal to a recount of the recorded samples at or after `since_ms`, which is the whole
        minute (7 d: the whole hour) at or before the window's length ago. Samples without a believable
        time (before 2000, more than five minutes ahead) are in `ALL` only. The same object is returned
        until something is recorded or the window's beginning moves.

        With `patience_ms` the rows of tools and models may be up to so much older than all sums, where
        nobody has read the row before; rows that are shown are not, and a view costs a fraction.
        """
        now = self._clock.now_ms() if now_ms is None else now_ms
        with self._lock:
            ledger, key = self._ledger, ("view", window)
            stamp = (ledger.version, since_of(window, now))
            known = self._looks.get(key)
            if known is not None and known[0] == stamp:
                return known[1]  # type: ignore[return-value]
            gathering = Gathering(ledger, window, now, patience_ms)
            more = gathering.step()
        while more:
            time.sleep(0)  # whoever waits to record has their turn
            with self._lock:
                more = gathering.step()
        view = gathering.view()
        with self._lock:
            if ledger is self._book and gathering.exact:
                self._looks[key] = (stamp, view)
        return view

    def activity(self, window: Window, slices: int, *, now_ms: int | None = None) -> Activity:
        """The window in equal slices, oldest first, without holes; `ALL` from the first to the last activity.

        A slice has a round length (10 s, 5 min, 2 h, …), begins on a multiple of it, and is as short as
        `slices` allow: there are at most that many, and one more where the ends of the window cut one in
        two. No slice is finer than the buckets: seconds for 15 m, minutes for the others, hours for `ALL`
        once it has more than a week of active minutes. Slices of a minute and more add up to exactly
        what `view` counts.
        """
        now = self._clock.now_ms() if now_ms is None else now_ms
        return self._look(
            ("activity", window, slices),
            now // SECOND,
            lambda: self._ledger.activity.cut(window, slices, now),
        )

    def history(
        self,
        kind: views.Kind,
        key: str,
        window: Window,
        slices: int,
        *,
        now_ms: int | None = None,
    ) -> tuple[SeriesPoint, ...]:
        """One provider (`provider/model`), tool (name) or error group (fingerprint) in slices like `activity`.

        The finest slice is a minute, an hour for 7 d, and for `ALL` an hour unless everything is of the
        last day. Empty when there is no such series, or nothing in `ALL` has a time.
        """
        now = self._clock.now_ms() if now_ms is None else now_ms
        return self._look(
            ("history", kind, key, window, slices),
            now // MINUTE,
            lambda: views.build_history(self._ledger, kind, key, window, slices, now),
        )

    def trends(
        self, kind: views.Kind, window: Window, *, now_ms: int | None = None, patience_ms: int = 0
    ) -> Mapping[str, Trend]:
        """How every provider, tool or error group with something in the window went, by its key.

        At most 13 slices, the same ones for all. Nothing without a time is in it. The same mapping is
        returned until something is recorded or a slice begins, and the same `Trend` until its counts change.
        With `patience_ms` it may be the mapping of so long ago, as long as no slice has begun since.
        """
        from buddy_core.metrics.looking.trends import (  # only who shows tables needs them
            trend_grid,
            trends_in,
            unchanged,
        )

        now = self._clock.now_ms() if now_ms is None else now_ms
        with self._lock:
            ledger, key = self._ledger, ("trends", kind, window)
            stamp = (ledger.version, trend_grid(ledger, window, now))
            known, slices = self._looks.get(key), stamp[1]
            if known is not None and known[0] == stamp:
                return known[1]  # type: ignore[return-value]
            if (
                (made := self._trends_made.get(key))
                and made[0] == slices
                and abs(now - made[1]) < patience_ms
            ):
                return made[2]
            if slices is None:
                return {}
            found, changed = unchanged(slices, window, ledger.of_kind(kind))
        found |= self._by_and_by(partial(trends_in, slices, window), changed)
        with self._lock:
            if ledger is self._book:
                self._looks[key] = (stamp, found)
                self._trends_made[key] = (slices, now, found)
        return found

    def latency_histogram(
        self,
        kind: Literal["provider", "tool"],
        key: str,
        window: Window,
        bins: int = 24,
        *,
        now_ms: int | None = None,
    ) -> tuple[HistogramBin, ...]:
        """Durations of one provider or tool in bins of equal ratio; a call may be off by 1 % at a bin's edge."""
        now = self._clock.now_ms() if now_ms is None else now_ms
        return self._look(
            ("histogram", kind, key, window, bins),
            since_of(window, now),
            lambda: views.build_histogram(self._ledger, kind, key, window, bins, now),
        )

    def tool_depth(self, name: str, window: Window, *, now_ms: int | None = None) -> ToolDepth:
        """The slowest and the latest calls of a tool in a window, and what its failures said; see `ToolDepth`.

        Exact for every window; see `metrics/counting/calls.py` for what the lists promise. Calls without a believable
        time, and those of which only the history knows, are not in them. Empty for a tool nobody called.
        """
        now = self._clock.now_ms() if now_ms is None else now_ms
        return self._look(
            ("depth", name, window),
            since_of(window, now),
            lambda: views.build_tool_depth(self._ledger, name, window, now),
        )

    def error_records(self, fingerprint: str) -> tuple[ErrorRecord, ...]:
        """Errors of one group, newest first: the latest, and those still among the newest `max_errors` of all."""
        return self._look(
            ("errors", fingerprint), None, lambda: views.build_records(self._ledger, fingerprint)
        )

    def provider_errors(
        self, key: str, window: Window, *, now_ms: int | None = None
    ) -> tuple[ErrorGroup, ...]:
        """Kinds of errors that concern one provider and model (`provider/model`), latest first.

        Those whose context names the provider or the model, and those without such a context whose message
        begins with the provider's name. Failed requests are not among them: they give no reason.
        """
        now = self._clock.now_ms() if now_ms is None else now_ms
        concerned = self._look(("blame", key), None, lambda: views.errors_concerning(self._ledger, key))
        read = partial(views.error_groups, window=window, since_ms=since_of(window, now))
        return joined(self._by_and_by(read, dict(enumerate(concerned))))

    def get_dashboard_state(self) -> DashboardState:
        """The headline numbers over everything recorded, and two rates over the last five minutes."""
        with self._lock:
            total = self._ledger.activity.total
            tokens_rate, cost_rate, estimated_rate = self._rates()
            return DashboardState(
                uptime_ms=self._uptime_ms(),
                active_session=self._sessions.active_id,
                total_sessions=self._sessions.started,
                total_tokens=total.known_tokens,
                total_cost=total.known_cost,
                total_tool_calls=total.tool_calls,
                avg_response_time_ms=total.latency_sum_ms / total.latency_count
                if total.latency_count
                else None,
                error_rate=100.0 * total.failed_requests / total.requests if total.requests else None,
                tokens_per_minute=tokens_rate,
                cost_per_hour=cost_rate,
                estimated_cost=total.estimated_cost,
                estimated_cost_per_hour=estimated_rate,
            )

    def _uptime_ms(self) -> int:
        return int(self._clock.monotonic_ms() - self._started_monotonic)

    def _rates(self) -> tuple[float | None, float | None, float | None]:
        """Tokens a minute, dollars an hour, and how many of these are estimated, over the last five minutes.

        A shorter life counts as what it is, but as a minute at least: two seconds of work are no burn rate.
        Where samples are older than the collector, a monitor that has just read a run's last five minutes knows
        all of them. Where nobody ever logged any, quiet minutes
        are no rate of nought.
        """
        now, first = self._clock.now_ms(), self._ledger.activity.first_at
        life = self._uptime_ms()
        if first is not None:
            life = max(life, now - first)
        length = min(RATE_MS, max(life, MINUTE))
        recent = self._ledger.activity.recent(now - length, now)
        whole, estimated = self._ledger.activity.total, recent.estimated_cost
        cost = None if whole.known_cost is None else recent.known_cost
        tokens = None if whole.known_tokens is None else recent.known_tokens
        return (
            None if tokens is None else tokens * MINUTE / length,
            None if cost is None else cost * HOUR / length,
            None if estimated is None else estimated * HOUR / length,
        )

    def get_total_tokens(self) -> int:
        """Tokens of all requests and all usage."""
        with self._lock:
            return self._ledger.activity.total.tokens

    def get_total_cost(self) -> float:
        """Sum of all stated and estimated costs in US dollars; 0.0 where none is known."""
        with self._lock:
            return self._ledger.activity.total.known_cost or 0.0

    def get_total_tool_calls(self) -> int:
        """Finished tool calls, whatever came of them."""
        with self._lock:
            return self._ledger.activity.total.tool_calls

    def get_average_response_time(self) -> float:
        """Milliseconds, over every request that has a latency; 0.0 when none has."""
        with self._lock:
            total = self._ledger.activity.total
            return total.latency_sum_ms / total.latency_count if total.latency_count else 0.0

    def get_error_rate(self) -> float:
        """Percent of API requests that failed, 0 to 100; 0.0 without requests."""
        with self._lock:
            total = self._ledger.activity.total
            return 100.0 * total.failed_requests / total.requests if total.requests else 0.0

    def get_tool_metrics(self) -> list[ToolMetrics]:
        """Every tool, most calls first."""
        return list(self.view(Window.ALL).tools)

    def get_provider_metrics(self) -> list[ProviderMetrics]:
        """Every provider and model, most requests first."""
        return list(self.view(Window.ALL).providers)

    def get_recent_errors(self, limit: int = 10) -> list[ErrorRecord]:
        """The newest `limit` errors by their own time, oldest of them first."""
        with self._lock:
            return self._ledger.error_log.newest(limit)

    def get_metric_history(self, name: str, since_ms: int | None = None) -> list[MetricPoint]:
        """Points of one metric, oldest first, at most `max_history_points`; empty for a name nobody knows.

        Absorbed history adds to every total, and no points.
        """
        with self._lock:
            metric = self._registry.metrics.get(name)
            return metric.history(since_ms) if metric else []

    def get_session_metrics(self) -> SessionMetrics | None:
        """The running session as it stands; None without one."""
        with self._lock:
            return self._sessions.metrics(self._ledger.activity.total)

    @property
    def refused(self) -> int:
        """How many values made no sense and were not counted; `export().rejected` says why."""
        return sum(tuple(self._refusals.by_reason.values()))

    def export(self) -> MetricsExport:
        """Everything at once, as of one moment."""
        with self._lock:
            return MetricsExport(
                exported_at=self._clock.now_ms(),
                state=self.get_dashboard_state(),
                metrics=tuple(metric.as_metric() for metric in self._registry.metrics.values()),
                tools=tuple(self.get_tool_metrics()),
                providers=tuple(self.get_provider_metrics()),
                errors=tuple(self.get_recent_errors(self._limits[1])),
                session=self.get_session_metrics(),
                rejected=dict(self._refusals.by_reason),
                overflow=self._overflow(),
            )

    def totals(self) -> summing.Totals:
        """Everything counted since the beginning, with exact counts by bound; for exporters."""
        from buddy_core.metrics.counting import totals as summing

        ledger, registry = self._ledger, self._registry
        few = len(ledger.providers) + len(ledger.tools) + len(registry.metrics) <= AT_ONCE
        with self._lock if few else nullcontext():
            ledger = self._ledger  # once more: what was told since then belongs to the same moment
            return summing.Totals(
                providers=self._by_and_by(summing.of_providers, ledger.providers),
                tools=self._by_and_by(summing.of_tools, ledger.tools),
                custom=self._custom_totals(),
                **self._small_totals(),
            )

    def _custom_totals(self) -> list[summing.CustomTotals]:
        from buddy_core.metrics.counting import totals as summing

        found: list[summing.CustomTotals] = []
        with self._lock:
            metrics = summing.named_by_agents(self._registry.metrics)
        for metric in metrics:
            with self._lock:
                values, labels = dict(metric.totals), list(metric.timings)
            read = partial(summing.of_timings, unit=metric.unit)
            timings = dict(zip(labels, self._by_and_by(read, metric.timings), strict=False))
            found.append(summing.of_custom(metric, values, timings))
        return found

    def _small_totals(self) -> summing.SmallTotals:
        from buddy_core.metrics.counting import totals as summing

        with self._lock:
            return summing.SmallTotals(
                state=self.get_dashboard_state(),
                usage=summing.of_usage(self._ledger),
                errors=dict(self._ledger.error_types),
                messages=summing.of_messages(self._registry.metrics["messages_total"]),
            )

    def _by_and_by(self, read: Callable[[list[T]], Iterable[R]], series: Mapping[Any, T]) -> list[R]:
        """What `read` gives of very many series, a few at a time, so that no recorder waits for all of them."""
        found: list[R] = []
        with self._lock:
            every = list(series.values())
        for start in range(0, len(every), AT_ONCE):
            with self._lock:
                found += read(every[start : start + AT_ONCE])
            if len(every) > AT_ONCE:
                time.sleep(0)
        return found

    def _overflow(self) -> dict[str, int]:
        overflow = dict(self._ledger.overflow)
        if self._registry.folded:
            overflow["metric"] = self._registry.folded
        if self._ledger.room.refused:
            overflow["bucket"] = self._ledger.room.refused
        return overflow
