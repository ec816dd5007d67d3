"""The screen everything lies on: it leaves all keys to the registry of commands."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType
from textual.screen import Screen


class RootScreen(Screen[None], inherit_bindings=False):
    """Textual's own screen takes tab and shift+tab for the focus before the app sees them."""

    BINDINGS: ClassVar[list[BindingType]] = []
