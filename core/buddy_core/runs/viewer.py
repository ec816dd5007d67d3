"""Runs as plain text, for pipes, logs and people without a full screen.

Every line is made printable before it leaves; `out` may be a file, or a function that takes one line.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

from buddy_core import format as fmt
from buddy_core.clock import Clock, SystemClock
from buddy_core.metrics.collector import MetricsCollector
from buddy_core.observe import Observer
from buddy_core.runs.event_words import describe, tool_name
from buddy_core.runs.following import RunFollower
from buddy_core.runs.lookup import check_runs_dir, choose_run, find_run
from buddy_core.runs.model import RunEvent, RunFacts
from buddy_core.runs.timeline import Timeline, TimelineRow, load_timeline
from buddy_core.safety.columns import Column, lay_out
from buddy_core.safety.output import LineWriter, Writable, line_writer
from buddy_core.safety.text import plain
from buddy_core.settings import Settings
from buddy_core.signs import STATE_SIGNS

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
    Column("errors", right=True, priority=5),
    Column("objective", limit=120, grows=True),
)

_EVENT_COLUMNS = (
    Column("at", right=True),
    Column(""),
    Column("event", limit=36),
    Column("took", right=True),
    Column("said", limit=10_000, grows=True),
)

_INDENT = 2


class RunsPlace(Protocol):
    """Whatever knows where runs are kept, such as a `RunStore`."""

    @property
    def runs_dir(self) -> Path:
        """The directory that holds the run directories."""
        ...


def list_runs(
    limit: int = 20, *, store: RunsPlace | Path | None = None, out: Writable | LineWriter | None = None
) -> None:
    """Write a table of the newest `limit` runs (0: of all). Raises `StoreUnavailable`."""
    runs_dir, clock = place_of(store), SystemClock()
    found = load_facts(runs_dir, clock=clock)
    shown = found[:limit] if limit > 0 else found
    write = line_writer(out)
    for line in runs_table(shown, now_ms=clock.now_ms()) or [f"no runs in {runs_dir} yet"]:
        write(line)


def show_run(
    run_id: str, *, store: RunsPlace | Path | None = None, out: Writable | LineWriter | None = None
) -> None:
    """Write what is known of one run, then its events, calls joined with their results.

    `run_id` may be the beginning of an id, or `last`. Raises `RunNotFound` or `StoreUnavailable`.
    """
    runs_dir, clock = place_of(store), SystemClock()
    facts = find_facts(load_facts(runs_dir, clock=clock), run_id, runs_dir)
    timeline = load_timeline(runs_dir / facts.run_id)
    write = line_writer(out)
    for line in (*_head(facts, clock.now_ms()), "", *_events(timeline)):
        write(line)


async def tail_run(
    run_id: str, *, store: RunsPlace | Path | None = None, out: Writable | LineWriter | None = None
) -> None:
    """Write each event of a run as it comes, from the first on, until the run ends.

    `run_id` may be the beginning of an id, or `last`. Raises `RunNotFound` or `StoreUnavailable`.
    """
    runs_dir = place_of(store)
    found = find_run(runs_dir, run_id)
    write = line_writer(out)
    follower = RunFollower(runs_dir, found)
    first_at: int | None = None
    async for event in follower.events():
        first_at = event.ts if first_at is None else first_at
        write(_event_line(event, first_at))
    write(_last_words(follower))


def load_facts(runs_dir: Path, *, clock: Clock | None = None) -> tuple[RunFacts, ...]:
    """Every run in `runs_dir` as the lists show it, newest first; raises `StoreUnavailable`."""
    check_runs_dir(runs_dir)
    observer = Observer(runs_dir, MetricsCollector(), clock=clock or SystemClock())
    try:
        observer.load()
        return observer.facts()
    finally:
        observer.close()


def find_facts(found: Sequence[RunFacts], wanted: str, runs_dir: Path) -> RunFacts:
    """The run that `wanted` means, as `lookup.find_run`; raises `RunNotFound`."""
    by_id = {facts.run_id: facts for facts in found}
    return by_id[choose_run(list(by_id), wanted, place=str(runs_dir))]


def runs_table(runs: Sequence[RunFacts], *, now_ms: int, width: int | None = None) -> list[str]:
    """Heading and one line a run; no lines without runs."""
    if not runs:
        return []
    return [*lay_out(_LIST_COLUMNS, [_cells(facts, now_ms) for facts in runs], width=width)]


def _cells(facts: RunFacts, now_ms: int) -> tuple[str, ...]:
    return (
        STATE_SIGNS[facts.status],
        facts.status,
        facts.run_id,
        fmt.date_time(facts.started_at or None, now_ms),
        fmt.duration(facts.duration_ms),
        fmt.tokens(facts.total_tokens),
        fmt.cost(facts.total_cost),
        fmt.count(facts.tool_calls),
        fmt.count(facts.tool_failures),
        fmt.count(facts.errors),
        plain(facts.objective, limit=200),
    )


def _head(facts: RunFacts, now_ms: int) -> Iterator[str]:
    yield f"{STATE_SIGNS[facts.status]} {facts.status}  {plain(facts.objective, limit=500)}"
    for label, text in _particulars(facts, now_ms):
        yield f"{label:<10}{text}"


def _particulars(facts: RunFacts, now_ms: int) -> Iterator[tuple[str, str]]:
    yield "run", facts.run_id
    if facts.recorded_status not in (None, facts.status):
        yield "recorded", plain(facts.recorded_status, limit=60)
    yield (
        "started",
        f"{fmt.date_time(facts.started_at or None, now_ms)}  took {fmt.duration(facts.duration_ms)}",
    )
    yield "tokens", _tokens(facts)
    yield "cost", fmt.cost(facts.total_cost)
    yield "events", f"{facts.event_count:,}"
    yield "tools", f"{fmt.plural(facts.tool_calls, 'call')}, {facts.tool_failures:,} failed"
    yield "errors", f"{facts.errors:,}"
    optional = (
        ("model", facts.model),
        ("tags", ", ".join(facts.tags)),
        ("directory", facts.cwd),
        ("parent", facts.parent_run_id),
        ("fork", facts.fork_reason),
        ("artifacts", ", ".join(facts.artifacts)),
    )
    yield from ((label, plain(text, limit=500)) for label, text in optional if text)
    yield from (("damage", plain(note, limit=500)) for note in facts.integrity.notes)


def _tokens(facts: RunFacts) -> str:
    if facts.total_tokens is None:
        return fmt.UNKNOWN
    parts = f"prompt {fmt.tokens_full(facts.prompt_tokens)}, completion {fmt.tokens_full(facts.completion_tokens)}"
    return f"{fmt.tokens_full(facts.total_tokens)} ({parts})"


def _events(timeline: Timeline) -> Iterator[str]:
    if timeline.hidden:
        yield f"… {timeline.hidden:,} earlier events are not shown"
    yield from lay_out(_EVENT_COLUMNS, [_row_cells(row) for row in timeline.rows], heading=False)


def _row_cells(row: TimelineRow) -> tuple[str, ...]:
    indent = " " * (_INDENT * min(row.depth, 8))
    return (
        fmt.relative(row.since_start_ms),
        STATE_SIGNS[row.state],
        indent + plain(row.title, limit=40),
        "" if row.duration_ms is None else fmt.duration(row.duration_ms),
        _said(row.detail, row.error),
    )


def _event_line(event: RunEvent, first_at: int) -> str:
    words = describe(event.type, event.data)
    named = event.type in ("tool_call", "tool_result")
    name = plain(tool_name(event.data) if named else event.type.replace("_", " "), limit=40)
    took = "" if words.duration_ms is None else fmt.duration(words.duration_ms)
    at = fmt.relative(max(0, event.ts - first_at))
    return f"{at:>8}  {STATE_SIGNS[words.state]}  {name:<20}  {took:>7}  {_said(words.detail, words.error)}".rstrip()


def _said(detail: str, error: str | None) -> str:
    return " — ".join(plain(text, limit=300) for text in (detail, error) if text)


def _last_words(follower: RunFollower) -> str:
    damage = (
        f"; {fmt.plural(follower.skipped_lines, 'damaged line')} skipped" if follower.skipped_lines else ""
    )
    if follower.gone:
        return f"· the run was removed while it was read{damage}"
    if follower.status == "interrupted":
        return (
            f"{STATE_SIGNS['interrupted']} interrupted: its writer is gone, and no end was recorded{damage}"
        )
    return f"{STATE_SIGNS[follower.status]} {follower.status}{damage}"


def place_of(store: RunsPlace | Path | None) -> Path:
    """The runs directory that a `store` argument means; None is the one the environment names."""
    if store is None:
        return Settings.from_env().runs_dir
    return store if isinstance(store, Path) else store.runs_dir
