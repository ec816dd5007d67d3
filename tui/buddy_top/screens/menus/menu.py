"""A short list to choose one thing from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from buddy_core.safety.text import Plain
from buddy_top.drawing.cells import Cell, Span
from buddy_top.screens.card import Card
from buddy_top.widgets.panel import Panel
from buddy_top.widgets.table.table import Column, Table

_NOTE = 12
"""Columns for a note; longer ones make the menu wide."""


class Choice(NamedTuple):
    """One line of a menu."""

    key: str
    words: Plain
    note: Plain = Plain("")
    present: bool = False
    """What holds now; the cursor begins on it."""


class Menu(Card[str | None]):
    """Answers with the key of the chosen line, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,s,x", "dismiss(None)", "back", show=False)]

    def __init__(self, title: Plain, choices: Sequence[Choice]) -> None:
        super().__init__()
        self._title = title
        self._choices = choices

    def compose(self) -> ComposeResult:
        """One row for each choice."""
        note = max((len(choice.note) for choice in self._choices), default=0)
        with Panel(classes="menu -wide" if note > _NOTE else "menu") as panel:
            panel.set_title(self._title)
            self.table = Table(
                Column("name", Plain(""), 16, grow=1),
                Column("note", Plain(""), max(_NOTE, note), align="right", sortable=False),
            )
            yield self.table

    def on_mount(self) -> None:
        """Fill it and put the cursor on what holds."""
        self.table.styles.height = len(self._choices) + 1
        self.table.set_source([choice.key for choice in self._choices], self._render_row)
        self.table.move_to(next((choice.key for choice in self._choices if choice.present), 0))
        self.table.focus()

    def _render_row(self, index: int) -> tuple[Cell, ...]:
        choice = self._choices[index]
        ink = "strong" if choice.present else "value"
        return (Span(choice.words, ink),), (Span(choice.note, "dim"),)

    def on_table_opened(self, event: Table.Opened) -> None:
        """Choose."""
        event.stop()
        self.dismiss(event.key)
