"""Forks under their parents: the order of a list of runs as a tree."""

from __future__ import annotations

from collections.abc import Sequence

from buddy_core.runs.model import RunFacts


def as_families(runs: Sequence[RunFacts]) -> list[tuple[RunFacts, int]]:
    """`runs` with every fork below its parent, and its depth; a family stands where its first member stood.

    Parents that are not in the list leave their forks at the top level; runs that name each other in a
    circle are listed once each. Iterative, for a chain of forks may be thousands long.
    """
    rank = {run.run_id: index for index, run in enumerate(runs)}
    children: dict[str, list[RunFacts]] = {}
    for run in runs:
        if run.parent_run_id in rank and run.parent_run_id != run.run_id:
            children.setdefault(run.parent_run_id, []).append(run)
    listed: list[tuple[RunFacts, int]] = []
    seen: set[str] = set()
    for run in runs:
        if run.run_id not in seen:  # climbing from every member of a long chain would take forever
            root = _root(run, runs, rank)
            _list_family(root if root.run_id not in seen else run, children, seen, listed)
    return listed


def _root(run: RunFacts, runs: Sequence[RunFacts], rank: dict[str, int]) -> RunFacts:
    climbed = {run.run_id}
    while run.parent_run_id in rank and run.parent_run_id not in climbed:
        climbed.add(run.parent_run_id)
        run = runs[rank[run.parent_run_id]]
    return run


def _list_family(
    root: RunFacts, children: dict[str, list[RunFacts]], seen: set[str], listed: list[tuple[RunFacts, int]]
) -> None:
    waiting = [(root, 0)]
    while waiting:
        run, depth = waiting.pop()
        if run.run_id in seen:
            continue
        seen.add(run.run_id)
        listed.append((run, depth))
        waiting.extend((child, depth + 1) for child in reversed(children.get(run.run_id, ())))
