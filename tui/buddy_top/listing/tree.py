"""Forks under their parents: the order of a list of runs as a tree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from buddy_core.runs.names import ID_WIDTH
from buddy_top.listing.many.ids import RunIds

_FEW = 20


def as_families(ids: Sequence[str], parents: Mapping[str, str]) -> list[tuple[str, int]]:
    """`ids` with every fork below its parent, and its depth; a family stands where its first member stood.

    Parents that are not in the list leave their forks at the top level; runs that name each other in a
    circle are listed once each. Iterative, for a chain of forks may be thousands long.
    """
    listed = set(ids)
    up = {
        one: parents[one] for one in ids if one in parents and parents[one] in listed and parents[one] != one
    }
    children: dict[str, list[str]] = {}
    for one in ids:
        if one in up:
            children.setdefault(up[one], []).append(one)
    found: list[tuple[str, int]] = []
    seen: set[str] = set()
    for one in ids:
        if one not in seen:  # climbing from every member of a long chain would take forever
            root = _root(one, up)
            _list_family(root if root not in seen else one, children, seen, found)
    return found


def with_families(ids: RunIds, forks: Iterable[tuple[str, str]]) -> tuple[RunIds, dict[str, int]]:
    """The same for very many ids of which few are in families: only those are moved. `forks` names run and parent.

    Gives the ids, and the depths of those who are in a family.
    """
    place = _places(ids, forks := list(forks))
    parents = {one: parent for one, parent in forks if one in place and parent in place and one != parent}
    members = sorted({*parents, *parents.values()}, key=place.__getitem__)
    if not members:
        return ids, {}
    families = as_families(members, parents)
    return RunIds(_moved(ids.text, [place[one] for one in members], _blocks(families, place))), dict(families)


def _places(ids: RunIds, forks: Sequence[tuple[str, str]]) -> dict[str, int]:
    """Where runs stand: all of them, or those that are asked about where these are few."""
    if len(forks) > _FEW:
        return {one: index for index, one in enumerate(ids)}
    asked = {run_id for fork in forks for run_id in fork}
    return {one: ids.index(one) for one in asked if one in ids}


def _blocks(families: Sequence[tuple[str, int]], place: Mapping[str, int]) -> dict[int, str]:
    """Each family as a text, under the place at which it stands."""
    blocks: dict[int, str] = {}
    at = len(families)
    for end in range(len(families), 0, -1):
        if families[end - 1][1] == 0:
            family = [one for one, _ in families[end - 1 : at]]
            blocks[min(place[one] for one in family)] = RunIds.of(family).text
            at = end - 1
    return blocks


def _moved(text: str, members: Sequence[int], blocks: Mapping[int, str]) -> str:
    pieces, at = [], 0
    for place in members:
        pieces += [text[at * ID_WIDTH : place * ID_WIDTH], blocks.get(place, "")]
        at = place + 1
    return "".join((*pieces, text[at * ID_WIDTH :]))


def _root(run_id: str, up: Mapping[str, str]) -> str:
    climbed = {run_id}
    while run_id in up and up[run_id] not in climbed:
        run_id = up[run_id]
        climbed.add(run_id)
    return run_id


def _list_family(
    root: str, children: Mapping[str, Sequence[str]], seen: set[str], found: list[tuple[str, int]]
) -> None:
    waiting = [(root, 0)]
    while waiting:
        one, depth = waiting.pop()
        if one in seen:
            continue
        seen.add(one)
        found.append((one, depth))
        waiting.extend((child, depth + 1) for child in reversed(children.get(one, ())))
