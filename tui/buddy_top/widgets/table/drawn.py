"""Lines that were drawn lately. When a list scrolls, or is sorted anew, most lines only change their places.

A line that is drawn again as the same object has also been filtered and cut before: Textual remembers that.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from textual.strip import Strip

FEWEST, MOST = 12, 80
"""Lines remembered at least, twice as many at most: two pages of the table. Textual keeps some ten kilobytes of each."""

Look = TypeVar("Look", bound=Hashable)


class DrawnLines(Generic[Look]):
    """Strips by everything that decides how a line looks."""

    def __init__(self) -> None:
        self._recent: dict[Look, Strip] = {}
        self._before: dict[Look, Strip] = {}
        self._made_of: tuple[object, ...] = ()
        self._most = MOST

    def fit(self, page: int) -> None:
        """So many lines are in sight: of a small table fewer are remembered."""
        self._most = min(max(2 * page, FEWEST), MOST)

    def __len__(self) -> int:
        return len(self._recent) + len(self._before)

    def line(self, look: Look, made_of: tuple[object, ...], draw: Callable[[Look], Strip]) -> Strip:
        """The line as it was drawn before; drawn now if it was not, or if what all are `made_of` is another."""
        if made_of != self._made_of:
            self._recent, self._before, self._made_of = {}, {}, made_of
        strip = self._recent.get(look)
        if strip is None:
            strip = self._before.pop(look) if look in self._before else draw(look)
            if len(self._recent) >= self._most:  # whatever was not asked for since the last time is forgotten
                self._recent, self._before = {}, self._recent
            self._recent[look] = strip
        return strip
