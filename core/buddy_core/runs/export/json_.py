"""A run as JSON: the document of `run show --json`, with its artifacts, and whether it is masked."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from buddy_core.runs.export.gather import ExportedArtifact, ExportedEvent, Report
from buddy_core.runs.folding.facts import logged_totals
from buddy_core.runs.model import RunEvent, RunFacts
from buddy_core.runs.reading.json_values import to_json_value

SCHEMA_VERSION = 1
"""The same as that of the command line's documents."""

_RUN_FIELDS = (
    "run_id",
    "objective",
    "status",
    "recorded_status",
    "started_at",
    "ended_at",
    "duration_ms",
    "event_count",
    "tool_calls",
    "tool_failures",
    "errors",
    "total_tokens",
    "prompt_tokens",
    "completion_tokens",
    "total_cost",
    "model",
    "tags",
    "parent_run_id",
    "artifacts",
)


def to_json(report: Report) -> str:
    """ASCII JSON, so that no control character of an observed text is in it as itself."""
    metrics = report.metrics
    document = {
        "schema_version": SCHEMA_VERSION,
        "generated_at": report.generated_at,
        "masked": not report.unmasked,
        "run": _run(report.facts),
        "metrics": None if metrics is None else logged_totals(metrics, tool_calls=report.facts.tool_calls),
        "events": [_joined(event) for event in report.events],
        "artifacts": [_artifact(artifact) for artifact in report.artifacts],
    }
    clean, _ = to_json_value(document)
    return json.dumps(clean, indent=2, allow_nan=False) + "\n"


def _run(facts: RunFacts) -> dict[str, Any]:
    told = {name: getattr(facts, name) for name in _RUN_FIELDS}
    return {**told, "integrity": _fields(facts.integrity)}


def _joined(exported: ExportedEvent) -> dict[str, Any]:
    entry = _event(exported.event)
    if exported.event.type == "tool_call":
        entry["result"] = None if exported.result is None else _event(exported.result)
    return entry


def _event(event: RunEvent) -> dict[str, Any]:
    return {"ts": event.ts, "type": event.type, "run_id": event.run_id, "data": dict(event.data)}


def _artifact(artifact: ExportedArtifact) -> dict[str, Any]:
    return {
        "name": artifact.name,
        "size": artifact.size,
        "modified_at": artifact.modified_at,
        "text": artifact.text,
        "note": artifact.note or None,
    }


def _fields(value: Any) -> dict[str, Any]:  # noqa: ANN401 - any of the library's frozen dataclasses
    return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
