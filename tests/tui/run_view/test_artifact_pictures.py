"""Pictures of the viewer of artifacts, under `snapshots/test_artifact_pictures/`: look at each one that changes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Compare
from tests.tui.artifact_texts import run_with_every_kind
from tests.tui.monitor import COMFORTABLE, SMALL, Monitor, make_app
from textual.pilot import Pilot

from buddy_core.clock import ManualClock

NAMES = ("coverage.json", "diagram.png", "patch.diff", "plan.md", "test-results.log")


def shows(runs: Path, *keys: str, home: Path) -> tuple[Any, Callable[[Pilot[Any]], Awaitable[None]]]:
    app, feed = make_app(runs, home=home)

    async def drive(pilot: Pilot[Any]) -> None:
        assert isinstance(feed.clock, ManualClock)
        seen = Monitor(app, pilot, feed, feed.clock)
        await seen.settle()
        await seen.go("run")
        await app.run_page.detail.open_view("artifacts")  # type: ignore[union-attr]
        app.run_page.detail.focus_view()  # type: ignore[union-attr]
        await seen.settle()
        await seen.press(*keys)

    return app, drive


@pytest.mark.parametrize(
    ("name", "size"),
    [
        *((name, SMALL) for name in NAMES),
        *((name, COMFORTABLE) for name in ("patch.diff", "plan.md", "test-results.log")),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{value[0]}x{value[1]}",
)
def test_an_artifact(name: str, size: tuple[int, int], tmp_path: Path, snap_compare: Compare) -> None:
    runs = tmp_path / "home" / ".codebuddy" / "runs"
    run_with_every_kind(runs)
    app, drive = shows(runs, *["j"] * NAMES.index(name), "enter", home=tmp_path / "home")
    assert snap_compare(app, size=size, drive=drive)
