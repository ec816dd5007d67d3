"""Runs as plain text, for pipes, logs and people without a full screen.

Every line is made printable before it leaves; `out` may be a file, or a function that takes one line.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from buddy_core import format as fmt
from buddy_core.clock import Clock, SystemClock
from buddy_core.metrics.collector import MetricsCollector
from buddy_core.observing.observer import Observer
from buddy_core.runs.artifacts.files import list_artifacts
from buddy_core.runs.facts import RunFacts
from buddy_core.runs.lookup import check_runs_dir, choose_run, run_ids
from buddy_core.runs.timeline.timeline import load_timeline
from buddy_core.runs.viewing.show import run_lines
from buddy_core.runs.viewing.telling import Teller
from buddy_core.runs.watching.following import RunFollower
from buddy_core.safety.columns import Column, lay_out
from buddy_core.safety.output import LineWriter, Writable, line_writer
from buddy_core.safety.shown import shown
from buddy_core.settings import NOWHERE, Settings
from buddy_core.signs import STATE_SIGNS

if TYPE_CHECKING:
    from buddy_core.prices.table import PriceTable

_LIST_COLUMNS = (
    Column(""),
    Column("status", priority=2),
    Column("run"),
    Column("started", right=True),
    Column("took", right=True),
    Column("tokens", right=True, priority=1),
    Column("cost", right=True),
    Column("tools", right=True, priority=3),
    Column("failed", right=True, priority=4),
    Column("error events", right=True, priority=5),
    Column("objective", limit=120, grows=True),
)

_MARK = 3
"""Where the marks stand: behind the id."""

_FORK = "↳ "
"""Stands before the objective of a run that was forked from another one."""


class RunsPlace(Protocol):
    """Whatever knows where runs are kept, such as a `RunStore`."""

    @property
    def runs_dir(self) -> Path:
        """The directory that holds the run directories."""
        ...


def list_runs(
    limit: int = 20,
    *,
    store: RunsPlace | Path | None = None,
    out: Writable | LineWriter | None = None,
    width: int | None = None,
) -> None:
    """Write a table of the newest `limit` runs (0: of all), in `width` cells a line. Raises `StoreUnavailable`."""
    runs_dir, clock = place_of(store), SystemClock()
    found = () if _not_made_yet(store) else load_facts(runs_dir, clock=clock)
    shown = found[:limit] if limit > 0 else found
    write = line_writer(out)
    for line in runs_table(shown, now_ms=clock.now_ms(), width=width) or [f"no runs in {runs_dir} yet"]:
        write(line)


def show_run(
    run_id: str,
    *,
    store: RunsPlace | Path | None = None,
    out: Writable | LineWriter | None = None,
    width: int | None = None,
    prices: PriceTable | None = None,
) -> None:
    """Write what is known of one run, what went wrong, then its events, calls joined with their results.

    `run_id` may be the beginning of an id, or `last`; `width` keeps lines within a terminal; `prices` are for a
    run that states no cost.
    Raises `RunNotFound` or `StoreUnavailable`.
    """
    runs_dir, clock = place_of(store), SystemClock()
    found = () if _not_made_yet(store) else load_facts(runs_dir, clock=clock, prices=prices)
    facts = find_facts(found, run_id, runs_dir)
    run_dir = runs_dir / facts.run_id
    forks = [other.run_id for other in found if other.parent_run_id == facts.run_id]
    timeline, artifacts = load_timeline(run_dir), list_artifacts(run_dir)
    write = line_writer(out)
    for line in run_lines(facts, timeline, artifacts, now_ms=clock.now_ms(), forks=forks, width=width):
        write(line)


async def tail_run(
    run_id: str,
    *,
    store: RunsPlace | Path | None = None,
    out: Writable | LineWriter | None = None,
    width: int | None = None,
    clock: Clock | None = None,
) -> None:
    """Write each event of a run as it comes, from the first on, until the run ends; say so when it falls silent.

    `run_id` may be the beginning of an id, or `last`; `width` keeps lines within a terminal.
    Raises `RunNotFound` or `StoreUnavailable`.
    """
    runs_dir, found = run_of(store, run_id)
    write, teller = line_writer(out), Teller(width=width)
    follower = RunFollower(runs_dir, found, clock=clock, on_note=lambda note: write(teller.note(note)))
    write(found)
    async for event in follower.events():
        for line in teller.lines(event):
            write(line)
    write(teller.last_words(follower))


def load_facts(
    runs_dir: Path, *, clock: Clock | None = None, prices: PriceTable | None = None
) -> tuple[RunFacts, ...]:
    """Every run in `runs_dir` as the lists show it, newest first; raises `StoreUnavailable`.

    With `prices`, runs that state no cost are priced from their tokens.
    """
    check_runs_dir(runs_dir)
    observer = Observer(runs_dir, MetricsCollector(prices=prices), clock=clock or SystemClock())
    try:
        observer.load()
        return observer.facts()
    finally:
        observer.close()


def find_facts(found: Sequence[RunFacts], wanted: str, runs_dir: Path) -> RunFacts:
    """The run that `wanted` means, as `lookup.find_run`; raises `RunNotFound`."""
    by_id = {facts.run_id: facts for facts in found}
    return by_id[choose_run(list(by_id), wanted, place=str(runs_dir))]


def runs_table(
    runs: Sequence[RunFacts],
    *,
    now_ms: int,
    width: int | None = None,
    marks: Mapping[str, str] | None = None,
) -> list[str]:
    """Heading and one line a run; no lines without runs. `marks` are words for some of them, by id."""
    if not runs:
        return []
    columns, rows = [*_LIST_COLUMNS], [[*_cells(facts, now_ms)] for facts in runs]
    if marks and any(facts.run_id in marks for facts in runs):
        columns.insert(_MARK, Column("", limit=12))
        for facts, row in zip(runs, rows, strict=True):
            row.insert(_MARK, marks.get(facts.run_id, ""))
    return [*lay_out(columns, rows, width=width)]


def _cells(facts: RunFacts, now_ms: int) -> tuple[str, ...]:
    return (
        STATE_SIGNS[facts.status],
        facts.status,
        facts.run_id,
        fmt.date_time(facts.started_at or None, now_ms),
        fmt.duration(facts.duration_ms),
        fmt.tokens(facts.total_tokens),
        fmt.cost_of(facts),
        fmt.count(facts.tool_calls),
        fmt.count(facts.tool_failures),
        fmt.count(facts.errors),
        _fork_sign(facts) + _trouble(facts) + shown(facts.objective, limit=200),
    )


def _fork_sign(facts: RunFacts) -> str:
    return _FORK if facts.parent_run_id else ""


def _trouble(facts: RunFacts) -> str:
    """Why a run cannot be read at present, as it stands before its objective."""
    return f"! {shown(facts.problem, limit=60)} · " if facts.problem is not None else ""


def place_of(store: RunsPlace | Path | None) -> Path:
    """The runs directory that a `store` argument means; None is the one the environment names."""
    if store is None:
        return Settings.from_env().runs_dir
    return store if isinstance(store, Path) else store.runs_dir


def run_of(store: RunsPlace | Path | None, wanted: str) -> tuple[Path, str]:
    """The runs directory that `store` means, and the id of the run in it; raises as `lookup.find_run`."""
    runs_dir = place_of(store)
    ids = [] if _not_made_yet(store) else run_ids(runs_dir)
    return runs_dir, choose_run(ids, wanted, place=str(runs_dir))


def _not_made_yet(store: RunsPlace | Path | None) -> bool:
    """True where nothing was recorded so far: stores make their directory at the first start of a run.

    A path that leads nowhere is a mistake, and so is a user without a home.
    """
    runs_dir = place_of(store)
    return not isinstance(store, Path) and runs_dir != NOWHERE and not os.path.lexists(runs_dir)
