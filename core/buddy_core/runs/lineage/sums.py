"""What one run spent on its own, and sums of that over a family."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable

from buddy_core.runs.facts import Inherited, RunFacts
from buddy_core.runs.lineage.model import Amount, Sums
from buddy_core.runs.model import Status

_NAMES = ("cost", "tokens", "prompt", "completion", "took", "tool_calls", "failures")


class Tally:
    """Sums that grow: of the numbers of `Sums`, in that order, what is known and how often it is not."""

    __slots__ = ("copied", "estimated", "known", "outcomes", "runs", "unknown")

    def __init__(self) -> None:
        self.runs = 0
        self.known: list[float | None] = [None] * len(_NAMES)
        self.unknown = [0] * len(_NAMES)
        self.estimated = False
        self.copied = 0  # tool calls left out, for they are an ancestor's; of one run only
        self.outcomes: Counter[Status] = Counter()

    def add(self, other: Tally) -> None:
        """Take what another one holds."""
        self.runs += other.runs
        for place, value in enumerate(other.known):
            if value is not None:
                self.known[place] = (self.known[place] or 0) + value
            self.unknown[place] += other.unknown[place]
        self.estimated |= other.estimated
        self.outcomes.update(other.outcomes)

    def sums(self) -> Sums:
        """As they are now."""
        amounts = {
            name: Amount(value, unknown, self.estimated and name == "cost")
            for name, value, unknown in zip(_NAMES, self.known, self.unknown, strict=True)
        }
        ends = sorted(self.outcomes.items(), key=lambda item: (-item[1], item[0]))
        return Sums(runs=self.runs, outcomes=tuple(ends), **amounts)


def tally_of(run: RunFacts | None, now_ms: int, *, ancestors: Container[str], counted: bool = True) -> Tally:
    """One run's own numbers; all unknown for a run that is not there, its calls for one that is not `counted` yet.

    What was copied from `ancestors` is theirs.
    """
    tally = Tally()
    if run is None:
        tally.unknown = [1] * len(_NAMES)
        return tally
    copied = [part for part in run.inherited if part.run_id in ancestors]
    tally.copied = sum(part.tool_calls for part in copied)
    tally.runs, tally.outcomes = 1, Counter((run.status,))
    tally.known = [
        _less(run.total_cost, (part.total_cost for part in copied)),
        _less(run.total_tokens, (part.total_tokens for part in copied)),
        _less(run.prompt_tokens, (part.prompt_tokens for part in copied)),
        _less(run.completion_tokens, (part.completion_tokens for part in copied)),
        took_ms(run, now_ms),
        _less(run.tool_calls, (part.tool_calls for part in copied)) if counted else None,
        _less(run.tool_failures + run.errors, map(_failures, copied)) if counted else None,
    ]
    tally.unknown = [int(value is None) for value in tally.known]
    tally.estimated = run.estimated_cost is not None
    return tally


def took_ms(run: RunFacts, now_ms: int) -> int | None:
    """How long a run took, or how long one that is at work has been at it."""
    return max(0, now_ms - run.started_at) if run.status == "running" else run.duration_ms


def _failures(part: Inherited) -> int:
    return part.tool_failures + part.errors


def _less(value: float | None, parts: Iterable[float]) -> float | None:
    """`value` without some of its parts; never below nothing, whatever the files claim."""
    taken = sum(parts)
    return value if value is None or not taken else max(0, value - taken)
