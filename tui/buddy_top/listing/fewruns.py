"""The list of few runs: all of them are known, so they are filtered and ordered right here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from buddy_core.observing.observer import Observer
from buddy_core.runs.facts import RunFacts
from buddy_top.listing.memory import arranged
from buddy_top.listing.model import Listing, ListWants

if TYPE_CHECKING:
    from buddy_core.runs.query.candidate import Candidate
    from buddy_core.runs.query.model import Query
    from buddy_top.listing.content import FileSearch

AGAIN_MS = 10_000
"""What a filter says of time (`since:2h`) is concluded anew so often."""


class FewRuns:
    """Lists the runs that an observer knows; for the feed's thread, `candidate` for any.

    Args:
        told: Called when a search of files has found more.
    """

    def __init__(self, observer: Observer, told: Callable[[], None]) -> None:
        self._observer = observer
        self._told = told
        self._candidates: dict[str, tuple[RunFacts, Candidate]] = {}
        self._search: FileSearch | None = None
        self._asked: tuple[object, ...] = ()
        self._runs: tuple[RunFacts, ...] = ()
        self._at = 0
        self._waiting = 0
        self._ids: list[str] = []
        self._depths: dict[str, int] = {}

    def listing(
        self, wants: ListWants, now_ms: int, *, hold: bool = False, problem: str = "", progress: str = ""
    ) -> Listing:
        """The list as of now; with `hold` that of before, as long as the same is asked."""
        runs = self._observer.facts()
        if self._is_old(wants, runs, now_ms, hold):
            self._arrange(wants, runs, now_ms)
        sources = self._observer.sources()
        if self._waiting:
            progress = f"searched {len(runs) - self._waiting:,} of {len(runs):,}"
        elif not progress and sources.loaded < sources.total:
            progress = f"reading {sources.loaded:,} of {sources.total:,} …"
        return Listing(
            wants,
            self._ids,
            runs_of(self._observer),
            self._depths,
            searching=self._waiting > 0,
            progress=progress,
            problem=problem,
        )

    def find(self, text: str, limit: int) -> list[RunFacts]:
        """The newest runs with all words of `text`."""
        from buddy_core.runs.query.candidate import fold, words_of

        words, found = fold(text).split(), []
        for run in self._observer.facts():
            told = words_of(self.candidate(run))
            if all(word in told for word in words):
                found.append(run)
                if len(found) == limit:
                    break
        return found

    def candidate(self, run: RunFacts) -> Candidate:
        """A run as filters see it, made once for each state of it."""
        known = self._candidates.get(run.run_id)
        if known is None or known[0] is not run:
            if len(self._candidates) > 2 * len(self._observer.facts()) + 100:
                self._candidates.clear()
            known = self._candidates[run.run_id] = (run, self._observer.gleaned.candidate(run))
        return known[1]

    def stop(self) -> None:
        """Nobody looks at the list: search no files for it."""
        if self._search is not None and self._waiting:
            self._search.stop()
            self._asked = ()

    def close(self) -> None:
        """End the search of files."""
        if self._search is not None:
            self._search.close()

    def _is_old(self, wants: ListWants, runs: Sequence[RunFacts], now_ms: int, hold: bool) -> bool:
        if wants.question != self._asked or self._waiting:
            return True
        if hold:
            return False
        moving = wants.sort == "took" or (wants.query is not None and now_ms - self._at > AGAIN_MS)
        return runs is not self._runs or moving

    def _arrange(self, wants: ListWants, runs: tuple[RunFacts, ...], now_ms: int) -> None:
        self._asked, self._runs, self._at = wants.question, runs, now_ms
        found: Sequence[RunFacts] = runs
        self._waiting = 0
        if wants.query is not None:
            found = self._fitting(wants.query, runs, now_ms)
        ids, self._depths = arranged([self.candidate(run).facts for run in found], wants, now_ms)
        if ids != self._ids:
            self._ids = ids

    def _fitting(self, query: Query, runs: Sequence[RunFacts], now_ms: int) -> Sequence[RunFacts]:
        from buddy_core.runs.query.evaluate import Matcher

        cheap, contents = without_contents(query)
        matcher = Matcher(cheap, now_ms=now_ms, content=lambda *_: True)
        found: Sequence[RunFacts] = [run for run in runs if matcher.fits(self.candidate(run))]
        if contents:
            if self._search is None:
                from buddy_top.listing.content import FileSearch

                self._search = FileSearch(self._observer.runs_dir, self._told)
            found, self._waiting = self._search.fitting(contents, found)
        elif self._search is not None:
            self._search.stop()
        return found


def without_contents(query: Query) -> tuple[Query, Any]:
    """A filter without its `content:`, and what that asks of files (`content.Contents`)."""
    from buddy_core.runs.query.model import Content, Query

    cheap = tuple(term for term in query.terms if not isinstance(term.condition, Content))
    contents = tuple(
        (term.condition.text, term.negated) for term in query.terms if isinstance(term.condition, Content)
    )
    return Query(cheap), contents


def runs_of(observer: Observer) -> int:
    """How many runs there are, whether they are followed or not."""
    sources = observer.sources()
    return sources.total + sources.left_alone
