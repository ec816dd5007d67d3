"""Rows in and out of a catalog, inside the transactions of whoever keeps it current."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from buddy_core.runs.catalog.early import Early
from buddy_core.runs.catalog.layout import SEGMENT_BITS
from buddy_core.runs.catalog.rows import (
    BODY,
    EARLY_RUN,
    MAX_TITLE,
    RUN,
    NamedByTags,
    body_values,
    early_values,
    named_by,
    read_body,
    run_values,
)
from buddy_core.runs.catalog.words import wordindex
from buddy_core.runs.query.candidate import Candidate, fold, searchable, words_of

if TYPE_CHECKING:
    import sqlite3

_encode = msgspec.json.Encoder().encode
_MANY_SETS = 50_000
_MANY_TAGS = 2_000
_MANY_WORDS = 15_000
"""Characters after which a run's words might have to be cut."""

_SLACK = 10_000
"""So many texts of numbers that are gone are no reason to begin anew."""


class RowWriter:
    """Writes the rows of runs through one connection of the cache's writer."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._sets: dict[tuple[str, ...], int] = {}
        self._named: dict[tuple[str, ...], NamedByTags] = {}
        self._next = self._number("next", 1)
        self._texts = self._number("texts", 0)

    def put(self, run: Candidate, *, signature: int, whole: bool) -> int:
        """Take a run, masked, in the place of what was known of it; returns its new number."""
        self.remove([run.facts.run_id])
        num, self._next = self._next, self._next + 1
        values = run_values(num, run, signature=signature, whole=whole, set_id=self.set_id)
        self._connection.execute(RUN.one, values)
        self._connection.execute(BODY.one, body_values(num, run))
        self._connection.execute("INSERT INTO word VALUES(?, ?)", (num, words_of(run).encode()))
        return num

    def put_early(self, runs: Sequence[Early | Candidate]) -> None:
        """Take runs, masked, that are not known yet, and of which only the small files were read."""
        early: list[tuple[Any, ...]] = []
        late: list[tuple[Any, ...]] = []
        bodies, texts = [], []
        for num, run in enumerate(runs, self._next):
            if isinstance(run, Early):
                named = self._named.get(run.tags)
                if named is None:
                    named = self._name(run)
                if len(run.objective) <= MAX_TITLE and len(named.words) <= _MANY_WORDS:
                    # Nothing is cut off: the objective is folded but once.
                    title = fold(run.objective)
                    words = f"{title}\n{run.run_id}\n{named.words}"
                else:
                    title = fold(run.objective[:MAX_TITLE])
                    words = searchable(run.objective, run.run_id, run.model or "", *run.tags)
                early.append(early_values(num, run, named, title))
            else:
                late.append(run_values(num, run, signature=0, whole=False, set_id=self.set_id))
                words = words_of(run)
            bodies.append(body_values(num, run))
            texts.append((num, words.encode()))
        self._next += len(runs)
        EARLY_RUN.insert(self._connection, early)
        RUN.insert(self._connection, late)
        BODY.insert(self._connection, bodies)
        wordindex.add(self._connection, texts)

    def note(self) -> None:
        """Write down which numbers were given: before every commit, so that none is given twice."""
        self._set_meta("next", self._next)
        self._set_meta("texts", self._texts)

    def remove(self, run_ids: Iterable[str]) -> None:
        """Forget runs; those that are not known are passed over."""
        for run_id in run_ids:
            found = self._connection.execute(
                "DELETE FROM run WHERE run_id=? RETURNING num", (run_id,)
            ).fetchone()
            if found is not None:
                self._connection.execute("DELETE FROM body WHERE num=?", found)
                self._connection.execute("DELETE FROM word WHERE num=?", found)
                self._connection.execute("DELETE FROM sign WHERE num=?", found)

    def _name(self, run: Early) -> NamedByTags:
        if len(self._named) >= _MANY_TAGS:
            self._named.clear()
        found = self._named[run.tags] = named_by(run, self.set_id)
        return found

    def set_id(self, names: Sequence[str]) -> int:
        """The number under which a set of names is kept."""
        key = tuple(names)
        number = self._sets.get(key)
        if number is None:
            text = _encode(key).decode()
            self._connection.execute("INSERT OR IGNORE INTO nameset(names) VALUES(?)", (text,))
            found = self._connection.execute("SELECT id FROM nameset WHERE names=?", (text,)).fetchone()
            if len(self._sets) >= _MANY_SETS:
                self._sets.clear()
            self._sets[key] = number = int(found[0])
        return number

    def add_text(self, num: int, segment: int, words: str) -> None:
        """Take the words of one piece of a run's files."""
        self._connection.execute(
            "INSERT INTO content(rowid, words) VALUES(?, ?)", (num << SEGMENT_BITS | segment, words)
        )
        self._texts += 1

    def add_signature(self, num: int, bits: bytes) -> None:
        """Take the signature of a short run."""
        self._connection.execute("INSERT OR REPLACE INTO sign VALUES(?, ?)", (num, bits))

    def set_indexed(self, num: int, *, pieces: int, complete: bool) -> None:
        """All pieces of a run were taken, or (not `complete`) it must always be searched itself."""
        self._connection.execute(
            "UPDATE run SET indexed=?, pieces=? WHERE num=?", (1 if complete else 2, pieces, num)
        )

    def tidy(self) -> None:
        """Pack what can be packed, and begin an index anew when most of it is about numbers that are gone."""
        runs, pieces = self._connection.execute("SELECT count(*), total(pieces) FROM run").fetchone()
        if self._texts > 2 * pieces + _SLACK:
            self._connection.execute("INSERT INTO content(content) VALUES('delete-all')")
            self._connection.execute("UPDATE run SET indexed=0, pieces=0")
            self._texts = 0
        self.pack_words()
        (worded,) = self._connection.execute("SELECT total(runs) FROM wordblock").fetchone()
        if worded > 2 * runs + _SLACK:
            self._connection.execute("DELETE FROM wordblock")
            self._connection.execute("DELETE FROM word")
            for num, crc, record in self._connection.execute(
                "SELECT num, crc, record FROM body ORDER BY num"
            ):
                words = words_of(read_body(crc, record)).encode()
                self._connection.execute("INSERT INTO word VALUES(?, ?)", (num, words))
            wordindex.pack(self._connection)

    def pack_words(self) -> None:
        """Words are searched quickly only in blocks: make those that are full, and let go of those of no use."""
        wordindex.drop_unused(self._connection)
        wordindex.pack(self._connection)

    @property
    def turns(self) -> str:
        """Which state of the file of turns the models are from; empty when from none."""
        return self._text("turns")

    @turns.setter
    def turns(self, mark: str) -> None:
        self._set_meta("turns", mark)

    @property
    def prices(self) -> str:
        """Which prices the costs are reckoned by; empty when by none."""
        return self._text("prices")

    @prices.setter
    def prices(self, mark: str) -> None:
        self._set_meta("prices", mark)

    def _text(self, name: str) -> str:
        found = self._connection.execute("SELECT value FROM meta WHERE name=?", (name,)).fetchone()
        return "" if found is None else str(found[0])

    def _number(self, name: str, default: int) -> int:
        found = self._connection.execute("SELECT value FROM meta WHERE name=?", (name,)).fetchone()
        return default if found is None else int(found[0])

    def _set_meta(self, name: str, value: object) -> None:
        self._connection.execute("INSERT OR REPLACE INTO meta VALUES(?, ?)", (name, value))
