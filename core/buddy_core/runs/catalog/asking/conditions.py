"""A filter as SQL: every value is bound, and every text of the statement stands in this file."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import TYPE_CHECKING

from buddy_core.runs.catalog.words.wordindex import Found, find
from buddy_core.runs.query.candidate import fold
from buddy_core.runs.query.evaluate import moment_ms
from buddy_core.runs.query.fields import STATUS_WORDS
from buddy_core.runs.query.glob import name_test
from buddy_core.runs.query.model import (
    Compare,
    Condition,
    Content,
    NameIs,
    NumberField,
    Pattern,
    Query,
    Sign,
    Started,
    StatusIs,
    Word,
)

if TYPE_CHECKING:
    import sqlite3

_SIGNS: dict[Sign, str] = {">": ">", ">=": ">=", "<": "<", "<=": "<=", "=": "="}
_NUMBERS: dict[NumberField, str] = {
    name: name for name in ("cost", "tokens", "took", "errors", "failed", "calls", "events")
}
_SETS = {"tag": "tag", "tool": "tool", "model": "model", "has": "has"}

_FEW = 2_000
_LISTED = "IN (SELECT value FROM json_each(?))"


@dataclass(slots=True)
class Conditions:
    """What of a filter SQLite answers, and what is left for the files."""

    where: str = "1"
    params: list[object] = field(default_factory=list)
    contents: list[tuple[str, bool]] = field(default_factory=list)
    """Texts to look for in the files of a run, and whether they must not be there."""


def compiled(
    connection: sqlite3.Connection, query: Query, *, now_ms: int, tz: tzinfo | None = None
) -> Conditions:
    """The filter at one moment, for the rows there are now."""
    made, parts, rest = Conditions(), [], []
    wanted: dict[bool, list[str]] = {False: [], True: []}
    for term in query.terms:
        if isinstance(term.condition, Content):
            made.contents.append((term.condition.text, term.negated))
        elif isinstance(term.condition, Word) and not _statuses(term.condition):
            wanted[term.negated].append(fold(term.condition.text))
        else:
            rest.append(term)
    if wanted[False]:
        parts.append(_listed(find(connection, wanted[False], wanted[True]), made.params))
    else:
        parts += [f"NOT {_listed(find(connection, [text]), made.params)}" for text in wanted[True]]
    for term in rest:
        part, params = _part(connection, term.condition, now_ms, tz)
        parts.append(f"NOT ({part})" if term.negated else f"({part})")
        made.params += params
    made.where = " AND ".join(parts) or "1"
    return made


def _listed(found: Found, params: list[object]) -> str:
    """True for the runs that were found. Many of them are better asked than begun with, which the plus sign says."""
    params.append(found.nums)
    column = "num" if found.number < _FEW else "+num"
    return f"({column} {'NOT ' if found.others else ''}{_LISTED})"


def _part(
    connection: sqlite3.Connection, condition: Condition, now_ms: int, tz: tzinfo | None
) -> tuple[str, list[object]]:
    """One condition, true or false for every row and never null."""
    if isinstance(condition, Word):
        return _word(connection, condition)
    if isinstance(condition, StatusIs):
        return f"status {_LISTED}", [json.dumps(condition.words)]
    if isinstance(condition, NameIs):
        return _name(connection, condition)
    if isinstance(condition, Compare):
        return f"({_NUMBERS[condition.field]} {_SIGNS[condition.sign]} ?) IS TRUE", [condition.value]
    assert isinstance(condition, Started)
    at = moment_ms(condition.moment, now_ms, tz)
    if condition.field == "since":
        return "started_at >= ?", [max(at, 1)]
    return "started_at > 0 AND started_at < ?", [at]


def _statuses(condition: Word) -> list[str]:
    """Those whose word has this in it."""
    wanted = fold(condition.text)
    return [status for status in STATUS_WORDS if wanted in status]


def _word(connection: sqlite3.Connection, condition: Word) -> tuple[str, list[object]]:
    params: list[object] = []
    listed = _listed(find(connection, [fold(condition.text)]), params)
    return f"{listed} OR status {_LISTED}", [*params, json.dumps(_statuses(condition))]


def _name(connection: sqlite3.Connection, condition: NameIs) -> tuple[str, list[object]]:
    if condition.field == "id":
        tests = [_id(pattern) for pattern in condition.patterns]
        return " OR ".join(part for part, _ in tests), [param for _, params in tests for param in params]
    names = [name_test(condition.field, pattern) for pattern in condition.patterns]
    fitting = _sets_with(connection, lambda name: any(test(name) for test in names))
    return f"{_SETS[condition.field]} {_LISTED}", [json.dumps(fitting)]


def _sets_with(connection: sqlite3.Connection, fits: Callable[[str], bool]) -> list[int]:
    known: dict[str, bool] = {}
    found = []
    for number, text in connection.execute("SELECT id, names FROM nameset"):
        for name in json.loads(text):
            if name not in known:
                known[name] = fits(fold(name))
            if known[name]:
                found.append(number)
                break
    return found


def _id(pattern: Pattern) -> tuple[str, list[object]]:
    """Ids are small ASCII letters, so that SQLite's own patterns mean the same; `[` means nothing there."""
    wanted = fold(pattern.text)
    if pattern.glob:
        return "run_id GLOB ?", [wanted.replace("[", "[[]")]
    return "instr(run_id, ?) = 1 OR instr(run_id, ?) = 1", [wanted, f"run_{wanted}"]
