"""Lines that were drawn lately. When a list scrolls, or is sorted anew, most lines only change their places.

A line that is drawn again as the same object has also been filtered and cut before: Textual remembers that.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from textual.strip import Strip

MOST = 300
"""Lines remembered; several screens of them."""

Look = TypeVar("Look", bound=Hashable)


class DrawnLines(Generic[Look]):
    """Strips by everything that decides how a line looks."""

    def __init__(self) -> None:
        self._strips: dict[Look, Strip] = {}
        self._made_of: tuple[object, ...] = ()

    def line(self, look: Look, made_of: tuple[object, ...], draw: Callable[[Look], Strip]) -> Strip:
        """The line as it was drawn before; drawn now if it was not, or if what all are `made_of` is another."""
        if made_of != self._made_of or len(self._strips) >= MOST:
            self._strips.clear()
            self._made_of = made_of
        strip = self._strips.get(look)
        if strip is None:
            strip = self._strips[look] = draw(look)
        return strip
