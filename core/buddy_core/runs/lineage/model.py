"""A family of runs: who was forked from whom, and what each spent, alone and with all that came of it.

Times are milliseconds, money is US dollars. A sum says how many of its runs do not know their part.
"""

from __future__ import annotations

from dataclasses import dataclass

from buddy_core.runs.facts import RunFacts
from buddy_core.runs.model import Status


@dataclass(frozen=True, slots=True)
class Amount:
    """One number of one run, or summed over several."""

    value: float | None
    """The sum of what is known; None where nobody knows anything."""
    unknown: int = 0
    """Runs that do not say."""
    estimated: bool = False
    """Some of it was priced, not stated."""

    @property
    def at_least(self) -> bool:
        """True when it would be more if every run said its part."""
        return self.value is not None and self.unknown > 0


@dataclass(frozen=True, slots=True)
class Sums:
    """The numbers of one run, or of a run with everything that was forked from it."""

    runs: int
    """Those that are there; a run that is only named as a parent is not counted here."""
    cost: Amount
    tokens: Amount
    prompt: Amount
    completion: Amount
    took: Amount
    """Milliseconds that the runs worked, added up: forks that run at the same time count twice the time."""
    tool_calls: Amount
    failures: Amount
    """Failed calls and errors."""
    outcomes: tuple[tuple[Status, int], ...]
    """How many ended how, the commonest first."""


@dataclass(frozen=True, slots=True)
class Member:
    """One run of a family, in its place in the tree."""

    run_id: str
    """Of a run that is not there: what its forks call it, observed text."""
    facts: RunFacts | None
    """None: only named as a parent, its directory is not there."""
    depth: int
    rails: tuple[bool, ...]
    """For the lines of the tree, from the outermost of the nearest `MAX_RAILS` levels to this run's own: True where
    more forks of the same parent follow below."""
    forks: int
    """Runs that name this one as their parent."""
    own: Sums
    """Without what was copied from a run that it was forked from."""
    inclusive: Sums
    """With all forks, and their forks."""
    copied: int = 0
    """Tool calls in its file that are an ancestor's, and are counted there."""
    circular: bool = False
    """It is one of some runs that name each other in a circle; the oldest of them stands on top."""


@dataclass(frozen=True, slots=True)
class Family:
    """The tree that a run belongs to, from its first ancestor down."""

    run_id: str
    """The run that was asked about."""
    members: tuple[Member, ...]
    """Each run before its forks, these in the order in which they began; at most as many as were asked for, those
    nearest to the run."""
    before: int
    """Members above those, which are in the sums."""
    after: int
    """Members below."""
    total: Sums
    unread: bool = False
    """There are still more, which are not in the sums: they were not read."""

    @property
    def size(self) -> int:
        """All members, listed or not, with one that is not there."""
        return self.before + len(self.members) + self.after

    @property
    def missing(self) -> str | None:
        """The parent that is named and not there, on top of the tree."""
        top = self.members[0] if self.members and not self.before else None
        return top.run_id if top is not None and top.facts is None else None

    @property
    def circle(self) -> int:
        """How many of the listed runs name each other in a circle."""
        return sum(member.circular for member in self.members)
