"""What could be typed next: fields, statuses, and the names that are there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from buddy_core.runs.query.canonical import typable
from buddy_core.runs.query.fields import BY_NAME, COMPARED, FIELDS, STATUS_WORDS, FieldInfo
from buddy_core.runs.query.lexer import Piece, RawTerm, cut
from buddy_core.runs.query.parser import MAX_TEXT

MAX_OPTIONS = 50

_TIMES = ("1h", "24h", "7d", "today", "yesterday")
_AMOUNTS = {
    "cost": ("0.1", "1", "10"),
    "tokens": ("10k", "100k", "1M"),
    "took": ("1m", "10m", "1h"),
    "events": ("100", "1k", "10k"),
}
_AMOUNT_UNITS = (("k", "thousand"), ("M", "million"))
_TIME_UNITS = (("m", "minutes"), ("h", "hours"), ("d", "days"))
_UNITS = {
    "took": (("s", "seconds"), *_TIME_UNITS),
    "since": (*_TIME_UNITS, ("w", "weeks")),
    "before": (*_TIME_UNITS, ("w", "weeks")),
    "tokens": _AMOUNT_UNITS,
    "events": _AMOUNT_UNITS,
}
_DIGITS = re.compile(r"\d{1,9}(?:\.\d{1,9})?", re.ASCII)
_YEAR = 4
_FEWEST_LETTERS = 3
"""Letters of a free word from which on names are offered that begin with them."""


def _nothing() -> Sequence[str]:
    return ()


@dataclass(frozen=True, slots=True)
class Known:
    """Names that are there, asked for only when somebody completes them; the commonest first."""

    tags: Callable[[], Sequence[str]] = _nothing
    tools: Callable[[], Sequence[str]] = _nothing
    models: Callable[[], Sequence[str]] = _nothing
    artifacts: Callable[[], Sequence[str]] = _nothing


@dataclass(frozen=True, slots=True)
class Option:
    """One way to go on."""

    text: str
    """Stands in the place of what is being typed. Names in it are observed text."""
    hint: str = ""
    """What it means, in a few words."""


@dataclass(frozen=True, slots=True)
class Completion:
    """What can take the place of `text[begin:end]`."""

    begin: int
    end: int
    options: tuple[Option, ...] = ()


def complete(text: str, cursor: int, known: Known | None = None) -> Completion:
    """How the part of the filter before `cursor` can go on. Never raises, whatever the text and the cursor."""
    cursor = max(0, min(cursor, len(text)))
    if cursor > MAX_TEXT:
        return Completion(cursor, cursor)
    begin, found = _ways_on(text[:cursor], known or Known())
    typed = text[begin:cursor]
    fresh: dict[Option, None] = {}
    for option in found:
        if option.text != typed:
            fresh[option] = None
        if len(fresh) == MAX_OPTIONS:  # of thousands of names no more are written down than shown
            break
    return Completion(begin, cursor, tuple(fresh))


def _ways_on(text: str, known: Known) -> tuple[int, Iterable[Option]]:
    """Where the last part of `text` begins, and what may stand there."""
    terms, _ = cut(text, len(text) + 1)
    if not terms or terms[-1].end < len(text) or terms[-1].begin == len(text):
        return len(text), _fields("")
    term = terms[-1]
    if term.field is None:
        typed = text[term.value_at :]
        return term.value_at, chain(_fields(typed), _values_of_any_field(typed, known))
    field, piece = BY_NAME.get(term.field), term.pieces[-1]
    if field is None:
        return len(text), ()
    return piece.begin, _values(field, term, piece, known)


def _fields(typed: str) -> Iterator[Option]:
    for field in FIELDS:
        if field.name.startswith(typed.lower()):
            yield Option(
                field.name + (">" if field.kind in COMPARED else ":"), f"{field.hint}: {field.example}"
            )


def _values_of_any_field(typed: str, known: Known) -> Iterator[Option]:
    """A free word may be the beginning of a status or of a name, and then its field can be written with it."""
    if len(typed) < _FEWEST_LETTERS:
        return
    yield from (Option(f"status:{word}", "how the run stands") for word in _starting(typed, STATUS_WORDS))
    folded = typed.casefold()
    for field in FIELDS:
        for found in _names_known(field, known):
            if found.casefold().startswith(folded):
                yield Option(f"{field.name}:{typable(found)}", field.hint)


def _values(field: FieldInfo, term: RawTerm, piece: Piece, known: Known) -> Iterator[Option]:
    typed = piece.text
    if field.kind == "status":
        taken = {other.text.lower() for other in term.pieces[:-1]}
        yield from map(Option, _starting(typed, (word for word in STATUS_WORDS if word not in taken)))
    elif field.kind == "names":
        yield from _names(typed.casefold(), _names_known(field, known))
    elif field.kind == "time":
        yield from map(Option, _starting(typed, _TIMES))
        yield from _with_units(field, typed)
    elif field.kind in COMPARED:
        yield from map(Option, _starting(typed, _AMOUNTS.get(field.name, ("0", "10", "100"))))
        yield from _with_units(field, typed)


def _starting(typed: str, words: Iterable[str]) -> Iterator[str]:
    small = typed.casefold()
    return (word for word in words if word.casefold().startswith(small))


def _with_units(field: FieldInfo, typed: str) -> Iterator[Option]:
    """A bare number with each of the units it may have; with four digits a time may be going to be a date."""
    if _DIGITS.fullmatch(typed) and (field.kind != "time" or len(typed) < _YEAR):
        yield from (Option(typed + unit, words) for unit, words in _UNITS.get(field.name, ()))


def _names(typed: str, names: Sequence[str]) -> Iterator[Option]:
    """Names that begin with what is typed, then those that hold it."""
    folded = [(found, found.casefold()) for found in names]
    yield from (Option(typable(found)) for found, small in folded if small.startswith(typed))
    yield from (
        Option(typable(found)) for found, small in folded if typed in small and not small.startswith(typed)
    )


def _names_known(field: FieldInfo, known: Known) -> Sequence[str]:
    ask = {"tag": known.tags, "tool": known.tools, "model": known.models, "has": known.artifacts}.get(
        field.name
    )
    return () if ask is None else ask()
