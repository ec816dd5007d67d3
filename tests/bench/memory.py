"""Memory: what the monitor holds after its first paint, and after a minute of changes."""

from __future__ import annotations

from pathlib import Path

import programs
from pulse import Pulse
from ratios import Finding, Pairs
from screens import Screen, rest_together, screens
from workload import finished_runs

TARGET = 1.6


def measure(scratch: Path, *, quick: bool) -> list[Finding]:
    """Resident and own memory with 30 runs, against the bare app at the same age."""
    root = scratch / "memory"
    finished_runs(root, runs=30, events=200)
    at_first, later = (Pairs(), Pairs()), (Pairs(), Pairs())
    # With a state of its own, not the history of whoever measures.
    monitor = ["env", f"XDG_STATE_HOME={scratch / 'state'}", *programs.monitor(root)]
    for _ in range(2 if quick else 3):
        with Pulse(root), screens(monitor, programs.BARE) as (ours, theirs):
            rest_together((ours, theirs), 2.0)
            _note(at_first, ours, theirs)
            rest_together((ours, theirs), 10.0 if quick else 60.0)
            _note(later, ours, theirs)
    age = "10 s" if quick else "60 s"
    named = (("after first paint", at_first), (f"after {age} at 1 Hz", later))
    return [
        pairs.finding(f"{kind} {when}, to a bare Textual app", side="at most", target=TARGET, scale="MB")
        for when, both in named
        for kind, pairs in zip(("resident memory", "memory of its own"), both, strict=True)
    ]


def _note(pairs: tuple[Pairs, Pairs], ours: Screen, theirs: Screen) -> None:
    mine, bare = ours.process.memory_full_info(), theirs.process.memory_full_info()
    pairs[0].add(mine.rss / 1e6, bare.rss / 1e6)
    own = (getattr(mine, "uss", 0), getattr(bare, "uss", 0))
    pairs[1].add(*(size / 1e6 or 1.0 for size in own))
