"""The metrics of a run on the screen: numbers, charts, where the time went, and its tools."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Compare
from tests.tui.monitor import COMFORTABLE, NOW, SMALL, Monitor, make_app, monitor
from textual.pilot import Pilot

from buddy_core.clock import ManualClock
from buddy_core.metrics.collector import MetricsCollector
from buddy_core.observing.observer import Observer
from buddy_core.testing import RunDirectoryBuilder
from buddy_top.drawing.cells import text_of
from buddy_top.reading import numbers_reader
from buddy_top.reading.numbers_reader import NumbersReader
from buddy_top.run_view.metrics.timebar import time_bar

MINUTE = 60_000
SIZES = pytest.mark.parametrize("size", [SMALL, COMFORTABLE], ids=lambda size: f"{size[0]}x{size[1]}")
HOSTILE = "\x1b]0;owned\x07\u202e[/x] a tool with a very long name indeed"


def usual(runs: Path) -> RunDirectoryBuilder:
    """Requests, tools at once, a question to a person, and a failure."""
    run = RunDirectoryBuilder(runs, started_at=NOW - 20 * MINUTE, objective="Move the sessions to Redis")
    for number in range(12):
        run.request(prompt=4_000 + 900 * number, completion=300, cost=0.02, latency_ms=9_000 + 400 * number)
        one, two = run.call("bash", {"command": "pytest"}), run.call("search", {"pattern": "redis"})
        run.wait(3_000).result("search", two, took_ms=3_000)
        run.wait(12_000).result("bash", one, took_ms=15_000, error="Exit code 1" if number % 5 == 0 else None)
        run.wait(2_500)
    run.tool("ask_user", {"question": "Which port?"}, took_ms=4 * MINUTE).wait(700)
    return run.error("lost the connection").end()


def unknown(runs: Path) -> RunDirectoryBuilder:
    """As the original writer leaves it: tools, and nothing of requests, tokens or cost."""
    run = RunDirectoryBuilder(runs, started_at=NOW - 9 * MINUTE)
    for _ in range(5):
        run.wait(20_000).tool("bash", {"command": "make"}, took_ms=31_000)
    return run.tool(HOSTILE, took_ms=400).wait(90_000).end()


def live(runs: Path) -> RunDirectoryBuilder:
    """At work on a call, with costs that had to be estimated."""
    run = RunDirectoryBuilder(runs, started_at=NOW - 3 * MINUTE)
    run.request(prompt=50_000, completion=700, latency_ms=20_000).tool("bash", took_ms=8_000).wait(500)
    run.call("bash", {"command": "npm test"})
    return run


async def open_metrics(seen: Monitor, run_id: str) -> None:
    await seen.app.open_run(run_id)
    page = seen.app.run_page
    assert page is not None
    await page.detail.open_view("metrics")
    page.focus_main()
    await seen.settle()


@SIZES
@pytest.mark.parametrize("kind", [usual, unknown, live], ids=lambda kind: kind.__name__)
def test_metrics(
    tmp_path: Path,
    size: tuple[int, int],
    kind: Callable[[Path], RunDirectoryBuilder],
    snap_compare: Compare,
) -> None:
    runs = tmp_path / "home" / ".codebuddy" / "runs"
    run = kind(runs)
    run.write()
    app, feed = make_app(runs, home=tmp_path / "home")

    async def drive(pilot: Pilot[Any]) -> None:
        assert isinstance(feed.clock, ManualClock)
        seen = Monitor(app, pilot, feed, feed.clock)
        await seen.settle()
        await open_metrics(seen, run.run_id)

    assert snap_compare(app, size=size, drive=drive)


async def test_the_parts_of_the_time_are_told_and_explained_and_exported(tmp_path: Path) -> None:
    run = usual(tmp_path / "runs")
    run.write()
    async with monitor(tmp_path / "runs", size=COMFORTABLE) as seen:
        await open_metrics(seen, run.run_id)
        told = [" ".join(line.strip("│ ┃").split()) for line in seen.lines]
        assert any(line.startswith("▓ tools 3m00s") for line in told)
        assert any(line.startswith("▒ waiting 4m00s") for line in told)
        assert any(line.startswith("bash 12 3 3m00s 15.0 s 15.0 s") for line in told)
        assert "$0.24" in seen.text
        assert seen.feed.wants.numbers
        await seen.press("i")
        assert "where the time went" in seen.text
        assert "at least one call open" in seen.text
        await seen.press("escape", "v")
        assert not seen.feed.wants.numbers
        page = seen.app.run_page
        assert page is not None
        await page.detail.open_view("metrics")
        await seen.settle()
        sheet = page.sheet()
        assert sheet is not None
        assert ("time: waiting", "4m00s") in sheet.lines
        assert sheet.records[0]["time_spent"]["waiting_ms"] == 4 * MINUTE


async def test_a_live_run_grows_on_the_screen(tmp_path: Path) -> None:
    run = live(tmp_path / "runs")
    run.write()
    async with monitor(tmp_path / "runs", size=COMFORTABLE) as seen:
        await open_metrics(seen, run.run_id)
        assert "1 without a result" in seen.text
        assert "2m40s" in seen.text  # eight seconds, and what the open call took so far
        run.wait(1_000).tool("view_file", took_ms=20)
        run.write()
        await seen.refresh()
        assert "view_file" in seen.text


async def test_a_file_that_is_replaced_is_counted_anew_and_one_half_read_is_no_silence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = usual(tmp_path / "runs")
    run.write()
    clock = ManualClock(NOW)
    observer = Observer(tmp_path / "runs", MetricsCollector(clock=clock), clock=clock)
    observer.load()
    (facts,) = observer.facts()
    reader = NumbersReader(tmp_path / "runs", facts, None)
    first = await reader.read(facts, observer.facts(), NOW)
    events = run.events_file.read_bytes()
    run.events_file.unlink()
    run.events_file.write_bytes(events)
    again = await reader.read(facts, observer.facts(), NOW)
    while reader.more:
        again = await reader.read(facts, observer.facts(), NOW)
    assert again == first
    reader.close()

    monkeypatch.setattr(numbers_reader, "PIECE_BYTES", 200)
    reader = NumbersReader(tmp_path / "runs", facts, None)
    partly = await reader.read(facts, observer.facts(), NOW)
    assert partly.reading
    assert 0 < partly.spent.total_ms < first.spent.total_ms
    assert partly.spent.waiting_ms == 0  # what has not been read yet is no silence
    reader.close()
    observer.close()
    await asyncio.sleep(0)


@pytest.mark.parametrize("width", [5, 17, 60, 200])
def test_a_bar_has_every_part_and_exactly_its_width(width: int) -> None:
    parts = [("model", 1), ("tools", 99_000), ("waiting", 333), ("idle", 1)]
    bar = text_of(time_bar(parts, width))
    assert len(bar) == width
    assert all(sign in bar for sign in "█▓▒░")
