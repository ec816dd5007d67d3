"""From text to a filter: whatever is understood becomes a condition, whatever is not becomes a problem in plain words.

Linear in the text, and total: no text raises. A part with a problem is left out of the filter, so that the list
does not go empty while somebody is typing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import cast

from buddy_core.runs.query.fields import BY_NAME, COMPARED, FIELDS, STATUS_WORDS, FieldInfo
from buddy_core.runs.query.lexer import Piece, RawTerm, cut
from buddy_core.runs.query.model import (
    Compare,
    Condition,
    Content,
    NameField,
    NameIs,
    NumberField,
    Pattern,
    Query,
    Sign,
    Started,
    StatusIs,
    Term,
    TimeField,
    Word,
)
from buddy_core.runs.query.values import amount, duration_ms, moment

MAX_TERMS = 64
"""Conditions of one filter, and values of one condition; more of them are a problem."""

MAX_TEXT = 10_000
"""Characters of a filter that are read; what follows is a problem too."""

MAX_NAME = 200
"""Characters of a word or a name; longer ones are in no run's names."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A part of a filter that could not be understood."""

    begin: int
    end: int
    """The part is `text[begin:end]`."""
    words: str
    """What is wrong and what would be right, in one sentence; holds parts of what was typed."""
    instead: str = ""
    """What was probably meant, to stand in the place of the part; empty where nothing is near."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a text means as a filter."""

    query: Query
    """The conditions that were understood."""
    problems: tuple[Problem, ...] = ()
    """In the order of the text."""


class _Refused(Exception):
    """A value that its field does not take; says where and why."""

    def __init__(self, begin: int, end: int, words: str, instead: str = "") -> None:
        super().__init__(words)
        self.problem = Problem(begin, end, words, instead)


def parse(text: str) -> Parsed:
    """Understand a filter. Never raises."""
    raw_terms, rest = cut(text[:MAX_TEXT], MAX_TERMS)
    terms: list[Term] = []
    problems: list[Problem] = []
    for raw in raw_terms:
        try:
            condition = _condition(raw)
        except _Refused as refused:
            problems.append(refused.problem)
            continue
        if condition is not None:
            terms.append(Term(condition, raw.negated))
    if rest < len(text):
        words = f"a filter has at most {MAX_TERMS} conditions and {MAX_TEXT:,} characters: leave this out"
        problems.append(Problem(rest, len(text), words))
    return Parsed(Query(tuple(terms)), tuple(problems))


def _condition(raw: RawTerm) -> Condition | None:
    """What a term asks for; None for quotes with nothing in them."""
    if raw.field is None:
        return _word(raw)
    field = BY_NAME.get(raw.field)
    if field is None:
        raise _unknown_field(raw, raw.field)
    if field.kind not in COMPARED and raw.sign not in (":", "="):
        raise _Refused(raw.begin, raw.end, f"{field.name} is not compared: write {field.example}")
    if not any(piece.text for piece in raw.pieces):
        raise _Refused(
            raw.begin, raw.end, f"{field.name} needs a value: {field.hint}, such as {field.example}"
        )
    return _MAKERS[field.kind](field, raw)


def _word(raw: RawTerm) -> Condition | None:
    (piece,) = raw.pieces
    if not piece.text:
        if raw.negated and not piece.quoted:
            raise _Refused(raw.begin, raw.end, "- needs a word or a condition behind it that must not hold")
        return None
    return Word(_short(piece))


def _status(field: FieldInfo, raw: RawTerm) -> Condition:
    words: list[str] = []
    for piece in _filled(raw):
        word = piece.text.lower()
        fitting = [status for status in STATUS_WORDS if status == word]
        if not fitting:
            near = get_close_matches(word[:20], STATUS_WORDS, 1, 0.5)
            hint = f"did you mean {near[0]}?" if near else f"there are {_listed(STATUS_WORDS)}"
            said = f"“{_told(piece.text)}” is no status: {hint}"
            raise _Refused(piece.begin, piece.end, said, near[0] if near else "")
        words += [status for status in fitting if status not in words]
    return StatusIs(tuple(words))


def _names(field: FieldInfo, raw: RawTerm) -> Condition:
    patterns = (
        Pattern(_short(piece), glob=not piece.quoted and any(sign in piece.text for sign in "*?"))
        for piece in _filled(raw)
    )
    return NameIs(cast(NameField, field.name), tuple(dict.fromkeys(patterns)))


def _number(field: FieldInfo, raw: RawTerm) -> Condition:
    text = ",".join(piece.text for piece in raw.pieces)
    value = duration_ms(text) if field.kind == "duration" else amount(text)
    if value is None:
        what = "duration" if field.kind == "duration" else "number"
        raise _Refused(raw.value_at, raw.end, f"“{_told(text)}” is no {what}: write {field.example}")
    sign = "=" if raw.sign == ":" else raw.sign
    return Compare(cast(NumberField, field.name), cast(Sign, sign), float(value))


def _time(field: FieldInfo, raw: RawTerm) -> Condition:
    text = ",".join(piece.text for piece in raw.pieces)
    at = moment(text)
    if at is None:
        raise _Refused(
            raw.value_at, raw.end, f"“{_told(text)}” is no time: write 2h, 3d, today, 14:02 or 2026-01-08"
        )
    return Started(cast(TimeField, field.name), at)


def _content(_field: FieldInfo, raw: RawTerm) -> Condition:
    return Content(_short(raw.pieces[0], limit=1_000))


_MAKERS: dict[str, Callable[[FieldInfo, RawTerm], Condition]] = {
    "status": _status,
    "names": _names,
    "number": _number,
    "duration": _number,
    "time": _time,
    "content": _content,
}


def _filled(raw: RawTerm) -> list[Piece]:
    """The values of a list; nothing between two commas is no value."""
    filled = [piece for piece in raw.pieces if piece.text]
    if len(filled) > MAX_TERMS:
        raise _Refused(
            filled[MAX_TERMS].begin, raw.end, f"these are more than {MAX_TERMS} values: leave some out"
        )
    return filled


def _short(piece: Piece, limit: int = MAX_NAME) -> str:
    if len(piece.text) > limit:
        raise _Refused(
            piece.begin, piece.end, f"this is longer than {limit} characters: a part of it will do"
        )
    return piece.text


def _unknown_field(raw: RawTerm, name: str) -> _Refused:
    near = get_close_matches(name, BY_NAME, 1, 0.6)
    hint = f"did you mean {near[0]}?" if near else f"there are {_listed([field.name for field in FIELDS])}"
    words = f"there is no field {name}: {hint} (a text with such a sign goes in quotes)"
    instead = f"{'-' if raw.negated else ''}{near[0]}{raw.sign}" if near else ""
    return _Refused(raw.begin, raw.value_at, words, instead)


def _listed(words: tuple[str, ...] | list[str]) -> str:
    return f"{', '.join(words[:-1])} and {words[-1]}"


def _told(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:39]}…"
