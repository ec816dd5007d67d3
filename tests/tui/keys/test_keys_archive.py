"""The archive on the screen: `K` keeps runs, `A` lists the kept ones, and one that was pruned opens like any other."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Compare
from tests.tui.monitor import COMFORTABLE, NOW, SMALL, Monitor, make_app, monitor, ways
from textual.pilot import Pilot

from buddy_core.clock import ManualClock
from buddy_core.runs.keeping.archive import Archive
from buddy_core.testing import RunDirectoryBuilder
from buddy_top.kept.shelf import Shelf, kept_words
from buddy_top.listing.model import ListWants

HOUR = 3_600_000
SIZES = pytest.mark.parametrize("size", [SMALL, COMFORTABLE], ids=lambda size: f"{size[0]}x{size[1]}")


def put(runs: Path, suffix: str, hours: int, objective: str, parent: str | None = None) -> str:
    about = {"parentRolloutId": parent, "forkReason": "retry"} if parent else {}
    run = RunDirectoryBuilder(
        runs, suffix=suffix, started_at=NOW - hours * HOUR, objective=objective, metadata=about
    )
    run.request(prompt=4_000, completion=200, cost=0.25, latency_ms=2_000)
    run.tool("bash", {"command": "pytest -q"}, took_ms=3_000).artifact("plan.md", "# the plan").end().write()
    return run.run_id


def stocked(home: Path) -> tuple[Path, Path, list[str]]:
    """Three recorded runs, of which one is kept; of those that were pruned one is kept whole, and one damaged."""
    runs, archive = home / "runs", home / "kept"
    pruned = put(runs, "aaaaaa", 60, "Rename the module")
    damaged = put(runs, "bbbbbb", 50, "Split the parser")
    ids = [pruned, damaged, put(runs, "cccccc", 40, "Fix the flaky login test", parent=pruned)]
    ids += [
        put(runs, "dddddd", 30, "Move the sessions to Redis"),
        put(runs, "eeeeee", 20, "Write the changelog"),
    ]
    kept = Archive(archive, clock=ManualClock(NOW))
    for run_id in (pruned, damaged, ids[2]):
        kept.keep(runs, run_id)
    for run_id in (pruned, damaged):
        shutil.rmtree(runs / run_id)
    packed = next((archive / damaged).glob("run.tar*"))
    packed.write_bytes(packed.read_bytes()[:-40] + b"x" * 40)
    return runs, archive, ids


async def until(seen: Monitor, holds: Callable[[], bool]) -> None:
    """Wait for what another thread does; the clock of the app stands still meanwhile."""
    for _ in range(400):
        await seen.settle()
        if holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"it never came:\n{seen.text}")


async def test_a_pruned_run_opens_from_the_archive_wherever_it_is_named(tmp_path: Path) -> None:
    runs, archive, ids = stocked(tmp_path)
    async with monitor(runs, size=COMFORTABLE, tab="runs", archive=archive) as seen:
        await until(seen, lambda: any("kept retry" in line or "kept Fix" in line for line in seen.lines))
        await seen.press("A")
        await until(seen, lambda: "3 runs" in seen.text)
        assert "Kept runs" in seen.text
        assert set(seen.table.keys) == set(ids[:3])
        seen.table.move_to(ids[0])
        await seen.press("enter")
        await until(seen, lambda: "kept copy" in seen.text and "pytest -q" in seen.text)
        place = seen.app.snapshot.place if seen.app.snapshot is not None else None
        assert place is not None
        assert place.parent.stat().st_mode & 0o077 == 0
        page = seen.app.run_page
        assert page is not None
        for view, words in (
            ("metrics", "where the time went"),
            ("raw", "run_start"),
            ("artifacts", "plan.md"),
        ):
            await page.detail.open_view(view)  # type: ignore[arg-type]
            await until(seen, lambda words=words: words in seen.text)  # type: ignore[misc]
        await page.detail.open_view("timeline")
        page.focus_main()
        await seen.press("enter")
        await until(seen, lambda: "objective" in seen.text)
        await seen.press("escape", "escape")
        seen.table.move_to(ids[1])
        await until(seen, lambda: not place.exists() and "damaged" in seen.text)
        await seen.press("A")
        await until(seen, lambda: "Kept runs" not in seen.text)
        await seen.app.open_run(ids[2])
        page = seen.app.run_page
        assert page is not None
        await page.detail.open_view("family")
        page.focus_main()
        await until(seen, lambda: "kept  Rename the module" in seen.text)
        assert "cost $0.50" in seen.text  # nothing of the pruned parent is unknown
        await seen.press("g", "enter")
        await until(seen, lambda: "kept copy" in seen.text)
    assert not place.exists()


async def test_k_keeps_the_run_under_the_cursor_and_says_so(tmp_path: Path) -> None:
    runs, archive, ids = stocked(tmp_path)
    async with monitor(runs, size=COMFORTABLE, tab="runs", archive=archive) as seen:
        await until(seen, lambda: len(seen.table.keys) == 3)
        seen.table.move_to(ids[4])
        await seen.press("K")
        await until(seen, lambda: f"{ids[4]} is kept" in seen.footer)
        assert ids[4] in Archive(archive)
        await seen.press("K")
        await until(seen, lambda: "was kept already" in seen.footer)
        seen.table.marks = {ids[3], ids[4]}
        await seen.press("K")
        await until(seen, lambda: "1 of 2 runs are kept now" in seen.footer)
        (archive / ids[2]).joinpath("manifest.json").write_text("{}")
        seen.table.marks = ()
        seen.table.move_to(ids[2])
        await seen.press("K")
        await until(seen, lambda: "damaged" in seen.footer)


async def test_read_only_shows_the_archive_and_keeps_nothing(tmp_path: Path) -> None:
    runs, archive, _ = stocked(tmp_path)
    before = sorted(archive.iterdir())
    async with monitor(runs, tab="runs", archive=archive, read_only=True) as seen:
        for place, key in ways("keep"):
            await seen.go(place)
            await seen.press(key)
            assert "read-only" in seen.footer
        for place, key in ways("archive"):
            await seen.go(place)
            await seen.press(key)
            assert "Kept runs" in seen.text
    assert sorted(archive.iterdir()) == before


@SIZES
def test_the_list_of_kept_runs(tmp_path: Path, size: tuple[int, int], snap_compare: Compare) -> None:
    runs, archive, ids = stocked(tmp_path / "home")
    app, feed = make_app(runs, home=tmp_path / "home", tab="runs", archive=archive)

    async def drive(pilot: Pilot[Any]) -> None:
        assert isinstance(feed.clock, ManualClock)
        seen = Monitor(app, pilot, feed, feed.clock)
        await seen.settle()
        await seen.press("A")
        await until(seen, lambda: "Kept runs" in seen.text and len(seen.table.keys) == 3)
        seen.table.move_to(ids[0])
        await until(seen, lambda: "kept copy" in seen.text and "run end" in seen.text)

    assert snap_compare(app, size=size, drive=drive)


def test_a_filter_finds_kept_runs_and_an_archive_that_is_not_there_has_none(tmp_path: Path) -> None:
    runs, archive, ids = stocked(tmp_path)
    from buddy_core.runs.query.parser import parse
    from buddy_top.kept.listed import list_kept

    kept = Archive(archive)
    for text, found in (
        ("rename", ids[:1]),
        ('content:"pytest -q" tool:bash', [ids[2], ids[0]]),
        ("cost>9", []),
    ):
        listing = list_kept(kept, ListWants(parse(text).query, tree=False), NOW)
        assert list(listing.ids) == found
        assert (listing.problem == "1 copy could not be searched") == text.startswith("content")
    assert list_kept(Archive(tmp_path / "none"), ListWants(), NOW).total == 0
    nowhere = Shelf(None, runs, clock=ManualClock(NOW), told=lambda: None)
    assert "no place" in nowhere.listing(ListWants(kept=True), NOW).problem
    assert isinstance(nowhere.keep(ids).exception(timeout=5), Exception)
    nowhere.close()
    assert kept_words(["run_a"], 0, 1, []) == "run_a was kept already"
