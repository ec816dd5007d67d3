"""Runs that are there and are not read, because so many newer ones are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from buddy_core.runs.names import started_at_of


class LeftAlone:
    """Their ids. Only one thread changes them; any may ask whether a run is among them."""

    def __init__(self) -> None:
        self._ids: set[str] = set()
        self._before_ms: int | None = None

    def __len__(self) -> int:
        return len(self._ids)

    def __contains__(self, run_id: object) -> bool:
        return run_id in self._ids

    @property
    def before_ms(self) -> int | None:
        """No younger run than one that began then is left alone, by the times in the ids; None when none is."""
        return self._before_ms if self._ids else None

    def add(self, run_ids: Sequence[str]) -> None:
        """Leave these runs alone; the newest comes first."""
        if run_ids:
            self._before_ms = max(started_at_of(run_ids[0]) or 0, self.before_ms or 0)
            self._ids.update(run_ids)

    def take(self, run_ids: Iterable[str]) -> list[str]:
        """Those of `run_ids` that were left alone, and are not from now on."""
        taken = [run_id for run_id in run_ids if run_id in self._ids]
        self._ids.difference_update(taken)
        return taken

    def discard(self, run_id: str) -> None:
        """This run is there no more."""
        self._ids.discard(run_id)
