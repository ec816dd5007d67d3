"""Pages of the list of runs out of the catalog: filtered, ordered, and never more of them read than shown."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import tzinfo
from typing import TYPE_CHECKING, Literal

from buddy_core.caches.errors import CacheDamaged
from buddy_core.runs.catalog.asking.conditions import Conditions, compiled
from buddy_core.runs.catalog.layout import SEGMENT_BITS
from buddy_core.runs.catalog.rows import Row, read_body
from buddy_core.runs.catalog.words.signs import Asked
from buddy_core.runs.catalog.words.texts import trigrams
from buddy_core.runs.query.evaluate import FindContent
from buddy_core.runs.query.model import Query

if TYPE_CHECKING:
    import sqlite3

SortKey = Literal["started", "status", "took", "tokens", "cost", "calls", "failed", "objective"]
"""What a list may be ordered by; `failed` means errors and failed calls together, as that column of the list does."""

SetField = Literal["tag", "tool", "model", "has"]
"""Fields of filters whose values are names."""

_SET_COLUMNS: dict[SetField, str] = {"tag": "tag", "tool": "tool", "model": "model", "has": "has"}
_SUSPECTS = f"SELECT rowid >> {SEGMENT_BITS} FROM content WHERE content MATCH"
SIGNED = "run LEFT JOIN sign USING(num)"
"""Rows with the signatures of those runs that have one."""

_DAY_MS = 86_400_000
_AGE = "CASE WHEN started_at <= :h THEN started_at WHEN id_at <= :h THEN id_at ELSE 0 END"
_RANK = (
    "CASE status WHEN 'running' THEN 0 WHEN 'stalled' THEN 1 WHEN 'interrupted' THEN 2 WHEN 'failed' THEN 3"
    " WHEN 'cancelled' THEN 4 ELSE 5 END"
)
_KIN = (
    "WITH RECURSIVE up(id) AS (SELECT :id UNION SELECT parent FROM run JOIN up ON run_id = id WHERE parent IS NOT NULL),"
    " down(id) AS (SELECT id FROM up UNION SELECT run_id FROM run JOIN down ON parent = id)"
    " SELECT num FROM run JOIN down ON run_id = id WHERE EXISTS (SELECT 1 FROM run WHERE run_id = :id) LIMIT :l"
)
EXPRESSIONS: dict[SortKey, str] = {
    "started": "",
    "status": _RANK,
    "took": "took",
    "tokens": "tokens",
    "cost": "cost",
    "calls": "calls",
    "failed": "errors",
    "objective": "title",
}
"""What rows are ordered by; nothing for the start, which has an index."""


class Cancelled(Exception):
    """Whoever asked no longer wants to know; what was committed stays."""


class Pages:
    """Reads one catalog through one connection; for one thread at a time.

    Args:
        connection: Of a reader or of the writer.
        content: Answers from the files of a run what the index can only suspect.
    """

    def __init__(self, connection: sqlite3.Connection, content: FindContent) -> None:
        self._connection = connection
        self._content = content
        self._known: dict[tuple[int, str], bool] = {}
        self.cancelled: Callable[[], bool] | None = None
        """Asked between the searches of files; once it is true, `Cancelled` is raised."""

    def page(
        self,
        query: Query,
        *,
        sort: SortKey = "started",
        descending: bool = True,
        offset: int = 0,
        limit: int = 50,
        now_ms: int,
        tz: tzinfo | None = None,
    ) -> list[Row]:
        """Rows `offset` to `offset + limit` of the runs that fit (0: all); unknown values last, ties newest first."""
        conditions = compiled(self._connection, query, now_ms=now_ms, tz=tz)
        order, horizon = self._order(sort, descending, now_ms)
        if conditions.contents:
            nums: list[int] = []
            for num in self._verified(conditions, order, horizon):
                nums.append(num)
                if limit and len(nums) >= offset + limit:
                    break
            return self._rows(nums[offset:])
        sql = f"SELECT num FROM run WHERE {numbered(conditions.where)} ORDER BY {order} LIMIT :l OFFSET :o"
        params = {**named(conditions.params), "h": horizon, "l": limit or -1, "o": offset}
        with self._at_one_moment():
            return self._rows([num for (num,) in self._connection.execute(sql, params)])

    def count(self, query: Query, *, now_ms: int, tz: tzinfo | None = None) -> int:
        """How many runs fit; with `content:` every run that may fit is searched."""
        conditions = compiled(self._connection, query, now_ms=now_ms, tz=tz)
        if conditions.contents:
            return sum(1 for _ in self._verified(conditions, "num", 0))
        sql = f"SELECT count(*) FROM run WHERE {numbered(conditions.where)}"
        (found,) = self._connection.execute(sql, named(conditions.params)).fetchone()
        return int(found)

    def unread(self) -> int:
        """Runs of which only the small files were read."""
        sql = "SELECT count(*) FROM run WHERE indexed=0 AND whole=0"  # for the first there is an index
        (found,) = self._connection.execute(sql).fetchone()
        return int(found)

    def names(self, field: SetField) -> list[str]:
        """The names that runs have in a field, the commonest first."""
        sql = f"SELECT names, count(*) FROM run JOIN nameset ON nameset.id = run.{_SET_COLUMNS[field]} GROUP BY 1"
        counts: Counter[str] = Counter()
        for names, runs in self._connection.execute(sql):
            for name in json.loads(names):
                counts[name] += runs
        return [name for name, _ in counts.most_common()]

    def kin(self, run_id: str, limit: int) -> list[Row]:
        """A run, its ancestors, and all their forks, at most `limit` of them; nothing where it is not known.

        Circles end where they began, for `UNION` takes an id once.
        """
        rows = self._connection.execute(_KIN, {"id": run_id, "l": limit})
        return self._rows([num for (num,) in rows])

    def suspects(self, words: Sequence[str]) -> list[str]:
        """Ids of the runs in whose files all the words may stand; no other run's files hold them."""
        groups: frozenset[str] = frozenset().union(*map(trigrams, words))
        if not groups:
            return [run_id for (run_id,) in self._connection.execute("SELECT run_id FROM run")]
        sql = f"SELECT run_id, bits FROM {SIGNED} WHERE indexed <> 1 OR num IN ({_SUSPECTS} ?)"
        rows, asked = self._connection.execute(sql, (_expression(groups),)), Asked(words)
        return [run_id for run_id, bits in rows if asked.may_be_in(bits)]

    def _order(self, sort: SortKey, descending: bool, now_ms: int) -> tuple[str, int]:
        """The order, and up to when a start is believed; an index serves while no run claims a later one."""
        age, horizon = age_sql(self._connection, now_ms)
        newest, direction = f"{age} DESC, run_id DESC", "DESC" if descending else "ASC"
        if sort == "started":
            return (newest if descending else f"{age}, run_id DESC"), horizon
        value = EXPRESSIONS[sort]
        return f"{value} IS NULL, {value} {direction}, {newest}", horizon

    def _verified(self, conditions: Conditions, order: str, horizon: int) -> Iterator[int]:
        """Numbers of the runs that fit, in order: what the index suspects is looked up in the files."""
        asked = list(enumerate(conditions.contents))
        suspects = ["1" if not negated else suspected(number, text) for number, (text, negated) in asked]
        needed = [suspected(number, text) for number, (text, negated) in asked if not negated]
        where = " AND ".join((numbered(conditions.where), *needed))
        sql = f"SELECT num, run_id, bits, {', '.join(suspects)} FROM {SIGNED} WHERE {where} ORDER BY {order}"
        signs = [Asked([text]) for text, _ in conditions.contents]
        matches = {f"m{number}": match_of(text) for number, (text, _) in enumerate(conditions.contents)}
        rows = self._connection.execute(sql, {**named(conditions.params), **matches, "h": horizon})
        for num, run_id, bits, *found in rows:
            if all(
                (bool(suspect) and sign.may_be_in(bits) and self.holds(num, run_id, text)) != negated
                for suspect, sign, (text, negated) in zip(found, signs, conditions.contents, strict=True)
            ):
                yield num

    def holds(self, num: int, run_id: str, text: str) -> bool:
        """Asked of the files once for each state of the run: another state has another number."""
        if self.cancelled is not None and self.cancelled():
            raise Cancelled
        key = (num, text)
        if key not in self._known:
            if len(self._known) > 100_000:
                self._known.clear()
            self._known[key] = self._content(run_id, text)
        return self._known[key]

    @contextmanager
    def _at_one_moment(self) -> Iterator[None]:
        """Several statements see the same rows, whatever a writer commits between them."""
        if self._connection.in_transaction:
            yield
            return
        self._connection.execute("BEGIN")
        try:
            yield
        finally:
            self._connection.execute("COMMIT")

    def rows_of(self, run_ids: Iterable[str]) -> list[Row]:
        """The rows of these runs, as far as they are known."""
        wanted = list(run_ids)
        rows = {row.facts.run_id: row for row in self._packed("run_id", wanted).values()}
        return [rows[run_id] for run_id in wanted if run_id in rows]

    def _rows(self, nums: list[int]) -> list[Row]:
        rows = self._packed("num", nums)
        if len(rows) < len(set(nums)):
            raise CacheDamaged("a run in it has no facts")
        return [rows[num] for num in nums]

    def _packed(self, column: Literal["run_id", "num"], values: Sequence[str | int]) -> dict[int, Row]:
        """Rows by their numbers, in one step of SQLite: between two steps another thread may hold Python for long."""
        sql = (
            "SELECT group_concat(num || ' ' || whole || ' ' || crc || ' ' || hex(record), ' ')"
            f" FROM run JOIN body USING(num) WHERE {column} IN (SELECT value FROM json_each(?))"
        )
        (text,) = self._connection.execute(sql, (json.dumps(values),)).fetchone()
        parts = iter((text or "").split())
        try:
            return {
                int(num): Row(read_body(int(crc), bytes.fromhex(record)).facts, whole != "0")
                for num, whole, crc, record in zip(parts, parts, parts, parts, strict=True)
            }
        except ValueError as error:
            raise CacheDamaged("a run in it cannot be read") from error


def age_sql(connection: sqlite3.Connection, now_ms: int) -> tuple[str, int]:
    """What the newest runs have most of, and `:h` in it: up to when a start is believed."""
    horizon = now_ms + _DAY_MS
    (latest,) = connection.execute("SELECT max(started_at) FROM run").fetchone()
    return ("started_at" if latest is None or latest <= horizon else _AGE), horizon


def numbered(where: str) -> str:
    """Question marks as names: a statement may have parameters of one kind only."""
    parts = where.split("?")
    return "".join(
        part + (f":p{number}" if number < len(parts) - 1 else "") for number, part in enumerate(parts)
    )


def named(params: list[object]) -> dict[str, object]:
    """The values of those names."""
    return {f"p{number}": value for number, value in enumerate(params)}


def suspected(number: int, text: str) -> str:
    """True for runs in whose files the text of that number may stand."""
    if not trigrams(text):
        return "1"
    return f"(indexed <> 1 OR num IN ({_SUSPECTS} :m{number}))"


def match_of(text: str) -> str:
    """For `:m` and its number: all groups of three letters of a text, as an expression of FTS5."""
    return _expression(trigrams(text))


def _expression(groups: Iterable[str]) -> str:
    """They are letters, digits and `_` only, so that nothing in quotes can be anything else."""
    return " AND ".join(f'"{group}"' for group in sorted(groups))
