"""Which numbers a place explains: those of the row under the cursor, and those of everything."""

from __future__ import annotations

from dataclasses import replace

from buddy_core.metrics.looking.model import ErrorGroup, ProviderMetrics, ToolMetrics
from buddy_core.origins.errors import origin_of_errors
from buddy_core.origins.everything import origin_of_everything
from buddy_core.origins.model import Origin
from buddy_core.origins.providers import origin_of_provider
from buddy_core.origins.runs import origin_of_run
from buddy_core.origins.tools import origin_of_tool
from buddy_core.runs.facts import RunFacts
from buddy_top.state import SeriesKind, Snapshot

_OF_THE_PAST = (
    "in the past there are no runs that only the history knows, because their directories are gone",
    "in the past totals of summary.json and metrics.json count from the end of their run on, and alerts not at all",
)


def of_everything(snapshot: Snapshot) -> Origin:
    """The headline numbers."""
    prices, slice_ms = tuple(snapshot.prices.values()), snapshot.activity.bucket_ms
    origin = origin_of_everything(
        snapshot.view, snapshot.state, snapshot.sources, snapshot.runs, prices, slice_ms
    )
    return origin if snapshot.past is None else replace(origin, missing=(*origin.missing, *_OF_THE_PAST))


def of_provider(row: ProviderMetrics, snapshot: Snapshot) -> Origin:
    """A row of the models."""
    key = f"{row.provider}/{row.model}"
    price, slice_ms = snapshot.prices.get(key), _slice_ms(snapshot, "provider", key)
    return origin_of_provider(row, snapshot.view, snapshot.sources, price, slice_ms)


def of_tool(row: ToolMetrics, snapshot: Snapshot) -> Origin:
    """A row of the tools."""
    return origin_of_tool(row, snapshot.view, snapshot.sources, _slice_ms(snapshot, "tool", row.name))


def of_group(group: ErrorGroup, snapshot: Snapshot) -> Origin:
    """A row of the kinds of errors."""
    title = f"{group.type} {group.latest.message}"
    numbers = (group.count, group.first_at, group.last_at, len(group.run_ids))
    return origin_of_errors(title, *numbers, snapshot.view, snapshot.sources, grouped=True)


def _slice_ms(snapshot: Snapshot, kind: SeriesKind, key: str) -> int:
    """What a column of the chart of this row stands for; 0 where its chart is not on the screen."""
    series = snapshot.series
    return series.bucket_ms if series is not None and (series.kind, series.key) == (kind, key) else 0


def of_run(run: RunFacts, snapshot: Snapshot) -> Origin:
    """One run."""
    price = snapshot.prices.get(run.run_id)
    return origin_of_run(run, snapshot.sources.runs_dir, now_ms=snapshot.taken_at, price=price)
