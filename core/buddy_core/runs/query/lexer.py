"""A filter cut into terms, with the place of every part: one pass, for any text at all.

A term is `-`? and then a word, a text in quotes, or a field with `:`, `=`, `<`, `<=`, `>` or `>=` and its value.
Inside quotes a backslash takes the next character as it is; a quotation that is not closed ends with the text,
so that a filter is good while it is being typed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_HEAD = re.compile(r"([A-Za-z]{1,20})(:(?!//)|>=|<=|[<>=])", re.ASCII)  # an address is a word
_SPACE = re.compile(r"\s*")
_PLAIN = re.compile(r'[^\s",\\]+|\\')


@dataclass(frozen=True, slots=True)
class Piece:
    """One value of a term: what it says once its quotes are gone, and where it stood."""

    text: str
    begin: int
    end: int
    quoted: bool
    """Some of it was in quotes, so that it is meant letter by letter."""


@dataclass(frozen=True, slots=True)
class RawTerm:
    """One term as it was written, not yet understood."""

    begin: int
    end: int
    negated: bool
    field: str | None
    """In small letters; None for a word."""
    sign: str
    """What stood between field and value; empty for a word."""
    pieces: tuple[Piece, ...]
    """The value, cut at its commas; of a word it is one piece, commas and all."""
    value_at: int
    """Where the value begins."""


def cut(text: str, limit: int) -> tuple[list[RawTerm], int]:
    """The first `limit` terms of `text`, and where what follows them begins."""
    terms: list[RawTerm] = []
    at = _after_space(text, 0)
    while at < len(text) and len(terms) < limit:
        terms.append(_term(text, at))
        at = _after_space(text, terms[-1].end)
    return terms, at


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _term(text: str, begin: int) -> RawTerm:
    negated = text[begin] == "-"
    at = begin + negated
    head = _HEAD.match(text, at)
    field = head.group(1).lower() if head else None
    value_at = head.end() if head else at
    pieces, end = _value(text, value_at, split=head is not None and field != "content")
    return RawTerm(begin, end, negated, field, head.group(2) if head else "", pieces, value_at)


def _value(text: str, begin: int, *, split: bool) -> tuple[tuple[Piece, ...], int]:
    """Everything up to a space outside quotes, with `split` cut at the commas outside quotes."""
    pieces: list[Piece] = []
    parts: list[str] = []
    at, start, quoted = begin, begin, False
    while at < len(text):
        found = _PLAIN.match(text, at)
        if found:
            parts.append(found.group())
            at = found.end()
        elif text[at] == '"':
            inner, at = _quotation(text, at)
            parts.append(inner)
            quoted = True
        elif text[at] == "," and split:
            pieces.append(Piece("".join(parts), start, at, quoted))
            at, parts, quoted = at + 1, [], False
            start = at
        elif text[at] == ",":
            parts.append(",")
            at += 1
        else:
            break
    pieces.append(Piece("".join(parts), start, at, quoted))
    return tuple(pieces), at


_INNER = re.compile(r'[^"\\]+')


def _quotation(text: str, at: int) -> tuple[str, int]:
    """What stands between the quote at `at` and its fellow, and the place behind that."""
    parts: list[str] = []
    at += 1
    while at < len(text) and text[at] != '"':
        if text[at] == "\\":
            parts.append(text[at + 1 : at + 2])
            at += 2
            continue
        found = _INNER.match(text, at)
        assert found is not None  # neither a quote nor a backslash stands here
        parts.append(found.group())
        at = found.end()
    return "".join(parts), min(at + 1, len(text))
