"""A whole run from the disk, for code that asks once; the monitor follows runs with `tail` instead."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from buddy_core.runs.artifacts.files import list_artifacts
from buddy_core.runs.model import RunEvent, RunMetrics, RunSummary
from buddy_core.runs.names import EVENTS_NAME, is_run_id
from buddy_core.runs.reading.jsonl import JsonlReader, payload
from buddy_core.runs.reading.reader import read_metrics, read_summary
from buddy_core.safety.paths import open_beneath

_CHUNK = 256 * 1024


@dataclass(frozen=True, slots=True)
class RunRecord:
    """Everything the files of one run say in total, without its events."""

    summary: RunSummary
    metrics: RunMetrics | None
    artifacts: tuple[str, ...] = ()


def read_run(runs_dir: Path, run_id: str) -> RunRecord | None:
    """Everything but the events; None when there is no such run directory, and a link to one is none."""
    if not is_run_id(run_id) or not _is_directory(runs_dir / run_id):
        return None
    names = tuple(info.name for info in list_artifacts(runs_dir / run_id))
    return RunRecord(read_summary(runs_dir, run_id), read_metrics(runs_dir, run_id), names)


def _is_directory(path: Path) -> bool:
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except OSError:
        return False


def read_events(runs_dir: Path, run_id: str) -> list[RunEvent]:
    """Every event that can be had, damaged lines salvaged or left out, in the order of the file."""
    try:
        fd = open_beneath(runs_dir, run_id, EVENTS_NAME)
    except OSError:
        return []
    reader = JsonlReader()
    with os.fdopen(fd, "rb", buffering=0) as file:
        return [
            RunEvent(event.ts, event.type, run_id, payload(event.data))
            for chunk in iter(partial(file.read, _CHUNK), b"")
            for event in reader.feed(chunk).events
        ]
