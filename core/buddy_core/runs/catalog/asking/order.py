"""The whole list of runs in its order, as one text: so small that a hundred thousand runs are no burden.

The ids stand end to end, each filled up with spaces to `ID_WIDTH`. SQLite makes the text while no Python runs, and
whoever shows the list cuts out of it the few ids in sight.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import tzinfo
from typing import TYPE_CHECKING, NamedTuple

from buddy_core.runs.catalog.asking.conditions import Conditions, compiled
from buddy_core.runs.catalog.asking.known import KnownRun
from buddy_core.runs.catalog.asking.pages import (
    EXPRESSIONS,
    SIGNED,
    SortKey,
    age_sql,
    match_of,
    named,
    numbered,
    suspected,
)
from buddy_core.runs.catalog.words.signs import Asked
from buddy_core.runs.names import ID_WIDTH
from buddy_core.runs.query.model import Query

if TYPE_CHECKING:
    import sqlite3

_PADDED = f"group_concat(substr(run_id || '{' ' * ID_WIDTH}', 1, {ID_WIDTH}), '')"
_HIDDEN = "run_id NOT IN (SELECT value FROM json_each(:hidden))"
_FEW = 50
_KNOWN = ", ".join(f"json_extract(value, '$[{place}]')" for place in range(4))


class Suspect(NamedTuple):
    """A run that may fit; it does if its files hold the texts, or do not hold those that are negated."""

    num: int
    run_id: str
    contents: tuple[tuple[str, bool], ...]
    """What its files have to be asked, and whether that must not be there; nothing where all is sure."""


def order_text(
    connection: sqlite3.Connection,
    query: Query,
    *,
    sort: SortKey,
    descending: bool,
    now_ms: int,
    known: Sequence[KnownRun] = (),
    hidden: Collection[str] = (),
    nums: Sequence[int] | None = None,
    tz: tzinfo | None = None,
) -> str:
    """The ids of the runs that fit, padded, in order: unknown values last, equal ones newest first.

    Rows of `hidden` ids are left out, `known` runs put in their places: whoever names them knows that they fit.
    With `nums` those rows fit: what `suspects_of` gave and the files have confirmed. Without it nothing is
    asked about the texts in files.
    """
    if sort == "started" and (known or hidden) and len(hidden) <= _FEW and all(run.on_top for run in known):
        return _with_top(
            order_text(connection, query, sort=sort, descending=descending, now_ms=now_ms, nums=nums, tz=tz),
            known,
            hidden,
        )
    if nums is None:
        where, params = _where(compiled(connection, query, now_ms=now_ms, tz=tz), hidden)
    else:
        where, params = _hiding(
            "num IN (SELECT value FROM json_each(:nums))", {"nums": json.dumps(nums)}, hidden
        )
    age, horizon = age_sql(connection, now_ms)
    params |= {"h": horizon, "known": json.dumps(known)}
    value = EXPRESSIONS[sort] or "NULL"
    newest = f"{'age' if known else age} DESC, run_id DESC"
    direction = "DESC" if descending else "ASC"
    if sort == "started":
        order = newest if descending else newest.replace(" DESC", "", 1)
    else:
        v = "v" if known else value
        order = f"{v} IS NULL, {v} {direction}, {newest}"
    if not known:
        source = f"SELECT run_id FROM run WHERE {where} ORDER BY {order} LIMIT -1"
    else:
        source = (
            f"SELECT run_id FROM (SELECT run_id, {value} AS v, {age} AS age, 0 AS top FROM run WHERE {where}"
            f" UNION ALL SELECT {_KNOWN} FROM json_each(:known)) ORDER BY top DESC, {order} LIMIT -1"
        )
    (text,) = connection.execute(f"SELECT {_PADDED} FROM ({source})", params).fetchone()
    return text or ""


def _with_top(text: str, known: Sequence[KnownRun], hidden: Collection[str]) -> str:
    """Few runs at the top of a text: ordering all the others by an index, not by hand, takes a tenth of the time."""
    for run_id in hidden:
        text = text.replace(run_id.ljust(ID_WIDTH), "", 1)
    top = sorted(known, key=lambda run: (run.age, run.run_id), reverse=True)
    return "".join(run.run_id.ljust(ID_WIDTH) for run in top) + text


def suspects_of(
    connection: sqlite3.Connection,
    query: Query,
    *,
    now_ms: int,
    hidden: Collection[str] = (),
    tz: tzinfo | None = None,
) -> list[Suspect]:
    """The runs that a filter with `content:` may fit, newest first, as far as their files need not be asked."""
    conditions = compiled(connection, query, now_ms=now_ms, tz=tz)
    age, horizon = age_sql(connection, now_ms)
    asked = list(enumerate(conditions.contents))
    columns = ["1" if not negated else suspected(number, text) for number, (text, negated) in asked]
    needed = [suspected(number, text) for number, (text, negated) in asked if not negated]
    where, params = _where(conditions, hidden)
    params |= {f"m{number}": match_of(text) for number, (text, _) in asked} | {"h": horizon}
    sql = (
        f"SELECT {', '.join(('num', 'run_id', 'bits', *columns))} FROM {SIGNED}"
        f" WHERE {' AND '.join((where, *needed))} ORDER BY {age} DESC, run_id DESC"
    )
    signs = [Asked([text]) for text, _ in conditions.contents]
    found = []
    for num, run_id, bits, *flags in connection.execute(sql, params):
        may = [bool(flag) and sign.may_be_in(bits) for flag, sign in zip(flags, signs, strict=True)]
        if all(said or negated for said, (_, negated) in zip(may, conditions.contents, strict=True)):
            contents = tuple(text for text, said in zip(conditions.contents, may, strict=True) if said)
            found.append(Suspect(num, run_id, contents))
    return found


def unknown_among(connection: sqlite3.Connection, run_ids: Collection[str]) -> list[str]:
    """Those of these ids that have no row."""
    sql = "SELECT value FROM json_each(?) WHERE value NOT IN (SELECT run_id FROM run)"
    return [run_id for (run_id,) in connection.execute(sql, (json.dumps(sorted(run_ids)),))]


def forks_of(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    """Ids of the runs that name a parent, and of those parents, which may not be there any more."""
    return connection.execute("SELECT run_id, parent FROM run WHERE parent IS NOT NULL").fetchall()


def _where(conditions: Conditions, hidden: Collection[str]) -> tuple[str, dict[str, object]]:
    return _hiding(numbered(conditions.where), named(conditions.params), hidden)


def _hiding(where: str, params: dict[str, object], hidden: Collection[str]) -> tuple[str, dict[str, object]]:
    if not hidden:
        return where, params
    return f"{where} AND {_HIDDEN}", {**params, "hidden": json.dumps(sorted(hidden))}
