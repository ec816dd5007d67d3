"""Reading for the picture in a thread of its own, so that a file that does not answer holds up no picture."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Generic, TypeVar

from buddy_core.runs.reading.hands import Errand, Hands

PATIENCE_S = 0.5
"""So long a picture waits for what it is to show: reading what is in sight takes some milliseconds."""

W = TypeVar("W")
R = TypeVar("R")


class Aside(Generic[W, R]):
    """Calls `read` in a thread. Used by one task of a loop; `wake` is called, from the thread, when it is back late."""

    def __init__(
        self, read: Callable[[W], R], *, wake: Callable[[], None], close: Callable[[], None] | None = None
    ) -> None:
        self._read, self._wake, self._close = read, wake, close
        self._hands = Hands(most=1, patience_s=PATIENCE_S)
        self._errand: Errand[W, R] | None = None
        self._since = 0.0
        self.last: R | None = None
        """What was read last."""

    @property
    def waiting_ms(self) -> float:
        """How long it has not answered; 0 when it does."""
        return 0.0 if self._errand is None else (time.monotonic() - self._since) * 1000

    async def read(self, wanted: W) -> R | None:
        """What is read now; None while it does not answer, during which nothing else is begun."""
        if self._errand is not None and not self._errand.over.done():
            return None
        errand = Errand((wanted,), self._read, lambda _: True)
        self._since = time.monotonic()
        self._errand = errand
        if await self._hands.wait_for(errand) is not None:
            errand.over.add_done_callback(lambda _: self._wake())
            return None
        self._errand = None
        for piece in errand.take():
            self.last = piece.result
        return self.last

    def close(self) -> None:
        """Let go of what is read from, now or when the thread is back."""
        if self._close is not None and self._errand is not None and not self._errand.over.done():
            close = self._close
            self._errand.over.add_done_callback(lambda _: close())
        elif self._close is not None:
            self._close()
        self._hands.close()
