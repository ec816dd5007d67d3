"""A run as JSON: the document of `run show --json`, with its artifacts, and whether it is masked."""

from __future__ import annotations

import json
from typing import Any

from buddy_core.runs.export.gather import ExportedArtifact, Report
from buddy_core.runs.folding.facts import logged_totals
from buddy_core.runs.records.json_values import to_json_value
from buddy_core.runs.viewing.entries import SCHEMA_VERSION, call_entry, run_entry


def to_json(report: Report) -> str:
    """ASCII JSON, so that no control character of an observed text is in it as itself."""
    metrics = report.metrics
    document = {
        "schema_version": SCHEMA_VERSION,
        "generated_at": report.generated_at,
        "masked": not report.unmasked,
        "run": run_entry(report.facts),
        "metrics": None if metrics is None else logged_totals(metrics, tool_calls=report.facts.tool_calls),
        "events": [call_entry(one.event, one.result) for one in report.events],
        "artifacts": [_artifact(artifact) for artifact in report.artifacts],
    }
    clean, _ = to_json_value(document)
    return json.dumps(clean, indent=2, allow_nan=False) + "\n"


def _artifact(artifact: ExportedArtifact) -> dict[str, Any]:
    return {
        "name": artifact.name,
        "size": artifact.size,
        "modified_at": artifact.modified_at,
        "text": artifact.text,
        "note": artifact.note or None,
    }
