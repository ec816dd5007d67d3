"""How far back a view looks; apart from the other types, because a command line needs nothing else of them."""

from __future__ import annotations

from enum import Enum


class Window(Enum):
    """How far back a view looks. `ALL` has no beginning."""

    M15 = "15m"
    H1 = "1h"
    H24 = "24h"
    D7 = "7d"
    ALL = "all"

    __hash__ = object.__hash__
    """Each member is one object: what most dictionaries of numbers are keyed by need not ask for its name."""

    @property
    def ms(self) -> int | None:
        """Length in milliseconds; None for `ALL`."""
        return _WINDOW_MS[self]


_MINUTE = 60_000
_WINDOW_MS: dict[Window, int | None] = {
    Window.M15: 15 * _MINUTE,
    Window.H1: 60 * _MINUTE,
    Window.H24: 24 * 60 * _MINUTE,
    Window.D7: 7 * 24 * 60 * _MINUTE,
    Window.ALL: None,
}
