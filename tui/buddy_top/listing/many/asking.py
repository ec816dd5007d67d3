"""Asks the catalog in a thread of its own: the latest question counts, an older one is dropped on the way."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from buddy_core.runs.facts import RunFacts
from buddy_top.listing.content import ContentMemo
from buddy_top.listing.many.answering import Answer, Answering, Question

if TYPE_CHECKING:
    from buddy_core.clock import Clock
    from buddy_core.runs.catalog.catalog import Catalog
    from buddy_core.runs.query.candidate import Candidate

LOOK_S = 1.0
"""So often it is looked whether another process has written something, while anybody wants to know."""

MOST_ROWS = 2_000
"""Runs whose facts are held; more than any screen shows of a list."""


class Asker:
    """One reader of the catalog. All methods may be called from any thread.

    Args:
        candidate: A run with what only its events tell, for filters.
        told: Called from the asking thread when `answer` or `rows` have more to say.
        damaged: Called from there when the catalog turns out to be no good.
    """

    def __init__(
        self,
        runs_dir: Path,
        state_dir: Path,
        *,
        clock: Clock,
        candidate: Callable[[RunFacts], Candidate],
        told: Callable[[], None],
        damaged: Callable[[], None],
    ) -> None:
        self.answer: Answer | None = None
        """The latest list there is, perhaps to an older question."""
        self.rows: dict[str, RunFacts] = {}
        """Facts by run id, of all rows that were asked for of late and are as they were."""
        self.partial: frozenset[str] = frozenset()
        """Those of `rows` of which only the summary was read."""
        self.absent: frozenset[str] = frozenset()
        """Runs that were asked for and are not in the catalog."""
        self._place = (runs_dir, state_dir)
        self._clock = clock
        self._candidate = candidate
        self._told = told
        self._damaged = damaged
        self._memo = ContentMemo(runs_dir)
        self._catalog: Catalog | None = None
        self._version = -1
        self._question: Question | None = None
        self._answered: Question | None = None
        self._wanted: tuple[str, ...] = ()
        self._jobs: list[tuple[Callable[[Catalog], object], Future[object]]] = []
        self._work = threading.Event()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="buddy-top list", daemon=True)
        self._thread.start()

    def ask(self, question: Question, rows: Sequence[str]) -> None:
        """Answer this, and read these rows; what was asked before is dropped."""
        if question is not self._question or rows:
            self._question, self._wanted = question, tuple(rows)
            self._work.set()

    def ask_rows(self, rows: Sequence[str]) -> None:
        """Read these rows too."""
        self._wanted = (*self._wanted, *rows)
        self._work.set()

    def rest(self) -> None:
        """Nobody wants to know anything any more, until the next question."""
        self._question = self._answered = None
        self._wanted = ()

    def call(self, job: Callable[[Catalog], object]) -> Future[Any]:
        """Have something else asked; the future fails where there is no catalog."""
        future: Future[Any] = Future()
        self._jobs.append((job, future))
        self._work.set()
        return future

    def poke(self) -> None:
        """Something has been written: look."""
        self._version = -1
        self._work.set()

    def close(self) -> None:
        """End the thread, soon."""
        self._closed = True
        self._work.set()
        self._thread.join(timeout=0.5)

    def _run(self) -> None:
        while not self._closed:
            self._work.wait(LOOK_S if self._question is not None else None)
            self._work.clear()
            if not self._closed:
                self._serve()
        if self._catalog is not None:
            self._catalog.close()

    def _serve(self) -> None:
        from buddy_core.caches.errors import CacheDamaged, CacheUnavailable
        from buddy_core.runs.catalog.asking.pages import Cancelled

        try:
            catalog = self._opened()
            self._do_jobs(catalog)
            self._look(catalog)
            self._read_rows(catalog, self._wanted)
            if self._question is not None and self._question is not self._answered:
                self._answer(catalog, self._question)
        except Cancelled:
            self._work.set()
        except CacheUnavailable as error:
            self._fail(str(error))
            if isinstance(error, CacheDamaged):
                self._damaged()

    def _opened(self) -> Catalog:
        if self._catalog is None:
            from buddy_core.runs.catalog.catalog import Catalog

            self._catalog = Catalog(*self._place, clock=self._clock)
        return self._catalog

    def _fail(self, problem: str) -> None:
        """Go on without; the next second it is tried again."""
        if self._catalog is not None:
            self._catalog.close()
            self._catalog = None
        question = self._question
        while self._jobs:
            _, future = self._jobs.pop(0)
            if future.set_running_or_notify_cancel():
                future.set_exception(LookupError(problem))
        if question is not None and (
            self.answer is None or self.answer.problem != problem or question is not self._answered
        ):
            self._answered = question
            self.answer = Answer(question, whole=True, problem=problem)
            self._told()

    def _do_jobs(self, catalog: Catalog) -> None:
        from buddy_core.caches.errors import CacheUnavailable

        while self._jobs:
            job, future = self._jobs.pop(0)
            if not future.set_running_or_notify_cancel():
                continue  # whoever asked has typed on
            try:
                future.set_result(job(catalog))
            except CacheUnavailable as error:
                future.set_exception(LookupError(str(error)))
                raise
            except Exception as error:  # noqa: BLE001 - it is told to whoever asked
                future.set_exception(error)

    def _look(self, catalog: Catalog) -> None:
        """Another version has other rows, and another order."""
        version = catalog.version()
        if version != self._version:
            self._version = version
            self._answered = None
            self.absent = frozenset()
            self._read_rows(catalog, tuple(self.rows)[-MOST_ROWS // 4 :], anew=True)

    def _read_rows(self, catalog: Catalog, run_ids: Sequence[str], *, anew: bool = False) -> None:
        lacking = [one for one in run_ids if anew or (one not in self.rows and one not in self.absent)]
        if not lacking:
            return
        rows = {} if anew else dict(tuple(self.rows.items())[-MOST_ROWS:])
        partial = set() if anew else set(self.partial)
        for row in catalog.rows(lacking):
            before = self.rows.get(row.facts.run_id)
            rows[row.facts.run_id] = before if before is not None and before == row.facts else row.facts
            if not row.whole:
                partial.add(row.facts.run_id)
        self.rows, self.partial = rows, frozenset(partial & rows.keys())
        self.absent |= frozenset(lacking) - rows.keys()
        self._told()

    def _answer(self, catalog: Catalog, question: Question) -> None:
        answering = Answering(catalog, question, self._candidate, self._memo, self._clock.now_ms())
        for answer in answering.answers(self._dropped(question)):
            if self.answer is not None and self.answer.ids == answer.ids:
                answer = msgspec.structs.replace(
                    answer, ids=self.answer.ids
                )  # the same object: nothing moved
            wants = question.wants
            self._read_rows(catalog, answer.ids[wants.first : wants.last])
            self.answer = answer
            self._told()
            self._do_jobs(catalog)  # a search of very many files takes long: nobody waits for its end
            self._read_rows(catalog, self._wanted)
        self._answered = question

    def _dropped(self, question: Question) -> Callable[[], bool]:
        return lambda: (
            self._closed
            or (self._question is not None and self._question.wants.question != question.wants.question)
        )
