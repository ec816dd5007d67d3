"""The JSON the command line prints: the library's frozen types under their own names, unknown as null.

Everything is ASCII with escapes, so no control character of an observed text can leave this way either.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from buddy_core.metrics.collector import MetricsCollector
from buddy_core.metrics.model import ErrorGroup, ProviderMetrics, Window, WindowView
from buddy_core.observe import Observer, SourceStatus
from buddy_core.runs.joined import JoinedEvent
from buddy_core.runs.json_values import to_json_value
from buddy_core.runs.model import RunEvent, RunFacts, RunMetrics

SCHEMA_VERSION = 1
"""Grows when a name changes its meaning or goes away; new names may come at any time."""

NEWEST_RUNS = 20
"""Runs in the document of `--once`."""

NEWEST_ERRORS = 100

Document = dict[str, Any]

_LISTS = ("providers", "tools", "errors")


def to_text(document: Document, *, compact: bool = False) -> str:
    """`document` as ASCII JSON: indented for one object, on one line (`compact`) for a stream of them."""
    clean, _ = to_json_value(document)
    return json.dumps(clean, indent=None if compact else 2, allow_nan=False)


def runs_document(runs: Sequence[RunFacts], *, now_ms: int) -> Document:
    """What `run list --json` prints."""
    return {**_heading(now_ms), "runs": [run_entry(facts) for facts in runs]}


def once_document(
    collector: MetricsCollector, observer: Observer, window: Window, *, now_ms: int
) -> Document:
    """What `--once --json` prints: the same numbers the screen shows for that window."""
    view = collector.view(window, now_ms=now_ms)
    since = view.since_ms or 0
    errors = [error for error in collector.get_recent_errors(NEWEST_ERRORS) if error.timestamp >= since]
    return {
        **_heading(now_ms),
        "window": window.value,
        "state": _fields(collector.get_dashboard_state()),
        "totals": _totals(view),
        "providers": [_provider(provider) for provider in view.providers],
        "tools": [_fields(tool) for tool in view.tools],
        "errors": [_fields(error) for error in errors],
        "error_groups": [_error_group(group) for group in view.errors],
        "runs": [run_entry(facts) for facts in observer.facts()[:NEWEST_RUNS]],
        "sources": _sources(observer.sources()),
    }


def show_document(
    facts: RunFacts, metrics: RunMetrics | None, events: Sequence[Document], *, now_ms: int
) -> Document:
    """What `run show --json` prints; `events` as `joined_entry` makes them."""
    return {
        **_heading(now_ms),
        "run": run_entry(facts),
        "metrics": None if metrics is None else _without(_fields(metrics), "extra"),
        "events": list(events),
    }


def event_entry(event: RunEvent) -> Document:
    """One event as it stands in its file, under the id of its directory."""
    return {"ts": event.ts, "type": event.type, "run_id": event.run_id, "data": dict(event.data)}


def joined_entry(joined: JoinedEvent) -> Document:
    """One event; a tool call carries `result`, which is null while there is none."""
    entry = event_entry(joined.event)
    if joined.event.type == "tool_call":
        entry["result"] = None if joined.result is None else event_entry(joined.result)
    return entry


def run_entry(facts: RunFacts) -> Document:
    """One run of a list."""
    return {
        "run_id": facts.run_id,
        "objective": facts.objective,
        "status": facts.status,
        "recorded_status": facts.recorded_status,
        "started_at": facts.started_at,
        "ended_at": facts.ended_at,
        "duration_ms": facts.duration_ms,
        "event_count": facts.event_count,
        "tool_calls": facts.tool_calls,
        "tool_failures": facts.tool_failures,
        "errors": facts.errors,
        "total_tokens": facts.total_tokens,
        "prompt_tokens": facts.prompt_tokens,
        "completion_tokens": facts.completion_tokens,
        "total_cost": facts.total_cost,
        "model": facts.model,
        "tags": facts.tags,
        "parent_run_id": facts.parent_run_id,
        "artifacts": facts.artifacts,
        "integrity": _fields(facts.integrity),
    }


def _heading(now_ms: int) -> Document:
    return {"schema_version": SCHEMA_VERSION, "generated_at": now_ms}


def _fields(value: Any) -> Document:  # noqa: ANN401 - any of the library's frozen dataclasses
    return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}


def _without(fields: Mapping[str, Any], *names: str) -> Document:
    return {name: value for name, value in fields.items() if name not in names}


def _totals(view: WindowView) -> Document:
    return _without(_fields(view), *_LISTS, "window")


def _provider(provider: ProviderMetrics) -> Document:
    fields = _fields(provider)
    if provider.tokens_logged:
        return fields
    return fields | {name: None for name in fields if name.endswith("_tokens")}


def _error_group(group: ErrorGroup) -> Document:
    return {**_without(_fields(group), "latest"), "message": group.latest.message}


def _sources(sources: SourceStatus) -> Document:
    return {
        name: str(value) if isinstance(value, Path) else value for name, value in _fields(sources).items()
    }
