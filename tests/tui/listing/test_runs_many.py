"""The list of very many runs on the screen: a page of it is read at a time, and all that lists can do goes on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.conftest import Compare
from tests.tui.listing.catalogs import run_id_of, write_catalog
from tests.tui.monitor import COMFORTABLE, NOW, SMALL, Monitor, make_app, monitor
from textual.pilot import Pilot

from buddy_core.clock import ManualClock
from buddy_core.testing import RunDirectoryBuilder
from buddy_top.listing.model import Listing
from buddy_top.panes.runs.pane import RunsPane

RUNS = 10_000


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a few runs, and a catalog that tells of ten thousand more."""
    root = tmp_path_factory.mktemp("many")
    for number in range(3):
        run = RunDirectoryBuilder(
            root / "runs",
            started_at=NOW - 60_000 * (number + 1),
            objective=f"Look at {number}",
            suffix=f"00000{number}",
        )
        run.tool("bash", {"command": "make"}, took_ms=500)
        if number:
            run.end()
        run.write()
    write_catalog(root / "runs", root / "state", RUNS)
    return root


@asynccontextmanager
async def many(
    root: Path, patch: pytest.MonkeyPatch, size: tuple[int, int] = COMFORTABLE
) -> AsyncIterator[Monitor]:
    """A monitor that reads this catalog and writes none."""
    patch.setattr("buddy_top.listing.lister.MANY_RUNS", 2)
    export = root / "out"
    export.mkdir(exist_ok=True)
    async with monitor(
        root / "runs", size=size, tab="runs", state=root / "state", read_only=True, export_dir=str(export)
    ) as seen:
        await settled(seen)
        yield seen


def listing_of(seen: Monitor) -> Listing:
    assert seen.app.snapshot is not None
    assert seen.app.snapshot.listing is not None
    return seen.app.snapshot.listing


async def settled(seen: Monitor, count: int | None = None) -> None:
    """Wait until everything that is asked for has been answered, and so many runs are listed."""

    def reached() -> bool:
        snapshot, pane = seen.app.snapshot, seen.app.visible_pane
        if snapshot is None or snapshot.listing is None or snapshot.wants != seen.feed.wants:
            return False
        asked = not isinstance(pane, RunsPane) or snapshot.listing.wants.query == pane.fitting
        return asked and snapshot.listing.settled and count in (None, len(snapshot.listing.ids))

    await seen.until(reached)
    await seen.settle()


async def test_ten_thousand_runs_are_one_list_with_the_live_one_on_top(
    catalog: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with many(catalog, monkeypatch) as seen:
        await settled(seen, RUNS + 3)
        assert "10,003 runs" in seen.text
        assert "Look at 0" in seen.lines[4]
        assert len(listing_of(seen).facts) < 500, "only what is in sight is read"
        await seen.press("G")
        await settled(seen)
        assert seen.cursor == run_id_of(0)
        assert "Task 0 of the day" in seen.text
        await seen.press("space", "g", "space", "r")
        await settled(seen)
        assert seen.cursor == listing_of(seen).ids[-1], "the cursor goes with its run"
        assert seen.table.marks == {run_id_of(0), seen.cursor}


async def test_a_filter_counts_what_fits_and_one_with_a_mistake_leaves_the_list(
    catalog: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with many(catalog, monkeypatch) as seen:
        fits = sum(number % 3 == 0 for number in range(RUNS))
        await seen.press("slash", *"status:failed")
        await settled(seen, fits)
        assert "3,334 of 10,003 match: status:failed" in seen.text
        await seen.press(*" tool:bash")
        await settled(seen, fits // 2)
        await seen.press(*" cots>1")
        await settled(seen, fits // 2)
        assert "1,667 of 10,003 match" in seen.text
        assert "did you mean cost" in seen.text
        await seen.press("escape", "escape")
        await settled(seen, RUNS + 3)


async def test_forks_stand_under_their_parents_or_not(catalog: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fork = RUNS - RUNS % 7
    async with many(catalog, monkeypatch) as seen:
        ids = listing_of(seen).ids
        assert ids.index(run_id_of(fork)) == ids.index(run_id_of(fork - 2)) + 1
        assert listing_of(seen).depths[run_id_of(fork)] == 1
        assert "└ Task 9,996" in seen.text
        await seen.press("t")
        await seen.until(lambda: not listing_of(seen).depths)
        assert listing_of(seen).ids.index(run_id_of(fork)) == 3 + RUNS - 1 - fork


async def test_a_run_that_nobody_follows_is_shown_stepped_from_and_compared(
    catalog: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with many(catalog, monkeypatch) as seen:
        pane = seen.app.visible_pane
        pane.reveal(run_id_of(RUNS // 2))
        await settled(seen)
        assert seen.cursor == run_id_of(RUNS // 2)
        await seen.press("enter")
        await settled(seen)
        assert seen.app.run_page is not None
        assert "Task 5,000" in seen.text
        await seen.press("right_square_bracket")
        await settled(seen)
        assert seen.app.run_page.run_id == run_id_of(RUNS // 2 - 1)
        assert "Task 4,999" in seen.text


async def test_the_palette_finds_a_run_by_words_wherever_it_is_in_the_list(
    catalog: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with many(catalog, monkeypatch) as seen:
        await seen.press("ctrl+p", *"4,321")
        await seen.until(lambda: "Task 4,321 of the day" in seen.text)


async def test_an_export_reads_what_is_listed_and_says_what_it_left_out(
    catalog: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("buddy_top.panes.runs.pane.MOST_EXPORTED", 200)
    async with many(catalog, monkeypatch) as seen:
        pane = seen.app.visible_pane
        assert isinstance(pane, RunsPane)
        pane.as_tree = False
        pane.sort_by("cost")
        await seen.until(lambda: listing_of(seen).wants.sort == "cost" and listing_of(seen).settled)
        sheet = await pane.whole_sheet()
        assert sheet is not None
        assert sheet.of == RUNS + 3
        assert [record["run_id"] for record in sheet.records] == [
            run_id_of(RUNS - 1 - at) for at in range(200)
        ]


@pytest.mark.parametrize("size", [SMALL, COMFORTABLE], ids=lambda size: f"{size[0]}x{size[1]}")
def test_a_filter_with_a_mistake_over_ten_thousand_runs(
    catalog: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int], snap_compare: Compare
) -> None:
    monkeypatch.setattr("buddy_top.listing.lister.MANY_RUNS", 2)
    app, feed = make_app(catalog / "runs", tab="runs", state=catalog / "state", read_only=True, home=catalog)

    async def drive(pilot: Pilot[None]) -> None:
        seen = Monitor(app, pilot, feed, ManualClock(NOW))
        await settled(seen, RUNS + 3)
        await seen.press("slash", *"task status:failed")
        await settled(seen, sum(number % 3 == 0 for number in range(RUNS)))
        await seen.press(*" cots>1")
        await settled(seen)

    assert snap_compare(app, size=size, drive=drive)
