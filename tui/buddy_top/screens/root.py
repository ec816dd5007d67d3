"""The screen everything lies on: it leaves all keys to the registry of commands."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType
from textual.events import Resize
from textual.geometry import Size
from textual.reactive import Reactive
from textual.screen import Screen
from textual.widget import Widget

from buddy_top.terminal.compositor import LeanCompositor

if TYPE_CHECKING:
    from buddy_top.metering.frames import FrameTimes


class RootScreen(Screen[None], inherit_bindings=False):
    """Textual's own screen takes tab and shift+tab for the focus before the app sees them.

    Args:
        fit: Is told of every new size just before the widgets are laid out for it. The app hears of a new
            size earlier, when a layout would still be one for the size before.
    """

    BINDINGS: ClassVar[list[BindingType]] = []

    focused: Reactive[Widget | None] = Reactive(None, repaint=False)
    """As in Textual, where the whole screen is drawn anew when the focus moves; what gains or loses it draws itself."""

    def __init__(self, fit: Callable[[Size], None], *, id: str) -> None:
        super().__init__(id=id)
        self._compositor = LeanCompositor()
        self._fit = fit
        self.frames: FrameTimes | None = None
        """Times what is drawn; None: nobody wants to know."""

    def on_resize(self, event: Resize) -> None:
        """Another size; Textual lays everything out right after this."""
        self._fit(event.size)

    def _compositor_refresh(self) -> None:
        """Textual's own, timed while somebody wants to know: it has no public place for that (textual 8.2.8)."""
        if self.frames is None:
            super()._compositor_refresh()
            return
        with self.frames.drawing():
            super()._compositor_refresh()
