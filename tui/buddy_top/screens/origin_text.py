"""Where numbers come from, as lines for a card: a table of figures, then the files and what is missing."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from buddy_core.origins.model import Figure, Kind, Origin
from buddy_core.safety.shown import shown
from buddy_core.safety.text import Plain
from buddy_top.drawing import format as fmt
from buddy_top.drawing.cells import Cell, Span, cut, fit, width_of
from buddy_top.widgets.text.wrap import wrap

_INKS: dict[Kind, str] = {"measured": "label", "derived": "label", "estimated": "warn", "not known": "dim"}
_KIND = max(map(len, _INKS))
_LEAST = 24
"""Columns the words need at least; below that they begin on a line of their own."""


def origin_lines(origin: Origin, width: int, home: Path | None = None) -> list[Cell]:
    """The text, each line of it at most `width` columns wide; paths beneath `home` begin with `~`."""
    lines = [*_wrapped((Span(shown(origin.span), "dim"),), width, 0), ()]
    label = max((width_of((Span(Plain(one.label)),)) for one in origin.figures), default=0)
    value = max((width_of((Span(shown(one.value)),)) for one in origin.figures), default=0)
    for figure in origin.figures:
        lines += _figure(figure, label, value, width)
    lines += [(), *_list("read from", [_from_home(told, home) for told in origin.files], width)]
    lines += [(), *_list("missing", origin.missing or ("nothing that is known of",), width)]
    return lines


def _figure(figure: Figure, label: int, value: int, width: int) -> Iterator[Cell]:
    number = Span(shown(figure.value), "dim" if figure.value == fmt.UNKNOWN else "strong")
    head: Cell = (
        *fit((Span(Plain(figure.label), "label"),), label),
        Span(Plain("  ")),
        *fit((number,), value, "right"),
        Span(Plain(f"  {figure.kind:<{_KIND}}  "), _INKS[figure.kind]),
    )
    how: Cell = (Span(shown(figure.how), "value"),)
    indent = width_of(head)
    if width - indent < _LEAST:
        yield cut(head, width)
        yield from _wrapped(how, width, label + 2)
        return
    first, *rest = wrap(how, width - indent, hang=0)
    yield (*head, *first)
    yield from ((Span(Plain(" " * indent)), *line) for line in rest)


def _list(title: str, items: Sequence[str], width: int) -> Iterator[Cell]:
    yield (Span(Plain(title), "strong"),)
    for item in items:
        yield from _wrapped((Span(shown(item), "value"),), width, 2)


def _from_home(told: str, home: Path | None) -> str:
    return told if home is None else told.replace(f"{home}{os.sep}", f"~{os.sep}")


def _wrapped(line: Cell, width: int, indent: int) -> Iterator[Cell]:
    blank = (Span(Plain(" " * indent)),) if indent else ()
    yield from ((*blank, *piece) for piece in wrap(line, max(1, width - indent), hang=2))
