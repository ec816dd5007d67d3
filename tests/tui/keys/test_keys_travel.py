"""Keys of time travel: back, on, ten at once, play, faster and slower, and the ways back to now."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.tui.monitor import COMFORTABLE, NOW, Monitor, Staying, monitor, samples, ways

from buddy_core.alerts.limits import Limits
from buddy_core.past.world import PastWorld
from buddy_core.testing import RunDirectoryBuilder
from buddy_top.past.traveller import SPEEDS

BEGAN = NOW - 3_600_000
"""When the run of these tests began, an hour ago: 10:31:07 local time of the tests."""


def one_run(folder: Path) -> Path:
    """Eleven events in 42 s: two steps, a slow tool, one that fails, a request; and a run that began later."""
    runs = folder / "runs"
    run = RunDirectoryBuilder(runs, started_at=BEGAN, objective="Travel here")
    run.wait(1_000).step("plan").request(latency_ms=2_000, cost=0.25).step_end("plan").step("do")
    run.wait(1_000).tool("bash", {"command": "make"}, took_ms=20_000)
    run.wait(1_000).tool("edit", {"path": "a.py"}, took_ms=7, error="no such line")
    run.wait(16_993).step_end("do").end().write()
    later = RunDirectoryBuilder(runs, started_at=NOW - 60_000, suffix="ffffff", objective="Began later")
    later.error("anthropic: overloaded").end().write()
    return runs


async def open_it(seen: Monitor) -> None:
    await seen.go("runs")
    await seen.press("G", "enter")
    assert "Travel here" in seen.text


def moment(seen: Monitor) -> tuple[int, int]:
    """Milliseconds since the run began, and events that have happened."""
    snapshot = seen.app.snapshot
    assert snapshot is not None
    assert snapshot.past is not None
    assert snapshot.past.reading is None
    return snapshot.taken_at - BEGAN, snapshot.past.events


async def test_a_run_is_stepped_through_from_the_row_under_the_cursor(tmp_path: Path) -> None:
    async with monitor(one_run(tmp_path), size=COMFORTABLE) as seen:
        await open_it(seen)
        await seen.press("down", "right")
        assert moment(seen) == (3_000, 3)
        assert "event 3 of 11" in seen.header
        await seen.press("right", "right", "right")
        assert moment(seen) == (4_000, 6)
        assert "● running" in seen.body
        assert [line.count("●") for line in seen.lines if "make" in line] == [1]
        assert "no such line" not in seen.body
        await seen.press("right", "right", "right")
        assert moment(seen) == (25_007, 9)
        assert "no such line" in seen.body
        await seen.press("left")
        assert "no such line" not in seen.body
        await seen.press("shift+right", "right")
        assert moment(seen) == (42_000, 11)
        assert "✓ completed" in seen.body


async def test_every_tab_shows_the_moment_and_steps_on(tmp_path: Path) -> None:
    async with monitor(one_run(tmp_path), size=COMFORTABLE) as seen:
        await open_it(seen)
        await seen.press("G", "left")
        steps = {"past.back": -1, "past.on": 1, "past.back.ten": -10, "past.on.ten": 10}
        at = 10
        for place, key in (
            *ways("past.back"),
            *ways("past.back.ten"),
            *ways("past.on"),
            *ways("past.on.ten"),
        ):
            step = next(step for id, step in steps.items() if (place, key) in set(ways(id)))
            if place not in ("overview", "errors"):
                continue
            await seen.press("12345"[["overview", "providers", "tools", "errors", "runs"].index(place)])
            await seen.press(key)
            at = max(1, min(11, at + step))
            assert (seen.app.place, moment(seen)[1]) == (place, at)
            assert f"event {at} of 11" in seen.header
            assert "◷ esc: now" in seen.lines[1]
            assert "◷" in seen.lines[2]
            assert "Began later" not in seen.text
            assert "overloaded" not in seen.text
        await seen.press("2")
        assert "claude-sonnet-4-5" in seen.text


async def test_the_numbers_of_each_tab_are_those_of_then(tmp_path: Path) -> None:
    async with monitor(one_run(tmp_path), size=COMFORTABLE) as seen:
        await open_it(seen)
        await seen.press("g", "shift+right", "left", "left", "left", "left")
        assert moment(seen)[1] == 7
        await seen.press("3")
        assert [line for line in seen.lines if "bash" in line]
        assert "edit" not in seen.body
        await seen.press("1")
        assert "Travel here" in seen.body
        assert "$0.25" in seen.text


async def test_escape_and_q_return_to_now_from_anywhere(tmp_path: Path) -> None:
    async with monitor(one_run(tmp_path), size=COMFORTABLE, kind=Staying) as seen:
        for key, tab in (("escape", ""), ("q", "4")):
            await open_it(seen)
            await seen.press("left", *tab)
            assert "the past" in seen.header
            place = seen.app.place
            await seen.press(key)
            assert (seen.app.place, seen.app.exits) == (place, 0)  # type: ignore[attr-defined]
            assert "● live" in seen.header
            assert "◷" not in seen.text
            await seen.press("4")
            assert "overloaded" in seen.text


async def test_space_lets_it_happen_again_and_stops_at_the_end(tmp_path: Path) -> None:
    async with monitor(one_run(tmp_path), size=COMFORTABLE) as seen:
        await open_it(seen)
        await seen.press("g", "space")
        assert "▶ 4×" in seen.header
        await pass_time(seen, 250)
        assert moment(seen) == (1_000, 2)
        await pass_time(seen, 500)
        assert moment(seen) == (3_000, 5)
        await pass_time(seen, 1_500)
        assert moment(seen) == (9_000, 6)
        await seen.press("space")
        await pass_time(seen, 60_000)
        assert moment(seen) == (9_000, 6)
        assert "▶" not in seen.header
        await seen.press("greater_than_sign", "space")
        assert "▶ 16×" in seen.header
        await pass_time(seen, 60_000)
        assert moment(seen) == (42_000, 11)
        assert "▶" not in seen.header


async def test_event_by_event_long_waits_are_cut_short(tmp_path: Path) -> None:
    async with monitor(one_run(tmp_path), size=COMFORTABLE) as seen:
        await open_it(seen)
        await seen.press("g", "shift+right", "left", "left", "left", "left", "left")
        assert moment(seen) == (4_000, 6)
        await seen.press(*["greater_than_sign"] * len(SPEEDS), "space")
        assert "▶ events" in seen.header
        await pass_time(seen, 999)
        assert moment(seen) == (4_000, 6)
        await pass_time(seen, 2)
        assert moment(seen) == (24_000, 7)


async def test_speed_is_changed_by_its_keys_everywhere(tmp_path: Path) -> None:
    async with monitor(one_run(tmp_path)) as seen:
        await open_it(seen)
        await seen.press("left")
        for id, step in (("past.faster", 1), ("past.slower", -1)):
            for place, key in (*ways("past.faster"), *ways("past.slower")):
                if (place, key) in set(ways(id)) and place in ("run", "overview"):
                    traveller = seen.app.journey.traveller
                    assert traveller is not None
                    traveller.speed = 2
                    await seen.press(*("1" if place == "overview" else ()), key)
                    assert traveller.speed == 2 + step
        for _, key in ways("past.play"):
            await seen.press(key)
        assert seen.app.journey.traveller is not None


async def pass_time(seen: Monitor, ms: float) -> None:
    """What the timer does that ticks while it plays."""
    seen.clock.advance(ms)
    seen.app.journey.tick()
    await seen.settle()


async def test_moving_in_the_timeline_moves_in_time(tmp_path: Path) -> None:
    async with monitor(one_run(tmp_path), size=COMFORTABLE) as seen:
        await open_it(seen)
        await seen.press("left")
        await seen.press("g")
        assert moment(seen) == (0, 1)
        await seen.press("down", "down")
        assert moment(seen) == (3_000, 3)
        await seen.press("e")
        assert moment(seen) == (25_000, 8)
        await seen.click("run end")
        assert moment(seen) == (42_000, 11)


async def test_another_run_that_is_opened_in_the_past_is_travelled_through_from_there(tmp_path: Path) -> None:
    runs = one_run(tmp_path)
    other = RunDirectoryBuilder(runs, started_at=BEGAN + 2_000, suffix="aaaaaa", objective="Beside it")
    other.wait(1_500).error("a").wait(1_000).error("b").end().write()
    async with monitor(runs, size=COMFORTABLE) as seen:
        await open_it(seen)
        await seen.press("g", "right", "right", "right", "right", "right")
        assert moment(seen) == (4_000, 6)
        await seen.press("5", "g", "enter")
        assert "Beside it" in seen.body
        assert moment(seen) == (4_000, 2)
        assert "event 2 of 4" in seen.header
        await seen.press("right")
        assert moment(seen) == (4_500, 3)
        later = next(run.run_id for run in seen.feed.observer.facts() if run.objective == "Began later")
        await seen.app.open_run(later)
        await seen.settle()
        assert "this run had not begun at that moment" in seen.body
        await seen.press("escape")
        assert "overloaded" in seen.body


async def test_the_past_raises_no_alert_and_is_not_confused_with_a_pause(tmp_path: Path) -> None:
    runs = one_run(tmp_path)
    stuck = RunDirectoryBuilder(runs, started_at=NOW - 700_000, suffix="bbbbbb", objective="Stuck")
    stuck.call("bash", {"command": "sleep"})
    stuck.write()
    async with monitor(runs, size=COMFORTABLE, limits=Limits(), notify="bell") as seen:
        assert "▲" in seen.header
        await open_it(seen)
        await seen.press("left")
        assert "▲" not in seen.header
        await seen.press("p", "3", "p")
        assert not seen.app.paused
        assert "paused" not in seen.header
        await seen.press("escape")
        assert "▲" in seen.header


async def test_nothing_of_the_past_is_read_before_somebody_sets_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_args: object, **_options: object) -> None:
        raise AssertionError("nobody asked for the past")

    async with monitor(samples(tmp_path), size=COMFORTABLE) as seen:
        with monkeypatch.context() as patch:
            patch.setattr(PastWorld, "__init__", never)
            for key in ("2", "3", "4", "5", "enter"):
                await seen.press(key)
            await seen.refresh()
        await seen.press("left")
        assert seen.feed.past is not None
        await seen.press("escape")
        assert seen.feed.past is None
