"""A filter written down again: one spelling for each meaning, and it parses to the same."""

from __future__ import annotations

import re

from buddy_core.runs.query.model import (
    Compare,
    Condition,
    Content,
    NameIs,
    Pattern,
    Query,
    Started,
    StatusIs,
    Term,
    Word,
)
from buddy_core.runs.query.values import write_amount, write_duration, write_moment
from buddy_core.safety.text import plain

_BARE_WORD = re.compile(r'[^\s"\\:<>=-][^\s"\\:<>=]*')
_BARE_NAME = re.compile(r'[^\s"\\,*?]+')
_LONGEST_NAME = 80


def canonical(query: Query) -> str:
    """The filter as text."""
    return " ".join(map(write_term, query.terms))


def write_term(term: Term) -> str:
    """One condition as text, with its `-`."""
    return ("-" if term.negated else "") + write_condition(term.condition)


def write_condition(condition: Condition) -> str:
    """One condition as text."""
    if isinstance(condition, Word):
        return condition.text if _BARE_WORD.fullmatch(condition.text) else quoted(condition.text)
    if isinstance(condition, StatusIs):
        return "status:" + ",".join(condition.words)
    if isinstance(condition, NameIs):
        return f"{condition.field}:" + ",".join(map(_pattern, condition.patterns))
    if isinstance(condition, Compare):
        write = write_duration if condition.field == "took" else write_amount
        return f"{condition.field}{condition.sign}{write(condition.value)}"
    if isinstance(condition, Started):
        return f"{condition.field}:{write_moment(condition.moment)}"
    assert isinstance(condition, Content)
    return f"content:{quoted(condition.text)}"


def quoted(text: str) -> str:
    """`text` in quotes, as the lexer reads it."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def name(text: str) -> str:
    """A name as a value of a field, in quotes where it needs them."""
    return text if _BARE_NAME.fullmatch(text) else quoted(text)


def typable(text: str) -> str:
    """A name as a value that anybody can type and read: a pattern where the name itself is too long or unprintable.

    In a pattern `?` stands for each character that cannot be seen or would end the value, `*` for the end of
    a long name; it fits the name, and perhaps others that look the same.
    """
    if len(text) <= _LONGEST_NAME and plain(text) == text:
        return name(text)
    head = text[:_LONGEST_NAME]
    ending = "*" if len(text) > _LONGEST_NAME else ""
    return "".join(one if _BARE_NAME.fullmatch(one) and plain(one) == one else "?" for one in head) + ending


def _pattern(pattern: Pattern) -> str:
    return pattern.text if pattern.glob else name(pattern.text)
