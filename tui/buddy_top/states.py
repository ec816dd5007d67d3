"""The states of a run and of an event: glyph, word and ink, always together. Needs no Textual.

Colour is never the only sign, so each state has a shape of its own, also after `buddy_core.safety.ascii` has
drawn it for a terminal without UTF-8.
"""

from __future__ import annotations

from collections.abc import Mapping

from buddy_core.safety.text import Plain
from buddy_top.cells import Cell, Span

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

STATE_GLYPHS: Mapping[str, str] = {
    "running": "●",
    "completed": "✓",
    "failed": "✗",
    "cancelled": "■",
    "stalled": "◐",
    "interrupted": "◌",
    "ok": "✓",
    "error": "✗",
    "refused": "⊘",
    "info": "·",
}
"""The shape of each state, one column wide."""

PAUSED = "⏸"
"""Before the word where the picture stands still."""


def status_cell(status: str, wide: bool = True) -> Cell:
    """`● running` where there is room (`wide`), `●` alone in a narrow column."""
    ink = STATE_INKS.get(status, "label")
    glyph = STATE_GLYPHS.get(status, STATE_GLYPHS["info"])
    if not wide:
        return (Span(Plain(glyph), ink),)
    return (Span(Plain(f"{glyph} "), ink), Span(Plain(status), ink))
