"""`summary.json` and `metrics.json`: camelCase on disk, typed records in Python, tolerant both ways.

Any field may be missing, misspelt or of another type. A field that can be understood is (a number written
as text is a number), one that cannot is left at its default, and one that nobody knows is kept in `extra`
and written back, so that a newer writer's files survive an older library.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from buddy_core.runs.model import RunMetadata, RunMetrics, RunSummary
from buddy_core.runs.names import started_at_of
from buddy_core.runs.records.json_values import count_of, decode_object, number_of, text_of, to_json_value

MAX_RECORD_BYTES = 1024 * 1024
"""Larger files are not believed to be what their names say."""

_SUMMARY_NAMES = frozenset(
    ("runId", "objective", "status", "startedAt", "endedAt", "eventCount", "artifactCount", "metadata")
)
_METADATA_NAMES = {
    "channel": "channel",
    "user_id": "userId",
    "session_id": "sessionId",
    "cwd": "cwd",
    "tags": "tags",
    "parent_rollout_id": "parentRolloutId",
    "fork_reason": "forkReason",
}
_METRIC_NAMES = {
    "total_tokens": "totalTokens",
    "prompt_tokens": "promptTokens",
    "completion_tokens": "completionTokens",
    "total_cost": "totalCost",
    "duration_ms": "durationMs",
    "tool_call_count": "toolCallCount",
    "failover_count": "failoverCount",
}
_HUMP = re.compile(r"_([a-z0-9])")


def parse_summary(data: bytes, run_id: str) -> RunSummary | None:
    """The summary in `data`; None when it is too large or no JSON object.

    `run_id` is the directory's name and wins over what the file says (promise C7). A missing start is
    taken from the id, a missing status reads as "running".
    """
    fields = _object(data)
    if fields is None:
        return None
    started_at = count_of(fields.get("startedAt"))
    return RunSummary(
        run_id=run_id,
        objective=text_of(fields.get("objective")) or "",
        status=text_of(fields.get("status")) or "running",
        started_at=started_at if started_at is not None else started_at_of(run_id) or 0,
        ended_at=count_of(fields.get("endedAt")),
        event_count=count_of(fields.get("eventCount")) or 0,
        artifact_count=count_of(fields.get("artifactCount")) or 0,
        metadata=metadata_from_wire(fields.get("metadata")),
        extra={name: value for name, value in fields.items() if name not in _SUMMARY_NAMES},
    )


def with_unknown_of(summary: RunSummary, on_disk: bytes) -> RunSummary:
    """`summary` with the fields that nobody here knows and another program put into the file meanwhile."""
    found = parse_summary(on_disk, summary.run_id)
    if found is None:
        return summary
    metadata = replace(summary.metadata, extra={**found.metadata.extra, **summary.metadata.extra})
    return replace(summary, metadata=metadata, extra={**found.extra, **summary.extra})


def metrics_with_unknown_of(metrics: RunMetrics, on_disk: bytes) -> RunMetrics:
    """`metrics` with the fields that nobody here knows and another program put into the file meanwhile."""
    found = parse_metrics(on_disk)
    return metrics if found is None else replace(metrics, extra={**found.extra, **metrics.extra})


def dump_summary(summary: RunSummary) -> bytes:
    """`summary` as the bytes of a `summary.json`, unknown fields included."""
    fields: dict[str, Any] = {
        **summary.extra,
        "runId": summary.run_id,
        "objective": summary.objective,
        "status": summary.status,
        "startedAt": summary.started_at,
        "eventCount": summary.event_count,
        "artifactCount": summary.artifact_count,
    }
    if metadata := metadata_to_wire(summary.metadata):
        fields["metadata"] = metadata
    if summary.ended_at is not None:
        fields["endedAt"] = summary.ended_at
    return _dump(fields)


def parse_metrics(data: bytes) -> RunMetrics | None:
    """The totals in `data`; None when it is too large or no JSON object. Negative numbers read as 0."""
    fields = _object(data)
    if fields is None:
        return None
    counts = {name: count_of(fields.get(wire)) or 0 for name, wire in _METRIC_NAMES.items()}
    known = set(_METRIC_NAMES.values())
    return RunMetrics(
        **(counts | {"total_cost": number_of(fields.get("totalCost")) or 0.0}),  # type: ignore[arg-type]
        extra={name: value for name, value in fields.items() if name not in known},
    )


def dump_metrics(metrics: RunMetrics) -> bytes:
    """`metrics` as the bytes of a `metrics.json`, unknown fields included."""
    known = {wire: getattr(metrics, name) for name, wire in _METRIC_NAMES.items()}
    return _dump({**metrics.extra, **known})


def metrics_of(given: RunMetrics | Mapping[str, Any]) -> RunMetrics:
    """What a caller passed as totals: a record, or a mapping with snake_case or camelCase names."""
    return given if isinstance(given, RunMetrics) else updated_metrics(RunMetrics(), given)


def updated_metrics(metrics: RunMetrics, changes: Mapping[str, Any]) -> RunMetrics:
    """`metrics` with `changes` set; names may be snake_case or the wire's, unknown ones go to `extra`.

    What is no number between 0 and 2**53 leaves its total as it was: what is known is not replaced by 0.
    """
    return _with_fields(metrics, {camel(name): value for name, value in changes.items()})


def increased_metrics(metrics: RunMetrics, amounts: Mapping[str, Any]) -> RunMetrics:
    """`metrics` with `amounts` added; what is no number between 0 and 2**53 adds nothing."""
    fields = json.loads(dump_metrics(metrics))
    for name, amount in amounts.items():
        fields[camel(name)] = (number_of(fields.get(camel(name))) or 0) + (number_of(amount) or 0)
    return _with_fields(metrics, fields)


def _with_fields(metrics: RunMetrics, fields: Mapping[str, Any]) -> RunMetrics:
    known = frozenset(_METRIC_NAMES.values())
    usable = {
        wire: value for wire, value in fields.items() if wire not in known or number_of(value) is not None
    }
    return parse_metrics(_dump(json.loads(dump_metrics(metrics)) | usable)) or metrics


def metadata_from_wire(value: object) -> RunMetadata:
    """Metadata from a JSON value; anything but an object is no metadata."""
    if not isinstance(value, Mapping):
        return RunMetadata()
    known = set(_METADATA_NAMES.values())
    texts = {name: text_of(value.get(wire)) for name, wire in _METADATA_NAMES.items() if name != "tags"}
    return RunMetadata(
        tags=_tags(value.get("tags")),
        extra={str(name): item for name, item in value.items() if name not in known},
        **texts,
    )


def metadata_to_wire(metadata: RunMetadata) -> dict[str, Any]:
    """Metadata under its camelCase names; what is not known is left out."""
    fields = dict(metadata.extra)
    for name, wire in _METADATA_NAMES.items():
        value = getattr(metadata, name)
        if value is not None and value != ():
            fields[wire] = list(value) if name == "tags" else value
    return fields


def metadata_of(given: RunMetadata | Mapping[str, Any] | None) -> RunMetadata:
    """What a caller passed as metadata: a record, or a mapping with snake_case or camelCase names."""
    if given is None or isinstance(given, RunMetadata):
        return given or RunMetadata()
    clean, _ = to_json_value({camel(str(name)): value for name, value in given.items()})
    return metadata_from_wire(clean)


def camel(name: str) -> str:
    """`total_tokens` as `totalTokens`; names without underscores stay as they are."""
    return _HUMP.sub(lambda match: match.group(1).upper(), name)


def _tags(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list | tuple):
        return ()
    return tuple(text for item in value[:100] if (text := text_of(item)) is not None)


def _object(data: bytes) -> dict[str, Any] | None:
    return decode_object(data) if len(data) <= MAX_RECORD_BYTES else None


def _dump(fields: Mapping[str, Any]) -> bytes:
    clean, _ = to_json_value(fields)
    return json.dumps(clean, indent=2, ensure_ascii=False, allow_nan=False).encode()
