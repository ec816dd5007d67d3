"""The key of the welcome card: the demonstration is offered while there is no run, and only then."""

from __future__ import annotations

from pathlib import Path

from tests.tui.monitor import Staying, monitor, samples, ways


async def test_d_leaves_for_the_demonstration_while_there_is_no_run(tmp_path: Path) -> None:
    for place, key in ways("demo"):
        async with monitor(tmp_path / "empty", kind=Staying) as seen:
            await seen.go(place)
            await seen.press(key)
            assert seen.app.wants_demo
            assert isinstance(seen.app, Staying)
            assert seen.app.exits == 1


async def test_d_does_nothing_beside_real_runs(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path), kind=Staying) as seen:
        for place, key in ways("demo"):
            await seen.go(place)
            await seen.press(key)
            assert not seen.app.wants_demo
