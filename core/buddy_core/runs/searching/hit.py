"""One find as it is told: where it is, and the line around it, short, printable and with its finds marked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from buddy_core.runs.searching.needle import Needle
from buddy_core.safety.text import plain

MAX_EXCERPT = 200
"""Characters of a line that are told, around the first find."""

MAX_CONTEXT = 4_000
"""Characters before and behind a find that are looked at for what may be told."""

Skip = Callable[[str], None]
"""Told in words what was not searched, and why."""


@dataclass(frozen=True, slots=True)
class SearchHit:
    """One event, or one line of an artifact, in which everything that was searched for stands."""

    run_id: str
    source: Literal["event", "artifact"]
    name: str
    """The event's type or the tool's name; of an artifact its file name. Observed and hostile, like `text`."""
    at_ms: int | None
    """Wall time of the event; None for artifacts."""
    line: int | None
    """Line of the artifact, from 1; None for events."""
    offset: int
    """Byte at which the event, or the artifact's block, begins in its file."""
    text: str
    """The line around the first find, at most `MAX_EXCERPT` characters, secrets masked."""
    marks: tuple[tuple[int, int], ...]
    """Where in `text` the finds are; empty when all of them are inside a secret."""


def line_around(text: str, at: int) -> tuple[str, int]:
    """The line of `text` that holds the place `at`, cut to some thousand characters, and where it begins."""
    begin = max(text.rfind("\n", 0, at) + 1, at - MAX_CONTEXT)
    end = text.find("\n", at)
    return text[begin : min(end if end >= 0 else len(text), at + MAX_CONTEXT)], begin


def excerpt(needle: Needle, line: str, near: int) -> tuple[str, tuple[tuple[int, int], ...]]:
    """The part of a masked line that is told, and the finds in it."""
    if len(line) > MAX_EXCERPT:
        found = needle.first_in(line[max(0, near - MAX_EXCERPT) :])
        at = near if found is None else found[0] + max(0, near - MAX_EXCERPT)
        begin = max(0, min(at - MAX_EXCERPT // 3, len(line) - MAX_EXCERPT))
        line = ("…" if begin else "") + line[begin : begin + MAX_EXCERPT - 2] + "…"
    text = str(plain(line.strip(), limit=MAX_EXCERPT + 2))
    return text, needle.all_in(text)
