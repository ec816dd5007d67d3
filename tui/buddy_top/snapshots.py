"""From the library's state to one `Snapshot`: the only place where screens get their numbers from."""

from __future__ import annotations

from buddy_core.alerts.model import NO_ALERTS, AlertState
from buddy_core.metrics.collector import MetricsCollector
from buddy_core.metrics.model import ErrorRecord
from buddy_core.observe import Observer
from buddy_top.state import RunDetail, SeriesDetail, Snapshot, Wants

RETAINED_ERRORS = 100
"""How many single errors the collector keeps; older ones live on in their groups' counts."""


def take_snapshot(
    collector: MetricsCollector,
    observer: Observer,
    wants: Wants,
    *,
    now_ms: int,
    run: RunDetail | None = None,
    alerts: AlertState = NO_ALERTS,
    behind: int = 0,
    paused: bool = False,
) -> Snapshot:
    """Copy what `wants` asks for out of the collector and the observer, as of `now_ms`.

    Pure reading: it opens no file. `run` is the detail of `wants.run_id`, read beforehand.
    """
    runs = observer.facts()
    view = collector.view(wants.window, now_ms=now_ms)
    return Snapshot(
        taken_at=now_ms,
        wants=wants,
        view=view,
        activity=collector.activity(wants.window, wants.slices, now_ms=now_ms),
        state=collector.get_dashboard_state(),
        runs=runs,
        sources=observer.sources(),
        recent_errors=_recent_errors(collector, view.since_ms or 0),
        series=series_detail(collector, wants, now_ms),
        trends={} if wants.trends is None else collector.trends(wants.trends, wants.window, now_ms=now_ms),
        run=run if run is not None and run.run_id == wants.run_id else None,
        alerts=alerts.alerts,
        budgets=alerts.budgets,
        behind=behind,
        paused=paused,
        by_id={facts.run_id: facts for facts in runs},
    )


def series_detail(collector: MetricsCollector, wants: Wants, now_ms: int) -> SeriesDetail | None:
    """The detail of the provider, tool or error group that `wants` names; None when it names none."""
    if wants.series is None:
        return None
    kind, key = wants.series
    points = collector.history(kind, key, wants.window, wants.slices, now_ms=now_ms)
    return SeriesDetail(
        kind=kind,
        key=key,
        points=points,
        bucket_ms=points[1].start_at - points[0].start_at if len(points) > 1 else 0,
        bins=() if kind == "error" else collector.latency_histogram(kind, key, wants.window, now_ms=now_ms),
        records=_records(collector, kind, key),
    )


def _recent_errors(collector: MetricsCollector, since_ms: int) -> tuple[ErrorRecord, ...]:
    newest_first = reversed(collector.get_recent_errors(RETAINED_ERRORS))
    return tuple(error for error in newest_first if error.timestamp >= since_ms)


def _records(collector: MetricsCollector, kind: str, key: str) -> tuple[ErrorRecord, ...]:
    if kind == "error":
        return collector.error_records(key)
    if kind == "provider":
        return ()
    newest_first = reversed(collector.get_recent_errors(RETAINED_ERRORS))
    return tuple(e for e in newest_first if e.context is not None and e.context.get("tool") == key)
