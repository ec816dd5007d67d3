"""Runs and events as entries of a JSON document: one form for the command line and for exports.

The names are those of the frozen types; unknown is None.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import msgspec

from buddy_core.runs.facts import RunFacts
from buddy_core.runs.model import RunEvent

SCHEMA_VERSION = 1
"""Grows when a name changes its meaning or goes away; new names may come at any time."""

Entry = dict[str, Any]

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


def run_entry(facts: RunFacts) -> Entry:
    """One run of a list."""
    told = {name: getattr(facts, name) for name in _RUN_FIELDS}
    also = {"estimated_cost": facts.estimated_cost, "problem": facts.problem}
    return {**told, "integrity": fields_of(facts.integrity), **also}


def event_entry(event: RunEvent) -> Entry:
    """One event as it stands in its file, under the id of its directory."""
    return {"ts": event.ts, "type": event.type, "run_id": event.run_id, "data": dict(event.data)}


def call_entry(event: RunEvent, result: RunEvent | None) -> Entry:
    """One event; a tool call carries `result`, which is None while there is none."""
    entry = event_entry(event)
    if event.type == "tool_call":
        entry["result"] = None if result is None else event_entry(result)
    return entry


def fields_of(value: Any) -> Entry:  # noqa: ANN401 - any frozen value of the library
    """A frozen value of the library, under its own names."""
    if isinstance(value, msgspec.Struct):
        return msgspec.structs.asdict(value)
    return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
