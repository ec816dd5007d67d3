"""Forks under their parents, whatever the files claim about who descends from whom."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from buddy_core.runs.facts import RunFacts
from buddy_top.listing.tree import as_families as by_id


def run(run_id: str, parent: str | None = None) -> RunFacts:
    """A run of which only its place in the family matters."""
    return RunFacts(
        run_id=run_id, objective=run_id, status="completed", recorded_status=None, started_at=0, ended_at=None,
        last_event_at=None, duration_ms=None, event_count=0, tool_calls=0, tool_failures=0, errors=0,
        parent_run_id=parent,
    )  # fmt: skip


def as_families(runs: list[RunFacts] | tuple[RunFacts, ...]) -> list[tuple[RunFacts, int]]:
    """The runs in families, and their depths."""
    known = {one.run_id: one for one in runs}
    parents = {one.run_id: one.parent_run_id for one in runs if one.parent_run_id}
    return [(known[run_id], depth) for run_id, depth in by_id([one.run_id for one in runs], parents)]


def listed(*runs: RunFacts) -> list[str]:
    """Ids with two blanks for each level."""
    return [f"{'  ' * depth}{one.run_id}" for one, depth in as_families(runs)]


def test_a_fork_stands_below_its_parent_wherever_it_was() -> None:
    assert listed(run("b"), run("fork", "a"), run("a")) == ["b", "a", "  fork"]


def test_a_family_stands_where_its_first_member_stood() -> None:
    assert listed(run("fork", "old"), run("new"), run("old")) == ["old", "  fork", "new"]


def test_forks_of_forks_go_deeper_and_siblings_keep_their_order() -> None:
    assert listed(run("a"), run("c", "a"), run("b", "a"), run("d", "c")) == ["a", "  c", "    d", "  b"]


def test_a_parent_that_is_not_listed_leaves_its_fork_at_the_top() -> None:
    assert listed(run("fork", "pruned"), run("a")) == ["fork", "a"]


def test_runs_that_name_each_other_or_themselves_are_listed_once() -> None:
    """Case 49."""
    assert sorted(name.strip() for name in listed(run("a", "b"), run("b", "a"), run("c", "c"))) == [
        "a",
        "b",
        "c",
    ]


def test_a_chain_of_ten_thousand_forks_is_climbed_once() -> None:
    """Case 49: climbing from each of its members would be fifty million steps, four times a second."""
    chain = [run("0"), *(run(str(n), str(n - 1)) for n in range(1, 10_000))]
    climbs = Counting(reversed(chain))
    assert [depth for _, depth in as_families(climbs)] == list(range(10_000))
    assert climbs.looked_up < 20_000


class Counting(list[RunFacts]):
    """A list that counts how often one of its runs is looked up by its place."""

    looked_up = 0

    def __getitem__(self, index: Any) -> Any:
        self.looked_up += 1
        return super().__getitem__(index)


@given(st.lists(st.tuples(st.integers(0, 12), st.one_of(st.none(), st.integers(0, 12))), max_size=13))
def test_every_run_is_listed_exactly_once(pairs: list[tuple[int, int | None]]) -> None:
    runs = list(
        {str(one): run(str(one), None if parent is None else str(parent)) for one, parent in pairs}.values()
    )
    assert sorted(one.run_id for one, _ in as_families(runs)) == sorted(one.run_id for one in runs)
