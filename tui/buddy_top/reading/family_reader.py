"""Families for the screen: put together anew only when some run is not as it was."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING

from buddy_core.runs.facts import RunFacts
from buddy_core.runs.lineage.model import Family
from buddy_core.runs.lineage.tree import Kindred, family_of

if TYPE_CHECKING:
    from buddy_core.runs.catalog.rows import Row

MOST_KIN = 10_000
"""Members of a family that are read from a catalog; of more, the sums say that they are not all."""

MOST_LISTED = 2_000
"""Members of a family that are listed on the screen, those around the run; all are in the sums."""

AGAIN_MS = 5_000
"""So often a catalog is asked for the kin of the same run."""

AskKin = Callable[[str], Future[Sequence["Row"]] | None]


class FamilyReader:
    """Makes the family of one run after the other out of the facts of all. Not thread-safe.

    Args:
        ask_kin: Asks the catalog, in another thread, for the kin of a run; None where no run is beyond the facts.
    """

    def __init__(self, ask_kin: AskKin = lambda _run_id: None) -> None:
        self._ask_kin = ask_kin
        self._asked: tuple[str, int, Future[Sequence[Row]] | None] = ("", 0, None)
        self._rows: Sequence[Row] = ()
        self._facts: tuple[RunFacts, ...] | None = None
        self._kept: tuple[RunFacts, ...] = ()
        self._kindred = Kindred(())
        self._made: Family | None = None
        self._made_at = 0

    def read(
        self, run_id: str, facts: tuple[RunFacts, ...], now_ms: int, kept: tuple[RunFacts, ...] = ()
    ) -> Family | None:
        """The family of a run among `facts`, what the catalog knows, and runs that are `kept` and nowhere else.

        The same object while nothing has changed.

        None while the catalog is being asked about a run that is beyond the facts.
        """
        changed = self._look_up(run_id, now_ms)
        if facts is not self._facts or kept is not self._kept or changed:
            self._facts, self._kept, self._made = facts, kept, None
            known = {run.run_id: run for run in kept} | {row.facts.run_id: row.facts for row in self._rows}
            self._kindred = Kindred({**known, **{run.run_id: run for run in facts}}.values())
        if self._made is None or self._made.run_id != run_id or self._is_older(self._made, now_ms):
            self._make(run_id, now_ms)
        waits = self._asked[2] is not None and not self._rows and run_id not in self._kindred.by_id
        return None if waits else self._made

    def _make(self, run_id: str, now_ms: int) -> None:
        followed: Mapping[str, RunFacts] = (
            {run.run_id: run for run in self._facts or ()} if self._rows else {}
        )
        uncounted = {row.facts.run_id for row in self._rows if not row.whole} - followed.keys()
        made = family_of(
            run_id,
            self._kindred,
            now_ms=now_ms,
            listed=MOST_LISTED,
            uncounted=uncounted,
            unread=len(self._rows) >= MOST_KIN,
        )
        self._made_at = now_ms
        if made != self._made:
            self._made = made

    def _look_up(self, run_id: str, now_ms: int) -> bool:
        """Ask the catalog now and then; True when it has answered something new."""
        asked, at_ms, answer = self._asked
        if asked != run_id:
            self._rows, answer, at_ms = (), None, 0
        if answer is None and (asked != run_id or abs(now_ms - at_ms) >= AGAIN_MS):
            self._asked = (run_id, now_ms, self._ask_kin(run_id))
            return asked != run_id
        if answer is None or not answer.done():
            return False
        self._asked = (run_id, at_ms, None)
        rows = self._rows if answer.exception() is not None else answer.result()
        changed = rows != self._rows
        self._rows = rows
        return changed

    def _is_older(self, family: Family, now_ms: int) -> bool:
        """A run at work takes longer by now."""
        return now_ms != self._made_at and any(status == "running" for status, _ in family.total.outcomes)
