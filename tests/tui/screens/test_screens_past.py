"""Pictures of the past, under `snapshots/test_screens_past/`: nobody may take them for the present."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Compare
from tests.tui.monitor import COMFORTABLE, NOW, SMALL, Monitor, make_app
from textual.pilot import Pilot

from buddy_core.clock import ManualClock
from buddy_core.testing import sample_runs

KEYS = {"run": (), "overview": ("1",), "tools": ("3",)}


@pytest.mark.parametrize("size", [SMALL, COMFORTABLE], ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("place", KEYS)
def test_the_past_is_marked_everywhere(
    place: str, size: tuple[int, int], tmp_path: Path, snap_compare: Compare
) -> None:
    runs = tmp_path / "home" / "runs"
    sample_runs(runs, now_ms=NOW)
    app, feed = make_app(runs, tab="runs", home=tmp_path / "home")

    async def drive(pilot: Pilot[Any]) -> None:
        assert isinstance(feed.clock, ManualClock)
        seen = Monitor(app, pilot, feed, feed.clock)
        await seen.settle()
        await seen.app.open_run(next(run.run_id for run in feed.observer.facts() if run.status == "failed"))
        await seen.settle()
        await seen.press("g", "shift+right", "right", *KEYS[place])

    assert snap_compare(app, size=size, drive=drive)
