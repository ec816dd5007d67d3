"""Help: every key of the place one came from, read from the registry the footer reads."""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from buddy_core.safety.text import Plain
from buddy_core.signs import STATE_SIGNS
from buddy_top.cells import Cell, Span
from buddy_top.commands import COMMANDS, FILTERING, LISTS, MOVING, Command, Need, Place, commands_at
from buddy_top.screens.card import Card
from buddy_top.states import STATE_INKS
from buddy_top.widgets.panel import Panel
from buddy_top.widgets.textview import TextView

_KEY_WIDTH = 14
_STATES = {
    "running": "at work: the writer holds its lock, or the file still grows",
    "completed": "ended well",
    "failed": "ended badly",
    "cancelled": "ended by the person",
    "stalled": "no event for ten minutes",
    "interrupted": "the writer is gone without ending the run",
}
_SIGNS = (
    ("–", "not known: nobody logged it (never shown as 0)"),
    ("≈", "estimated"),
    ("≥", "a lower bound: some of it was not logged"),
)


def help_lines(
    place: Place, commands: Sequence[Command] = COMMANDS, there: Container[Need] | None = None
) -> list[Cell]:
    """The text of the help screen at `place`, given what is `there`."""
    lines: list[Cell] = [(Span(Plain("Keys"), "strong"),)]
    lines += [_row(command.key_text, command.help) for command in commands_at(place, commands, there)]
    lines += [(), (Span(Plain("In a table"), "strong"),)]
    lines += [_row(keys, words) for keys, words in MOVING]
    if place in LISTS:
        lines += [(), (Span(Plain("While a filter is typed"), "strong"),)]
        lines += [_row(key.key, key.help) for key in FILTERING]
    if place == "runs":
        lines += [(), (Span(Plain("Filters of runs"), "strong"),), *_language()]
    lines += [(), (Span(Plain("States of a run"), "strong"),)]
    lines += [_state_row(state, words) for state, words in _STATES.items()]
    lines += [(), (Span(Plain("Signs"), "strong"),)]
    lines += [_row(sign, words) for sign, words in _SIGNS]
    return lines


def _language() -> list[Cell]:
    """The same table as in the help of `run list`."""
    from buddy_core.runs.query.fields import language

    return [(Span(Plain(f"  {written:<23}"), "accent"), Span(Plain(found))) for written, found in language()]


def _row(key: str, words: str) -> Cell:
    return (Span(Plain(f"  {key:<{_KEY_WIDTH}}"), "accent"), Span(Plain(words)))


def _state_row(state: str, words: str) -> Cell:
    glyph = STATE_SIGNS[state]
    name = Span(Plain(f"  {glyph} {state:<{_KEY_WIDTH - 2}}"), STATE_INKS[state])
    return (name, Span(Plain(words)))


class HelpScreen(Card[None]):
    """A scrollable card over the picture, which goes on behind it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,f1", "dismiss(None)", "back", show=False)
    ]

    def __init__(
        self, place: Place, commands: Sequence[Command] = COMMANDS, there: Container[Need] | None = None
    ) -> None:
        super().__init__()
        self._place: Place = place
        self._commands = commands
        self._there = there

    def compose(self) -> ComposeResult:
        """One panel with text."""
        with Panel(classes="card") as panel:
            panel.set_title(Plain(f"Help · {self._place}"))
            panel.set_summary(Plain("esc closes"))
            self.text = TextView()
            yield self.text

    def on_mount(self) -> None:
        """Fill it."""
        self.text.set_lines(help_lines(self._place, self._commands, self._there))
        self.text.focus()
