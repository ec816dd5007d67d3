"""The least a Textual program can be: one line of text. Everything is measured against it."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.widgets import Static


class BareApp(App[None]):
    """One `Static`."""

    def compose(self) -> ComposeResult:
        """The line."""
        yield Static("a bare Textual app")


if __name__ == "__main__":
    BareApp().run()
