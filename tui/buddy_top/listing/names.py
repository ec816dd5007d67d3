"""The names that a filter of runs is completed with: of all runs, from wherever they are listed."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from buddy_top.state import FilterNames

if TYPE_CHECKING:
    from buddy_core.runs.catalog.catalog import Catalog
    from buddy_core.runs.query.candidate import Candidate

MOST_NAMES = 2_000
"""Names of one kind: the rarer ones of very many have to be typed."""

AGAIN_S = 5.0
"""A name that has just come is offered so much later at most."""


class NamesHeld:
    """The names as of a few seconds ago; for the feed's thread, which never waits for them."""

    def __init__(self) -> None:
        self._names: FilterNames | None = None
        self._waits: Future[Any] | None = None
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
        """Those of very many runs, asked for elsewhere; None until they are there. `told` hears of the first."""
        if self._waits is not None and self._waits.done():
            if not self._waits.cancelled() and self._waits.exception() is None:
                self._names = self._waits.result()
            self._waits = None
        now = time.monotonic()
        if self._waits is None and now >= self._due:
            self._due = now + AGAIN_S
            self._waits = ask(names_in)
            if self._names is None:
                self._waits.add_done_callback(lambda _: told())
        return self._names


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


def names_in(catalog: Catalog) -> FilterNames:
    """The names that the catalog has; raises `CacheUnavailable`."""
    tags, tools = catalog.names("tag"), catalog.names("tool")
    models, artifacts = catalog.names("model"), catalog.names("has")
    parts = (tuple(names[:MOST_NAMES]) for names in (tags, tools, models, artifacts))
    return FilterNames(*parts)


def _most(counts: Counter[str]) -> tuple[str, ...]:
    """Equally common ones by the alphabet, so that nothing moves while somebody chooses."""
    return tuple(sorted(counts, key=lambda name: (-counts[name], name))[:MOST_NAMES])
