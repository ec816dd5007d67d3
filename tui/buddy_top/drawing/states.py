"""The states of a run and of an event: glyph, word and ink, always together. Needs no Textual.

The signs are the library's (`buddy_core.signs`); the inks are ours.
"""

from __future__ import annotations

from collections.abc import Mapping

from buddy_core.safety.text import Plain
from buddy_core.signs import STATE_SIGNS
from buddy_top.drawing.cells import Cell, Span

STATE_INKS: Mapping[str, str] = {
    "running": "accent",
    "completed": "ok",
    "failed": "bad",
    "cancelled": "dim",
    "stalled": "warn",
    "interrupted": "warn",
    "ok": "ok",
    "error": "bad",
    "refused": "warn",
    "info": "dim",
}
"""The ink of each state of a run, and of an event in a timeline."""

PAUSED = "⏸"
"""Before the word where the picture stands still."""


PAST = "◷"
"""Before the words of a picture of the past, and on the frame of each of its panels."""


def status_cell(status: str, wide: bool = True) -> Cell:
    """`● running` where there is room (`wide`), `●` alone in a narrow column."""
    ink = STATE_INKS.get(status, "label")
    glyph = STATE_SIGNS.get(status, STATE_SIGNS["info"])
    if not wide:
        return (Span(Plain(glyph), ink),)
    return (Span(Plain(f"{glyph} "), ink), Span(Plain(status), ink))
