"""Two runs compared: which calls belong together, where the runs part, and what one has that the other has not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from buddy_core.clock import Clock, SystemClock
from buddy_core.metrics.counting.fingerprint import fingerprint
from buddy_core.runs.comparing.align import aligned
from buddy_core.runs.comparing.calls import MAX_CALLS, read_side
from buddy_core.runs.comparing.keys import other_arguments
from buddy_core.runs.comparing.likeness import Telling, alike, telling
from buddy_core.runs.comparing.model import Call, DiffStep, Relation, RunDiff, Side, StepKind
from buddy_core.runs.facts import RunFacts
from buddy_core.safety.paths import real_root

if TYPE_CHECKING:
    from buddy_core.prices.table import PriceTable


def compare_runs(
    a: Path,
    b: Path,
    *,
    clock: Clock | None = None,
    max_calls: int = MAX_CALLS,
    prices: PriceTable | None = None,
) -> RunDiff:
    """Compare the runs in the directories `a` and `b`; what cannot be read of one reads as empty."""
    clock = clock or SystemClock()
    one, other = (
        read_side(real_root(run_dir.parent), run_dir.name, clock=clock, max_calls=max_calls, prices=prices)
        for run_dir in (a, b)
    )
    return compare_sides(one, other)


def compare_sides(a: Side, b: Side) -> RunDiff:
    """Compare two runs that have been read."""
    relation = _relation(a.facts, b.facts)
    skipped_a = _before_fork(a, b) if relation == "fork" else 0
    skipped_b = _before_fork(b, a) if relation == "parent" else 0
    steps = [
        *(DiffStep("before", call, None) for call in a.calls[:skipped_a]),
        *(DiffStep("before", None, call) for call in b.calls[:skipped_b]),
        *_steps(a, b, skipped_a, skipped_b),
    ]
    if relation in ("fork", "parent"):
        steps = _with_history(steps, b if relation == "fork" else a, relation)
    parted = (index for index, step in enumerate(steps) if step.kind not in ("same", "before"))
    return RunDiff(a, b, tuple(steps), next(parted, None), relation)


def _relation(a: RunFacts, b: RunFacts) -> Relation | None:
    if b.parent_run_id == a.run_id:
        return "fork"
    if a.parent_run_id == b.run_id:
        return "parent"
    return "siblings" if a.parent_run_id is not None and a.parent_run_id == b.parent_run_id else None


def _before_fork(parent: Side, fork: Side) -> int:
    """Calls of a parent that went on after the fork, as many as were made before it.

    0 where the fork begins with the parent's first call: then it holds the history itself, or does it all again.
    """
    if not parent.calls or not fork.calls or parent.calls[0].key == fork.calls[0].key:
        return 0
    before = sum(1 for call in parent.calls if 0 < call.row.at_ms < fork.facts.started_at)
    return before if before < len(parent.calls) else 0


def _with_history(steps: Sequence[DiffStep], fork: Side, relation: Relation) -> list[DiffStep]:
    """Calls of the parent alone, before the first of the fork, are its history when they were made before it."""
    told = list(steps)
    for index, step in enumerate(steps):
        mine, other = (step.a, step.b) if relation == "fork" else (step.b, step.a)
        if mine is None or other is not None or not 0 < mine.row.at_ms < fork.facts.started_at:
            break
        told[index] = DiffStep("before", step.a, step.b)
    return told


def _steps(one: Side, other: Side, skipped_a: int, skipped_b: int) -> Iterator[DiffStep]:
    """The same calls as fixed points, and between two of them what stands on either side."""
    a, b = one.calls[skipped_a:], other.calls[skipped_b:]
    pairs = aligned([call.key for call in a], [call.key for call in b])
    for (i, j), (next_i, next_j) in pairwise([(-1, -1), *pairs, (len(a), len(b))]):
        if i >= 0:
            yield DiffStep(_kind(a[i], b[j]), a[i], b[j])
        yield from _between(
            a[i + 1 : next_i], b[j + 1 : next_j], base_a=one.facts.cwd, base_b=other.facts.cwd
        )


def _between(
    a: Sequence[Call], b: Sequence[Call], *, base_a: str | None, base_b: str | None
) -> Iterator[DiffStep]:
    """Calls that are not the same: those that are alike side by side, the others alone."""
    pairs = alike(_telling(a, base_a), _telling(b, base_b)) if a and b else []
    for (i, j), (next_i, next_j) in pairwise([(-1, -1), *pairs, (len(a), len(b))]):
        if i >= 0:
            yield DiffStep("changed", a[i], b[j], other_arguments(a[i].key, b[j].key))
        yield from (DiffStep("only_a", call, None) for call in a[i + 1 : next_i])
        yield from (DiffStep("only_b", None, call) for call in b[j + 1 : next_j])


def _telling(calls: Sequence[Call], base: str | None) -> list[Telling]:
    return [telling(call.row.title, call.row.detail, base=base) for call in calls]


def _kind(a: Call, b: Call) -> StepKind:
    """A call that still runs has no outcome yet, and so no other one."""
    if "running" in (a.row.state, b.row.state):
        return "same"
    if a.row.state != b.row.state:
        return "outcome"
    return "same" if _reason(a) == _reason(b) else "outcome"


def _reason(call: Call) -> str | None:
    return None if call.row.error is None else fingerprint("", call.row.error)
