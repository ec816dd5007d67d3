"""Families of runs: nothing is counted twice, unknown stays unknown, and no claim about parents breaks the tree."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buddy_core.runs.facts import Inherited, RunFacts
from buddy_core.runs.lineage.model import Family
from buddy_core.runs.lineage.tree import MAX_RAILS, Kindred, family_of
from buddy_core.runs.lineage.words import amount_words, family_lines, total_words

NOW = 1_767_890_000_000


def run(run_id: str, parent: str | None = None, **more: Any) -> RunFacts:
    """A run that ended well and says nothing of tokens and cost."""
    facts: dict[str, Any] = {
        "objective": run_id, "status": "completed", "recorded_status": None, "started_at": 1_000, "ended_at": None,
        "last_event_at": None, "duration_ms": 60_000, "event_count": 3, "tool_calls": 2, "tool_failures": 1,
        "errors": 0,
    }  # fmt: skip
    return RunFacts(run_id=run_id, parent_run_id=parent, **{**facts, **more})


def family(run_id: str, *runs: RunFacts, **how: Any) -> Family:
    return family_of(run_id, Kindred(runs), now_ms=NOW, **how)


def tree(found: Family) -> list[str]:
    """Ids with two blanks for each level."""
    return [f"{'  ' * member.depth}{member.run_id}" for member in found.members]


def test_every_member_sees_the_same_tree_from_the_first_ancestor_down() -> None:
    runs = (run("a"), run("b", "a"), run("c", "a", started_at=500), run("d", "b"), run("other"))
    for one in "abcd":
        assert tree(family(one, *runs)) == ["a", "  c", "  b", "    d"]
    assert tree(family("other", *runs)) == ["other"]


def test_own_and_inclusive_numbers_stand_beside_each_other() -> None:
    runs = (
        run("a", total_cost=1.0, total_tokens=100),
        run("b", "a", total_cost=0.5, total_tokens=10),
        run("c", "b", total_cost=0.25, total_tokens=1),
    )
    a, b, c = family("c", *runs).members
    assert [member.own.cost.value for member in (a, b, c)] == [1.0, 0.5, 0.25]
    assert [member.inclusive.cost.value for member in (a, b, c)] == [1.75, 0.75, 0.25]
    assert [member.inclusive.tokens.value for member in (a, b, c)] == [111, 11, 1]
    assert a.inclusive.tool_calls.value == 6
    assert a.inclusive.took.value == 180_000
    assert a.inclusive.outcomes == (("completed", 3),)


def test_a_sum_with_an_unknown_part_says_at_least_and_of_how_many_nothing_is_known() -> None:
    found = family(
        "a", run("a", total_cost=1.0), run("b", "a"), run("c", "a", total_cost=2.0, estimated_cost=2.0)
    )
    cost = found.total.cost
    assert (cost.value, cost.unknown, cost.at_least, cost.estimated) == (3.0, 1, True, True)
    assert amount_words(cost, lambda value: f"${value:.2f}") == "≥≈$3.00"
    assert "1 run does not say" in list(total_words(found))[1]


def test_what_nobody_knows_is_unknown_and_not_at_least_nothing() -> None:
    cost = family("a", run("a"), run("b", "a")).total.cost
    assert (cost.value, cost.unknown, cost.at_least) == (None, 2, False)
    assert amount_words(cost, str) == "–"


def test_forks_of_a_run_that_is_gone_are_a_family_below_its_name() -> None:
    found = family("b", run("b", "gone", total_cost=1.0), run("c", "gone", total_cost=1.0), run("d"))
    assert tree(found) == ["gone", "  b", "  c"]
    assert found.missing == "gone"
    assert found.members[0].facts is None
    assert (found.total.runs, found.total.cost.value, found.total.cost.unknown) == (2, 2.0, 1)


@pytest.mark.parametrize("asked", ["a", "b", "c", "tail"])
def test_a_circle_is_opened_above_its_oldest_run_whoever_asks(asked: str) -> None:
    """Case 49."""
    runs = (
        run("a", "c", started_at=20, total_cost=1.0), run("b", "a", started_at=10, total_cost=1.0),
        run("c", "b", started_at=30, total_cost=1.0), run("tail", "c", started_at=40, total_cost=1.0),
    )  # fmt: skip
    found = family(asked, *runs)
    assert tree(found) == ["b", "  c", "    a", "    tail"]
    assert [member.circular for member in found.members] == [True, True, True, False]
    assert found.total.cost.value == 4.0


def test_a_run_that_names_itself_is_its_own_root_and_says_so() -> None:
    """Case 49."""
    found = family("a", run("a", "a", total_cost=1.0), run("b", "a", total_cost=1.0))
    assert tree(found) == ["a", "  b"]
    assert (found.circle, found.total.cost.value) == (1, 2.0)
    assert any("its own parent" in line for line in family_lines(found, now_ms=NOW))


def test_what_a_fork_copied_from_its_ancestors_is_counted_there_alone() -> None:
    copied = Inherited("a", 5, 1, 1, total_tokens=100, prompt_tokens=60, completion_tokens=40, total_cost=0.5)
    fork = run(
        "b", "a", tool_calls=8, tool_failures=2, errors=1, total_tokens=130, prompt_tokens=80,
        completion_tokens=50, total_cost=0.75, inherited=(copied, Inherited("stranger", 1, 0, 0)),
    )  # fmt: skip
    _, b = family("b", run("a"), fork).members
    assert (b.own.tool_calls.value, b.own.failures.value, b.copied) == (3, 1, 5)
    assert (b.own.tokens.value, b.own.prompt.value, b.own.completion.value) == (30, 20, 10)
    assert b.own.cost.value == 0.25
    assert family("b", fork).members[1].copied == 5  # the parent that is gone has spent it all the same


def test_a_run_at_work_takes_until_now_and_uncounted_calls_are_unknown() -> None:
    live = run("a", status="running", started_at=NOW - 5_000, duration_ms=None)
    (member,) = family("a", live, uncounted={"a"}).members
    assert member.own.took.value == 5_000
    assert member.own.tool_calls.value is None
    assert member.own.failures.unknown == 1


def test_a_chain_of_ten_thousand_forks_is_walked_without_recursion_and_listed_around_the_run() -> None:
    """Case 49."""
    runs = [run("r0")] + [run(f"r{n}", f"r{n - 1}", total_cost=1.0) for n in range(1, 10_000)]
    found = family("r5000", *runs, listed=100)
    assert (found.size, found.before, len(found.members)) == (10_000, 4_950, 100)
    assert "r5000" in {member.run_id for member in found.members}
    assert (found.total.cost.value, found.total.cost.unknown) == (9_999.0, 1)
    assert max(len(member.rails) for member in found.members) == MAX_RAILS


def test_a_run_that_is_not_there_has_no_family() -> None:
    found = family("x", run("a"))
    assert (found.members, found.size, found.total.runs) == ((), 0, 0)


def test_hostile_names_and_objectives_stay_one_plain_line_each() -> None:
    """Cases 55 and 60."""
    evil = run("b", "run_\x1b]0;x\x07[/x]\n", objective="\x1b[2J\x07[@click=quit]\nsecond")
    lines = list(family_lines(family("b", evil), now_ms=NOW))
    assert all(char.isprintable() for line in lines for char in line)
    assert len(lines) == 1 + 2 + 1 + 5


IDS = st.sampled_from([f"r{n}" for n in range(9)])
FORESTS = st.lists(
    st.tuples(IDS, st.none() | IDS | st.just("gone"), st.none() | st.integers(0, 50), st.integers(0, 5)),
    min_size=1, max_size=9, unique_by=lambda row: row[0],
)  # fmt: skip


def related(run_id: str, runs: dict[str, RunFacts]) -> set[str]:
    """The naive way: whatever names, or is named by, a relative is one too, also a name that nobody bears."""
    found, size = {run_id}, 0
    while len(found) != size:
        size = len(found)
        for one in runs.values():
            if one.parent_run_id is not None and found & {one.run_id, one.parent_run_id}:
                found |= {one.run_id, one.parent_run_id}
    return found


@given(FORESTS, st.integers(0, 8))
def test_any_forest_is_counted_once_each_and_inclusive_is_what_hangs_below(
    rows: list[tuple[str, str | None, int | None, int]], pick: int
) -> None:
    """Case 49."""
    runs = {
        one: run(one, parent, total_tokens=tokens, started_at=start) for one, parent, tokens, start in rows
    }
    asked = rows[pick % len(rows)][0]
    found = family(asked, *runs.values())
    names = [member.run_id for member in found.members]
    assert sorted(names) == sorted(related(asked, runs))
    for at, member in enumerate(found.members):
        below = list(found.members[at + 1 :])
        end = next((n for n, other in enumerate(below) if other.depth <= member.depth), len(below))
        hanging = [member.run_id, *(other.run_id for other in below[:end])]
        tokens = [runs[one].total_tokens if one in runs else None for one in hanging]
        known = [value for value in tokens if value is not None]
        assert member.inclusive.tokens.value == (sum(known) if known else None)
        assert member.inclusive.tokens.unknown == len(tokens) - len(known)
        assert member.inclusive.runs == sum(one in runs for one in hanging)
        if member.depth:
            above = next(other for other in reversed(found.members[:at]) if other.depth == member.depth - 1)
            assert runs[member.run_id].parent_run_id == above.run_id
