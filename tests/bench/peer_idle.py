"""At rest: the CPU time and the memory of programs that nobody touches, all side by side through the same seconds."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import programs
from peer_starts import BARE_WORDS, OUR_WORDS, ours_on
from peers import PEERS, Ready, comparable_work, ready
from ratios import Finding, Pairs, absent
from screens import Screen, cpu_seconds, rest_together

CPU_TARGET, MEMORY_TARGET = 1.2, 1.6
"""To the bare app; to everything else we want to be no more than it."""

_SETTLE_S = 5.0


class Used(NamedTuple):
    """What a program and its children used; megabytes, seconds."""

    cpu_s: float
    resident_mb: float
    own_mb: float
    """Of no other process: what would be free if it ended."""


class Resting(NamedTuple):
    """One program at rest, and ours beside it."""

    called: str
    argv: Sequence[str]
    words: str
    shows: str
    cpu: Pairs
    resident: Pairs
    own: Pairs


def measure(scratch: Path, *, quick: bool) -> list[Finding]:
    """Everything started anew each time, left to settle, and left alone for 20 s."""
    work, seconds = comparable_work(scratch), 5.0 if quick else 20.0
    had = [(peer, ready(peer)) for peer in PEERS]
    others = [_resting("a bare Textual app", programs.BARE, BARE_WORDS, "one line")]
    for peer, found in had:
        if isinstance(found, Ready):
            others.append(_resting(found.called, found.on(work), peer.words, peer.shows))
    failed: dict[str, str] = {}
    for _ in range(2 if quick else 5):
        there = [one for one in others if one.called not in failed]
        _together(ours_on(work), there, seconds, failed)
    rows = [row for one in others if one.called not in failed for row in _findings(one, seconds)]
    missing = {peer.name: why for peer, why in had if isinstance(why, str)} | failed
    return [*rows, *(absent(f"at rest, to {name}", why) for name, why in missing.items())]


def _resting(called: str, argv: Sequence[str], words: str, shows: str) -> Resting:
    return Resting(called, argv, words, shows, Pairs(), Pairs(), Pairs())


def _together(ours: Sequence[str], others: list[Resting], seconds: float, failed: dict[str, str]) -> None:
    """One round: start all, let them settle, look at what each uses; notes who did not start."""
    with contextlib.ExitStack() as stack:
        mine = stack.enter_context(Screen(ours))
        mine.until_words(OUR_WORDS)
        running = {}
        for other in others:
            screen = stack.enter_context(Screen(other.argv))
            try:
                screen.until_words(other.words)
            except (RuntimeError, TimeoutError) as error:
                failed[other.called] = f"did not start: {str(error).split(';')[0]}"
                continue
            running[other.called] = screen
        all_of_them = [mine, *running.values()]
        rest_together(all_of_them, _SETTLE_S)
        before = [_used(screen).cpu_s for screen in all_of_them]
        rest_together(all_of_them, seconds)
        after = [_used(screen) for screen in all_of_them]
    used = [one._replace(cpu_s=one.cpu_s - begun) for one, begun in zip(after, before, strict=True)]
    for other in others:
        if other.called in running:
            theirs = used[1 + list(running).index(other.called)]
            for pairs, a, b in zip((other.cpu, other.resident, other.own), used[0], theirs, strict=True):
                pairs.add(a, max(b, 1e-4))


def _used(screen: Screen) -> Used:
    """Of the program and of all processes it has started and that still run."""
    processes = [screen.process, *screen.process.children(recursive=True)]
    memory = [process.memory_full_info() for process in processes]
    return Used(
        sum(cpu_seconds(process) for process in processes),
        sum(one.rss for one in memory) / 1e6,
        sum(getattr(one, "uss", one.rss) for one in memory) / 1e6,
    )


def _findings(one: Resting, seconds: float) -> list[Finding]:
    bare = one.argv == programs.BARE
    percent = 100 / seconds
    shares = [f"{percent * sum(used) / len(used):.2f} %" for used in (one.cpu.ours, one.cpu.theirs)]
    cpu, memory = (CPU_TARGET, MEMORY_TARGET) if bare else (1.0, 1.0)
    return [
        one.cpu.finding(
            f"CPU of {seconds:.0f} s at rest, to {one.called}",
            side="at most",
            target=cpu,
            note=f"{shares[0]} to {shares[1]} of one core; which shows {one.shows}",
            scale="ms",
        ),
        one.resident.finding(
            f"resident memory at rest, to {one.called}", side="at most", target=memory, scale="MB"
        ),
        one.own.finding(
            f"memory of its own at rest, to {one.called}", side="at most", target=memory, scale="MB"
        ),
    ]
