"""An ended run as its two small files tell it: all that the catalog has of it until its events are read."""

from __future__ import annotations

import msgspec

from buddy_core.runs.folding.facts import RunFiles, build_facts, tagged_model
from buddy_core.runs.folding.fold import RunFold
from buddy_core.runs.model import EndStatus, RunMetadata, RunMetrics, RunSummary
from buddy_core.runs.query.candidate import Candidate


class Early(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Without secrets, and nothing in it is odd: the end does not lie before the start, and both are believable."""

    run_id: str
    objective: str
    status: EndStatus
    started_at: int
    ended_at: int | None
    channel: str | None
    session_id: str | None
    cwd: str | None
    tags: tuple[str, ...]
    parent_run_id: str | None
    fork_reason: str | None
    total_tokens: int
    prompt_tokens: int
    completion_tokens: int
    total_cost: float
    duration_ms: int
    failover_count: int

    @property
    def model(self) -> str | None:
        """The model that its tags name."""
        return tagged_model(self.tags)

    @property
    def took(self) -> int | None:
        """Milliseconds from start to end, or those that were measured."""
        if self.ended_at is None:
            return self.duration_ms or None
        return self.ended_at - self.started_at

    @property
    def tokens(self) -> int | None:
        """All of them; None where only requests can tell."""
        return self.total_tokens or self.prompt_tokens + self.completion_tokens or None

    def candidate(self) -> Candidate:
        """The run as it is listed and filtered."""
        metadata = RunMetadata(
            channel=self.channel,
            session_id=self.session_id,
            cwd=self.cwd,
            tags=self.tags,
            parent_rollout_id=self.parent_run_id,
            fork_reason=self.fork_reason,
        )
        summary = RunSummary(
            self.run_id, self.objective, self.status, self.started_at, self.ended_at, metadata=metadata
        )
        metrics = RunMetrics(
            self.total_tokens,
            self.prompt_tokens,
            self.completion_tokens,
            self.total_cost,
            self.duration_ms,
            failover_count=self.failover_count,
        )
        files = RunFiles(RunFold(self.run_id), summary, metrics)
        return Candidate(build_facts(files, status=self.status, turn_model=None, polling=False))


def id_of(run: Early | Candidate) -> str:
    """Of a run that was read either way."""
    return run.run_id if isinstance(run, Early) else run.facts.run_id
