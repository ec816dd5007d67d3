"""Families for the screen: put together anew only when some run is not as it was."""

from __future__ import annotations

from buddy_core.runs.lineage.model import Family
from buddy_core.runs.lineage.tree import Kindred, family_of
from buddy_core.runs.model import RunFacts


class FamilyReader:
    """Makes the family of one run after the other out of the facts of all. Not thread-safe."""

    def __init__(self) -> None:
        self._facts: tuple[RunFacts, ...] | None = None
        self._kindred = Kindred(())
        self._made: Family | None = None
        self._made_at = 0

    def read(self, run_id: str, facts: tuple[RunFacts, ...], now_ms: int) -> Family:
        """The family of a run among `facts`; the same object while nothing in it has changed."""
        if facts is not self._facts:
            self._facts, self._kindred, self._made = facts, Kindred(facts), None
        if self._made is None or self._made.run_id != run_id or self._is_older(self._made, now_ms):
            made, self._made_at = family_of(run_id, self._kindred, now_ms=now_ms), now_ms
            if made != self._made:
                self._made = made
        assert self._made is not None
        return self._made

    def _is_older(self, family: Family, now_ms: int) -> bool:
        """A run at work takes longer by now."""
        return now_ms != self._made_at and any(status == "running" for status, _ in family.total.outcomes)
