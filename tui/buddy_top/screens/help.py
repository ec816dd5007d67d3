"""Help: every key of the place one came from, read from the registry the footer reads."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from itertools import zip_longest
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from buddy_core.safety.text import Plain
from buddy_core.signs import STATE_SIGNS
from buddy_top.commands import COMMANDS, FILTERING, LISTS, MOVING, Command, Need, Place, commands_at
from buddy_top.drawing.cells import Cell, Span, fit, width_of
from buddy_top.drawing.states import STATE_INKS
from buddy_top.keys.command import ALL
from buddy_top.screens.card import Card
from buddy_top.widgets.panel import Panel
from buddy_top.widgets.text.view import MARGINS, TextView
from buddy_top.widgets.text.wrap import wrap

_KEY_WIDTH = 14
_TWO_COLUMNS = 100
"""Columns of a text from which on its parts stand side by side."""

_GAP = 3
"""Columns between two of them."""

_LEAST = 20
"""Columns that words have beside a key, however narrow the terminal."""

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


def help_sections(
    place: Place, commands: Sequence[Command] = COMMANDS, there: Container[Need] | None = None
) -> list[list[Cell]]:
    """What there is to know at `place`, given what is `there`, each part with its heading: first what works here only."""
    deeds: dict[str, list[Command]] = {}
    for command in commands_at(place, commands, there):
        deeds.setdefault(command.help, []).append(command)
    tabs = [deed for deed in deeds.values() if deed[0].id.startswith("tab.")]
    everywhere = [
        deed for deed in deeds.values() if all(way.places == ALL for way in deed) and deed not in tabs
    ]
    here = [deed for deed in deeds.values() if deed not in tabs and deed not in everywhere]
    parts = [
        ("In this run" if place == "run" else "On this tab", _keys(here)),
        ("In a table", [_row(keys, words) for keys, words in MOVING]),
        ("Everywhere", _keys(everywhere)),
        ("Tabs", _keys(tabs)),
        ("While a filter is typed", [_row(key.key, key.help) for key in FILTERING] if place in LISTS else []),
        ("Filters of runs", _language() if place == "runs" else []),
        ("States of a run", [_state_row(state, words) for state, words in _STATES.items()]),
        ("Signs", [_row(sign, words) for sign, words in _SIGNS]),
    ]
    return [[(Span(Plain(title), "strong"),), *rows] for title, rows in parts if rows]


def help_lines(sections: Sequence[Sequence[Cell]], width: int) -> list[Cell]:
    """The parts below each other, or in two columns of about the same length where `width` has room for them."""
    if width < _TWO_COLUMNS:
        return _below(sections, width)
    room = (width - _GAP) // 2
    ways = [(_below(sections[:at], room), _below(sections[at:], room)) for at in range(1, len(sections))]
    left, right = min(ways, key=lambda way: max(len(way[0]), len(way[1])))
    gap = Span(Plain(" " * _GAP))
    return [
        (*fit(one, room), gap, *other) if other else one
        for one, other in zip_longest(left, right, fillvalue=())
    ]


def _below(sections: Sequence[Sequence[Cell]], width: int) -> list[Cell]:
    """The parts with an empty line between them, wrapped."""
    lines: list[Cell] = []
    for section in sections:
        lines += [()] if lines else []
        for line in section:
            lines += _hanging(line, width)
    return lines


def _hanging(line: Cell, width: int) -> Iterator[Cell]:
    """The line with what is said of a key wrapped beside the key, never below it."""
    key, words = line[:1], line[1:]
    if not words:
        yield line
        return
    first = width_of(key)
    for piece in wrap(words, max(width - first, _LEAST), hang=0):
        yield (*key, *piece)
        key = (Span(Plain(" " * first)),)


def _keys(deeds: Iterable[Sequence[Command]]) -> list[Cell]:
    """A row for each thing that is done, with all keys that do it."""
    return [_row(" ".join(way.key_text for way in deed), deed[0].help) for deed in deeds]


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
        with Panel(classes="card help") as panel:
            panel.set_title(Plain(f"Help · {self._place}"))
            panel.set_summary(Plain("esc closes"))
            self.text = TextView(wrapped=False)
            yield self.text

    def on_mount(self) -> None:
        """Ready to be scrolled."""
        self.text.focus()

    def on_resize(self, event: events.Resize) -> None:
        """Fill it, or lay it out anew."""
        self.call_after_refresh(self._draw)

    def _draw(self) -> None:
        width = self.text.size.width - MARGINS
        if width > 0:
            self.text.set_lines(help_lines(help_sections(self._place, self._commands, self._there), width))
