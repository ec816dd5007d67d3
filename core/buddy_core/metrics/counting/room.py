"""What all series together may hold: memory is bounded, whatever is recorded."""

from __future__ import annotations

MOST_WAITING_SAMPLES = 100_000
"""Samples of all series together that wait, 2 to 6 MB."""

MOST_CALLS = 50_000
"""Single calls that the lists of all tools keep together, about 25 MB."""

MOST_TEXTS = 2_000
"""Error texts that all tools keep together, about 5 MB."""


class Room:
    """How much may still be held. Every series of a ledger takes from the same one."""

    __slots__ = ("calls", "left", "refused", "texts", "tools", "waiting")

    def __init__(self, buckets: int) -> None:
        self.left = buckets
        """Buckets that may still be opened."""
        self.refused = 0
        """Samples that found no room: they are in the totals, not in the windows."""
        self.waiting = 0
        """Samples whose minutes have not been made."""
        self.tools = 0
        """Tools there are."""
        self.calls = MOST_CALLS
        """Single calls that may still be kept beyond those that the lists of each tool show now."""
        self.texts = MOST_TEXTS
        """Error texts of tools that may still be kept beyond a few of each."""
