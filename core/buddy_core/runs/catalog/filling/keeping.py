"""Keeping a catalog as the files are: what is new is read, what is gone leaves, what cannot have changed is not looked at.

Summaries come first where there is much to read, so that every run is listed soon; then the events, newest run first;
then the texts. Each commits in small pieces: a process that is killed loses one of them.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from buddy_core.caches.db import CacheDb
from buddy_core.clock import Clock
from buddy_core.runs.catalog.asking.pages import Cancelled
from buddy_core.runs.catalog.early import Early, id_of
from buddy_core.runs.catalog.filling.signature import UNPROVEN, is_there, signature
from buddy_core.runs.catalog.filling.summaries import SummaryReader
from buddy_core.runs.catalog.filling.writing import RowWriter
from buddy_core.runs.catalog.layout import SEGMENT_BITS
from buddy_core.runs.catalog.rows import prices_mark, read_body
from buddy_core.runs.catalog.words.signs import Signer
from buddy_core.runs.catalog.words.texts import TextReader, Unindexable
from buddy_core.runs.catalog.words.wordindex import RUNS_IN_BLOCK
from buddy_core.runs.facts import RunFacts
from buddy_core.runs.folding.turns import TURN_METRICS
from buddy_core.runs.names import is_run_id
from buddy_core.runs.query.candidate import Candidate, masked
from buddy_core.runs.query.scan import models_by_turns, read_once
from buddy_core.runs.reading.reader import run_ids
from buddy_core.runs.watching.liveness import conclude_status, lock_state
from buddy_core.safety.paths import directory_beneath, real_root

if TYPE_CHECKING:
    from buddy_core.prices.table import PriceTable

Phase = Literal["summaries", "events", "texts"]

SUMMARIES_FIRST = 500
"""With more runs to read than this their summaries are read before any events."""

_LISTED = "IN (SELECT value FROM json_each(?))"
_TO_BE_JOINED = "?"
"""No state that a file of turns can have: the next `keep` joins it again."""

_UNREAD = -1
"""No signature: the events of a run were not read, or its costs are reckoned by other prices."""

_ASK_EVERY = 50
_FIRST_COMMIT_S = 0.1
_COMMIT_S = 1.0


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the keeping is."""

    phase: Phase
    done: int
    total: int
    """Runs to read in this phase."""
    read_bytes: int = 0
    """Of texts."""


class Keeper:
    """Keeps one catalog current; used by one thread.

    Args:
        cache: Opened for writing.
        runs_dir: The directory it is about, as it was named: the file of turns lies beside it.
        progress: Told after every commit.
        cancelled: Asked between runs; once it is true, `Cancelled` is raised.
    """

    def __init__(
        self,
        cache: CacheDb,
        runs_dir: Path,
        *,
        clock: Clock,
        prices: PriceTable | None = None,
        progress: Callable[[Progress], None] = lambda _progress: None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> None:
        self._cache = cache
        self._named = runs_dir
        self._root = real_root(runs_dir)
        self._clock = clock
        self._prices = prices
        self._progress = progress
        self._cancelled = cancelled
        self._rows = RowWriter(cache.connection)
        self._texts = TextReader(self._root)
        self._signer = Signer()

    def keep(self) -> int:
        """Everything but the texts; returns how many runs were new, changed or gone."""
        sql = f"SELECT run_id, CASE WHEN whole THEN signature ELSE {_UNREAD} END FROM run"
        known: dict[str, int] = dict(self._cache.connection.execute(sql))
        mark = prices_mark(self._prices)
        if mark != self._rows.prices:
            known = dict.fromkeys(known, _UNREAD)
        stale, gone = self._compared(known, run_ids(self._root))
        with self._cache.transaction():
            self._rows.remove(gone)
        unknown = [run_id for run_id in stale if run_id not in known]
        if len(unknown) > SUMMARIES_FIRST:
            listed = self._summaries(unknown)
            stale.sort(key=listed.__contains__)
        self._each_whole(stale)
        overtaken = self._overtaken()
        self._each_whole(overtaken)
        if stale or gone or overtaken or self._turns_mark() != self._rows.turns:
            self._join_turns()
            with self._cache.transaction():
                self._rows.tidy()
                self._rows.prices = mark
                self._rows.note()
        return len(stale) + len(gone) + len(overtaken)

    def keep_runs(self, run_ids: Iterable[str]) -> int:
        """The same for these runs alone; what all runs together decide waits for the next `keep`."""
        wanted = sorted({run_id for run_id in run_ids if is_run_id(run_id)}, reverse=True)
        sql = f"SELECT run_id, CASE WHEN whole THEN signature ELSE {_UNREAD} END FROM run WHERE run_id {_LISTED}"
        known: dict[str, int] = dict(self._cache.connection.execute(sql, (json.dumps(wanted),)))
        with directory_beneath(self._root) as root_fd:
            present = [run_id for run_id in wanted if is_there(root_fd, run_id)]
        stale, gone = self._compared(known, present)
        with self._cache.transaction():
            self._rows.remove(gone)
        self._each_whole(stale)
        if stale and (self._rows.turns or self._turns_mark()):
            with self._cache.transaction():
                self._rows.turns = _TO_BE_JOINED
        return len(stale) + len(gone)

    def keep_texts(self) -> int:
        """The full text of whatever has none yet and is at rest, newest first; returns the bytes that were read."""
        sql = (
            "SELECT num, run_id FROM run WHERE indexed=0 AND whole=1 AND status NOT IN ('running', 'stalled')"
            " ORDER BY started_at DESC, run_id DESC"
        )
        waiting = self._cache.connection.execute(sql).fetchall()
        self._each("texts", waiting, self._take_text)
        return self._texts.read_bytes

    def _compared(self, known: Mapping[str, int], present: Sequence[str]) -> tuple[list[str], list[str]]:
        """Runs to read, in the order of `present`, and runs that are gone."""
        now_ms, stale = self._clock.now_ms(), []
        with directory_beneath(self._root) as root_fd:
            for number, run_id in enumerate(present):
                if number % 1_000 == 0:
                    self._ask()
                before = known.get(run_id, _UNREAD)
                if before in (_UNREAD, UNPROVEN) or signature(root_fd, run_id, now_ms=now_ms) != before:
                    stale.append(run_id)
        return stale, list(known.keys() - set(present))

    def _summaries(self, unknown: Sequence[str]) -> set[str]:
        """The small files of ended runs, so that all of those are listed soon: gives their ids."""
        done, seconds, listed = 0, _FIRST_COMMIT_S, set[str]()
        with SummaryReader(self._root) as reader:
            while done < len(unknown):
                piece = self._some(reader, unknown[done : done + RUNS_IN_BLOCK], seconds)
                found = [run for run in piece if run is not None]
                with self._cache.transaction():
                    self._rows.put_early(found)
                    self._rows.note()
                listed.update(map(id_of, found))
                seconds, done = _COMMIT_S, done + len(piece)
                self._progress(Progress("summaries", done, len(unknown)))
        return listed

    def _some(
        self, reader: SummaryReader, run_ids: Sequence[str], seconds: float
    ) -> list[Early | Candidate | None]:
        """As many of these runs as can be read in that time."""
        until, read = time.monotonic() + seconds, list[Early | Candidate | None]()
        while len(read) < len(run_ids) and time.monotonic() <= until:
            read += reader.read(run_ids[len(read) : len(read) + _ASK_EVERY])
            self._ask()
        return read

    def _each_whole(self, run_ids: Sequence[str]) -> None:
        self._each("events", [(run_id,) for run_id in run_ids], self._take_whole)

    def _take_whole(self, run_id: str) -> None:
        """What is known of its files is as of before they were read."""
        now_ms = self._clock.now_ms()
        mark = self._signature(run_id, now_ms)
        run = read_once(self._root, run_id, now_ms=now_ms, prices=self._prices)
        self._rows.put(masked(run), signature=mark, whole=True)

    def _signature(self, run_id: str, now_ms: int) -> int:
        with directory_beneath(self._root) as root_fd:
            return signature(root_fd, run_id, now_ms=now_ms)

    def _take_text(self, num: int, run_id: str) -> None:
        pieces, complete, words = 0, True, ""
        try:
            for words in self._texts.segments(run_id):
                self._ask()
                if pieces >> SEGMENT_BITS:
                    raise Unindexable
                self._rows.add_text(num, pieces, words)
                pieces += 1
        except Unindexable:
            complete = False
        if complete and pieces == 1 and (bits := self._signer.signature(words)) is not None:
            self._rows.add_signature(num, bits)
        self._rows.set_indexed(num, pieces=pieces, complete=complete)

    def _overtaken(self) -> list[str]:
        """Runs without an end whose files are as they were, and whose status time or a lock has changed."""
        sql = "SELECT run_id, crc, record FROM run JOIN body USING(num) WHERE ended=0"
        rows = self._cache.connection.execute(sql).fetchall()
        return [
            run_id for run_id, crc, record in rows if self._status(read_body(crc, record).facts) is not None
        ]

    def _status(self, facts: RunFacts) -> str | None:
        """The status as of now where it is another one."""
        now_ms = self._clock.now_ms()
        signs = (facts.last_event_at, facts.started_at if facts.started_at <= now_ms else None)
        status = conclude_status(
            facts.recorded_status,
            lock=lock_state(self._root / facts.run_id),
            now_ms=now_ms,
            last_activity_ms=max((sign for sign in signs if sign is not None), default=None),
        )
        return None if status == facts.status else status

    def _turns_mark(self) -> str:
        try:
            found = (self._named.parent / TURN_METRICS).lstat()
        except OSError:
            return ""
        return f"{found.st_ino} {found.st_size} {found.st_mtime_ns}"

    def _join_turns(self) -> None:
        """Runs that name no model of their own have that of their turns, as of the present spans of all runs."""
        mark = self._turns_mark()
        if not mark and not self._rows.turns:
            return
        connection = self._cache.connection
        runs = connection.execute("SELECT run_id, started_at, span_end FROM run").fetchall()
        model_of = models_by_turns(self._named, runs)
        rows = connection.execute("SELECT run_id, model FROM run WHERE own_model=0").fetchall()
        with self._cache.transaction():
            for run_id, named in rows:
                model = model_of(run_id)
                if self._rows.set_id((model,) if model else ()) != named:
                    self._take_with_model(run_id, model)
            self._rows.turns = mark
            self._rows.note()

    def _take_with_model(self, run_id: str, model: str | None) -> None:
        """Read a run again: what it cost may be reckoned by its model."""
        now_ms = self._clock.now_ms()
        mark = self._signature(run_id, now_ms)
        run = read_once(self._root, run_id, now_ms=now_ms, prices=self._prices, turn_model=model)
        num = self._rows.put(masked(run), signature=mark, whole=True)
        self._cache.connection.execute("UPDATE run SET own_model=0 WHERE num=?", (num,))

    def _each(self, phase: Phase, items: Sequence[tuple[Any, ...]], take: Callable[..., None]) -> None:
        """Take all items, in pieces of which each is one commit."""
        rest: Iterator[tuple[Any, ...]] = iter(items)
        done, more, seconds = 0, bool(items), _FIRST_COMMIT_S
        while more:
            with self._cache.transaction():
                taken = self._piece(rest, take, seconds)
            seconds = min(2 * seconds, _COMMIT_S)
            done, more = done + taken, done + taken < len(items)
            self._progress(Progress(phase, done, len(items), self._texts.read_bytes))

    def _piece(self, rest: Iterable[tuple[Any, ...]], take: Callable[..., None], seconds: float) -> int:
        until, taken = time.monotonic() + seconds, 0
        for item in rest:
            self._ask()
            take(*item)
            taken += 1
            if time.monotonic() > until:
                break
        self._rows.pack_words()
        self._rows.note()
        return taken

    def _ask(self) -> None:
        if self._cancelled():
            raise Cancelled
