"""From runs that name their parents to one family: a tree whatever they name, and every run in it once.

Everything is iterative, for a chain of forks may be thousands long, and every walk remembers where it was, for
runs may name each other in a circle or themselves.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import NamedTuple

from buddy_core.runs.facts import RunFacts
from buddy_core.runs.lineage.model import Family, Member
from buddy_core.runs.lineage.sums import Tally, tally_of

MAX_LISTED = 10_000
"""Members of a family that are listed; all of them are in the sums."""

MAX_RAILS = 8
"""Levels of which the lines of a tree tell."""


class Kindred:
    """Runs by id and by parent, for any number of questions about them; the order of `runs` does not matter."""

    def __init__(self, runs: Iterable[RunFacts]) -> None:
        self.by_id = {run.run_id: run for run in runs}
        self._forks: dict[str, list[str]] = {}
        forks = [run for run in self.by_id.values() if run.parent_run_id]
        for run in sorted(forks, key=lambda run: (run.started_at, run.run_id)):
            self._forks.setdefault(run.parent_run_id or "", []).append(run.run_id)

    def parent(self, run_id: str) -> str | None:
        """The parent that a run names; None where it names none, itself, or is not there."""
        run = self.by_id.get(run_id)
        return None if run is None or run.parent_run_id == run_id else run.parent_run_id or None

    def forks(self, run_id: str) -> list[str]:
        """Runs that name this one as their parent, in the order in which they began; a run is no fork of itself."""
        return [fork for fork in self._forks.get(run_id, ()) if fork != run_id]

    def climb(self, run_id: str) -> list[str]:
        """The run and its ancestors, the nearest first; ends before a run that is in it already."""
        climbed = {run_id: None}
        parent = self.parent(run_id)
        while parent is not None and parent not in climbed:
            climbed[parent] = None
            parent = self.parent(parent)
        return list(climbed)


class _Place(NamedTuple):
    """A member before its sums are known."""

    run_id: str
    above: int
    """Index of the member it was forked from; -1 for the first."""
    depth: int
    rails: tuple[bool, ...]
    forks: int


def family_of(
    run_id: str,
    kindred: Kindred,
    *,
    now_ms: int,
    listed: int = MAX_LISTED,
    uncounted: Container[str] = (),
    unread: bool = False,
) -> Family:
    """The family of a run; without members where the run is not there.

    `uncounted` are ids of runs whose events were not read, so that nobody knows their calls; `unread` says that
    `kindred` does not hold every member.
    """
    if run_id not in kindred.by_id:
        return Family(run_id, (), 0, 0, Tally().sums(), unread)
    line = kindred.climb(run_id)
    circle = _circle(line, kindred)
    top = min(circle, key=lambda one: (kindred.by_id[one].started_at, one)) if circle else line[-1]
    places = _descend(top, kindred)
    own = [_own(index, places, kindred, now_ms, uncounted) for index in range(len(places))]
    inclusive = _summed(places, own)
    at = next(index for index, place in enumerate(places) if place.run_id == run_id)
    first = max(0, min(at - listed // 2, len(places) - listed))
    shown = range(first, min(len(places), first + listed))
    return Family(
        run_id=run_id,
        members=tuple(
            _member(
                places[index], kindred.by_id.get(places[index].run_id), own[index], inclusive[index], circle
            )
            for index in shown
        ),
        before=first,
        after=len(places) - shown.stop,
        total=inclusive[0].sums(),
        unread=unread,
    )


def _circle(line: list[str], kindred: Kindred) -> frozenset[str]:
    """Of a run and its ancestors those that name each other in a circle, which are the last of them."""
    parent = kindred.parent(line[-1])
    return frozenset(line[line.index(parent) :]) if parent is not None and parent in line else frozenset()


def _descend(top: str, kindred: Kindred) -> list[_Place]:
    """Every member below `top`, each before its forks and once; a circle is opened above `top`."""
    places: list[_Place] = []
    waiting: list[tuple[str, int, int, tuple[bool, ...]]] = [(top, -1, 0, ())]
    while waiting:
        run_id, above, depth, rails = waiting.pop()
        forks = kindred.forks(run_id)
        index = len(places)
        places.append(_Place(run_id, above, depth, rails, len(forks)))
        below = [fork for fork in forks if fork != top]
        kept = rails[1:] if len(rails) == MAX_RAILS else rails
        for place, fork in reversed(list(enumerate(below))):
            waiting.append((fork, index, depth + 1, (*kept, place < len(below) - 1)))
    return places


def _own(index: int, places: list[_Place], kindred: Kindred, now_ms: int, uncounted: Container[str]) -> Tally:
    run_id = places[index].run_id
    run = kindred.by_id.get(run_id)
    ancestors = _ancestors(index, places) if run is not None and run.inherited else frozenset[str]()
    return tally_of(run, now_ms, ancestors=ancestors, counted=run_id not in uncounted)


def _ancestors(index: int, places: list[_Place]) -> frozenset[str]:
    """Ids of the members above one, as far as it is a tree."""
    found = set()
    above = places[index].above
    while above >= 0:
        found.add(places[above].run_id)
        above = places[above].above
    return frozenset(found)


def _summed(places: list[_Place], own: list[Tally]) -> list[Tally]:
    """Of each member its own numbers with those of everything below it: forks stand behind their parents."""
    sums: list[Tally] = []
    for tally in own:
        total = Tally()
        total.add(tally)
        sums.append(total)
    for index in range(len(places) - 1, 0, -1):
        sums[places[index].above].add(sums[index])
    return sums


def _member(
    place: _Place, run: RunFacts | None, own: Tally, inclusive: Tally, circle: Container[str]
) -> Member:
    return Member(
        run_id=place.run_id,
        facts=run,
        depth=place.depth,
        rails=place.rails,
        forks=place.forks,
        own=own.sums(),
        inclusive=inclusive.sums(),
        copied=own.copied,
        circular=place.run_id in circle or (run is not None and run.parent_run_id == run.run_id),
    )
