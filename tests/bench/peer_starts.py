"""Starts: from the start of a process to its first character, and to the first word of its data, ours and everybody's.

The same for every program: *first paint* is the first character that is no blank; *data on the screen* is the first
word that cannot stand there before something was read (ours: the name of a tool out of the runs).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import programs
from peers import PEERS, Ready, Work, comparable_work, ready
from ratios import Finding, Pairs, Side, Spread, absent
from screens import Screen

BARE_TARGET, PEER_TARGET = 1.25, 1.0
OUR_WORDS, BARE_WORDS = "view_file", "a bare Textual app"


class Start(NamedTuple):
    """One start; seconds since the process began."""

    ink_s: float
    data_s: float
    cpu_s: float
    """Used until the data was on the screen."""


class Against:
    """Ours and one other program, start by start."""

    def __init__(self, called: str, argv: Sequence[str], words: str, shows: str) -> None:
        self.called, self.argv, self.words, self.shows = called, argv, words, shows
        self.ink, self.data, self.cpu = Pairs(), Pairs(), Pairs()
        self.failed = ""

    def start(self, ours: Start, *, counts: bool) -> None:
        """Start the other one, once; if it does not come to show its data, never again."""
        try:
            theirs = start(self.argv, self.words)
        except (RuntimeError, TimeoutError) as error:
            self.failed = f"did not start: {str(error).split(';')[0]}"
            return
        for pairs, mine, other in zip((self.ink, self.data, self.cpu), ours, theirs, strict=True):
            if counts:
                pairs.add(mine, other)

    def findings(self, target: float) -> list[Finding]:
        """Both times, with a target for the first only where the other program reads nothing."""
        if self.failed:
            return [absent(f"first paint, to {self.called}", self.failed)]
        cpu = " to ".join(f"{Spread.of(used).median:.2f}" for used in (self.cpu.ours, self.cpu.theirs))
        ink, data = f"first paint, to {self.called}", f"data on the screen, to {self.called}"
        found = [self.ink.finding(ink, side="at most", target=target, note=f"which shows {self.shows}")]
        side: Side = "only told" if self.argv == programs.BARE else "at most"
        return [*found, self.data.finding(data, side=side, target=target, note=f"CPU until then {cpu} s")]


def measure(scratch: Path, *, quick: bool) -> list[Finding]:
    """Ours on 30 runs, and each of the others on comparable work, one after the other, again and again."""
    work = comparable_work(scratch)
    had = [(peer, ready(peer)) for peer in PEERS]
    there = [against(found, work) for _, found in had if isinstance(found, Ready)]
    others = [Against("a bare Textual app", programs.BARE, BARE_WORDS, "one line"), *there]
    for number in range(4 if quick else 11):
        ours = start(ours_on(work), OUR_WORDS)
        for other in others:
            if not other.failed:
                other.start(ours, counts=number > 0)  # the first of each fills the disk cache, and its own
    missing = [absent(f"first paint, to {peer.name}", why) for peer, why in had if isinstance(why, str)]
    found = [one for other in others[1:] for one in other.findings(PEER_TARGET)]
    return [*others[0].findings(BARE_TARGET), *found, *missing]


def against(one: Ready, work: Work) -> Against:
    """A program that is there, on its part of the work."""
    return Against(one.called, one.on(work), one.peer.words, one.peer.shows)


def ours_on(work: Work) -> list[str]:
    """The monitor on the same work, in the same home."""
    return ["env", f"HOME={work.home}", *programs.monitor(work.runs)]


def start(argv: Sequence[str], words: str) -> Start:
    """Start a program, wait for its data, end it."""
    with Screen(argv) as screen:
        ink = screen.until_ink()
        data = max(ink, screen.until_words(words, seconds=15.0))
        return Start(ink - screen.started, data - screen.started, screen.cpu_s())
