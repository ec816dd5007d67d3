"""Everything an export tells of a run, read once and masked before anything is made of it.

The words of an event are made from its masked payload: cut to a line first, half a secret would have no
shape any more by which it could be found.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import msgspec

from buddy_core.clock import Clock, SystemClock
from buddy_core.runs.artifacts.files import ArtifactInfo, artifact_text, list_artifacts
from buddy_core.runs.facts import RunFacts
from buddy_core.runs.model import RunEvent, RunMetrics
from buddy_core.runs.names import ARTIFACTS_NAME
from buddy_core.runs.reading.reader import read_metrics
from buddy_core.runs.timeline.event_words import describe, tool_name
from buddy_core.runs.timeline.timeline import TimelineRow
from buddy_core.runs.viewing.joined import JoinedEvent, joined_events
from buddy_core.safety.paths import open_beneath, real_root
from buddy_core.safety.redact import redact, redact_value
from buddy_core.settings import Settings

if TYPE_CHECKING:
    from buddy_core.prices.table import PriceTable

ARTIFACT_BYTES = 64 * 1024
"""How much of one artifact a report shows."""

_ALL_ARTIFACT_BYTES = 1024 * 1024
_MARGIN = 4_096
"""Bytes that are read beyond what is shown, so that a secret across the end is found."""


class RunsPlace(Protocol):
    """Whatever knows where runs are kept, such as a `RunStore`."""

    @property
    def runs_dir(self) -> Path:
        """The directory that holds the run directories."""
        ...


class ExportedEvent(NamedTuple):
    """One line of a run, masked."""

    row: TimelineRow
    event: RunEvent
    result: RunEvent | None


class ExportedArtifact(NamedTuple):
    """One artifact, masked; `text` is None where it is not shown, and `note` says why or what is missing."""

    name: str
    size: int
    modified_at: int
    text: str | None
    note: str


class Report(NamedTuple):
    """One run, ready to be written down. Its texts are masked, and still hostile."""

    facts: RunFacts
    metrics: RunMetrics | None
    events: tuple[ExportedEvent, ...]
    artifacts: tuple[ExportedArtifact, ...]
    unmasked: bool
    generated_at: int
    span_ms: float
    """From the first event to the last end there is, at least one."""


def gather(
    wanted: str,
    *,
    store: RunsPlace | Path | None,
    unmasked: bool,
    clock: Clock | None = None,
    prices: PriceTable | None = None,
) -> Report:
    """Read one run; `prices` are for one that states no cost. Raises `RunNotFound` or `StoreUnavailable`."""
    from buddy_core.runs.viewing import viewer

    clock = clock or SystemClock()
    runs_dir = _place(store)
    facts = viewer.find_facts(viewer.load_facts(runs_dir, clock=clock, prices=prices), wanted, runs_dir)
    joined = joined_events(runs_dir, facts.run_id)
    events = tuple(ExportedEvent(*one) if unmasked else _masked_event(one) for one in joined)
    return Report(
        facts=facts if unmasked else _masked_facts(facts),
        metrics=read_metrics(runs_dir, facts.run_id),
        events=events,
        artifacts=_artifacts(real_root(runs_dir), facts.run_id, unmasked=unmasked),
        unmasked=unmasked,
        generated_at=clock.now_ms(),
        span_ms=max((end_of(event.row) for event in events), default=0.0) or 1.0,
    )


def begin_of(row: TimelineRow) -> float:
    """When what a row tells of began, in milliseconds since the run did; requests are recorded at their end."""
    if row.kind in ("metric", "tool_result") and row.duration_ms is not None:
        return max(0.0, row.since_start_ms - row.duration_ms)
    return float(row.since_start_ms)


def end_of(row: TimelineRow) -> float:
    """When it ended, as `begin_of`. The end of a step is a moment: its length belongs to its beginning."""
    lasted = 0.0 if row.kind == "step_end" else row.duration_ms or 0.0
    return begin_of(row) + lasted


def went_wrong(row: TimelineRow) -> bool:
    """True for what a reader wants to see first; that the run failed stands above everything anyway.

    A step that failed is told once, by its end.
    """
    return row.state in ("failed", "error", "refused") and row.kind not in ("run_end", "step_start")


def _place(store: RunsPlace | Path | None) -> Path:
    if store is None:
        return Settings.from_env().runs_dir
    return store if isinstance(store, Path) else store.runs_dir


def _masked_facts(facts: RunFacts) -> RunFacts:
    changed: dict[str, Any] = {
        field.name: redact_value(value) if isinstance(value, tuple) else redact(value)
        for field in dataclasses.fields(facts)
        if isinstance(value := getattr(facts, field.name), str)
        or (isinstance(value, tuple) and all(isinstance(item, str) for item in value))
    }
    notes = tuple(map(redact, facts.integrity.notes))
    integrity = dataclasses.replace(facts.integrity, notes=notes)
    return dataclasses.replace(facts, **changed, integrity=integrity)


def _masked_event(joined: JoinedEvent) -> ExportedEvent:
    event = _masked(joined.event)
    result = None if joined.result is None else _masked(joined.result)
    return ExportedEvent(_masked_row(joined.row, event, result), event, result)


def _masked(event: RunEvent) -> RunEvent:
    data = redact_value(dict(event.data))
    return dataclasses.replace(event, type=redact(event.type), data=data if isinstance(data, dict) else {})


def _masked_row(row: TimelineRow, event: RunEvent, result: RunEvent | None) -> TimelineRow:
    """The row as it would have been made of the masked events."""
    named = row.kind in ("tool_call", "tool_result")
    own = describe(row.kind, event.data)
    answer = describe(result.type, result.data) if result is not None else None
    detail = answer.detail if answer is not None and answer.detail else own.detail
    error = answer.error if answer is not None else own.error or (row.error and redact(row.error))
    return msgspec.structs.replace(
        row,
        title=tool_name(event.data) if named else redact(row.title),
        detail=detail,
        error=error,
        step_id=None if row.step_id is None else redact(row.step_id),
    )


def _artifacts(root: Path, run_id: str, *, unmasked: bool) -> tuple[ExportedArtifact, ...]:
    left = _ALL_ARTIFACT_BYTES
    found: list[ExportedArtifact] = []
    for info in list_artifacts(root / run_id):
        artifact = _artifact(root, run_id, info, min(left, ARTIFACT_BYTES), unmasked=unmasked)
        left -= len(artifact.text or "")
        found.append(artifact)
    return tuple(found)


def _artifact(root: Path, run_id: str, info: ArtifactInfo, limit: int, *, unmasked: bool) -> ExportedArtifact:
    name = info.name if unmasked else redact(info.name)
    made = ExportedArtifact(name, info.size, info.modified_at, None, "")
    if limit <= 0:
        return made._replace(note="not shown: the artifacts before it fill the report")
    try:
        fd = open_beneath(root, run_id, ARTIFACTS_NAME, info.name)
    except (OSError, ValueError):
        return made._replace(note="could not be read")
    with os.fdopen(fd, "rb", buffering=0) as file:
        found = artifact_text(file.read(limit + _MARGIN) or b"", info.size)
    if found.binary:
        return made._replace(note="not text, and not shown")
    text = found.text if unmasked else redact(found.text)
    cut = text[:limit] if len(text) > limit or found.truncated else text
    return made._replace(text=cut, note="the beginning" if len(cut) < len(text) or found.truncated else "")


def as_json(data: Mapping[str, Any], *, limit: int) -> tuple[str, int]:
    """A payload as indented JSON of at most `limit` characters, and how many were left out."""
    import json

    from buddy_core.runs.records.json_values import to_json_value

    clean, _ = to_json_value(data)
    text = json.dumps(clean, indent=2, ensure_ascii=False, allow_nan=False)
    return text[:limit], max(0, len(text) - limit)
