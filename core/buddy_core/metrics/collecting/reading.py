"""The reading half of the collector: tables, charts and windows, the same for every screen and exporter.

A program that only records loads this module and asks nothing of it: what an answer is made of is loaded with
the first question.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING, Literal, TypeVar

from buddy_core.metrics.collecting.books import AT_ONCE
from buddy_core.metrics.collecting.headlines import HeadlineReader
from buddy_core.metrics.counting.grains import MINUTE, SECOND, since_of
from buddy_core.metrics.counting.ledger import Kind
from buddy_core.metrics.model import ErrorRecord
from buddy_core.metrics.window import Window

if TYPE_CHECKING:
    from buddy_core.metrics.looking import totals as summing
    from buddy_core.metrics.looking.model import (
        Activity,
        ErrorGroup,
        HistogramBin,
        MetricsExport,
        ProviderMetrics,
        SeriesPoint,
        ToolDepth,
        ToolMetrics,
        Trend,
        WindowView,
    )

T = TypeVar("T")

MOST_LOOKS = 512
"""Charts remembered until something new is recorded."""


class MetricsReader(HeadlineReader):
    """Everything that can be asked of a collector. See `MetricsCollector`, which adds what can be told to it."""

    def _start_empty(self) -> None:
        super()._start_empty()
        self._looks: dict[tuple[object, ...], tuple[object, object]] = {}
        self._trends_made: dict[tuple[object, ...], tuple[object, int, Mapping[str, Trend]]] = {}

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
        from buddy_core.metrics.looking.gathering import Gathering

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
        from buddy_core.metrics.looking.charts import build_activity

        now = self._clock.now_ms() if now_ms is None else now_ms
        return self._look(
            ("activity", window, slices),
            now // SECOND,
            lambda: build_activity(self._ledger.activity, window, slices, now),
        )

    def history(
        self,
        kind: Kind,
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
        from buddy_core.metrics.looking.charts import build_history

        now = self._clock.now_ms() if now_ms is None else now_ms
        return self._look(
            ("history", kind, key, window, slices),
            now // MINUTE,
            lambda: build_history(self._ledger, kind, key, window, slices, now),
        )

    def trends(
        self, kind: Kind, window: Window, *, now_ms: int | None = None, patience_ms: int = 0
    ) -> Mapping[str, Trend]:
        """How every provider, tool or error group with something in the window went, by its key.

        At most 13 slices, the same ones for all. Nothing without a time is in it. The same mapping is
        returned until something is recorded or a slice begins, and the same `Trend` until its counts change.
        With `patience_ms` it may be the mapping of so long ago, as long as no slice has begun since.
        """
        from buddy_core.metrics.looking.trends import trend_grid, trends_in, unchanged

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
        from buddy_core.metrics.looking.charts import build_histogram

        now = self._clock.now_ms() if now_ms is None else now_ms
        return self._look(
            ("histogram", kind, key, window, bins),
            since_of(window, now),
            lambda: build_histogram(self._ledger, kind, key, window, bins, now),
        )

    def tool_depth(self, name: str, window: Window, *, now_ms: int | None = None) -> ToolDepth:
        """The slowest and the latest calls of a tool in a window, and what its failures said; see `ToolDepth`.

        Exact for every window; see `metrics/counting/calls.py` for what the lists promise. Calls without a believable
        time, and those of which only the history knows, are not in them. Empty for a tool nobody called.
        """
        from buddy_core.metrics.looking.details import build_tool_depth

        now = self._clock.now_ms() if now_ms is None else now_ms
        return self._look(
            ("depth", name, window),
            since_of(window, now),
            lambda: build_tool_depth(self._ledger, name, window, now),
        )

    def error_records(self, fingerprint: str) -> tuple[ErrorRecord, ...]:
        """Errors of one group, newest first: the latest, and those still among the newest `max_errors` of all."""
        from buddy_core.metrics.looking.details import build_records

        return self._look(("errors", fingerprint), None, lambda: build_records(self._ledger, fingerprint))

    def provider_errors(
        self, key: str, window: Window, *, now_ms: int | None = None
    ) -> tuple[ErrorGroup, ...]:
        """Kinds of errors that concern one provider and model (`provider/model`), latest first.

        Those whose context names the provider or the model, and those without such a context whose message
        begins with the provider's name. Failed requests are not among them: they give no reason.
        """
        from buddy_core.metrics.looking.details import error_groups, errors_concerning, joined

        now = self._clock.now_ms() if now_ms is None else now_ms
        concerned = self._look(("blame", key), None, lambda: errors_concerning(self._ledger, key))
        read = partial(error_groups, window=window, since_ms=since_of(window, now))
        return joined(self._by_and_by(read, dict(enumerate(concerned))))

    def get_tool_metrics(self) -> list[ToolMetrics]:
        """Every tool, most calls first."""
        return list(self.view(Window.ALL).tools)

    def get_provider_metrics(self) -> list[ProviderMetrics]:
        """Every provider and model, most requests first."""
        return list(self.view(Window.ALL).providers)

    def export(self) -> MetricsExport:
        """Everything at once, as of one moment."""
        from buddy_core.metrics.looking.model import MetricsExport
        from buddy_core.metrics.looking.named import metric_of

        with self._lock:
            return MetricsExport(
                exported_at=self._clock.now_ms(),
                state=self.get_dashboard_state(),
                metrics=tuple(map(metric_of, self._registry.metrics.values())),
                tools=tuple(self.get_tool_metrics()),
                providers=tuple(self.get_provider_metrics()),
                errors=tuple(self.get_recent_errors(self._limits[1])),
                session=self.get_session_metrics(),
                rejected=dict(self._refusals.by_reason),
                overflow=self._overflow(),
            )

    def totals(self) -> summing.Totals:
        """Everything counted since the beginning, with exact counts by bound; for exporters."""
        from buddy_core.metrics.looking import totals as summing

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
        from buddy_core.metrics.looking import totals as summing

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
        from buddy_core.metrics.looking import totals as summing

        with self._lock:
            return summing.SmallTotals(
                state=self.get_dashboard_state(),
                usage=summing.of_usage(self._ledger),
                errors=dict(self._ledger.error_types),
                messages=summing.of_messages(self._registry.metrics["messages_total"]),
            )

    def _overflow(self) -> dict[str, int]:
        overflow = dict(self._ledger.overflow)
        if self._registry.folded:
            overflow["metric"] = self._registry.folded
        if self._ledger.room.refused:
            overflow["bucket"] = self._ledger.room.refused
        return overflow
