"""The part of a run's usage that none of its own requests accounts for.

The original writer logs no requests, only totals; others log both. So of the totals only what is beyond the requests
may be recorded, and of that only what is beyond what was recorded before.
"""

from __future__ import annotations

from typing import NamedTuple

from buddy_core.runs.folding.facts import RunUsage
from buddy_core.runs.folding.requests import RequestSums


class Residual(NamedTuple):
    """The part of a run's usage that none of its recorded requests accounts for."""

    total_tokens: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float = 0.0

    def beyond(self, recorded: Residual) -> Residual:
        """What is left to record when `recorded` already is; never negative."""
        total = max(0, self.total_tokens - recorded.total_tokens)
        prompt = min(total, max(0, self.prompt_tokens - recorded.prompt_tokens))
        completion = min(total - prompt, max(0, self.completion_tokens - recorded.completion_tokens))
        return Residual(total, prompt, completion, max(0.0, self.cost - recorded.cost))

    def plus(self, more: Residual) -> Residual:
        """Both together."""
        return Residual(
            self.total_tokens + more.total_tokens,
            self.prompt_tokens + more.prompt_tokens,
            self.completion_tokens + more.completion_tokens,
            self.cost + more.cost,
        )


def residual_of(usage: RunUsage, recorded: RequestSums, *, tokens_by_turns: bool) -> Residual:
    """Usage of a run less what its own requests have recorded, never below zero."""
    own = Residual(
        recorded.total_tokens, recorded.prompt_tokens, recorded.completion_tokens, recorded.cost or 0.0
    )
    rest = Residual(
        usage.total_tokens or 0, usage.prompt_tokens or 0, usage.completion_tokens or 0, usage.cost or 0.0
    ).beyond(own)
    return Residual(cost=rest.cost) if tokens_by_turns else rest
