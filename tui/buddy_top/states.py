"""The states of a run and of an event: glyph, word and ink, always together. Needs no Textual.

Colour is never the only sign, so each state has a shape of its own. Where the locale is not UTF-8,
`ASCII` takes the place of `UNICODE`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

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


@dataclass(frozen=True, slots=True)
class Glyphs:
    """One set of shapes, each a single column wide."""

    states: Mapping[str, str] = field(default_factory=dict)
    pause: str = ""
    live: str = ""
    descending: str = ""
    ascending: str = ""
    branch: str = ""
    mark: str = ""
    separator: str = ""


UNICODE = Glyphs(
    states={
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
    },
    pause="⏸",
    live="●",
    descending="▾",
    ascending="▴",
    branch="└",
    mark="◆",
    separator="·",
)
ASCII = Glyphs(
    states={
        "running": "*",
        "completed": "+",
        "failed": "x",
        "cancelled": "#",
        "stalled": "~",
        "interrupted": "?",
        "ok": "+",
        "error": "x",
        "refused": "!",
        "info": ".",
    },
    pause="=",
    live="*",
    descending="v",
    ascending="^",
    branch="`",
    mark="#",
    separator="-",
)


def status_cell(status: str, wide: bool = True, *, glyphs: Glyphs = UNICODE) -> Cell:
    """`● running` where there is room (`wide`), `●` alone in a narrow column."""
    ink = STATE_INKS.get(status, "label")
    glyph = glyphs.states.get(status, glyphs.states["info"])
    if not wide:
        return (Span(Plain(glyph), ink),)
    return (Span(Plain(f"{glyph} "), ink), Span(Plain(status), ink))
