"""The errors tab in depth: the text, the events around it in its run, its course over time, the runs it touched."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.tui.monitor import COMFORTABLE, NOW, SMALL, Monitor, monitor, samples

from buddy_core.testing import RunDirectoryBuilder
from buddy_top.panes.errors.pane import ErrorsPane


def pane_of(seen: Monitor) -> ErrorsPane:
    """The pane on the screen."""
    assert isinstance(seen.app.visible_pane, ErrorsPane)
    return seen.app.visible_pane


def a_run(folder: Path, suffix: str = "0a1b2c", *, before: int = 30, after: int = 30) -> RunDirectoryBuilder:
    """Numbered calls, an error with a context in their midst, and more calls."""
    run = RunDirectoryBuilder(
        folder / "runs", started_at=NOW - 600_000, suffix=suffix, objective=f"Run {suffix}"
    )
    for number in range(before):
        run.wait(1_000).tool("bash", {"command": f"before {number}"}, took_ms=10)
    failed = {"message": "the disk is full", "type": "io", "stack": "at write()\nat main()", "device": "sda1"}
    run.wait(1_000).event("error", failed)
    for number in range(after):
        run.wait(1_000).tool("bash", {"command": f"after {number}"}, took_ms=10)
    return run


def cursor_lines(seen: Monitor) -> list[str]:
    """The lines of the screen with a cursor of some table."""
    return [line for line in seen.lines if "▌" in line]


@pytest.mark.parametrize("size", [SMALL, COMFORTABLE, (200, 60)])
async def test_an_error_is_told_with_its_text_and_what_stands_around_it(
    size: tuple[int, int], tmp_path: Path
) -> None:
    a_run(tmp_path).end().write()
    async with monitor(tmp_path / "runs", size=size, tab="errors") as seen:
        for words in ("the disk is full", "at main()", "device", "sda1"):
            assert words in seen.text, words
        for words in ("before 29", "here", "after 0"):
            assert words in seen.text, words
        around = pane_of(seen).more.around.table
        assert around.cursor_index - around.top in range(around.page), "the error is in sight"
        assert around.top > 0 or around.page >= len(around.keys), "and in the midst of it"


async def test_the_cursor_moves_on_and_the_events_follow(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path), size=COMFORTABLE, tab="errors") as seen:
        told: list[str] = []
        for _ in pane_of(seen).table.keys:
            (here,) = (line for line in seen.lines if " here " in line)
            told.append(here)
            await seen.press("down")
        assert len(set(told)) == len(told)


async def test_enter_on_an_event_around_it_opens_the_run_there(tmp_path: Path) -> None:
    a_run(tmp_path).end().write()
    async with monitor(tmp_path / "runs", size=COMFORTABLE, tab="errors") as seen:
        await seen.press("right", "right")
        assert seen.app.focused is pane_of(seen).more.around.table
        await seen.press("up", "up", "enter")
        assert seen.app.place == "run"
        assert "before 28" in cursor_lines(seen)[0]
        await seen.press("escape", "right", "right", "down", "down", "enter")
        assert seen.app.place == "run"


async def test_arrows_go_round_table_text_events_and_runs(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path), size=COMFORTABLE, tab="errors") as seen:
        pane = pane_of(seen)
        round_trip = [pane.more.text, pane.more.around.table, pane.more.runs.table, pane.table]
        for widget in round_trip:
            await seen.press("right")
            assert seen.app.focused is widget
        for widget in reversed(round_trip[:-1]):
            await seen.press("left")
            assert seen.app.focused is widget


async def test_the_events_can_have_the_whole_pane(tmp_path: Path) -> None:
    a_run(tmp_path).end().write()
    async with monitor(tmp_path / "runs", size=SMALL, tab="errors") as seen:
        await seen.press("right", "right", "z")
        assert "before 23" in seen.text
        assert "after 6" in seen.text
        assert "sda1" not in seen.text
        await seen.press("z")
        assert "sda1" in seen.text


async def test_each_run_it_touched_leads_to_its_own_moment(tmp_path: Path) -> None:
    a_run(tmp_path, "aaaaaa").end().write()
    later = a_run(tmp_path, "bbbbbb", before=40)
    later.end().write()
    async with monitor(tmp_path / "runs", size=COMFORTABLE, tab="errors") as seen:
        assert "2 runs" in seen.text
        runs = pane_of(seen).more.runs.table
        assert [key[-6:] for key in runs.keys] == ["bbbbbb", "aaaaaa"], "the latest first"
        runs.focus()
        await seen.press("down", "enter")
        assert seen.app.run_page is not None
        assert seen.app.run_page.run_id.endswith("aaaaaa")
        assert "the disk is full" in cursor_lines(seen)[0]


async def test_a_run_that_was_pruned_is_said_to_be_gone(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    run.end().write()
    async with monitor(tmp_path / "runs", size=COMFORTABLE, tab="errors") as seen:
        shutil.rmtree(run.run_dir)
        await seen.press("t")
        await seen.refresh()
        await seen.press("t")
        assert "the disk is full" in seen.text, "what is kept of it stays"
        assert "not there any more" in seen.text


async def test_an_error_that_belongs_to_no_run_has_no_events(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path), size=COMFORTABLE, tab="errors") as seen:
        seen.feed.collector.record_error("host", "no run at all", at_ms=NOW - 1)
        await seen.refresh()
        await seen.press("g")
        assert "this error belongs to no run" in seen.text
        assert "it belongs to no run" in seen.text


async def test_in_a_live_run_what_comes_after_the_error_is_added(tmp_path: Path) -> None:
    run = a_run(tmp_path, after=0)
    run.write()
    async with monitor(tmp_path / "runs", size=COMFORTABLE, tab="errors") as seen:
        assert "before 29" in seen.text
        run.wait(100).tool("bash", {"command": "one more"}).write()
        await seen.refresh()
        assert "one more" in seen.text


@pytest.mark.parametrize(
    ("size", "there", "gone"),
    [
        ((200, 60), ("Around it", "Runs", "Trend"), ()),
        ((80, 24), ("Around it",), ("Trend", "started")),
        ((60, 16), ("at main()",), ("Around it", "Trend")),
    ],
)
async def test_what_has_no_room_goes_by_priority_and_is_not_read(
    size: tuple[int, int], there: tuple[str, ...], gone: tuple[str, ...], tmp_path: Path
) -> None:
    run = RunDirectoryBuilder(tmp_path / "runs", started_at=NOW - 600_000)
    run.event("error", {"message": "short", "stack": "at main()"}).end().write()
    async with monitor(tmp_path / "runs", size=size, tab="errors") as seen:
        body = "\n".join(seen.lines[3:])
        pane = pane_of(seen)
        pane.more.text.set_top(99)
        await seen.settle()
        body += "\n".join(seen.lines[3:])
        assert all(words in body for words in there)
        assert not any(words in body for words in gone)
        assert (seen.feed.wants.around is not None) is ("Around it" in there)


async def test_words_of_the_filter_are_marked_in_the_text_and_n_goes_through_them(tmp_path: Path) -> None:
    run = RunDirectoryBuilder(tmp_path / "runs", started_at=NOW - 600_000)
    stack = "\n".join(f"at step {n}{' needle' if n in (20, 40) else ''}" for n in range(60))
    run.event("error", {"message": "a needle in a stack", "stack": stack}).end().write()
    async with monitor(tmp_path / "runs", size=COMFORTABLE, tab="errors") as seen:
        await seen.press("/", *"needle", "enter", "right")
        text = pane_of(seen).more.text
        assert seen.app.focused is text
        tops = []
        for _ in range(2):
            await seen.press("n")
            tops.append(text.top)
            assert "needle" in seen.text
        assert tops[0] < tops[1]
        await seen.press("N")
        assert text.top == tops[0]


async def test_who_moves_among_the_events_stays_there_while_more_arrive(tmp_path: Path) -> None:
    run = a_run(tmp_path, after=1)
    run.write()
    async with monitor(tmp_path / "runs", size=COMFORTABLE, tab="errors") as seen:
        around = pane_of(seen).more.around.table
        around.focus()
        await seen.press("up", "up", "up")
        where = around.cursor_key
        run.wait(100).tool("bash", {"command": "one more"}).write()
        await seen.refresh()
        assert "one more" in seen.text or around.keys[-1] != where
        assert around.cursor_key == where
        seen.resize(*SMALL)
        await seen.settle()
        assert around.cursor_key == where


async def test_a_hidden_pane_reads_no_run(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path), tab="errors") as seen:
        assert seen.feed.wants.around is not None
        await seen.go("tools")
        assert seen.feed.wants.around is None
