"""What the viewer of an artifact shows: lines laid out for a width, made in a thread from a part of the file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from buddy_core.safety.text import Plain
from buddy_top.drawing.cells import Cell

NOTHING = Plain("")


@dataclass(frozen=True, slots=True)
class Body:
    """The lines of an artifact, without what is said about it."""

    lines: Sequence[Cell]
    """Each fits the width they were laid out for."""
    summary: Plain = NOTHING
    """A phrase for the line above: `3 files, +12 −4`."""
    marks: Sequence[int] = ()
    """Indexes of the lines that tell of a failure, in their order."""


@dataclass(frozen=True, slots=True)
class Page:
    """One artifact, as far as it was read."""

    body: Body
    text: str = ""
    """What was read, as it is but for bytes that are no UTF-8; empty for what is no text."""
    more: bool = False
    """There is more, and it would be read on if one scrolled to the end."""
    raw: bool = False
    """The text as it stands, not rendered."""
    two_ways: bool = False
    """It can be looked at rendered and raw."""
    readable: bool = True
    """False for what is no text, and what could not be read: there is nothing to open elsewhere."""
