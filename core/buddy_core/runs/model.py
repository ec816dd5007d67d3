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

EMPTY: Mapping[str, Any] = {}


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


@dataclass(frozen=True, slots=True)
class RunRecord:
    """Everything the files of one run say in total, without its events."""

    summary: RunSummary
    metrics: RunMetrics | None
    artifacts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Integrity:
    """What of a run's event file could not be shown as it stands, counted so that nothing is silent."""

    skipped_lines: int = 0
    """Lines from which no record could be had."""
    recovered_lines: int = 0
    """Records dug out of damaged lines."""
    pending_bytes: int = 0
    """Bytes of a last line that has no newline yet."""
    notes: tuple[str, ...] = ()
    """One short sentence for each kind of damage, for a person to read."""

    @property
    def intact(self) -> bool:
        """True when there is nothing to report."""
        return not (self.skipped_lines or self.recovered_lines or self.pending_bytes or self.notes)


@dataclass(frozen=True, slots=True)
class RunningTool:
    """A tool call that has no result yet."""

    name: str
    argument: str
    """The argument that says most about the call (a command, a path, a pattern); may be empty."""
    since: int
    """Wall time of the call in milliseconds since the epoch."""


@dataclass(frozen=True, slots=True)
class Inherited:
    """What of a run's numbers comes from records that name another run: a fork may begin with its parent's."""

    run_id: str
    """The run that the records name."""
    tool_calls: int
    tool_failures: int
    errors: int
    total_tokens: int = 0
    """0 too where the run states its own total, which is not made of its records."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_cost: float = 0.0
    estimated_cost: float | None = None


@dataclass(frozen=True, slots=True)
class RunFacts:
    """One run as the lists show it: the files' words, joined, checked and with unknown kept unknown."""

    run_id: str
    objective: str
    status: Status
    recorded_status: str | None
    """The writer's own word, or None where no file has one."""
    started_at: int
    ended_at: int | None
    last_event_at: int | None
    duration_ms: int | None
    """From start to end, or to the last event of a run without an end."""
    event_count: int
    """Intact records counted in the file, not the number a summary claims."""
    tool_calls: int
    tool_failures: int
    """Tool results that said success: false."""
    errors: int
    """Events of type `error`."""
    total_tokens: int | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_cost: float | None = None
    estimated_cost: float | None = None
    """Part of `total_cost` that was priced from tokens; None: nothing was."""
    model: str | None = None
    tags: tuple[str, ...] = ()
    parent_run_id: str | None = None
    fork_reason: str | None = None
    cwd: str | None = None
    channel: str | None = None
    session_id: str | None = None
    artifacts: tuple[str, ...] = ()
    integrity: Integrity = field(default_factory=Integrity)
    failovers: int = 0
    running_tools: tuple[RunningTool, ...] = ()
    """Calls without a result, oldest first; meaningful for live runs."""
    step: str | None = None
    """The innermost step that has started and not ended."""
    polling: bool = False
    """True when this run is followed by polling because notifications were not to be had."""
    requests: int = 0
    """Model requests in its own events."""
    costs_stated: int = 0
    """How many of them state a cost."""
    costs_estimated: int = 0
    """How many do not, and were priced from their tokens."""
    inherited: tuple[Inherited, ...] = ()
    """Of a fork: what in these numbers was copied from other runs, by run."""
    problem: str | None = None
    """Why its events cannot be read at present, so that these numbers are of what was read before: `stalled 5 s` for
    a file that has not answered for so long, else what the system says. It is tried again."""

    @property
    def live(self) -> bool:
        """True while the writer is believed to be at work or stuck."""
        return self.status in ("running", "stalled")

    @property
    def other_tokens(self) -> int | None:
        """Tokens that are neither prompt nor completion: read from a cache, written to it, or told only in the
        total. None when nobody knows how many those are."""
        if self.total_tokens is None or self.prompt_tokens is None or self.completion_tokens is None:
            return None
        return max(0, self.total_tokens - self.prompt_tokens - self.completion_tokens)
