"""A catalog of very many runs without their files: what a list is tested with."""

from __future__ import annotations

import contextlib
from pathlib import Path

from buddy_core.caches.db import open_writer
from buddy_core.runs.catalog.filling.writing import RowWriter
from buddy_core.runs.catalog.layout import LAYOUT, catalog_path
from buddy_core.runs.facts import RunFacts
from buddy_core.runs.names import run_id_at
from buddy_core.runs.query.candidate import Candidate

START = 1_767_300_000_000
MINUTE = 60_000


def run_id_of(number: int) -> str:
    """The id of the run that began as many minutes after `START`."""
    return run_id_at(START + number * MINUTE, f"{number % 2**24:06x}")


def facts_of(number: int) -> RunFacts:
    """Every third run failed, every seventh is a fork of the one two before it."""
    at = START + number * MINUTE
    failed = number % 3 == 0
    return RunFacts(
        run_id=run_id_of(number), objective=f"Task {number:,} of the day", status="failed" if failed else "completed",
        recorded_status="failed" if failed else "completed", started_at=at, ended_at=at + 1_000 + number,
        last_event_at=at + 1_000, duration_ms=1_000 + number, event_count=number % 50, tool_calls=number % 20,
        tool_failures=int(failed), errors=0, total_tokens=number * 10, total_cost=number / 1_000,
        parent_run_id=run_id_of(number - 2) if number and number % 7 == 0 else None,
    )  # fmt: skip


def write_catalog(runs_dir: Path, state_dir: Path, runs: int, *, whole: bool = True) -> None:
    """A catalog of so many runs; without `whole` as it is while only summaries have been read."""
    path = catalog_path(state_dir, runs_dir)
    with contextlib.closing(open_writer(path, LAYOUT)) as cache:
        writer = RowWriter(cache.connection)
        with cache.transaction():
            for number in range(runs):
                tool = ("bash", "view_file")[number % 2]
                writer.put(Candidate(facts_of(number), (tool,)), signature=1, whole=whole)
            writer.tidy()
            writer.note()
