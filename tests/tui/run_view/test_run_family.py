"""The family of a run on the screen: its tree, its sums, and the way to every other member."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Compare
from tests.core.viewing.test_lineage import run
from tests.tui.monitor import COMFORTABLE, NOW, SMALL, Monitor, make_app, monitor
from textual.pilot import Pilot

from buddy_core.clock import ManualClock
from buddy_core.runs.catalog.rows import Row
from buddy_core.testing import RunDirectoryBuilder
from buddy_top.reading.family_reader import AGAIN_MS, FamilyReader

HOUR = 3_600_000
ESCAPE = "\x1b[2J\x1b]0;owned\x07\u202e"
SIZES = pytest.mark.parametrize("size", [SMALL, COMFORTABLE], ids=lambda size: f"{size[0]}x{size[1]}")


def put(
    runs: Path, suffix: str, hours: float, parent: str | None = None, reason: str = "retry", **more: Any
) -> str:
    """A run that began so many hours ago; `cost`, `prompt` and `fails` as told."""
    about = {"parentRolloutId": parent, "forkReason": reason} if parent else {}
    objective = (f"[fork:{reason}] " if parent else "") + more.get("objective", "Fix the flaky login test")
    start = NOW - int(hours * HOUR)
    made = RunDirectoryBuilder(runs, suffix=suffix, started_at=start, objective=objective, metadata=about)
    if "prompt" in more:
        made.request(prompt=more["prompt"], completion=900, cost=more.get("cost"), latency_ms=2_000)
    for number in range(more.get("calls", 3)):
        error = "Exit code 1" if number < more.get("fails", 0) else None
        made.tool("bash", {"command": "pytest -q"}, took_ms=4_000, error=error)
    if more.get("end", "completed"):
        made.end(more.get("end", "completed"))
    made.write()
    return made.run_id


def usual(runs: Path) -> str:
    """A run with two forks and a fork of a fork; the newest is at work and knows no cost."""
    root = put(runs, "aaaaaa", 9, cost=0.61, prompt=182_000, fails=2, end="failed")
    first = put(runs, "bbbbbb", 8, root, cost=0.2, prompt=61_000)
    put(runs, "cccccc", 7, first, reason="ab-variant-B", calls=5)
    return put(runs, "dddddd", 0.01, root, reason="checkpoint-rollback", end=None)


def circle(runs: Path) -> str:
    """Three runs that name each other, and one that names itself."""
    ids = [
        RunDirectoryBuilder(runs, suffix=s, started_at=NOW - h * HOUR).run_id
        for s, h in (("aaaaaa", 9), ("bbbbbb", 8))
    ]
    put(runs, "aaaaaa", 9, ids[1], cost=0.5, prompt=1_000)
    put(runs, "bbbbbb", 8, ids[0], cost=0.25, prompt=500)
    return put(runs, "cccccc", 7, ids[1])


def gone(runs: Path) -> str:
    """Two forks of a run that was pruned; one has a hostile objective."""
    put(runs, "aaaaaa", 9, "run_gone00_0a0a0a", cost=0.5, prompt=1_000)
    return put(runs, "bbbbbb", 8, "run_gone00_0a0a0a", objective=f"{ESCAPE} [/x]")


def huge(runs: Path) -> str:
    """A chain of sixty, each forked from the one before, and many forks of the last."""
    above = None
    for number in range(60):
        above = put(runs, f"{number:06x}", 90 - number, above, calls=1, cost=0.01, prompt=100)
    for number in range(60, 90):
        put(runs, f"{number:06x}", 20 - number / 10, above, calls=1)
    assert above is not None
    return above


async def open_family(seen: Monitor, run_id: str) -> None:
    await seen.app.open_run(run_id)
    page = seen.app.run_page
    assert page is not None
    await page.detail.open_view("family")
    page.focus_main()
    await seen.settle()


@SIZES
@pytest.mark.parametrize("kind", [usual, circle, gone, huge], ids=lambda kind: kind.__name__)
def test_a_family(
    tmp_path: Path, size: tuple[int, int], kind: Callable[[Path], str], snap_compare: Compare
) -> None:
    runs = tmp_path / "home" / ".codebuddy" / "runs"
    run_id = kind(runs)
    app, feed = make_app(runs, home=tmp_path / "home")

    async def drive(pilot: Pilot[Any]) -> None:
        assert isinstance(feed.clock, ManualClock)
        seen = Monitor(app, pilot, feed, feed.clock)
        await seen.settle()
        await open_family(seen, run_id)

    assert snap_compare(app, size=size, drive=drive)


async def test_the_tree_leads_to_every_member_and_back(tmp_path: Path) -> None:
    run_id = usual(tmp_path / "runs")
    async with monitor(tmp_path / "runs", size=COMFORTABLE) as seen:
        await open_family(seen, run_id)
        assert seen.cursor == run_id
        assert "4 runs" in seen.text
        assert "2 completed" in seen.text
        assert "cost ≥$0.81" in seen.text
        assert "2 runs of unknown cost" in seen.text
        (here,) = [line for line in seen.lines if "▸" in line]
        assert "checkpoint-rollback" in here
        assert "≥$0.20" in next(line for line in seen.lines if "├ ✓" in line)

        await seen.press("y")
        assert seen.app.clipboard == run_id
        await seen.press("N", "E")
        assert seen.cursor is not None
        assert seen.cursor.endswith("aaaaaa")
        await seen.press("enter")
        assert seen.app.run_page is not None
        assert seen.app.run_page.run_id.endswith("aaaaaa")
        assert seen.cursor is not None
        assert seen.cursor.endswith("aaaaaa")

        await seen.press("/", *"variant", "enter")
        assert len(seen.table.keys) == 1
        await seen.press("/", *"zzz")
        assert "nothing matches" in seen.text


async def test_what_happens_in_a_fork_is_seen_at_once_and_the_cursor_stays(tmp_path: Path) -> None:
    run_id = usual(tmp_path / "runs")
    async with monitor(tmp_path / "runs", size=COMFORTABLE) as seen:
        await open_family(seen, run_id)
        await seen.press("g")
        before = seen.cursor
        put(tmp_path / "runs", "eeeeee", 0.005, run_id, reason="another", end=None)
        await seen.refresh()
        assert "another" in seen.text
        assert "5 runs" in seen.text
        assert seen.cursor == before
        seen.clock.advance(60_000)
        await seen.refresh()
        assert seen.feed.wants.family


async def test_what_a_fork_calls_its_parent_is_no_place_to_look_in(tmp_path: Path) -> None:
    """Case 75: a parent may be called anything; nothing is opened for it but a run."""
    run_id = put(tmp_path / "runs", "aaaaaa", 9, "../../victim")
    async with monitor(tmp_path / "runs", size=COMFORTABLE) as seen:
        await open_family(seen, run_id)
        assert "../../victim" in seen.text
        await seen.press("g", "enter")
        assert seen.app.run_page is not None
        assert seen.app.run_page.run_id == run_id


def test_a_family_is_not_put_together_again_while_nothing_changes() -> None:
    reader, facts = FamilyReader(), (run("a"), run("b", "a"))
    made = reader.read("a", facts, NOW)
    assert reader.read("a", facts, NOW + 1_000) is made
    other = reader.read("b", facts, NOW)
    assert other is not None
    assert other.run_id == "b"
    live = (run("a", status="running", started_at=NOW - 1_000, duration_ms=None),)
    for later in (0, 500):
        found = reader.read("a", live, NOW + later)
        assert found is not None
        assert found.total.took.value == 1_000 + later


def test_members_that_nobody_follows_come_from_the_catalog_as_soon_as_it_answers() -> None:
    answers: list[Future[Sequence[Row]]] = []

    def ask(_run_id: str) -> Future[Sequence[Row]]:
        answers.append(Future())
        return answers[-1]

    reader, facts = FamilyReader(ask), (run("b", "a", total_cost=2.0),)
    assert reader.read("old", facts, NOW) is None  # nothing is known of it yet
    first = reader.read("b", facts, NOW)
    assert first is not None
    assert first.missing == "a"
    answers[-1].set_result(
        [
            Row(run("a", total_cost=1.0), True),
            Row(run("b", "a", total_cost=9.0), True),
            Row(run("c", "b"), False),
        ]
    )
    found = reader.read("b", facts, NOW)
    assert found is not None
    assert [member.run_id for member in found.members] == ["a", "b", "c"]
    assert (found.total.cost.value, found.missing) == (3.0, None)  # what is followed is newer than its row
    assert found.total.tool_calls.unknown == 1
    assert reader.read("b", facts, NOW) is found
    assert len(answers) == 2
    reader.read("b", facts, NOW + AGAIN_MS)
    assert len(answers) == 3
    answers[-1].set_exception(LookupError("another process has it"))
    assert reader.read("b", facts, NOW + AGAIN_MS) is not None
