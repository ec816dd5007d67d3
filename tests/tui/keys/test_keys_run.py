"""Keys inside one run: its views, its failures, its neighbours, its times."""

from __future__ import annotations

from pathlib import Path

from tests.tui.monitor import COMFORTABLE, NOW, Monitor, command, monitor, samples, ways

from buddy_core.testing import RunDirectoryBuilder
from buddy_top.panes.runs.page import RunPage
from buddy_top.panes.runs.pane import RunsPane
from buddy_top.run_view.view import VIEWS, RunDetailView
from buddy_top.widgets.text.view import TextView


def detail_of(seen: Monitor) -> RunDetailView:
    """The run that is in sight, beside the list or full screen."""
    pane = seen.app.visible_pane
    assert isinstance(pane, RunsPane | RunPage)
    return pane.detail


async def test_v_goes_through_the_views_and_capital_v_back(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path), size=COMFORTABLE) as seen:
        for id, step in (("view.next", 1), ("view.previous", -1)):
            for place, key in (*ways("view.next"), *ways("view.previous")):
                if key not in command(id).keys.split(","):
                    continue
                await seen.go(place)
                for _ in VIEWS:
                    at = VIEWS.index(detail_of(seen).view)
                    await seen.press(key)
                    expected = VIEWS[(at + step) % len(VIEWS)]
                    assert detail_of(seen).view == expected
                    assert f"[{expected}]" in seen.text


async def test_each_view_takes_the_keyboard_when_the_run_fills_the_screen(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path)) as seen:
        await seen.go("run")
        for _ in VIEWS:
            await seen.press("v")
            focused = seen.app.focused
            assert focused is not None
            assert focused.display
            assert detail_of(seen) in focused.ancestors


async def test_enter_on_an_artifact_moves_into_its_text(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path), tab="runs") as seen:
        await seen.press("/", *"changelog", "enter", "enter", "v", "v")
        assert detail_of(seen).view == "artifacts"
        assert list(seen.table.keys) == ["plan.md", "summary.md"]
        assert "Read the log since" in seen.text
        await seen.press("j")
        assert "14 entries" in seen.text, "Markdown is rendered"
        await seen.press("J")
        assert "**14** entries" in seen.text, "and shown as it is on demand"
        await seen.press("enter")
        assert isinstance(seen.app.focused, TextView)


def run_with_failures(folder: Path) -> Path:
    """A hundred calls of which three fail, and an error at the end."""
    run = RunDirectoryBuilder(folder / "runs", started_at=NOW - 600_000)
    for number in range(100):
        failed = "Exit code 1" if number in (20, 50, 80) else None
        run.tool("bash", {"command": f"make target-{number}"}, error=failed)
    run.error("three targets failed").end().write()
    return folder / "runs"


async def test_e_jumps_from_failure_to_failure_and_capital_e_back(tmp_path: Path) -> None:
    async with monitor(run_with_failures(tmp_path), size=COMFORTABLE) as seen:
        assert {place for place, _ in (*ways("error.next"), *ways("error.previous"))} >= {"run"}
        await seen.go("run")
        await seen.press("g")
        for words in ("make target-20", "make target-50", "make target-80", "three targets failed"):
            await seen.press("e")
            assert words in cursor_line(seen)
        await seen.press("e")
        assert "no further error this way" in seen.footer
        assert "three targets failed" in cursor_line(seen)
        for words in ("make target-80", "make target-50", "make target-20"):
            await seen.press("E")
            assert words in cursor_line(seen)
        await seen.press("E")
        assert "no further error this way" in seen.footer


def cursor_line(seen: Monitor) -> str:
    """The line of the screen the cursor is on."""
    return next(line for line in seen.lines if "▌" in line)


async def test_e_in_a_live_run_stays_at_the_failure_when_events_arrive(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    run = RunDirectoryBuilder(runs, started_at=NOW - 60_000)
    run.tool("bash", {"command": "first"}, error="Exit code 1")
    for number in range(50):
        run.tool("bash", {"command": f"make target-{number}"})
    run.write()
    async with monitor(runs) as seen:
        await seen.go("run")
        assert "make target-49" in cursor_line(seen), "a live run is followed"
        await seen.press("E")
        run.tool("bash", {"command": "one more"}).write()
        await seen.refresh()
        assert "first" in cursor_line(seen)


async def test_brackets_go_to_the_neighbouring_run_and_stop_at_the_ends(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path)) as seen:
        assert [place for place, _ in (*ways("run.next"), *ways("run.previous"))] == ["run", "run"]
        await seen.go("runs")
        listed = list(seen.table.keys)
        await seen.go("run")
        page = seen.app.run_page
        assert page is not None
        visited = [page.run_id]
        for _ in listed:
            await seen.press("right_square_bracket")
            visited.append(page.run_id)
        assert visited == [*listed, listed[-1]]
        await seen.press("left_square_bracket")
        assert page.run_id == listed[-2]
        assert seen.app.snapshot is not None
        assert seen.app.snapshot.by_id[listed[-2]].objective[:30] in seen.text


async def test_t_shows_the_time_of_day_or_the_time_since_the_start(tmp_path: Path) -> None:
    async with monitor(run_with_failures(tmp_path)) as seen:
        for place, key in ways("times"):
            await seen.go(place)
            await seen.press("g")
            assert "+0.00" in cursor_line(seen)
            await seen.press(key)
            assert "12:21:07" in cursor_line(seen)
            await seen.press(key)
            assert "+0.00" in cursor_line(seen)


async def test_f_follows_the_newest_event_of_a_live_run(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    run = RunDirectoryBuilder(runs, started_at=NOW - 60_000)
    for number in range(50):
        run.tool("bash", {"command": f"make target-{number}"})
    run.write()
    async with monitor(runs) as seen:
        for place, key in ways("follow"):
            if place != "run":
                continue
            await seen.go(place)
            await seen.press("k")
            assert "make target-48" in cursor_line(seen), "moving away ends following"
            await seen.press(key)
            assert "following the newest" in seen.footer
            run.tool("bash", {"command": "one more"}).write()
            await seen.refresh()
            assert "one more" in cursor_line(seen)
            await seen.press(key)
            assert "not following" in seen.footer
            run.tool("bash", {"command": "yet another"}).write()
            await seen.refresh()
            assert "one more" in cursor_line(seen)
