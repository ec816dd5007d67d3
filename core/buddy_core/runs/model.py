"""The records of one run, as other code sees them: frozen, typed, free of the wire's spelling.

On disk the names are camelCase and any field may be missing or of another type; `buddy_core.runs.records.smallfiles`
does that translation. None always means "not known", never zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

EndStatus = Literal["completed", "failed", "cancelled"]
"""The three words a writer may end a run with."""

Status = Literal["running", "completed", "failed", "cancelled", "stalled", "interrupted"]
"""What a reader concludes; `stalled` and `interrupted` are never written to disk."""


@dataclass(frozen=True, slots=True)
class RunEvent:
    """One line of `events.jsonl`."""

    ts: int
    """Wall time in milliseconds since the epoch; a line without a usable time carries its predecessor's."""
    type: str
    """`tool_call`, `tool_result`, `error`, …; unknown types are kept."""
    run_id: str
    """The id of the directory it was read from, whatever the line claims."""
    data: Mapping[str, Any] = field(default_factory=dict)
    """The payload as found."""


@dataclass(frozen=True, slots=True)
class RunMetadata:
    """Who started a run, where, and from which parent."""

    channel: str | None = None
    user_id: str | None = None
    session_id: str | None = None
    cwd: str | None = None
    tags: tuple[str, ...] = ()
    parent_rollout_id: str | None = None
    fork_reason: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Fields nobody knows, kept under their own names and written back."""


@dataclass(frozen=True, slots=True)
class RunMetrics:
    """Totals as `metrics.json` states them. Zeros beside tool calls mean "not logged" there."""

    total_tokens: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_cost: float = 0.0
    """US dollars."""
    duration_ms: int = 0
    tool_call_count: int = 0
    failover_count: int = 0
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunSummary:
    """`summary.json`, as its writer left it: `status` is the writer's word, not a reader's conclusion."""

    run_id: str
    objective: str
    status: str
    started_at: int
    ended_at: int | None = None
    event_count: int = 0
    artifact_count: int = 0
    metadata: RunMetadata = field(default_factory=RunMetadata)
    extra: Mapping[str, Any] = field(default_factory=dict)
