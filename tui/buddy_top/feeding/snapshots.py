"""From the library's state to one `Snapshot`: the only place where screens get their numbers from."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from buddy_core.alerts.model import NO_ALERTS, AlertState
from buddy_core.metrics.collector import MetricsCollector
from buddy_core.metrics.looking.model import WindowView
from buddy_core.metrics.model import ErrorRecord
from buddy_core.observing.observer import Observer
from buddy_top.reading.run_depths import NOTHING, Depths
from buddy_top.state import FilterNames, RunDetail, SeriesDetail, Snapshot, Wants

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from buddy_core.metrics.looking.model import Trend
    from buddy_core.observing.sources import SourceStatus
    from buddy_core.prices.rates import Price
    from buddy_core.prices.table import PriceTable
    from buddy_core.runs.facts import RunFacts
    from buddy_core.runs.folding.uses import ModelUse
    from buddy_core.runs.timeline.around import Moment, Surroundings
    from buddy_top.listing.model import Listing

RETAINED_ERRORS = 100
"""How many single errors the collector keeps; older ones live on in their groups' counts."""

FEWEST_LEAVING = 30
"""Runs from which on an agent with the usual limit removes one."""

TRENDS_WAIT = 2
"""Times the patience: a bar stands for a twelfth of the window, and in a few seconds it grows by nothing."""

MOST_USES = 100
"""Runs listed beneath a model."""


def take_snapshot(
    collector: MetricsCollector,
    observer: Observer,
    wants: Wants,
    *,
    now_ms: int,
    run: RunDetail | None = None,
    listing: Listing | None = None,
    opened: RunFacts | None = None,
    depths: Depths = NOTHING,
    kept: frozenset[str] = frozenset(),
    place: Path | None = None,
    around: tuple[Moment, Surroundings | None] | None = None,
    names: FilterNames | None = None,
    alerts: AlertState = NO_ALERTS,
    behind: int = 0,
    paused: bool = False,
    patience_ms: int = 0,
) -> Snapshot:
    """Copy what `wants` asks for out of the collector and the observer, as of `now_ms`.

    Pure reading: it opens no file. `run` is the detail of `wants.run_id`, `depths` what its views need, and `opened`
    its facts, which the observer need not know; all are read beforehand. What is not on the
    screen may be older by less than `patience_ms`.
    """
    runs = observer.facts()
    view = collector.view(wants.window, now_ms=now_ms, patience_ms=patience_ms)
    by_id, at_work = observer.by_id(), observer.at_work()
    if beside := _read_beside(listing, opened, by_id):
        by_id = {**beside, **by_id}
    return Snapshot(
        taken_at=now_ms,
        wants=wants,
        view=view,
        activity=collector.activity(wants.window, wants.slices, now_ms=now_ms),
        state=collector.get_dashboard_state(),
        runs=runs,
        sources=_sources(observer, listing),
        recent_errors=_recent_errors(collector, view.since_ms or 0),
        trends=_trends(collector, wants, now_ms, TRENDS_WAIT * patience_ms),
        series=series_detail(collector, observer, wants, view),
        run=run if run is not None and run.run_id == wants.run_id else None,
        listing=listing,
        family=depths.family,
        numbers=depths.numbers,
        raw=depths.raw,
        kept=kept,
        place=place,
        around=around if around is not None and around[0] == wants.around else None,
        alerts=alerts.alerts,
        budgets=alerts.budgets,
        prices=_prices(collector.prices, view, by_id.get(wants.run_id or "")),
        names=names if wants.names else None,
        leaving=_leaving(runs, now_ms),
        behind=behind,
        paused=paused,
        by_id=by_id,
        at_work=at_work,
    )


def _trends(collector: MetricsCollector, wants: Wants, now_ms: int, patience_ms: int) -> Mapping[str, Trend]:
    """How the rows that are listed went over the window; nothing where no list shows it."""
    if wants.trends is None:
        return {}
    return collector.trends(wants.trends, wants.window, now_ms=now_ms, patience_ms=patience_ms)


def _sources(observer: Observer, listing: Listing | None) -> SourceStatus:
    """Before the directory has been listed, the list of its runs may say how many there are to read."""
    sources = observer.sources()
    if sources.total == 0 and listing is not None and listing.total:
        return replace(sources, total=listing.total)
    return sources


def _read_beside(
    listing: Listing | None, opened: RunFacts | None, followed: Mapping[str, RunFacts]
) -> dict[str, RunFacts]:
    """Runs that were read for the screen and that nobody follows."""
    found = {} if listing is None else dict(listing.facts)
    if opened is not None:
        found[opened.run_id] = opened
    return {run_id: run for run_id, run in found.items() if run_id not in followed}


def _leaving(runs: Sequence[RunFacts], now_ms: int) -> frozenset[str]:
    """Runs that go when the agent starts its next one; few runs are no reason to load what knows of that."""
    if len(runs) < FEWEST_LEAVING:
        return frozenset()
    from buddy_core.runs.keeping.leaving import leaving_among

    return frozenset(leaving_among(runs, now_ms=now_ms))


def _prices(prices: PriceTable | None, view: WindowView, run: RunFacts | None) -> Mapping[str, Price]:
    """What models in the view, and the run on the screen, were priced by."""
    if prices is None:
        return {}
    asked: list[tuple[str, str | None, str, int | None]] = [
        (f"{row.provider}/{row.model}", row.provider, row.model, row.last_request_at)
        for row in view.providers
        if row.estimated_count
    ]
    if run is not None and run.estimated_cost is not None and run.model is not None:
        asked.append((run.run_id, None, run.model, run.last_event_at))
    found = ((key, prices.find(provider, model, at or view.taken_at)) for key, provider, model, at in asked)
    return {key: price for key, price in found if price is not None}


def series_detail(
    collector: MetricsCollector, observer: Observer, wants: Wants, view: WindowView
) -> SeriesDetail | None:
    """The detail of the provider, tool or error group that `wants` names; None when it names none."""
    if wants.series is None:
        return None
    kind, key = wants.series
    now_ms = view.taken_at
    uses = _uses(observer, key, view) if kind == "provider" else ()
    points = collector.history(kind, key, wants.window, wants.slices, now_ms=now_ms)
    return SeriesDetail(
        kind=kind,
        key=key,
        points=points,
        bucket_ms=points[1].start_at - points[0].start_at if len(points) > 1 else 0,
        bins=() if kind == "error" else collector.latency_histogram(kind, key, wants.window, now_ms=now_ms),
        records=collector.error_records(key) if kind == "error" else (),
        kinds=collector.provider_errors(key, wants.window, now_ms=now_ms) if kind == "provider" else (),
        uses=uses[:MOST_USES],
        uses_total=len(uses),
        depth=collector.tool_depth(key, wants.window, now_ms=now_ms) if kind == "tool" else None,
    )


def _uses(observer: Observer, key: str, view: WindowView) -> tuple[ModelUse, ...]:
    """Runs that used the model in the window; nobody used a model that has no row there."""
    row = next((row for row in view.providers if f"{row.provider}/{row.model}" == key), None)
    return () if row is None else observer.model_uses(row.provider, row.model, view.since_ms or 0)


def _recent_errors(collector: MetricsCollector, since_ms: int) -> tuple[ErrorRecord, ...]:
    newest_first = reversed(collector.get_recent_errors(RETAINED_ERRORS))
    return tuple(error for error in newest_first if error.timestamp >= since_ms)
