"""The names a filter is completed with: from memory, or one kind after the other from a catalog that is busy."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from buddy_core.runs.facts import RunFacts
from buddy_core.runs.query.candidate import Candidate
from buddy_top.listing.names import NamesHeld, names_of
from buddy_top.state import FilterNames


class Catalog:
    """Names of each kind, and the questions that wait for them."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Callable[[Any], object], Future[Any]]] = []
        self.told = 0

    def names(self, kind: str) -> list[str]:
        return [f"{kind}-common", f"{kind}-rare"]

    def ask(self, job: Callable[[Any], object]) -> Future[Any]:
        future: Future[Any] = Future()
        self.waiting.append((job, future))
        return future

    def hear(self) -> None:
        self.told += 1


def test_the_commonest_names_come_first_and_equal_ones_by_the_alphabet() -> None:
    facts = RunFacts(
        "run_a_aaaaaa", "", "completed", None, 1, 1, 1, 0, 0, 0, 0, 0, model="m", tags=("b", "a")
    )
    runs = [Candidate(facts, tools=("zip", "bash")), Candidate(facts, tools=("zip",))]
    assert names_of(runs) == FilterNames(tags=("a", "b"), tools=("zip", "bash"), models=("m",))


def test_a_catalog_is_asked_for_one_kind_at_a_time() -> None:
    catalog, held = Catalog(), NamesHeld()
    for kind in range(4):
        assert held.of_catalog(catalog.ask, catalog.hear) is None
        assert held.of_catalog(catalog.ask, catalog.hear) is None
        assert len(catalog.waiting) == kind + 1
        job, future = catalog.waiting[-1]
        future.set_result(job(catalog))
        assert catalog.told == kind + 1
    found = held.of_catalog(catalog.ask, catalog.hear)
    assert found is not None
    assert found.tools == ("tool-common", "tool-rare")
    assert held.of_catalog(catalog.ask, catalog.hear) is found
    assert len(catalog.waiting) == 4


def test_without_a_catalog_nothing_is_asked_again_and_again() -> None:
    catalog, held = Catalog(), NamesHeld()
    held.of_catalog(catalog.ask, catalog.hear)
    catalog.waiting[0][1].set_exception(LookupError("there is none"))
    for _ in range(3):
        assert held.of_catalog(catalog.ask, catalog.hear) is None
    assert len(catalog.waiting) == 1
