"""One run as rows of the catalog, and back: facts as they are, checked by a sum, secrets masked."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple, get_args

import msgspec

from buddy_core.caches.errors import CacheDamaged
from buddy_core.runs.catalog.early import Early
from buddy_core.runs.facts import RunFacts
from buddy_core.runs.folding.turns import span_of
from buddy_core.runs.model import EndStatus
from buddy_core.runs.names import started_at_of
from buddy_core.runs.query.candidate import Candidate, fold, searchable

if TYPE_CHECKING:
    import sqlite3

    from buddy_core.prices.table import PriceTable

MAX_TITLE = 80
"""Characters of an objective that runs are sorted by."""

_NOT_COUNTED = (None,) * 4
_ENDS = frozenset(get_args(EndStatus))
_decode: Callable[[bytes], Candidate | Early] = msgspec.msgpack.Decoder(Candidate | Early).decode
_encode = msgspec.msgpack.Encoder().encode

EARLY_COLUMNS = (
    "num",
    "run_id",
    "own_model",
    "status",
    "started_at",
    "id_at",
    "span_end",
    "took",
    "tokens",
    "cost",
    "tag",
    "tool",
    "model",
    "has",
    "title",
    "parent",
)
"""What the small files of an ended run say."""

COLUMNS = (*EARLY_COLUMNS, "signature", "whole", "indexed", "ended", "errors", "failed", "calls", "events")

EARLY_REST = (0, False, 0, True, *_NOT_COUNTED)
"""The values of the other columns while nothing else was read; SQL has them as words, which spares a third of the time."""

ROWS_AT_ONCE = 50


class Insertion:
    """A statement that inserts one row, and one for many rows: those take SQLite two thirds of the time."""

    def __init__(self, into: str, row: str) -> None:
        self.one = f"INSERT INTO {into} VALUES({row})"
        self._many = f"INSERT INTO {into} VALUES {', '.join([f'({row})'] * ROWS_AT_ONCE)}"

    def insert(self, connection: sqlite3.Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        """Insert rows in their order."""
        whole = len(rows) - len(rows) % ROWS_AT_ONCE
        groups = (rows[at : at + ROWS_AT_ONCE] for at in range(0, whole, ROWS_AT_ONCE))
        connection.executemany(self._many, (tuple(chain.from_iterable(group)) for group in groups))
        connection.executemany(self.one, rows[whole:])


RUN = Insertion(f"run({', '.join(COLUMNS)})", ", ".join("?" * len(COLUMNS)))
EARLY_RUN = Insertion(
    f"run({', '.join(COLUMNS)})", f"{', '.join('?' * len(EARLY_COLUMNS))}, 0, 0, 0, 1, NULL, NULL, NULL, NULL"
)
BODY = Insertion("body", "?, ?, ?")


@dataclass(frozen=True, slots=True)
class Row:
    """One run of a page."""

    facts: RunFacts
    """Secrets masked."""
    whole: bool
    """False while only the summary was read: what is counted in events is not known yet, and 0 in `facts`."""


def run_values(
    num: int, run: Candidate, *, signature: int, whole: bool, set_id: Callable[[Sequence[str]], int]
) -> tuple[Any, ...]:
    """The values of `COLUMNS` for a run that was just read."""
    facts = run.facts
    counted = (facts.errors + facts.tool_failures, facts.tool_failures, facts.tool_calls, facts.event_count)
    return (
        num,
        facts.run_id,
        facts.model is not None,
        facts.status,
        facts.started_at,
        started_at_of(facts.run_id) or 0,
        span_of(facts).ended_at,
        facts.duration_ms,
        facts.total_tokens,
        facts.total_cost,
        set_id(facts.tags),
        set_id(run.tools),
        set_id((facts.model,) if facts.model else ()),
        set_id(facts.artifacts),
        title(facts),
        facts.parent_run_id,
        signature,
        whole,
        0,
        facts.recorded_status in _ENDS,
        *(counted if whole else _NOT_COUNTED),
    )


class NamedByTags(NamedTuple):
    """What the tags of a run say of it: the same for very many runs."""

    tags: int
    """The set of them, as of `set_id`."""
    none: int
    """The empty set."""
    model: int
    """The set of the model, if they name one."""
    own_model: bool
    words: str
    """Model and tags as free words are looked for in them."""


def named_by(run: Early, set_id: Callable[[Sequence[str]], int]) -> NamedByTags:
    """What the tags of `run` say."""
    model, none = run.model, set_id(())
    words = searchable(model or "", *run.tags)
    return NamedByTags(set_id(run.tags), none, set_id((model,)) if model else none, model is not None, words)


def early_values(num: int, run: Early, named: NamedByTags, title: str) -> tuple[Any, ...]:
    """The values of `EARLY_COLUMNS`: with `EARLY_REST` the same as by way of the run's facts."""
    ended_at = run.ended_at
    return (
        num,
        run.run_id,
        named.own_model,
        run.status,
        run.started_at,
        started_at_of(run.run_id) or 0,
        run.started_at if ended_at is None else ended_at,
        run.took,
        run.tokens,
        run.total_cost or None,
        named.tags,
        named.none,
        named.model,
        named.none,
        title,
        run.parent_run_id,
    )


def prices_mark(prices: PriceTable | None) -> str:
    """Another text for other prices; empty for none."""
    if prices is None:
        return ""
    from buddy_core.prices.package import installed_version

    return hashlib.sha256(repr((prices.entries, installed_version())).encode()).hexdigest()[:16]


def title(facts: RunFacts) -> str:
    """What runs are sorted by when they are sorted by objective."""
    return fold(facts.objective[:MAX_TITLE])


def body_values(num: int, run: Candidate | Early) -> tuple[int, int, bytes]:
    """The row of `body`."""
    record = _encode(run)
    return num, zlib.crc32(record), record


def read_body(crc: int, record: bytes) -> Candidate:
    """The run in a row of `body`; raises `CacheDamaged` when it is not what was written."""
    try:
        if zlib.crc32(record) == crc:
            found = _decode(record)
            return found.candidate() if isinstance(found, Early) else found
    except (TypeError, ValueError, RecursionError) as error:
        raise CacheDamaged("a run in it cannot be read") from error
    raise CacheDamaged("a run in it is not what was written")
