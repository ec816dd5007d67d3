"""One run as the lists show it: what reading makes of its records. Who only writes runs needs none of it.

None always means "not known", never zero.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from buddy_core.runs.model import Status


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
