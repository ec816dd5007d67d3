"""One question about the list of very many runs, answered by the catalog and by what is known beyond it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from buddy_core.runs.facts import RunFacts
from buddy_core.runs.query.model import EVERYTHING, Query
from buddy_top.listing.content import PART_S, ContentMemo
from buddy_top.listing.many.ids import RunIds
from buddy_top.listing.memory import known_run
from buddy_top.listing.model import ListWants
from buddy_top.listing.tree import with_families

if TYPE_CHECKING:
    from buddy_core.runs.catalog.catalog import Catalog
    from buddy_core.runs.query.candidate import Candidate


class Question(msgspec.Struct, frozen=True):
    """What is asked about the whole list."""

    wants: ListWants
    known: tuple[RunFacts, ...] = ()
    """Runs of which more is known than the catalog can: they take the place of its rows."""
    unsure: tuple[RunFacts, ...] = ()
    """Runs that may not be in the catalog yet: they count where they are not."""
    hidden: frozenset[str] = frozenset()
    """Runs that are gone."""


class Answer(msgspec.Struct, frozen=True):
    """The list, as an answer to one question."""

    question: Question
    ids: RunIds = RunIds()
    depths: Mapping[str, int] = msgspec.field(default_factory=dict)
    total: int = 0
    whole: bool = True
    """False while files are being searched, and more may be found."""
    searched: tuple[int, int] = (0, 0)
    """Of how many runs the files have been searched, and of how many they are to be."""
    problem: str = ""
    """Why the catalog could not be asked, in words."""


class Answering:
    """Answers one question, once, in the thread that has the catalog.

    Args:
        candidate: A run with what only its events tell, for filters.
        memo: What the files of known runs hold.
    """

    def __init__(
        self,
        catalog: Catalog,
        question: Question,
        candidate: Callable[[RunFacts], Candidate],
        memo: ContentMemo,
        now_ms: int,
    ) -> None:
        self._catalog = catalog
        self._question = question
        self._query = question.wants.query or EVERYTHING
        self._candidate = candidate
        self._memo = memo
        self._now_ms = now_ms
        self._forks: Sequence[tuple[str, str]] = ()

    def answers(self, dropped: Callable[[], bool]) -> Iterator[Answer]:
        """One answer, or with `content:` one every now and then until all files are searched.

        Raises:
            Cancelled: Nobody wants to know any more.
            CacheUnavailable: The catalog cannot be read.
        """
        known = self._known_runs()
        hidden = self._question.hidden | {run.run_id for run in known}
        gone = len(hidden) - len(self._catalog.unknown(hidden)) if hidden else 0
        total = self._catalog.count() - gone + len(known)
        fitting = self._fitting(known)
        if not self._query.reads_content:
            yield self._answer(fitting, hidden, total, None, dropped)
            return
        for nums, searched, whole in self._searched(hidden, dropped):
            answer = self._answer(fitting, hidden, total, nums, dropped)
            yield msgspec.structs.replace(answer, whole=whole, searched=searched)

    def _known_runs(self) -> list[RunFacts]:
        known = self._question.known
        unsure = {run.run_id: run for run in self._question.unsure}
        for run in known:
            unsure.pop(run.run_id, None)
        missing = self._catalog.unknown(unsure) if unsure else ()
        return [*known, *(unsure[run_id] for run_id in missing)]

    def _fitting(self, known: Sequence[RunFacts]) -> list[RunFacts]:
        """Those of the known runs that fit, as the catalog would have them: secrets masked."""
        candidates = [self._candidate(run) for run in known]
        if self._query != EVERYTHING:
            from buddy_core.runs.query.evaluate import Matcher

            by_id = {run.run_id: run for run in known}
            matcher = Matcher(
                self._query,
                now_ms=self._now_ms,
                content=lambda run_id, text: self._memo.holds(by_id[run_id], text),
            )
            candidates = [run for run in candidates if matcher.fits(run)]
        return [run.facts for run in candidates]

    def _searched(
        self, hidden: frozenset[str], dropped: Callable[[], bool]
    ) -> Iterator[tuple[list[int], tuple[int, int], bool]]:
        """The rows that fit so far, how many files were searched for that, and whether that is all."""
        from buddy_core.runs.catalog.asking.pages import Cancelled

        suspects = self._catalog.suspected(self._query, hidden=hidden, cancelled=dropped)
        found: list[int] = []
        due = time.monotonic() + PART_S
        for number, suspect in enumerate(suspects):
            if dropped():
                raise Cancelled
            if self._catalog.holds(suspect):
                found.append(suspect.num)
            if time.monotonic() > due:
                yield found, (number + 1, len(suspects)), False
                due = time.monotonic() + PART_S
        yield found, (len(suspects), len(suspects)), True

    def _answer(
        self,
        fitting: Sequence[RunFacts],
        hidden: frozenset[str],
        total: int,
        nums: list[int] | None,
        dropped: Callable[[], bool],
    ) -> Answer:
        wants = self._question.wants
        text = self._catalog.order(
            Query() if nums is not None else self._query,
            sort=wants.sort,
            descending=wants.descending,
            known=[known_run(run, wants, self._now_ms) for run in fitting],
            hidden=hidden,
            nums=nums,
            cancelled=dropped,
        )
        ids = RunIds(text)
        depths: dict[str, int] = {}
        if wants.tree:
            forks = [(run.run_id, run.parent_run_id) for run in fitting if run.parent_run_id is not None]
            forks += [fork for fork in self._catalog.forks() if fork[0] not in hidden]
            ids, depths = with_families(ids, forks)
        return Answer(self._question, ids, depths, total)
