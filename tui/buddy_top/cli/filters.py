"""Filters of runs on the command line: read from arguments, refused in one line, told in the help."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from buddy_top.cli.parser import wrong_usage

if TYPE_CHECKING:
    from buddy_core.runs.query.model import Query

_NEGATED = re.compile(r"-[A-Za-z]{2,}(?::|[<>]=?|=)", re.ASCII)
_CONTENT = re.compile(r'(\s*-?content[:=])([^"]*\s[^"]*)', re.ASCII | re.IGNORECASE)

_FOOT = (
    "All of it must hold. A shell wants < and > in quotes; behind -- an argument may",
    "begin with -. The filter of the monitor's runs tab is the same language.",
)


def filter_help() -> str:
    """The language as a table."""
    from buddy_core.runs.query.fields import language

    rows = [f"  {written:<24}{found}" for written, found in language()]
    return "\n".join(("filters:", *rows, "", *_FOOT, ""))


def shielded(words: Iterable[str]) -> list[str]:
    """Arguments in which `-status:failed` is no option: a space before it tells the argument parser so."""
    return [f" {word}" if _NEGATED.match(word) else word for word in words]


def parsed_filter(words: Iterable[str], *, program: str) -> Query:
    """What the arguments mean; exits as for any wrong usage when a part of them means nothing.

    Of `content:"exit code"` a shell leaves no quotes: with a space in it, all of that argument is the text.
    """
    from buddy_core.runs.query.canonical import quoted
    from buddy_core.runs.query.parser import parse

    def requoted(word: str) -> str:
        found = _CONTENT.fullmatch(word)
        return word if found is None else found.group(1) + quoted(found.group(2))

    parsed = parse(" ".join(map(requoted, words)))
    if parsed.problems:
        wrong_usage(parsed.problems[0].words, program=program)
    return parsed.query
