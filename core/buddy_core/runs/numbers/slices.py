"""Amounts over a time whose end is not known: slices that become twice as long when there would be too many."""

from __future__ import annotations

MOST_SLICES = 512
FIRST_SLICE_MS = 1_000


class Slices:
    """Tokens and dollars by the time at which they were spent, from `start_ms` on (ms since the epoch)."""

    def __init__(self, start_ms: int) -> None:
        self.start_ms = start_ms
        self.slice_ms = FIRST_SLICE_MS
        self._tokens: list[int] = []
        self._cost: list[float | None] = []

    def add(self, at_ms: int, tokens: int, cost: float | None) -> None:
        """Count what was spent at a moment; what is before the start belongs to the first slice."""
        place = self._place(at_ms)
        self._tokens[place] += tokens
        if cost is not None:
            self._cost[place] = (self._cost[place] or 0.0) + cost

    def tokens(self, until_ms: int) -> tuple[int, ...]:
        """Tokens in each slice up to a moment."""
        self._place(until_ms)
        return tuple(self._tokens)

    def cost_so_far(self, until_ms: int) -> tuple[float | None, ...]:
        """Dollars spent by the end of each slice; None before any are known."""
        self._place(until_ms)
        found: list[float | None] = []
        total: float | None = None
        for cost in self._cost:
            total = total if cost is None else (total or 0.0) + cost
            found.append(total)
        return tuple(found)

    def _place(self, at_ms: int) -> int:
        """The slice of a moment, which is there from now on."""
        since = max(0, at_ms - self.start_ms)
        while since // self.slice_ms >= MOST_SLICES:
            self._join()
        place = since // self.slice_ms
        missing = place + 1 - len(self._tokens)
        if missing > 0:
            self._tokens += [0] * missing
            self._cost += [None] * missing
        return place

    def _join(self) -> None:
        """Make one of every two slices."""
        self.slice_ms *= 2
        tokens, cost = self._tokens, self._cost
        self._tokens = [sum(tokens[at : at + 2]) for at in range(0, len(tokens), 2)]
        self._cost = [_sum(cost[at : at + 2]) for at in range(0, len(cost), 2)]


def _sum(parts: list[float | None]) -> float | None:
    known = [part for part in parts if part is not None]
    return sum(known) if known else None
