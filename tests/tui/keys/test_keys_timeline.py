"""The timeline of a run: steps fold, a time is gone to, and a filter takes conditions; whatever its length."""

from __future__ import annotations

from pathlib import Path

from tests.tui.monitor import COMFORTABLE, NOW, Monitor, monitor, ways

from buddy_core.testing import RunDirectoryBuilder
from buddy_top.run_view.timeline.view import TimelineView
from buddy_top.screens.event import EventScreen
from buddy_top.screens.moment import MomentScreen


def a_run(root: Path, *, rounds: int = 30) -> RunDirectoryBuilder:
    run = RunDirectoryBuilder(root, started_at=NOW - 3_600_000, objective="Go round in circles")
    for number in range(rounds):
        run.wait(9_000).step(f"round {number}")
        run.wait(500).tool(
            "bash", {"command": f"make {number}"}, took_ms=400, error="no" if number == 7 else None
        )
        run.wait(100).tool("search", {"pattern": f"part {number}"}, took_ms=50).step_end(f"round {number}")
    run.end().write()
    return run


def timeline_of(seen: Monitor) -> TimelineView:
    assert seen.app.run_page is not None
    return seen.app.run_page.detail.timeline


def row_of(seen: Monitor) -> tuple[str, str]:
    row = timeline_of(seen).selected
    assert row is not None
    return row.title, row.detail


async def test_a_step_folds_where_the_cursor_is_and_says_what_it_hides(tmp_path: Path) -> None:
    a_run(tmp_path)
    async with monitor(tmp_path, size=COMFORTABLE) as seen:
        await seen.go("run")
        assert "122 events · " not in seen.text
        assert "182 events" in seen.text
        for _, fold in ways("fold"):
            for _, unfold in ways("unfold"):
                await seen.press("g", "j", "j", fold)
                assert row_of(seen) == ("step start", "round 0"), "the cursor goes to the step"
                assert "3 lines folded" in seen.text
                assert "make 0" not in seen.text
                await seen.press("j", "j", fold, "k", unfold)
                assert "make 0" in seen.text
                assert "make 1" not in seen.text
                await seen.press("j", "j", "j", "j", unfold)
                assert "make 1" in seen.text
        await seen.press("g", "+")
        assert "nothing is folded here" in seen.footer
        for _, key in ways("fold.all"):
            await seen.press("G", key)
            assert "90 lines folded" in seen.text
            assert len(timeline_of(seen).table.keys) == 32
            await seen.press("e")
            assert row_of(seen)[1] != "make 7", "the cursor stands behind it"
            await seen.press("E")
            assert row_of(seen) == ("bash", "make 7"), "what is looked for is unfolded"
            assert "87 lines folded" in seen.text
            await seen.press(key)
            assert "folded" not in seen.text


async def test_a_time_is_gone_to_however_it_is_written(tmp_path: Path) -> None:
    a_run(tmp_path)
    async with monitor(tmp_path, size=COMFORTABLE) as seen:
        await seen.go("run")
        for _, key in ways("moment"):
            await seen.press("g", key)
            assert isinstance(seen.app.screen, MomentScreen)
            await seen.press(*"+10s", "enter")
            assert row_of(seen) == ("search", "part 0")
            await seen.press(key, *"never", "enter")
            assert "no such time" in seen.text
            await seen.press("escape", key, *"100%", "enter")
            assert row_of(seen)[0] == "run end"


async def test_a_filter_with_conditions_narrows_and_events_open_and_step_as_ever(tmp_path: Path) -> None:
    a_run(tmp_path)
    async with monitor(tmp_path, size=COMFORTABLE) as seen:
        await seen.go("run")
        await seen.press("slash", *"type:tool took>300ms 2", "enter")
        await seen.until(lambda: "12 of 122 lines" in seen.text)  # a busy machine searches in several steps
        assert "make 2" in seen.text
        assert "part 2" not in seen.text
        await seen.press("g", "enter")
        await seen.app.workers.wait_for_complete()
        await seen.settle()
        screen = seen.app.screen
        assert isinstance(screen, EventScreen)
        await seen.press("right")
        await seen.app.workers.wait_for_complete()
        await seen.settle()
        assert screen.row is not None
        assert screen.row.detail == "make 12"
        await seen.press("escape", "n")
        assert row_of(seen) == ("bash", "make 20")
        await seen.press("slash", "escape")
        assert row_of(seen) == ("bash", "make 20"), "the cursor stays on its row"
        assert "182 events" in seen.text


async def test_a_live_run_shows_what_runs_and_for_how_long(tmp_path: Path) -> None:
    run = RunDirectoryBuilder(tmp_path, started_at=NOW - 60_000, objective="Still at it")
    run.wait(20_000).call("bash", {"command": "sleep 1000"})
    run.write()
    async with monitor(tmp_path, size=COMFORTABLE) as seen:
        await seen.go("run")
        assert "bash runs 40.0 s" in seen.text
        assert row_of(seen) == ("bash", "sleep 1000")
