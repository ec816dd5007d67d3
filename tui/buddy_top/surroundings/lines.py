"""The report as inked lines, for the shell and for the screen alike."""

from __future__ import annotations

from collections.abc import Iterator

from buddy_core.safety.shown import shown
from buddy_core.safety.text import Plain
from buddy_top.drawing.cells import Cell, Span
from buddy_top.surroundings.check import Check, State
from buddy_top.surroundings.report import Report
from buddy_top.widgets.text.wrap import wrap

SIGNS: dict[State, str] = {"ok": "✓", "note": "·", "warning": "!", "failed": "✗"}
INKS: dict[State, str] = {"ok": "ok", "note": "dim", "warning": "warn", "failed": "bad"}
LONGEST = 600
"""Characters of one sentence."""

_SUBJECT = 15
"""Columns of the widest subject, and room beside it."""

_LEAST = 24
"""Columns the words need at least, however narrow the terminal."""


def report_lines(report: Report, width: int) -> list[Cell]:
    """Every check with a sign, its subject, what was found and below it what to do; then the sum."""
    lines: list[Cell] = []
    before = ""
    for check in report.checks:
        lines += _of(check, "" if check.subject == before else check.subject, width)
        before = check.subject
    return [*lines, (), *wrap((Span(report.sum, "strong"),), width)]


def _of(check: Check, subject: str, width: int) -> Iterator[Cell]:
    room = max(_LEAST, width - _SUBJECT - 3)
    head: Cell = (
        Span(Plain(f"{SIGNS[check.state]} "), INKS[check.state]),
        Span(Plain(f"{subject:<{_SUBJECT}} "), "label"),
    )
    found = (Span(shown(check.found, limit=LONGEST), "dim" if check.state == "ok" else "value"),)
    margin: Cell = (Span(Plain(" " * (_SUBJECT + 3))),)
    for number, line in enumerate(wrap(found, room, hang=0)):
        yield (*(margin if number else head), *line)
    if check.advice:
        for line in wrap(
            (Span(Plain("→ "), "accent"), Span(shown(check.advice, limit=LONGEST), "dim")), room, hang=2
        ):
            yield (*margin, *line)
