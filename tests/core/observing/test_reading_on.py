"""While reading does not come to an end, what was read so far is shown."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import pytest

from buddy_core.clock import ManualClock
from buddy_core.metrics.collector import MetricsCollector
from buddy_core.observing import observation
from buddy_core.observing import observer as module
from buddy_core.observing.observer import Observer
from buddy_core.runs.folding.observed import ObservedRun
from buddy_core.runs.folding.seen import SeenRecords
from buddy_core.testing import RunDirectoryBuilder

CALLS = 100


class Passing(ManualClock):
    """A clock that goes on by a picture's pause whenever somebody asks how long it has been."""

    def monotonic_ms(self) -> float:
        self.advance(module.FIRST_PICTURES_MS)
        return super().monotonic_ms()


async def shown_while_following(observer: Observer, until: int) -> list[int]:
    """Events of the only run at each change, up to and with `until` of them."""
    seen: list[int] = []
    enough = asyncio.Event()

    def look() -> None:
        seen.extend(run.event_count for run in observer.facts())
        if seen and seen[-1] >= until:
            enough.set()

    following = asyncio.create_task(observer.follow(look))
    async with asyncio.timeout(20):
        await enough.wait()
    following.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await following
    observer.close()
    return seen


def write_long_run(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A live run of `CALLS` calls, read in far more than one piece."""
    monkeypatch.setattr(observation, "READ_BYTES", 2_000)
    run = RunDirectoryBuilder(root, started_at=ManualClock().now_ms() - 60_000)
    for number in range(CALLS):
        run.tool("bash", {"command": f"make step-{number}"})
    run.write()


async def test_a_run_that_takes_long_to_read_is_shown_while_it_grows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case 39: an agent may write faster than anybody reads; the picture moves on all the same."""
    write_long_run(tmp_path, monkeypatch)
    seen = await shown_while_following(Observer(tmp_path, MetricsCollector(), clock=Passing()), 2 * CALLS + 1)
    assert len({events for events in seen if events <= CALLS}) > 4


def test_a_line_that_is_cut_by_reading_in_pieces_is_no_damage(tmp_path: Path) -> None:
    run = RunDirectoryBuilder(tmp_path, objective="Long")
    for _ in range(CALLS):
        run.tool("bash", {"command": "make"})
    run.end().write()
    observed = ObservedRun(tmp_path, run.run_id, SeenRecords())
    more, pieces = True, 0
    while more:
        more = observed.read(now_ms=1, budget_bytes=1_000, watching=False).more
        pieces += 1
        assert observed.files.integrity.intact
    assert pieces > CALLS / 20
    with (tmp_path / run.run_id / "events.jsonl").open("ab") as file:
        file.write(b'{"ts":1,"type":"to')
    observed.read(now_ms=1, budget_bytes=1_000, watching=False)
    assert observed.files.integrity.pending_bytes == 18
    observed.close()


async def test_reading_stands_back_for_whoever_waits_for_a_picture_but_not_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case 39: a key pressed all the time costs reading some of its time, never all of it."""
    write_long_run(tmp_path, monkeypatch)
    observer, sleep, slept = Observer(tmp_path, MetricsCollector(), clock=ManualClock()), asyncio.sleep, []

    async def noted(seconds: float) -> None:
        observer.give_way()  # somebody presses keys all the time
        if 0 < seconds < module.TICK_S:
            slept.append(1_000 * seconds)
        await sleep(0 if seconds < module.TICK_S else seconds)

    monkeypatch.setattr(asyncio, "sleep", noted)
    observer.give_way()
    seen = await shown_while_following(observer, 2 * CALLS + 1)
    assert seen[-1] == 2 * CALLS + 1
    assert slept[0] == module.COURTESY_MS
    assert sum(slept) == module.MOST_COURTESY_MS, "the clock stands still, so no reading has earned it more"
