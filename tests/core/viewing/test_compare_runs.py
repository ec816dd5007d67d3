"""Two runs side by side."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from buddy_core.clock import ManualClock
from buddy_core.prices.rates import Rates
from buddy_core.prices.table import PriceEntry, PriceTable
from buddy_core.runs.comparing.calls import read_side
from buddy_core.runs.comparing.compare import compare_runs, compare_sides
from buddy_core.runs.comparing.lines import diff_lines
from buddy_core.runs.comparing.model import Call, DiffStep, RunDiff, Side
from buddy_core.runs.facts import RunFacts
from buddy_core.runs.timeline.timeline import TimelineRow
from buddy_core.safety.columns import cells
from buddy_core.testing import RunDirectoryBuilder

AT = 1_767_890_000_000
CLOCK = ManualClock(AT + 10_000_000)


def build(root: Path, suffix: str, *, at: int = AT, **metadata: object) -> RunDirectoryBuilder:
    return RunDirectoryBuilder(root, started_at=at, suffix=suffix, metadata=metadata)


def compared(a: RunDirectoryBuilder, b: RunDirectoryBuilder) -> RunDiff:
    for run in (a, b):
        run.write()
    return compare_runs(a.run_dir, b.run_dir, clock=CLOCK)


def kinds(diff: RunDiff) -> list[str]:
    return [step.kind for step in diff.steps]


def text_of(diff: RunDiff, width: int | None = None, *, whole: bool = False) -> list[str]:
    return [*diff_lines(diff, now_ms=CLOCK.now_ms(), width=width, whole=whole)]


def test_runs_of_two_directories_that_did_the_same_are_the_same(tmp_path: Path) -> None:
    runs = [build(tmp_path, suffix, cwd=f"/home/dev/{suffix}") for suffix in ("aaaaaa", "bbbbbb")]
    for run, took in zip(runs, (100, 900), strict=True):
        run.tool("view_file", {"path": f"/home/dev/{run.run_id[-6:]}/a.py"}, took_ms=took).end()
    diff = compared(*runs)
    assert diff.same
    assert kinds(diff) == ["same"]
    assert diff.steps[0].took_ms.delta == 800, "time is told, and makes no other call"
    assert not diff.steps[0].literal


def test_the_runs_part_where_a_call_goes_another_way(tmp_path: Path) -> None:
    a, b = build(tmp_path, "aaaaaa"), build(tmp_path, "bbbbbb")
    for run in (a, b):
        run.tool("view_file", {"path": "a.py"})
    a.tool("bash", {"command": "pytest"}).end()
    b.tool("bash", {"command": "pytest"}, error="2 failed").end("failed")
    diff = compared(a, b)
    assert kinds(diff) == ["same", "outcome"]
    assert (diff.divergence, diff.shared, diff.same) == (1, 1, False)
    assert any(
        "they part at call 2 of A, call 2 of B: bash: ok in A, failed in B" in line for line in text_of(diff)
    )


def test_a_failure_for_another_reason_is_another_outcome_and_its_numbers_are_not(tmp_path: Path) -> None:
    a, b = build(tmp_path, "aaaaaa"), build(tmp_path, "bbbbbb")
    for run, line, reason in ((a, 3, "no such file"), (b, 7, "no permission")):
        run.tool("bash", {"command": "x"}, error=f"line {line}: syntax")
        run.tool("bash", {"command": "x"}, error=reason).end()
    assert kinds(compared(a, b)) == ["same", "outcome"]


def test_the_same_file_between_two_fixed_points_was_edited_in_another_way(tmp_path: Path) -> None:
    a, b = build(tmp_path, "aaaaaa"), build(tmp_path, "bbbbbb")
    for run, content in ((a, "one thing"), (b, "quite another")):
        run.tool("bash", {"command": "begin"}).tool("edit", {"path": "b.py", "content": content})
        run.tool("bash", {"command": "finish"}).end()
    diff = compared(a, b)
    assert kinds(diff) == ["same", "changed", "same"]
    assert diff.steps[1].differs == ("content",)


def test_calls_of_one_tool_with_nothing_in_common_stand_alone(tmp_path: Path) -> None:
    a, b = build(tmp_path, "aaaaaa"), build(tmp_path, "bbbbbb")
    a.tool("bash", {"command": "git log --oneline"}).tool("view", {"path": "src/a.py"}).end()
    b.tool("bash", {"command": "pytest -q"}).tool("view", {"path": "src/b.py"}).end()
    assert kinds(compared(a, b)) == ["only_a", "only_a", "only_b", "only_b"]


def test_calls_of_one_run_alone_stand_on_its_side(tmp_path: Path) -> None:
    a, b = build(tmp_path, "aaaaaa"), build(tmp_path, "bbbbbb")
    a.tool("one").tool("two").tool("three").end()
    b.tool("one").tool("other").tool("three").end()
    assert kinds(compared(a, b)) == ["same", "only_a", "only_b", "same"]


def test_tokens_and_cost_of_a_call_are_those_of_the_requests_before_it(tmp_path: Path) -> None:
    a, b = build(tmp_path, "aaaaaa"), build(tmp_path, "bbbbbb")
    a.request(prompt=100, completion=5, cost=0.25).request(prompt=10, completion=0).tool("one").tool(
        "two"
    ).end()
    b.request(prompt=50, completion=0).tool("one").tool("two").end()
    first, second = compared(a, b).steps
    assert (first.tokens.a, first.tokens.b, first.tokens.delta) == (115, 50, -65)
    assert (first.cost.a, first.cost.b, first.cost.delta) == (0.25, None, None), (
        "a request without a cost is not free"
    )
    assert (second.tokens.a, second.tokens.delta) == (None, None), "nothing was asked before the second call"


def test_a_cost_that_no_request_states_is_estimated_and_marked(tmp_path: Path) -> None:
    a, b = build(tmp_path, "aaaaaa"), build(tmp_path, "bbbbbb")
    a.request(model="m", prompt=1_000_000, completion=0).tool("one").end().metrics(totalCost=0).write()
    b.request(model="m", prompt=1_000_000, completion=0, cost=1.0).tool("one").end().write()
    prices = PriceTable([PriceEntry("m", Rates(input=3.0, output=15.0))])
    diff = compare_runs(a.run_dir, b.run_dir, clock=CLOCK, prices=prices)
    (step,) = diff.steps
    assert (step.cost.a, step.cost.b, step.cost.estimated) == (3.0, 1.0, True)
    assert (diff.totals["total_cost"].delta, diff.totals["total_cost"].estimated) == (-2.0, True)
    (told,) = [line.split() for line in text_of(diff) if line.startswith("cost")]
    assert told == ["cost", "≈$3.00", "$1.00", "≈-$2.00"]


def test_what_is_unknown_in_one_run_is_unknown_in_the_difference(tmp_path: Path) -> None:
    a, b = build(tmp_path, "aaaaaa").request(cost=1.0).end(), build(tmp_path, "bbbbbb").end()
    totals = compared(a, b).totals
    assert totals["total_cost"].a == 1.0
    assert totals["total_cost"].delta is None
    assert totals["tools_ms"].delta is None


def fork_of(parent: RunDirectoryBuilder, suffix: str, *, after_ms: int) -> RunDirectoryBuilder:
    return build(parent.root, suffix, at=AT + after_ms, parentRolloutId=parent.run_id, forkReason="retry")


def test_what_a_parent_did_before_its_fork_belongs_to_both(tmp_path: Path) -> None:
    parent = build(tmp_path, "aaaaaa").tool("plan", took_ms=1_000).tool("look", took_ms=1_000)
    fork = fork_of(parent, "bbbbbb", after_ms=2_500)
    parent.wait(1_000).tool("edit", {"path": "a"}).tool("test").end()
    fork.tool("edit", {"path": "a"}).tool("test", error="no").end("failed")
    diff = compared(parent, fork)
    assert diff.relation == "fork"
    assert kinds(diff) == ["before", "before", "same", "outcome"]
    assert diff.divergence == 3
    turned = compared(fork, parent)
    assert (turned.relation, kinds(turned)) == ("parent", kinds(diff))
    assert turned.steps[0].b is not None


def test_a_fork_that_repeats_its_parent_from_the_beginning_is_compared_from_there(tmp_path: Path) -> None:
    parent = build(tmp_path, "aaaaaa").tool("plan").tool("look").tool("bash", {"command": "make all"})
    parent.end("failed")
    fork = fork_of(parent, "bbbbbb", after_ms=60_000).tool("plan").tool("look")
    fork.tool("bash", {"command": "make all -j"}).end()
    assert kinds(compared(parent, fork)) == ["same", "same", "changed"]


def test_a_fork_that_goes_back_to_a_checkpoint_shares_what_was_before_it(tmp_path: Path) -> None:
    parent = build(tmp_path, "aaaaaa").tool("plan").tool("look").tool("edit", {"path": "a"}).end("failed")
    fork = fork_of(parent, "bbbbbb", after_ms=60_000).tool("look").tool("edit", {"path": "a"}).end()
    diff = compared(parent, fork)
    assert kinds(diff) == ["before", "same", "same"]
    assert diff.divergence is None
    assert not diff.same, "one failed and the other did not"


def test_a_result_whose_tool_was_never_called_is_told(tmp_path: Path) -> None:
    a, b = build(tmp_path, "aaaaaa"), build(tmp_path, "bbbbbb")
    a.event(
        "tool_result", {"toolName": "rm", "toolCallId": "x", "success": False, "blockedBy": "filter"}
    ).end()
    b.end()
    diff = compared(a, b)
    assert kinds(diff) == ["only_a"]
    assert diff.steps[0].a is not None
    assert diff.steps[0].a.row.state == "refused"


def test_calls_beyond_the_limit_are_counted_and_make_no_run_the_same(tmp_path: Path) -> None:
    a, b = build(tmp_path, "aaaaaa"), build(tmp_path, "bbbbbb")
    for run in (a, b):
        for _ in range(5):
            run.tool("one")
        run.end().write()
    diff = compare_runs(a.run_dir, b.run_dir, clock=CLOCK, max_calls=3)
    assert kinds(diff) == ["same"] * 3
    assert diff.a.left_out == 2
    assert not diff.same
    assert any("2 calls at the end of A are not compared" in line for line in text_of(diff))


def test_long_stretches_without_a_difference_are_folded_unless_asked_for(tmp_path: Path) -> None:
    a, b = build(tmp_path, "aaaaaa"), build(tmp_path, "bbbbbb")
    for run in (a, b):
        for index in range(50):
            run.tool("view_file", {"path": f"{index}.py"})
    b.tool("bash").end()
    a.end()
    diff = compared(a, b)
    assert any("47 calls without a difference" in line for line in text_of(diff))
    assert sum("view_file" in line for line in text_of(diff)) == 3
    assert sum("view_file" in line for line in text_of(diff, whole=True)) == 50


@pytest.mark.parametrize("width", [60, 80, 100, 120, 200])
def test_lines_keep_within_the_width(tmp_path: Path, width: int) -> None:
    a, b = build(tmp_path, "aaaaaa"), build(tmp_path, "bbbbbb")
    for run, word in ((a, "some "), (b, "other ")):
        run.objective = word * 40
        run.request(cost=12.5).tool(
            "漢字" * 30, {"path": word * 30, "command": word * 30}, error=word * 30
        ).end()
    assert max(map(cells, text_of(compared(a, b), width))) <= width


def test_observed_text_is_printable_and_without_secrets(tmp_path: Path) -> None:
    """Cases 55 and 83 for this list."""
    a, b = build(tmp_path, "aaaaaa"), build(tmp_path, "bbbbbb")
    a.objective = "\x1b]0;x\x07"
    token = "ghp_" + "a1B2" * 9
    a.tool(
        "\x1b[31mbash", {"command": f"curl -H 'Authorization: Bearer {token}'", "\x1b[2J": 1}, error="\x9bA"
    ).end()
    b.tool("bash", {"command": "y\u202e"}).end()
    text = "\n".join(text_of(compared(a, b)))
    assert token not in text
    assert not any(sign in text for sign in "\x1b\x9b\x07\u202e")


def test_a_run_that_is_not_there_reads_as_empty(tmp_path: Path) -> None:
    a = build(tmp_path, "aaaaaa").tool("one").end()
    a.write()
    side = read_side(tmp_path, "run_zzzzzz_000000", clock=CLOCK)
    assert side.calls == ()


# Invariants, on sides made of nothing but names

names = st.lists(
    st.tuples(
        st.sampled_from("abc"),
        st.sampled_from(("make all here", "make all there", "ls", "src/x.py")),
        st.booleans(),
    ),
    max_size=15,
)


def side(calls: list[tuple[str, str, bool]], run_id: str) -> Side:
    def call(number: int, tool: str, argument: str, ok: bool) -> Call:
        state = "ok" if ok else "failed"
        row = TimelineRow(number, AT, 0, 0, "tool_call", state, tool, argument, 1.0, 1, None, 0, None, number)  # type: ignore[arg-type]
        return Call(number, row, (tool, (("x", argument.encode()),)), argument.encode(), 1, None)

    facts = RunFacts(run_id, "", "completed", None, AT, AT, AT, 0, 0, 0, 0, 0)
    return Side(facts, tuple(call(number, *told) for number, told in enumerate(calls, 1)))


@given(names)
def test_a_run_has_no_difference_to_its_likeness(calls: list[tuple[str, str, bool]]) -> None:
    diff = compare_sides(side(calls, "a"), side(calls, "b"))
    assert diff.same
    assert set(kinds(diff)) <= {"same"}


@given(names, names)
@settings(max_examples=200)
def test_turned_around_a_comparison_counts_the_same(
    a: list[tuple[str, str, bool]], b: list[tuple[str, str, bool]]
) -> None:
    there, back = compare_sides(side(a, "a"), side(b, "b")), compare_sides(side(b, "b"), side(a, "a"))
    for kind in ("same", "outcome", "changed"):
        assert there.count(kind) == back.count(kind)
    assert there.count("only_a") == back.count("only_b")
    assert there.shared == back.shared


@given(names, names)
def test_every_call_stands_in_one_step_in_its_order(
    a: list[tuple[str, str, bool]], b: list[tuple[str, str, bool]]
) -> None:
    steps: tuple[DiffStep, ...] = compare_sides(side(a, "a"), side(b, "b")).steps
    assert [step.a.number for step in steps if step.a] == [*range(1, len(a) + 1)]
    assert [step.b.number for step in steps if step.b] == [*range(1, len(b) + 1)]
