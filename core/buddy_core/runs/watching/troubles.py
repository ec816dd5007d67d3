"""Runs whose files cannot be read at present: since when, why, and when it is worth trying again."""

from __future__ import annotations

from typing import NamedTuple

FIRST_WAIT_MS, LONGEST_WAIT_MS = 1_000, 60_000
"""After the first failure it is tried again so soon, and after each further one half as often, up to so seldom."""


class _Trouble(NamedTuple):
    tries: int
    last_ms: float
    due_ms: float


class Troubles:
    """Which runs failed, and when each is due; times are monotonic milliseconds."""

    def __init__(self) -> None:
        self._known: dict[str, _Trouble] = {}

    def __len__(self) -> int:
        return len(self._known)

    def note(self, run_id: str, *, failed: bool, now_ms: float) -> None:
        """A run was tried."""
        before = self._known.pop(run_id, None)
        if failed:
            tries = 1 if before is None else before.tries + 1
            wait_ms = min(FIRST_WAIT_MS * 2 ** min(tries - 1, 16), LONGEST_WAIT_MS)
            self._known[run_id] = _Trouble(tries, now_ms, now_ms + wait_ms)

    def forget(self, run_id: str) -> None:
        """The run is gone."""
        self._known.pop(run_id, None)

    def is_worth_a_try(self, run_id: str, now_ms: float) -> bool:
        """Something has changed in a run: it is read, unless it failed a moment ago; then it is due soon."""
        known = self._known.get(run_id)
        if known is None or now_ms >= known.last_ms + FIRST_WAIT_MS:
            return True
        self._known[run_id] = known._replace(due_ms=min(known.due_ms, known.last_ms + FIRST_WAIT_MS))
        return False

    def due(self, now_ms: float) -> list[str]:
        """Those that should be tried now."""
        return [run_id for run_id, trouble in self._known.items() if trouble.due_ms <= now_ms]


def stalled_words(for_ms: float) -> str:
    """How long a file has not answered: `stalled 5 s`, `stalled 3 min`."""
    seconds = int(for_ms / 1000)
    return f"stalled {seconds} s" if seconds < 120 else f"stalled {seconds // 60} min"
