"""The names that a filter of runs is completed with: of all runs, from wherever they are listed."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from buddy_top.state import FilterNames

if TYPE_CHECKING:
    from buddy_core.runs.catalog.asking.pages import SetField
    from buddy_core.runs.catalog.catalog import Catalog
    from buddy_core.runs.query.candidate import Candidate

MOST_NAMES = 2_000
"""Names of one kind: the rarer ones of very many have to be typed."""

AGAIN_S, OF_MANY_AGAIN_S = 5.0, 60.0
"""A name that has just come is offered so much later at most, of few and of very many runs."""

_KINDS: tuple[SetField, ...] = ("tag", "tool", "model", "has")


class NamesHeld:
    """The names as of a few seconds ago; for the feed's thread, which never waits for them."""

    def __init__(self) -> None:
        self._names: FilterNames | None = None
        self._waits: Future[Any] | None = None
        self._lacks: list[SetField] = []
        self._parts: dict[SetField, tuple[str, ...]] = {}
        self._due = 0.0

    def of_runs(self, candidates: Callable[[], Iterable[Candidate]]) -> FilterNames:
        """Those of few runs, gathered here and now."""
        now = time.monotonic()
        if self._names is None or now >= self._due:
            self._names, self._due = names_of(candidates()), now + AGAIN_S
        return self._names

    def of_catalog(
        self,
        ask: Callable[[Callable[[Catalog], object]], Future[Any]],
        told: Callable[[], None],
    ) -> FilterNames | None:
        """Those of very many runs, asked for elsewhere; None until they are there. `told` hears of more.

        One kind after the other: whoever answers has the list to make as well, and looks for it in between.
        """
        now = time.monotonic()
        if self._waits is None and not self._lacks and now >= self._due:
            self._lacks, self._due = list(_KINDS), now + OF_MANY_AGAIN_S
        if self._waits is not None and self._waits.done():
            self._take(self._waits)
            self._waits = None
        if self._waits is None and self._lacks:
            kind = self._lacks[0]
            self._waits = ask(lambda catalog: tuple(catalog.names(kind)[:MOST_NAMES]))
            self._waits.add_done_callback(lambda _: told())
        return self._names

    def _take(self, answer: Future[Any]) -> None:
        kind = self._lacks.pop(0)
        if answer.cancelled() or answer.exception() is not None:
            self._lacks.clear()  # there is no catalog to ask, until it is tried again
            return
        self._parts[kind] = answer.result()
        if not self._lacks:
            self._names = FilterNames(*(self._parts[kind] for kind in _KINDS))


def names_of(candidates: Iterable[Candidate]) -> FilterNames:
    """The names in `candidates`, from which secrets are gone, the commonest first."""
    tags: Counter[str] = Counter()
    tools: Counter[str] = Counter()
    models: Counter[str] = Counter()
    artifacts: Counter[str] = Counter()
    for run in candidates:
        tags.update(run.facts.tags)
        tools.update(run.tools)
        artifacts.update(run.facts.artifacts)
        if run.facts.model:
            models[run.facts.model] += 1
    return FilterNames(_most(tags), _most(tools), _most(models), _most(artifacts))


def _most(counts: Counter[str]) -> tuple[str, ...]:
    """Equally common ones by the alphabet, so that nothing moves while somebody chooses."""
    return tuple(sorted(counts, key=lambda name: (-counts[name], name))[:MOST_NAMES])
