"""The filters somebody has used in each place, as long as the monitor runs; nothing of them is written anywhere."""

from __future__ import annotations

KEPT = 20
"""Filters that are remembered of each place."""


class FilterPast:
    """The last filters of each place, and what was being typed there when another place came to the front."""

    def __init__(self) -> None:
        self._place = ""
        self._kept: dict[str, list[str]] = {}
        self._drafts: dict[str, str] = {}
        self._at: int | None = None

    def leave(self, draft: str) -> None:
        """Another place comes to the front: what was typed here and is not in force yet is put aside."""
        self._drafts.pop(self._place, None)
        if draft:
            self._drafts[self._place] = draft

    def arrive(self, place: str) -> str:
        """This place is in front now; returns what was put aside there."""
        self._place, self._at = place, None
        return self._drafts.pop(place, "")

    def keep(self, text: str) -> None:
        """Remember a filter as the newest one."""
        self._at = None
        kept = self._kept.setdefault(self._place, [])
        if text.strip():
            self._kept[self._place] = [text, *(one for one in kept if one != text)][:KEPT]

    @property
    def any(self) -> bool:
        """True when something was kept here."""
        return bool(self._kept.get(self._place))

    def browsing(self, text: str) -> bool:
        """True while `text` is the filter that was brought back last."""
        kept = self._kept.get(self._place, [])
        return self._at is not None and self._at < len(kept) and kept[self._at] == text

    def step(self, text: str, step: int) -> str | None:
        """The filter before (-1) or after (1) that in the line, from an empty line on; None where that is no way."""
        kept = self._kept.get(self._place, [])
        if not self.browsing(text):
            self._at = None
        if self._at is None:
            if text or step > 0 or not kept:
                return None
            self._at = 0
            return kept[0]
        at = self._at - step
        if at < 0:
            self._at = None
            return ""
        self._at = min(at, len(kept) - 1)
        return kept[self._at]
