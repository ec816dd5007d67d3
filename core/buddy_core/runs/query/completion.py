"""What could be typed next: fields, statuses, and the names that are there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from buddy_core.runs.query.canonical import name
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
    terms, _ = cut(text[:cursor], cursor + 1)
    if not terms or terms[-1].end < cursor or terms[-1].begin == cursor:
        return Completion(cursor, cursor, tuple(_fields("")))
    term = terms[-1]
    if term.field is None:
        typed = text[term.value_at : cursor]
        return Completion(term.value_at, cursor, tuple(_fields(typed)))
    field, piece = BY_NAME.get(term.field), term.pieces[-1]
    if field is None:
        return Completion(cursor, cursor)
    options = _values(field, term, piece, known or Known())
    return Completion(piece.begin, cursor, tuple(options)[:MAX_OPTIONS])


def _fields(typed: str) -> Iterator[Option]:
    for field in FIELDS:
        if field.name.startswith(typed.lower()):
            yield Option(
                field.name + (">" if field.kind in COMPARED else ":"), f"{field.hint}: {field.example}"
            )


def _values(field: FieldInfo, term: RawTerm, piece: Piece, known: Known) -> Iterator[Option]:
    typed = piece.text.casefold()
    if field.kind == "status":
        taken = {other.text.lower() for other in term.pieces[:-1]}
        yield from _starting(typed, (word for word in STATUS_WORDS if word not in taken))
    elif field.kind == "names":
        yield from _names(typed, _names_known(field, known))
    elif field.kind == "time":
        yield from _starting(typed, _TIMES)
    elif field.kind in COMPARED:
        yield from _starting(typed, _AMOUNTS.get(field.name, ("0", "10", "100")))


def _starting(typed: str, words: Iterable[str]) -> Iterator[Option]:
    return (Option(word) for word in words if word.startswith(typed))


def _names(typed: str, names: Sequence[str]) -> Iterator[Option]:
    """Names that begin with what is typed, then those that hold it."""
    folded = [(found, found.casefold()) for found in names]
    yield from (Option(name(found)) for found, small in folded if small.startswith(typed))
    yield from (
        Option(name(found)) for found, small in folded if typed in small and not small.startswith(typed)
    )


def _names_known(field: FieldInfo, known: Known) -> Sequence[str]:
    ask = {"tag": known.tags, "tool": known.tools, "model": known.models, "has": known.artifacts}.get(
        field.name
    )
    return () if ask is None else ask()
