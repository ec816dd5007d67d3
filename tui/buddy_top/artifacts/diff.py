"""A patch: coloured, with the numbers of its lines where its hunks tell them, and what it adds and removes in all.

Unified diffs as git and diff write them. The counts of a hunk's header decide where it ends, so that a removed
line that begins with `-- ` is no file header; where an agent wrote a bare `@@`, the signs alone decide.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from buddy_core.safety.text import Plain
from buddy_top.artifacts.layout import behind, safe_lines, wrapped
from buddy_top.artifacts.page import Body
from buddy_top.drawing import format as fmt
from buddy_top.drawing.cells import Cell, Span, cut, cut_left

_HUNK = re.compile(r"@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@")
_MINUS = "−"
_SAID_BY_NAME = ("diff ", "--- ", "+++ ", "index ")
"""Headers that say nothing beyond the heading of their file."""

_INKS = {"+": "ok", "-": "bad", " ": "value", "\\": "dim"}


@dataclass(slots=True)
class _File:
    """One file of the patch, while it is read."""

    added: int = 0
    removed: int = 0
    path: str = ""
    entries: list[tuple[str, Plain, int | None, int | None]] = field(default_factory=list)
    """Kind (`@`, `~` for other headers, or the sign), text, old and new number."""


class _Reader:
    """Takes the lines of a patch one by one and sorts them into files."""

    def __init__(self) -> None:
        self.files: list[_File] = [_File()]
        self._old: int | None = None
        self._new: int | None = None
        self._left = (0, 0)
        self._counted = False
        self._in_hunk = False

    def read(self, lines: list[Plain]) -> list[_File]:
        """All files, the first one without a name for what stands before any."""
        for index, line in enumerate(lines):
            following = lines[index + 1] if index + 1 < len(lines) else ""
            self._take(line, following)
        return [one for one in self.files if one.entries or one.path]

    def _take(self, line: Plain, following: str) -> None:
        if self._counted and self._left > (0, 0) and self._takes_part(line):
            self._change(line)
        elif line.startswith("diff "):
            self._begin_file(line)
        elif line.startswith("--- ") and following.startswith("+++ "):
            self._old_name(line)
        elif line.startswith("+++ ") and self._awaits_name():
            self._new_name(line)
        elif line.startswith("@@"):
            self._begin_hunk(line)
        elif self._in_hunk and not self._counted and line[:1] in _INKS:
            self._change(line)
        elif line.startswith("\\"):
            self._enter("\\", line)
        else:
            self._in_hunk = False
            self._enter("~", line)

    def _takes_part(self, line: str) -> bool:
        """True while the hunk's own counts say that this line is part of it; an empty one is a blank context."""
        old, new = self._left
        sign = line[:1] or " "
        return {"+": new > 0, "-": old > 0, " ": old > 0 and new > 0, "\\": True}.get(sign, False)

    def _begin_file(self, line: Plain) -> None:
        self._in_hunk = self._counted = False
        self.files.append(_File(path=_named(line.rpartition(" ")[2])))
        self._enter("~", line)

    def _old_name(self, line: Plain) -> None:
        here = self.files[-1]
        if not here.entries or any(kind != "~" for kind, *_ in here.entries):
            self.files.append(_File())
        self._in_hunk = self._counted = False
        self.files[-1].path = _named(line[4:])
        self._enter("~", line)

    def _awaits_name(self) -> bool:
        entries = self.files[-1].entries
        return bool(entries) and entries[-1][1].startswith("--- ")

    def _new_name(self, line: Plain) -> None:
        name = _named(line[4:])
        if name != "/dev/null":
            self.files[-1].path = name
        self._enter("~", line)

    def _begin_hunk(self, line: Plain) -> None:
        found = _HUNK.match(line)
        self._in_hunk, self._counted = True, found is not None
        if found is None:
            self._old = self._new = None
        else:
            old, old_count, new, new_count = found.groups()
            self._old, self._new = int(old), int(new)
            self._left = int(old_count or 1), int(new_count or 1)
        self._enter("@", line)

    def _change(self, line: Plain) -> None:
        sign = line[:1] or " "
        here = self.files[-1]
        here.added += sign == "+"
        here.removed += sign == "-"
        old = self._old if sign in "- " else None
        new = self._new if sign in "+ " else None
        here.entries.append((sign, Plain(line[1:]), old, new))
        if sign == "\\":
            return
        self._left = self._left[0] - (sign in "- "), self._left[1] - (sign in "+ ")
        if self._old is not None and self._new is not None:
            self._old, self._new = self._old + (sign in "- "), self._new + (sign in "+ ")

    def _enter(self, kind: str, line: Plain) -> None:
        self.files[-1].entries.append((kind, line, None, None))


def diff_body(text: str, width: int) -> Body:
    """The patch laid out for `width`: each file under its name, with what it adds and removes."""
    files = _Reader().read(safe_lines(text))
    largest = max(
        (n for one in files for _, _, *both in one.entries for n in both if n is not None), default=None
    )
    digits = 0 if largest is None else len(str(largest))
    lines: list[Cell] = []
    for one in files:
        if lines:
            lines.append(())
        if one.path:
            lines += _heading(one, width)
        for entry in one.entries:
            if not (one.path and entry[0] == "~" and entry[1].startswith(_SAID_BY_NAME)):
                lines += _entry(*entry, digits, width)
    return Body(lines, diff_summary(files))


def diff_summary(files: list[_File]) -> Plain:
    """`3 files, +12 −4`."""
    named = sum(bool(one.path) for one in files)
    added, removed = sum(one.added for one in files), sum(one.removed for one in files)
    return Plain(f"{fmt.plural(named, 'file')}, +{added:,} {_MINUS}{removed:,}")


def _heading(one: _File, width: int) -> list[Cell]:
    counts = (Span(Plain(f"  +{one.added:,}"), "ok"), Span(Plain(f" {_MINUS}{one.removed:,}"), "bad"))
    room = width - sum(len(span.text) for span in counts)
    return [(Span(Plain(cut_left(one.path, max(room, 8))), "strong"), *counts)]


def _entry(sign: str, line: Plain, old: int | None, new: int | None, digits: int, width: int) -> list[Cell]:
    if sign == "~":
        return wrapped((Span(line, "dim"),), width)
    if sign == "@":
        return [cut((Span(line, "accent"),), width)]
    ink = _INKS[sign]
    gutter: list[Span] = []
    if digits:
        gutter = [Span(Plain(f"{_number(old, digits)} {_number(new, digits)} "), "dim")]
    return behind((*gutter, Span(Plain(sign), ink)), (Span(line, ink),), width)


def _number(number: int | None, digits: int) -> str:
    return " " * digits if number is None else f"{number:>{digits}}"


def _named(words: str) -> str:
    """The path of a header: without the time that diff adds, and without git's `a/` or `b/`."""
    path = words.split("\t")[0].strip().strip('"')
    return path[2:] if path[:2] in ("a/", "b/") else path
