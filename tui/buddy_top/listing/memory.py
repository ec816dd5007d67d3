"""Few runs, ordered in memory: the same answer as the catalog's, without a file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from buddy_core.runs.catalog.asking.known import KnownRun
from buddy_core.runs.facts import RunFacts
from buddy_core.runs.folding.roster import age_of
from buddy_top.listing.tree import as_families

if TYPE_CHECKING:
    from buddy_core.runs.catalog.asking.pages import SortKey
    from buddy_top.listing.model import ListWants

STATUS_ORDER = ("running", "stalled", "interrupted", "failed", "cancelled", "completed")
"""What needs a person first; `catalog.asking.pages` has the same."""


def arranged(runs: Sequence[RunFacts], wants: ListWants, now_ms: int) -> tuple[list[str], dict[str, int]]:
    """Ids of `runs`, all of which fit, in the order that is wanted, and the depths of forks."""
    lines = [known_run(run, wants, now_ms) for run in runs]
    lines.sort(key=lambda line: line.run_id, reverse=True)
    lines.sort(key=lambda line: line.age, reverse=wants.sort != "started" or wants.descending)
    if wants.sort != "started":
        lines = _by_value(lines, wants.descending)
    lines.sort(key=lambda line: not line.on_top)
    ids = [line.run_id for line in lines]
    if not wants.tree:
        return ids, {}
    families = as_families(ids, {run.run_id: run.parent_run_id for run in runs if run.parent_run_id})
    return [run_id for run_id, _ in families], dict(families)


def known_run(run: RunFacts, wants: ListWants, now_ms: int) -> KnownRun:
    """A run as a line of the list; live ones stand on top while the list is in its natural order."""
    natural = wants.sort == "started" and wants.descending
    return KnownRun(run.run_id, value_of(run, wants.sort, now_ms), age_of(run, now_ms), natural and run.live)


def value_of(run: RunFacts, sort: SortKey, now_ms: int) -> float | str | None:
    """What a run is ordered by, as the catalog's column of that key has it; the start is told by its age."""
    if sort == "took":
        return max(0, now_ms - run.started_at) if run.status == "running" else run.duration_ms
    if sort == "objective":
        from buddy_core.runs.catalog.rows import title

        return title(run)
    values: dict[SortKey, float | None] = {
        "status": STATUS_ORDER.index(run.status),
        "tokens": run.total_tokens,
        "cost": run.total_cost,
        "calls": run.tool_calls,
        "failed": run.errors + run.tool_failures,
    }
    return values.get(sort)


def _by_value(lines: list[KnownRun], descending: bool) -> list[KnownRun]:
    known = [line for line in lines if line.value is not None]
    known.sort(key=lambda line: line.value, reverse=descending)  # type: ignore[arg-type, return-value]
    return known + [line for line in lines if line.value is None]
