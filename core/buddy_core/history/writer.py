"""The one thread that writes the history, so that no disk is ever waited for where a picture is made.

Jobs come through a queue and are stored many in a transaction. Whatever goes wrong (a full disk, a file
that was damaged meanwhile) is said in `problem`, and costs no more than what could not be stored.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path

from buddy_core.caches.db import CacheDb, discard, open_writer
from buddy_core.caches.errors import CacheBusy, CacheDamaged, CacheUnavailable, cache_errors
from buddy_core.clock import Clock
from buddy_core.history.ageing import Ageing
from buddy_core.history.jobs import Beyond, Job, Piece, Turns, size_of, span_of
from buddy_core.history.layout import HISTORY
from buddy_core.history.shelf import UNKNOWN, Shelf

AT_ONCE = 64_000
"""Items stored in one transaction, about; a second's work at most."""


class Writer:
    """Stores what is `put`, until it is closed. All methods but `put` and `close` are the thread's own."""

    def __init__(self, path: Path, root: Path, clock: Clock, *, distrusted: bool = False) -> None:
        self._path = path
        self._root = root
        self._clock = clock
        self._distrusted = distrusted
        self._jobs: deque[Job] = deque()
        self._woken = threading.Condition()
        self._closing = False
        self._abandoned = False
        self._unchanged: set[str] = set()
        self._incomplete: set[str] = set()  # runs of which something could not be stored
        self._db: CacheDb | None = None
        self.backlog = 0
        """Items that wait."""
        self.problem: str | None = None
        """Why not everything is kept, in words; None when all is well."""
        self._ageing: Ageing | None = None
        self._thread = threading.Thread(target=self._run, name="buddy-top history", daemon=True)
        self._thread.start()

    def put(self, job: Job) -> None:
        """Have it stored soon; nobody waits for that. From any thread."""
        with self._woken:
            if self._abandoned:
                return
            self._jobs.append(job)
            self.backlog += size_of(job)
            self._woken.notify()

    def rest(self, ageing: Ageing) -> None:
        """Call this in transactions while nothing waits, until it has no more to do. From any thread."""
        with self._woken:
            self._ageing = ageing
            self._woken.notify()

    def close(self, wait_s: float) -> None:
        """Store what waits, in so many seconds at most; what is left is read again the next time."""
        with self._woken:
            self._closing = True
            self._woken.notify()
        self._thread.join(wait_s)
        self._abandoned = True

    def _run(self) -> None:
        try:
            self._open()
            while self._step():
                pass
        except CacheBusy:
            pass  # another monitor keeps the history
        except CacheUnavailable as error:
            self.problem = str(error)
        except Exception as error:  # noqa: BLE001 - a history that stops must not end anything else
            self.problem = f"the history has stopped: {type(error).__name__}"
        finally:
            self._let_go()

    def _let_go(self) -> None:
        with self._woken:
            self._abandoned = True
            self._jobs.clear()
            self.backlog = 0
        if self._db is not None:
            self._db.close()

    def _open(self) -> None:
        """Also when the file is no good: then it is begun anew, and that is said."""
        existed = os.path.lexists(self._path)
        self._db = open_writer(self._path, HISTORY)
        try:
            with cache_errors(self._path):
                (found,) = self._db.connection.execute("PRAGMA integrity_check(1)").fetchone()
            if self._distrusted or found != "ok":
                raise CacheDamaged(f"{self._path.name} is damaged")
        except CacheDamaged:
            self._begin_anew()
        if existed and self._db.fresh:
            self.problem = "the history was no good and has begun anew"

    def _begin_anew(self) -> None:
        assert self._db is not None
        self._db.close()
        try:
            discard(self._path, keep=True)
        except OSError as error:
            raise CacheUnavailable(f"{self._path.name} is damaged, and cannot be removed: {error}") from None
        self._db = open_writer(self._path, HISTORY)

    def _step(self) -> bool:
        """Wait for work and do some of it; False when there will be none."""
        with self._woken:
            while not self._jobs and not self._closing and self._ageing is None:
                self._woken.wait()
            jobs = self._take()
            closing = self._closing
        if jobs:
            self._store(jobs)
        elif not closing and self._ageing is not None:
            self._age(self._ageing)
        return not (closing and not self._jobs) and not self._abandoned

    def _take(self) -> list[Job]:
        taken: list[Job] = []
        items = 0
        while self._jobs and items < AT_ONCE:
            taken.append(self._jobs.popleft())
            items += size_of(taken[-1])
        return taken

    def _store(self, jobs: list[Job]) -> None:
        stored = self._transact(lambda shelf: self._store_all(shelf, jobs))
        if not stored:
            self._incomplete.update(job.run_id for job in jobs if isinstance(job, Piece))
        self.backlog -= sum(map(size_of, jobs))

    def _age(self, ageing: Ageing) -> None:
        more: list[bool] = []
        self._transact(lambda shelf: more.append(ageing(shelf)))
        if ageing.full:
            self.problem = "the history is full: runs that are still there are not all in it"
        if more != [True]:
            self._ageing = None

    def _transact(self, work: Callable[[Shelf], None]) -> bool:
        """All of `work` is stored, or none of it: then False."""
        assert self._db is not None
        try:
            with cache_errors(self._path), self._db.transaction() as connection:
                work(Shelf.make(connection, self._root, self._clock.now_ms()))
        except CacheDamaged:
            self._begin_anew()
            self.problem = "the history was damaged and has begun anew"
            return False
        except CacheUnavailable as error:
            self.problem = f"the history is not complete: {error}"
            return False
        return True

    def _store_all(self, shelf: Shelf, jobs: list[Job]) -> None:
        for job in jobs:
            if isinstance(job, Piece):
                self._store_piece(shelf, job)
            elif isinstance(job, Beyond):
                shelf.set_usage(job.run_id, job.usage)
            elif isinstance(job, Turns):
                shelf.add_turns(job.found)

    def _store_piece(self, shelf: Shelf, piece: Piece) -> None:
        run_id = piece.run_id
        if piece.opening:
            if shelf.signature(run_id) == piece.signature:
                self._unchanged.add(run_id)
            else:
                self._unchanged.discard(run_id)
                self._incomplete.discard(run_id)
                shelf.forget(run_id)
        if piece.initial and run_id in self._unchanged:
            if piece.last:
                self._unchanged.discard(run_id)
            return
        if piece.found:
            shelf.add_segment(run_id, piece.found)
        signature = UNKNOWN if run_id in self._incomplete else piece.signature
        shelf.describe(run_id, signature, *span_of(piece.found))
        shelf.tidy(run_id, ended=piece.ended)
