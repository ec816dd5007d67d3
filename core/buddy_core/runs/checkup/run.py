"""One run as a whole: does what its summary claims agree with what its files hold, and did it ever end?"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from buddy_core import format as fmt
from buddy_core.runs.artifacts.files import MAX_LISTED, list_artifacts
from buddy_core.runs.checkup.events import Census, clock_trouble, contradictions, damage, take_census
from buddy_core.runs.checkup.files import examine_files
from buddy_core.runs.checkup.finding import Finding
from buddy_core.runs.model import RunSummary, Status
from buddy_core.runs.names import EVENTS_NAME, started_at_of
from buddy_core.runs.reading.reader import read_small_file
from buddy_core.runs.records.smallfiles import parse_summary
from buddy_core.runs.watching.liveness import LockState, conclude_status, lock_state
from buddy_core.safety.paths import open_beneath
from buddy_core.safety.text import plain

_ENDED = ("completed", "failed", "cancelled")


def examine_run(root: Path, run_id: str, *, now_ms: int) -> list[Finding]:
    """All findings of one run; of a run that is removed meanwhile what could be seen of it."""
    try:
        return list(_examine(root, run_id, now_ms))
    except OSError as error:
        return [
            Finding(
                run_id,
                "problem",
                "unreadable",
                f"it cannot be read: {error.strerror}",
                "would try again later",
            )
        ]


def _examine(root: Path, run_id: str, now_ms: int) -> Iterator[Finding]:
    yield from examine_files(root, run_id)
    yield from _event_file(root, run_id)
    data = read_small_file(root, run_id, "summary.json")
    summary = parse_summary(data, run_id) if data is not None else None
    census, account = take_census(root, run_id, now_ms=now_ms)
    lock = lock_state(root / run_id)
    status = _conclude(summary, census, lock, run_id, now_ms)
    live = status in ("running", "stalled")
    yield from damage(run_id, account, live=live)
    yield from contradictions(run_id, census, live=live)
    yield from clock_trouble(run_id, census)
    yield from _unended(run_id, status, lock, now_ms - (census.last_at or started_at_of(run_id) or now_ms))
    if summary is not None:
        yield from _claims(root, run_id, summary, census, live=live)


def _event_file(root: Path, run_id: str) -> Iterator[Finding]:
    try:
        fd = open_beneath(root, run_id, EVENTS_NAME)
    except FileNotFoundError:
        yield Finding(
            run_id, "problem", "no_events", f"there is no {EVENTS_NAME}", "would show the summary alone"
        )
    except OSError as error:
        told = f"{EVENTS_NAME} cannot be read: {error.strerror}"
        yield Finding(run_id, "problem", "unreadable", told, "would show the summary alone")
    else:
        os.close(fd)


def _conclude(
    summary: RunSummary | None, census: Census, lock: LockState, run_id: str, now_ms: int
) -> Status:
    word = census.said_end if census.said_end in _ENDED else summary.status if summary is not None else None
    last = min(census.last_at or started_at_of(run_id) or 0, now_ms) or None
    return conclude_status(word, lock=lock, now_ms=now_ms, last_activity_ms=last)


def _unended(run_id: str, status: Status, lock: LockState, quiet_ms: int) -> Iterator[Finding]:
    quiet = fmt.duration(max(0, quiet_ms))
    if status == "interrupted":
        why = "nobody holds its lock" if lock == "free" else f"silent for {quiet}"
        told = f"it never ended, and its writer is gone ({why})"
        yield Finding(run_id, "warning", "stale", told, "would show it as interrupted")
    elif status == "stalled":
        told = f"it is still running, but has been silent for {quiet}"
        yield Finding(run_id, "warning", "stalled", told, "would show it as stalled")


def _claims(root: Path, run_id: str, summary: RunSummary, census: Census, *, live: bool) -> Iterator[Finding]:
    """Numbers of the summary; while a run lives its event count is behind on purpose."""
    if summary.status in _ENDED and not live and summary.event_count != census.events:
        told = (
            f"its summary counts {fmt.plural(summary.event_count, 'event')}, its file holds {census.events:,}"
        )
        yield Finding(run_id, "warning", "event_count", told, "would count what is there")
    there = len(list_artifacts(root / run_id))
    if min(summary.artifact_count, MAX_LISTED) != there and not live:
        told = f"its summary counts {fmt.plural(summary.artifact_count, 'artifact')}, its directory holds {there:,}"
        told += " or more" if there == MAX_LISTED else ""
        yield Finding(run_id, "warning", "artifact_count", told, "would count what is there")
    if census.said_end in _ENDED and census.said_end != summary.status:
        told = f"its events say {census.said_end}, its summary {plain(summary.status, limit=40)}"
        yield Finding(run_id, "warning", "status", told, "would believe the events")
    elif census.said_end is None and summary.status in _ENDED:
        told = f"its summary says {summary.status}, and no end was recorded"
        yield Finding(run_id, "note", "no_end", told, "would believe the summary")
