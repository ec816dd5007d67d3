"""What the screen wants of the list of runs, and what it gets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from buddy_core.runs.catalog.asking.pages import SortKey
    from buddy_core.runs.facts import RunFacts
    from buddy_core.runs.query.model import Query


class ListWants(msgspec.Struct, frozen=True):
    """Which runs, in which order, and which lines of that list are in sight."""

    query: Query | None = None
    """None: every run."""
    sort: SortKey = "started"
    descending: bool = True
    tree: bool = True
    """Forks stand under their parents."""
    first: int = 0
    last: int = 120
    """Lines `first` to `last` of the list are in sight, or about to be."""
    kept: bool = False
    """The runs of the archive, in place of those that are recorded."""

    @property
    def question(self) -> tuple[Any, ...]:
        """What the order depends on: equal for wants that differ only in what is in sight."""
        return self.query, self.sort, self.descending, self.tree, self.kept


class Listing(msgspec.Struct, frozen=True):
    """The list as far as it is known."""

    wants: ListWants
    """What was asked when it was made."""
    ids: Sequence[str] = ()
    """Every run that fits, in order: the same object as before while nothing in it has changed."""
    total: int = 0
    """Runs there are in all, whether they fit or not."""
    depths: Mapping[str, int] = msgspec.field(default_factory=dict)
    """How deep forks stand under the first of their family; runs that are in no family are not in it."""
    facts: Mapping[str, RunFacts] = msgspec.field(default_factory=dict)
    """The runs in sight, as far as they were read; others may be among them."""
    partial: frozenset[str] = frozenset()
    """Those of which only the summary was read, so that nothing is known of their events."""
    current: bool = True
    """False while `ids` still are the answer to what was asked before."""
    searching: bool = False
    """The answer is not complete yet: more may come, or another."""
    progress: str = ""
    """How far the index of the runs is, in a few words; empty when it is done, and where there is none."""
    problem: str = ""
    """Why the list is not what it could be, in words; empty when it is."""
    lacks: bool = False
    """Runs in sight are still being read."""

    @property
    def settled(self) -> bool:
        """Nothing more is to come for what was asked."""
        return not (self.searching or self.lacks)
