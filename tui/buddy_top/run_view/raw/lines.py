"""The lines of a file as a list shows them, and one of them in full; what is damaged, unfinished or cut says so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

from buddy_core.runs.reading.rawfile import RawLine
from buddy_core.safety.shown import shown
from buddy_core.safety.text import Plain
from buddy_top.drawing import format as fmt
from buddy_top.drawing.cells import Cell, Span
from buddy_top.widgets.table.table import Column

COLUMNS = (
    Column("number", Plain("line"), 9, align="right", sortable=False),
    Column("state", Plain(""), 1, sortable=False),
    Column("text", Plain("as it stands"), 20, grow=1, sortable=False),
    Column("size", Plain("size"), 7, align="right", priority=1, sortable=False),
)
_STATES = {"ok": ("", "dim"), "damaged": ("✗", "bad"), "unfinished": ("…", "warn"), "blank": ("", "dim")}
_WORDS = {
    "damaged": "no record: this line cannot be read as one",
    "unfinished": "not finished: its end has not been written yet",
    "blank": "a blank line",
}

_SHOWN_CELLS = 600
"""Of a line in the list; the line itself is shown below."""


class LineNumbers(Sequence[str]):
    """The keys of so many lines: their numbers from 0, none of which is kept."""

    def __init__(self, count: int) -> None:
        self._range = range(count)

    def __len__(self) -> int:
        return len(self._range)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [str(number) for number in self._range[index]]
        return str(self._range[index])

    def index(self, value: str, start: int = 0, stop: int | None = None) -> int:
        """The place of a key; raises ValueError where there is none."""
        return self._range.index(int(value))


def line_cells(line: RawLine) -> tuple[Cell, ...]:
    """A line of the list; what is damaged, unfinished or cut says so."""
    sign, ink = _STATES[line.state]
    text = shown(line.text[: 4 * _SHOWN_CELLS].decode("utf-8", "replace"), limit=_SHOWN_CELLS)
    return (
        (Span(fmt.count(line.number + 1), "dim"),),
        (Span(Plain(sign), ink),),
        (Span(text, ink if line.state == "damaged" else "value"),),
        (Span(fmt.bytes_(line.size), "dim"),),
    )


def whole_line(line: RawLine) -> Sequence[Cell]:
    """One line in full, wrapped where it is drawn."""
    lines: list[Cell] = []
    if line.state in _WORDS:
        lines.append((Span(Plain(_WORDS[line.state]), "warn"),))
    text = shown(line.text.decode("utf-8", "replace"), limit=len(line.text) + 1)
    if text:
        lines.append((Span(text),))
    if line.size > len(line.text):
        told = f"… cut: the first {fmt.bytes_(len(line.text))} of {fmt.bytes_(line.size)}"
        lines.append((Span(Plain(told), "warn"),))
    return lines
