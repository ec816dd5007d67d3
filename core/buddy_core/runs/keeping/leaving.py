"""Which runs the agent will remove when its next run starts, so that they can be kept before."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from pathlib import Path

from buddy_core.clock import Clock, SystemClock
from buddy_core.runs.facts import RunFacts
from buddy_core.runs.names import age_key, is_run_id
from buddy_core.runs.watching.liveness import lock_state
from buddy_core.safety.paths import directory_beneath, entries_beneath, real_root

USUAL_LIMIT = 30
"""Runs that Code Buddy keeps, and a `RunStore` unless told otherwise."""

FAR_BEYOND = 100
"""More runs than this beyond the limit, all of them live, are not believed in."""


def leaving_next(
    runs_dir: Path, *, clock: Clock | None = None, max_runs: int = USUAL_LIMIT, starts: int = 1
) -> tuple[str, ...]:
    """The ids of runs that will be gone after `starts` more runs, the first to go first; nothing is read but those.

    By the rules of `prune`: the oldest by the time in the id go first, those from the future before them, and one that
    is being recorded stays. Where a closed run lies there that an agent with this limit would have removed long ago,
    or so many that they cannot all live, nobody holds to it, and none is leaving. A directory that cannot be read has none either.
    """
    root, now_ms = real_root(runs_dir), (clock or SystemClock()).now_ms()
    ids = _few_runs(root, max_runs + FAR_BEYOND)
    return _leaving(ids, lambda run_id: _stays(root, run_id, now_ms), now_ms, max_runs, starts)


def leaving_among(
    runs: Sequence[RunFacts], *, now_ms: int, max_runs: int = USUAL_LIMIT, starts: int = 1
) -> tuple[str, ...]:
    """`leaving_next` for whoever knows all runs already; nothing is read."""
    if not max_runs <= len(runs) + starts <= max_runs + FAR_BEYOND:
        return ()
    live = {facts.run_id for facts in runs if facts.live}
    return _leaving([facts.run_id for facts in runs], live.__contains__, now_ms, max_runs, starts)


def _leaving(
    ids: Iterable[str], stays: Callable[[str], bool], now_ms: int, max_runs: int, starts: int
) -> tuple[str, ...]:
    first_to_go = sorted(ids, key=lambda run_id: age_key(run_id, now_ms))
    beyond = max(0, len(first_to_go) - max_runs)
    if not all(map(stays, first_to_go[:beyond])):
        return ()
    next_ones = first_to_go[beyond : max(0, len(first_to_go) + starts - max_runs)]
    return tuple(run_id for run_id in next_ones if not stays(run_id))


def _few_runs(root: Path, most: int) -> list[str]:
    """The ids of all runs, none where there are more: nothing is read of a directory that nobody prunes."""
    try:
        found = [entry.name for entry in islice(filter(_is_run, entries_beneath(root)), most + 1)]
    except OSError:
        return []
    return found if len(found) <= most else []


def _is_run(entry: os.DirEntry[str]) -> bool:
    return is_run_id(entry.name) and entry.is_dir(follow_symlinks=False)


def _stays(root: Path, run_id: str, now_ms: int) -> bool:
    """True when prune would leave it alone: its lock is held or, without a lock, it is not over."""
    state = lock_state(root / run_id)
    if state != "none":
        return state == "held"
    try:
        from buddy_core.runs.pruning.prune import is_over

        with directory_beneath(root, run_id) as fd:
            return not is_over(fd, now_ms)
    except OSError:
        return True
