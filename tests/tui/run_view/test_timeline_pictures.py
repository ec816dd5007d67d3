"""The timeline of a run in pictures: steps folded, and a live run with what it waits for."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.conftest import Compare
from tests.tui.keys.test_keys_timeline import a_run
from tests.tui.monitor import COMFORTABLE, NOW, SMALL, Monitor, make_app
from textual.pilot import Pilot

from buddy_core.clock import ManualClock


@pytest.mark.parametrize("size", [SMALL, COMFORTABLE], ids=lambda size: f"{size[0]}x{size[1]}")
def test_folded_steps(tmp_path: Path, size: tuple[int, int], snap_compare: Compare) -> None:
    a_run(tmp_path / "runs", rounds=9)
    app, feed = make_app(tmp_path / "runs", home=tmp_path)

    async def drive(pilot: Pilot[None]) -> None:
        seen = Monitor(app, pilot, feed, ManualClock(NOW))
        await seen.settle()
        await seen.go("run")
        await seen.press("_", *"gjjjjj", "+", *"jjj")

    assert snap_compare(app, size=size, drive=drive)
