"""What every dialog over the panes has in common: it is left once, however many keys were struck meanwhile."""

from __future__ import annotations

from textual.await_complete import AwaitComplete
from textual.screen import ModalScreen, ScreenResultType


class Card(ModalScreen[ScreenResultType]):
    """A modal screen; what would leave it when it has been left already leaves nothing else in its place."""

    def dismiss(self, result: ScreenResultType | None = None) -> AwaitComplete:
        """Leave with this answer. Enter and `q` in one go are both on their way before either is heeded."""
        return super().dismiss(result) if self.app.screen is self else AwaitComplete()
