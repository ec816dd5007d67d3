"""The list of very many runs: from their catalog, with what the observer knows of the newest of them on top of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from buddy_core.clock import Clock
from buddy_core.observing.observer import Observer
from buddy_core.runs.facts import RunFacts
from buddy_core.runs.query.model import Started
from buddy_core.runs.watching.watch import DirectoryChange
from buddy_top.listing.fewruns import FewRuns, runs_of
from buddy_top.listing.many.answering import Answer, Question
from buddy_top.listing.many.asking import Asker
from buddy_top.listing.many.changes import Changes
from buddy_top.listing.many.keeping import CatalogKeeper, Kept
from buddy_top.listing.memory import known_run
from buddy_top.listing.model import Listing, ListWants
from buddy_top.listing.names import NamesHeld
from buddy_top.reading.family_reader import MOST_KIN

if TYPE_CHECKING:
    from buddy_core.prices.table import PriceTable
    from buddy_core.runs.catalog.catalog import Catalog
    from buddy_top.state import FilterNames

CALM_S = 1.0
"""The same question is asked no more often, however much changes."""

READ_FIRST = 5_000
"""Runs that the observer has read before the catalog is kept."""

AGAIN_MS = 30_000
"""What a filter says of time (`since:2h`) is asked anew so often."""

_READ_AT_ONCE = 500


class ManyRuns:
    """Belongs to the feed's thread but for `find` and `read`; asking and keeping have threads of their own."""

    def __init__(
        self,
        observer: Observer,
        few: FewRuns,
        state_dir: Path,
        *,
        clock: Clock,
        prices: PriceTable | None,
        writes: bool,
        told: Callable[[], None],
    ) -> None:
        self._observer = observer
        self._few = few
        self._told = told
        self._names = NamesHeld()
        self._changes = Changes(observer)
        self._question: Question | None = None
        self._key: tuple[object, ...] = ()
        self._asked_at = 0.0
        self._waits = False  # for a moment that lies further from the last question
        places = observer.runs_dir, state_dir
        self._asker = Asker(*places, clock=clock, candidate=few.candidate, told=told, damaged=self._damaged)
        self._keeper: CatalogKeeper | None = None
        self._keep: Callable[[], CatalogKeeper] | None = None
        if writes:
            self._keep = lambda: CatalogKeeper(*places, clock=clock, prices=prices, told=self._asker.poke)

    def directory_changed(self, change: DirectoryChange) -> None:
        """Runs came, went or grew."""
        self._changes.note(change, self._keeper)

    def listing(self, wants: ListWants, now_ms: int, *, hold: bool) -> Listing:
        """The list as far as it is known."""
        self._begin_to_keep()
        self._changes.hand_over(self._keeper)
        question = self._ask(wants, now_ms, hold)
        answer, kept = self._asker.answer, self._kept
        if answer is None or answer.problem:
            self._asker.ask(question, ())
            problem = kept.problem or (answer.problem if answer is not None and self._reads_only else "")
            newest = self._few.listing(
                wants, now_ms, hold=hold, problem=_partly(problem), progress=kept.words
            )
            return newest if answer is not None else replace(newest, searching=True)
        lacking = self._lacking(answer, wants)
        self._asker.ask(question, lacking)
        current = answer.question.wants.question == wants.question
        total = answer.total if kept.complete else max(answer.total, runs_of(self._observer))
        progress = kept.words or (f"{answer.total:,} of {total:,} indexed" if answer.total < total else "")
        if current and not answer.whole:
            progress = f"searched {answer.searched[0]:,} of {answer.searched[1]:,}"
        return Listing(
            wants,
            answer.ids,
            total,
            answer.depths,
            self._asker.rows,
            self._partial(answer, wants),
            current=current,
            searching=not (current and answer.whole),
            progress=progress,
            problem=kept.problem,
            lacks=bool(lacking) or self._waits,
        )

    def facts_of(self, run_id: str) -> RunFacts | None:
        """A run that the observer does not follow; asked for where it is not at hand."""
        known = self._asker.rows.get(run_id)
        if known is None and run_id not in self._asker.absent:
            self._asker.ask_rows((run_id,))
        return known

    def names(self) -> FilterNames | None:
        """The names in the catalog, as of a minute ago; None until they are known, and while it is being made."""
        if not (self._kept.complete or self._reads_only):
            return None
        return self._names.of_catalog(self._asker.call, self._told)

    def find(self, text: str, limit: int) -> Future[Any]:
        """The newest runs with all words of `text`."""
        from buddy_core.runs.query.model import Query, Term, Word

        query = Query(tuple(Term(Word(word)) for word in text.split()))
        return self._asker.call(lambda catalog: [row.facts for row in catalog.page(query, limit=limit)])

    def read(self, run_ids: Sequence[str]) -> Future[Any]:
        """The facts of these runs; what the observer knows goes before what the catalog knows."""

        def job(catalog: Catalog) -> list[RunFacts]:
            found: list[RunFacts] = []
            for begin in range(0, len(run_ids), _READ_AT_ONCE):
                part = run_ids[begin : begin + _READ_AT_ONCE]
                rows = {row.facts.run_id: row.facts for row in catalog.rows(part)}
                runs = (self._observer.by_id().get(run_id) or rows.get(run_id) for run_id in part)
                found += [run for run in runs if run is not None]
            return found

        return self._asker.call(job)

    def kin(self, run_id: str) -> Future[Any]:
        """A run, its ancestors and all their forks, as rows of the catalog, in no order."""
        answer = self._asker.call(lambda catalog: catalog.kin(run_id, limit=MOST_KIN))
        answer.add_done_callback(lambda _answer: self._told())
        return answer

    def rest(self) -> None:
        """Nobody looks at the list."""
        self._question = None
        self._asker.rest()

    def close(self) -> None:
        """End both threads, soon."""
        self._asker.close()
        if self._keeper is not None:
            self._keeper.close()

    @property
    def _reads_only(self) -> bool:
        return self._keeper is None and self._keep is None

    @property
    def _kept(self) -> Kept:
        return self._keeper.kept if self._keeper is not None else Kept()

    def _begin_to_keep(self) -> None:
        """Once the newest runs have been read: two that read at once would only be in each other's way."""
        sources = self._observer.sources()
        if self._keep is not None and sources.total and (sources.complete or sources.loaded >= READ_FIRST):
            self._keeper, self._keep = self._keep(), None

    def _ask(self, wants: ListWants, now_ms: int, hold: bool) -> Question:
        """The question as of now; the same object as before while its answer would be the same, or was just given."""
        before, self._waits = self._question, False
        same = before is not None and before.wants.question == wants.question
        if before is not None and same and hold:
            return before
        known = self._changes.known()
        unsure = () if self._kept.complete else self._observer.facts()
        key = (wants.question, self._told_by(known, wants, now_ms), frozenset(self._changes.gone), id(unsure))
        if before is not None and key == self._key:
            return before
        if before is not None and same and time.monotonic() - self._asked_at < CALM_S:
            self._waits = True
            return before
        question = self._question = Question(wants, tuple(known), unsure, frozenset(self._changes.gone))
        self._key, self._asked_at = key, time.monotonic()
        return question

    def _told_by(self, known: Sequence[RunFacts], wants: ListWants, now_ms: int) -> tuple[object, ...]:
        """What of the known runs, and of the time, the order may depend on."""
        if wants.query is None:
            return tuple(known_run(run, wants, now_ms) for run in known)
        told = tuple(map(id, known))  # the question keeps them alive
        timed = any(isinstance(term.condition, Started) for term in wants.query.terms)
        return (*told, now_ms // AGAIN_MS) if timed else told

    def _lacking(self, answer: Answer, wants: ListWants) -> list[str]:
        asker, followed = self._asker, self._observer.by_id()
        return [
            run_id
            for run_id in answer.ids[wants.first : wants.last]
            if run_id not in asker.rows and run_id not in asker.absent and run_id not in followed
        ]

    def _partial(self, answer: Answer, wants: ListWants) -> frozenset[str]:
        """Of the runs in sight those of which nobody knows more than the summary."""
        partial = self._asker.partial.intersection(answer.ids[wants.first : wants.last])
        return frozenset(run_id for run_id in partial if self._observer.by_id().get(run_id) is None)

    def _damaged(self) -> None:
        """The reader found damage: whoever writes begins anew."""
        if self._keeper is not None:
            self._keeper.begin_anew()


def _partly(problem: str) -> str:
    return f"only the newest runs are listed: {problem}" if problem else ""
