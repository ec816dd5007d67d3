"""The run on the screen, while its file does not answer: the picture goes on without it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from tests.core.hanging_disk import disk

from buddy_core.runs.folding.facts import unread_facts
from buddy_core.runs.reading.descriptors import SHARED
from buddy_core.runs.timeline.around import Moment, Surroundings
from buddy_core.testing import RunDirectoryBuilder
from buddy_top.drawing.cells import text_of
from buddy_top.panes.columns.cells import run_cell
from buddy_top.reading import around_reader, aside
from buddy_top.reading.around_reader import OpenAround
from buddy_top.reading.open_raw import OpenRaw
from buddy_top.reading.open_run import OpenRun
from buddy_top.run_view.heading import heading_lines
from buddy_top.state import RawWants, Wants


async def test_what_was_read_stays_on_the_screen_with_the_words_that_its_file_does_not_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case 35: a picture waits half a second for it, once; it is whole again when the file answers."""
    monkeypatch.setattr(aside, "PATIENCE_S", 0.1)
    run = RunDirectoryBuilder(tmp_path)
    run.tool("bash", {"command": "make"}).write()
    loop, back = asyncio.get_running_loop(), asyncio.Event()
    opened = OpenRun(tmp_path, run.run_id, lambda: loop.call_soon_threadsafe(back.set))
    wants = Wants(run_id=run.run_id)
    with disk() as broken:
        while (whole := await opened.read(wants)).problem is not None:
            await asyncio.sleep(0)  # a busy machine
        broken.hang(run.run_id)
        run.tool("bash", {"command": "make test"}).write()
        stalled = await opened.read(wants)
        assert stalled.problem == "stalled 0 s: its file does not answer"
        assert (stalled.rows, stalled.page) == (whole.rows, whole.page)
        assert (await opened.read(wants)).rows == whole.rows  # at once: nothing else is begun
        back.clear()
        broken.answer()
        async with asyncio.timeout(20):
            await back.wait()
        while (again := await opened.read(wants)).problem is not None:
            await asyncio.sleep(0)
        assert again.rows > whole.rows
        opened.close()


async def test_a_run_that_hangs_as_it_is_opened_says_so_and_lets_go_of_its_file_when_it_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case 35."""
    monkeypatch.setattr(aside, "PATIENCE_S", 0.1)
    run = RunDirectoryBuilder(tmp_path)
    run.tool("bash", {"command": "make"}).write()
    left = asyncio.Event()
    loop = asyncio.get_running_loop()
    opened = OpenRun(tmp_path, run.run_id, lambda: loop.call_soon_threadsafe(left.set))
    with disk() as broken:
        broken.hang(run.run_id)
        detail = await opened.read(Wants(run_id=run.run_id))
        assert (detail.run_id, detail.problem) == (run.run_id, "stalled 0 s: its file does not answer")
        errand = opened._aside._errand
        assert errand is not None
        opened.close()
        closed = asyncio.Event()
        errand.over.add_done_callback(lambda _: loop.call_soon_threadsafe(closed.set))
        broken.answer()
        async with asyncio.timeout(20):
            await closed.wait()
    names = [str(Path(f"/proc/self/fd/{fd}").readlink()) for fd in SHARED._idle.values()]
    assert not [name for name in names if name.startswith(str(tmp_path))]


async def test_the_raw_view_keeps_what_it_read_while_the_file_does_not_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case 35."""
    monkeypatch.setattr(aside, "PATIENCE_S", 0.1)
    run = RunDirectoryBuilder(tmp_path)
    run.tool("bash", {"command": "make"}).write()
    loop, back = asyncio.get_running_loop(), asyncio.Event()
    opened = OpenRaw(run.run_dir, "events.jsonl", lambda: loop.call_soon_threadsafe(back.set))
    wants = RawWants("events.jsonl", 0, 10)
    with disk() as broken:
        while (whole := await opened.read(wants)).problem is not None or opened.more:
            await asyncio.sleep(0)  # a busy machine
        broken.hang(run.run_id)
        run.tool("bash", {"command": "make test"}).write()
        stalled = await opened.read(wants)
        assert stalled.problem == "stalled 0 s: events.jsonl does not answer"
        assert (stalled.lines, stalled.page) == (whole.lines, whole.page)
        assert not opened.more, "nobody asks again until it answers"
        back.clear()
        broken.answer()
        async with asyncio.timeout(20):
            await back.wait()
        while (again := await opened.read(wants)).problem is not None or opened.more:
            await asyncio.sleep(0)
        assert again.lines > whole.lines
        opened.close()


async def test_the_events_around_an_error_are_awaited_beside_the_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case 35: a run that does not answer leaves its error without surroundings, and no other one."""
    monkeypatch.setattr(aside, "PATIENCE_S", 0.1)
    monkeypatch.setattr(around_reader, "REST_S", 0.0)
    run = RunDirectoryBuilder(tmp_path)
    run.error("it broke").write()
    moment = Moment(run.run_id, run.now_ms, "it broke")
    loop, woken = asyncio.get_running_loop(), asyncio.Event()
    around = OpenAround(tmp_path, lambda: loop.call_soon_threadsafe(woken.set))

    async def asked_again() -> Surroundings | None:
        async with asyncio.timeout(20):
            await woken.wait()
        woken.clear()
        return await around.read(moment)

    with disk() as broken:
        broken.hang(run.run_id)
        assert await around.read(moment) is None, "nothing is read before the cursor has rested"
        assert not broken.entered.is_set()
        assert await asked_again() is None, "it does not answer"
        broken.answer()
        while (found := await asked_again()) is None:
            woken.set()  # a busy machine
        assert found.at is not None
        around.close()


def test_the_row_and_the_heading_of_such_a_run_begin_with_what_is_wrong() -> None:
    """Cases 35 and 36: the words are shown as observed text is, and stand before what the run is for."""
    run = replace(
        unread_facts("run_mk5o26bk_000000", 1_767_890_000_000), objective="Fix it", problem="stalled 5 s"
    )
    assert text_of(run_cell(run)) == "! stalled 5 s · Fix it"
    assert "! stalled 5 s" in text_of(heading_lines(run, 1_767_890_000_000)[1])
    assert (
        text_of(run_cell(replace(run, problem="events.jsonl: \x1b[31m"))) == "! events.jsonl: ␛[31m · Fix it"
    )
    assert text_of(run_cell(replace(run, problem=None))) == "Fix it"
