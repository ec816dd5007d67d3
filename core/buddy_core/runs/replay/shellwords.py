"""A shell line as words, if it means the same without a shell; else the reason why it does not.

Only what every shell leaves alone is accepted: plain words, quotes, `cd DIR && …` in front and `2>&1` at the end.
Everything that a shell would expand, connect, redirect or run is refused by name, never interpreted.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import NamedTuple

from buddy_core.safety.text import is_plain, plain

MAX_LINE = 500
"""Recorded arguments are cut to this many characters: a line that long is not known to be whole."""


class NeedsShell(ValueError):
    """The line means something else without a shell, or is not known to be what was run."""


class Line(NamedTuple):
    """A line that needs no shell."""

    words: tuple[str, ...]
    directories: tuple[str, ...] = ()
    """What `cd` was told in front of it, in order."""


_OPERATORS = {
    "|": "a pipe",
    "&": "a command in the background",
    ";": "several commands",
    "<": "a redirection",
    ">": "a redirection",
    "(": "a subshell",
    ")": "a subshell",
    "$": "a variable or a substitution",
    "`": "a substitution",
    "*": "a file pattern",
    "?": "a file pattern",
    "[": "a file pattern",
    "]": "a file pattern",
    "{": "a brace expansion",
    "}": "a brace expansion",
    "\\": "a backslash",
    "!": "a history expansion or a negation",
}
_IN_DOUBLE_QUOTES = {"$", "`", "\\", "!"}
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\+?=")
_AND, _MERGE = "&&", "2>&1"


def parse_line(line: str) -> Line:
    """The words of `line`.

    Raises:
        NeedsShell: With a reason that completes “it is not replayable: …”.
    """
    _check_text(line)
    tokens = list(_tokens(line.strip(" \t")))
    if tokens and tokens[-1] == ("op", _MERGE):  # both outputs are taken together in any case
        tokens.pop()
    directories: list[str] = []
    while len(tokens) > 3 and tokens[0] == ("word", "cd") and tokens[2] == ("op", _AND):
        directories.append(_directory(tokens[1]))
        tokens = tokens[3:]
    if any(kind == "op" for kind, _ in tokens):
        raise NeedsShell("needs a shell: several commands or a redirection")
    words = tuple(text for _, text in tokens)
    if words and _ASSIGNMENT.match(words[0]):
        raise NeedsShell("it sets environment variables")
    return Line(words, tuple(directories))


def check_argument(text: str) -> str:
    """Return `text` when what is shown of it is what it is; raises `NeedsShell`."""
    if not is_plain(text) or any(char.isspace() and char != " " for char in text):
        raise NeedsShell("it has control characters, invisible or reversing ones")
    return text


def pieces(line: str) -> Iterator[list[str]]:
    """The commands that a line with shell syntax may hold, roughly: only to see what it is about."""
    for part in re.split(r"[;&|()\n`]+|\$\(", line[: 4 * MAX_LINE]):
        try:
            words = shlex.split(part, comments=True)
        except ValueError:
            words = part.split()
        while words and _ASSIGNMENT.match(words[0]):
            words = words[1:]
        if words:
            yield words


def _check_text(line: str) -> None:
    if "\n" in line or "\r" in line:
        raise NeedsShell("needs a shell: it has several lines")
    check_argument(line)
    if len(line) >= MAX_LINE or "…" in line[-20:]:
        raise NeedsShell("it is incomplete: the record was cut")


def _directory(token: tuple[str, str]) -> str:
    kind, text = token
    if kind != "word" or not text or text.startswith("-"):
        raise NeedsShell(f"needs a shell: cd {plain(text, limit=40)}")
    return text


def _tokens(line: str) -> Iterator[tuple[str, str]]:
    """Words and the two operators that are understood, left to right; anything else raises."""
    position = 0
    while position < len(line):
        char = line[position]
        if char in " \t":
            position += 1
        elif line.startswith(_AND, position):
            yield "op", _AND
            position += 2
        elif line.startswith(_MERGE, position) and line[position + 4 : position + 5] in ("", " "):
            yield "op", _MERGE
            position += 4
        else:
            word, position = _word(line, position)
            yield "word", word


def _word(line: str, start: int) -> tuple[str, int]:
    """The word at `start` without its quotes, and where it ends."""
    if line[start] in "~#":
        raise NeedsShell("needs a shell: a home directory" if line[start] == "~" else "it has a comment")
    parts: list[str] = []
    position = start
    while position < len(line) and line[position] not in " \t":
        char = line[position]
        if char in "'\"":
            text, position = _quoted(line, position)
            parts.append(text)
            continue
        if char in _OPERATORS:
            raise NeedsShell(f"needs a shell: {_OPERATORS[char]}")
        if char == "~" and parts and parts[-1][-1:] in "=:":
            raise NeedsShell("needs a shell: a home directory")
        parts.append(char)
        position += 1
    return "".join(parts), position


def _quoted(line: str, start: int) -> tuple[str, int]:
    quote = line[start]
    end = line.find(quote, start + 1)
    if end < 0:
        raise NeedsShell("a quote is not closed")
    text = line[start + 1 : end]
    if quote == '"' and not _IN_DOUBLE_QUOTES.isdisjoint(text):
        raise NeedsShell("needs a shell: a variable, a substitution or a backslash in quotes")
    return text, end + 1
