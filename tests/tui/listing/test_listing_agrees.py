"""Few runs are listed in memory and very many from their catalog: the list is the same (points of order included)."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.core.catalog_stores import NOW, RunPlan, stores
from tests.core.filter_texts import queries

from buddy_core.clock import ManualClock
from buddy_core.metrics.collector import MetricsCollector
from buddy_core.observing.observer import Observer
from buddy_core.runs.catalog.asking.pages import SortKey
from buddy_core.runs.catalog.catalog import Catalog
from buddy_core.runs.facts import RunFacts
from buddy_top.listing.content import ContentMemo
from buddy_top.listing.fewruns import FewRuns
from buddy_top.listing.many.answering import Answer, Answering, Question
from buddy_top.listing.model import Listing, ListWants

CLOCK = ManualClock(NOW)

sorts: st.SearchStrategy[SortKey] = st.sampled_from(get_args(SortKey))
wanted = st.tuples(st.none() | queries(), sorts, st.booleans(), st.booleans()).map(
    lambda asked: ListWants(query=asked[0], sort=asked[1], descending=asked[2], tree=asked[3])
)


@contextlib.contextmanager
def observed(runs: Path) -> Iterator[Observer]:
    observer = Observer(runs, MetricsCollector(clock=CLOCK), clock=CLOCK)
    with contextlib.closing(observer):
        observer.load()
        yield observer


def in_memory(observer: Observer, wants: ListWants) -> Listing:
    """The list of few runs, when all their files have been searched."""
    few = FewRuns(observer, lambda: None)
    with contextlib.closing(few):
        listing = few.listing(wants, NOW)
        while listing.searching:
            listing = few.listing(wants, NOW)
        return listing


def from_catalog(observer: Observer, state: Path, question: Question) -> Answer:
    """The last answer of a catalog."""
    few = FewRuns(observer, lambda: None)
    with contextlib.closing(Catalog(observer.runs_dir, state, clock=CLOCK)) as catalog:
        memo = ContentMemo(observer.runs_dir)
        *_, last = Answering(catalog, question, few.candidate, memo, NOW).answers(lambda: False)
        return last


def deep(depths: object) -> dict[str, int]:
    assert isinstance(depths, dict)
    return {run_id: depth for run_id, depth in depths.items() if depth}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(stores(), wanted, st.data())
def test_memory_and_catalog_list_the_same(
    plans: list[RunPlan], wants: ListWants, data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        runs, state = Path(folder) / "runs", Path(folder) / "state"
        runs.mkdir()
        for plan in plans:
            plan.write(runs)
        with observed(runs) as observer:
            facts = observer.facts()
            with contextlib.closing(Catalog(runs, state, write=True, clock=CLOCK)) as catalog:
                catalog.keep()
                better_known: list[RunFacts] = [run for run in facts if run.live or data.draw(st.booleans())]
            listing = in_memory(observer, wants)
            question = Question(wants, known=tuple(better_known), unsure=facts)
            answer = from_catalog(observer, state, question)
            assert list(answer.ids) == list(listing.ids)
            assert deep(answer.depths) == deep(listing.depths)
            assert answer.total == listing.total


def test_a_catalog_that_knows_few_of_the_runs_lists_all_that_are_known(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    runs.mkdir()
    plain = {
        "objective": "x", "tags": [], "parent": None, "tools": ["bash"], "text": "t", "error": None, "refused": False,
        "cost": 0.5, "artifacts": [], "end": "completed", "claim": None,
    }  # fmt: skip
    RunPlan(1, **plain).write(runs)
    with contextlib.closing(Catalog(runs, tmp_path / "state", write=True, clock=CLOCK)) as catalog:
        catalog.keep()
    for number in (2, 3):
        RunPlan(number, **plain).write(runs)
    with observed(runs) as observer:
        facts = observer.facts()
        found = from_catalog(observer, tmp_path / "state", Question(ListWants(), unsure=facts))
        assert list(found.ids) == [run.run_id for run in facts]
        assert found.total == 3
        both = Question(ListWants(), known=facts[:1], unsure=facts)
        assert list(from_catalog(observer, tmp_path / "state", both).ids) == [run.run_id for run in facts]
        gone = Question(ListWants(), unsure=facts[:1], hidden=frozenset({facts[-1].run_id}))
        assert list(from_catalog(observer, tmp_path / "state", gone).ids) == [facts[0].run_id]
