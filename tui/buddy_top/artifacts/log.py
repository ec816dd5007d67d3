"""A log: its text without colours of its own, and a sign before each line that tells of an error or a warning."""

from __future__ import annotations

import re

from rich.cells import cell_len

from buddy_core.safety.text import Plain
from buddy_core.signs import STATE_SIGNS
from buddy_top.artifacts.layout import behind, count_lines, safe_lines
from buddy_top.artifacts.page import Body
from buddy_top.drawing import format as fmt
from buddy_top.drawing.cells import Cell, Span

_COLOURS = re.compile(r"\x1b\[[0-9;:]{0,60}[mK]")
_ERROR = re.compile(
    r"\b(?:ERROR|FATAL|CRITICAL|FAIL|FAILED|PANIC|Traceback)\b|\b(?:[Ee]rror|fatal|panic)(?:\[\w{1,20}\])?:"
    r"|\b[A-Z]\w{0,80}(?:Error|Exception)\b|\bnpm ERR!|^E   |[✗✘✖]"
)
_WARNING = re.compile(r"\b(?:WARN|WARNING)\b|\b[Ww]arning(?:\[\w{1,20}\])?:|\b\w{1,80}Warning\b|⚠")
_NONE_OF_THEM = re.compile(r"\b0 (?:errors?|warnings?|failed|failures?)\b", re.IGNORECASE)
_RUN = re.compile(r"([=\-_*#~─═ ])\1{7,}")
_LEAST_RUN = 3
_LOOKED_AT = 500

_ERROR_FRONT: Cell = (Span(Plain(f"{STATE_SIGNS['error']} "), "bad"),)
_WARNING_FRONT: Cell = (Span(Plain("! "), "warn"),)
_FRONT: Cell = (Span(Plain("  ")),)


def without_colours(text: str) -> str:
    """`text` without the sequences that colour a terminal or clear the rest of its line; others stay, to be seen."""
    return _COLOURS.sub("", text) if "\x1b" in text else text


def log_body(text: str, width: int) -> Body:
    """The log wrapped to `width`; its errors are marks."""
    lines: list[Cell] = []
    marks: list[int] = []
    warnings = 0
    for line in safe_lines(without_colours(text)):
        state = _state(line[:_LOOKED_AT])
        if state == "bad":
            marks.append(len(lines))
        warnings += state == "warn"
        lines += behind(_FRONTS[state], (Span(narrowed(line, width - 2), state),), width)
    return Body(lines, _summary(count_lines(text), len(marks), warnings), marks)


_FRONTS = {"bad": _ERROR_FRONT, "warn": _WARNING_FRONT, "value": _FRONT}


def narrowed(line: Plain, width: int) -> Plain:
    """A line that is too wide because of a rule or a gap in it (`==== FAILURES ====`) with less of that."""
    excess = cell_len(line) - width if len(line) <= _LOOKED_AT else 0
    if excess <= 0:
        return line
    runs = [found.span() for found in _RUN.finditer(line)]
    if sum(end - start - _LEAST_RUN for start, end in runs) < excess:
        return line
    pieces: list[str] = []
    at = 0
    for left, (start, end) in zip(range(len(runs), 0, -1), runs, strict=True):
        taken = min(-(-excess // left), end - start - _LEAST_RUN)
        excess -= taken
        pieces += [line[at:start], line[start : end - taken]]
        at = end
    return Plain("".join(pieces) + line[at:]) if excess <= 0 else line


def _state(line: str) -> str:
    """The ink of a line."""
    if _ERROR.search(line):
        return "bad" if not _NONE_OF_THEM.search(line) else "value"
    return "warn" if _WARNING.search(line) and not _NONE_OF_THEM.search(line) else "value"


def _summary(lines: Plain, errors: int, warnings: int) -> Plain:
    words = [lines]
    words += [fmt.plural(errors, "error")] if errors else []
    words += [fmt.plural(warnings, "warning")] if warnings else []
    return Plain(" · ".join(words))
