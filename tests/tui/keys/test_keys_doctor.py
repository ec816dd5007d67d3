"""The key that shows what is found in the surroundings."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.tui.monitor import monitor, samples, ways
from tests.tui.surroundings.test_surroundings_told import REPORT

from buddy_top.screens.doctor import DoctorScreen
from buddy_top.surroundings.gathering import seen_from_monitor
from buddy_top.surroundings.report import Report


async def test_it_opens_everywhere_copies_looks_again_and_closes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks, copied = [], []

    def look() -> Report:
        looks.append(1)
        return REPORT

    async with monitor(samples(tmp_path)) as seen:
        monkeypatch.setattr(seen.app, "look_around", look)
        monkeypatch.setattr(seen.app, "copy_to_clipboard", copied.append)
        for place, key in ways("doctor"):
            await seen.go(place)
            await seen.press(key)
            assert isinstance(seen.app.screen, DoctorScreen)
            await seen.press("escape")
            assert not isinstance(seen.app.screen, DoctorScreen)
        await seen.press("C")
        await seen.until(lambda: "1 thing cannot work" in seen.text)
        await seen.press("y")
        assert "everybody may write" in copied[0]
        before = len(looks)
        await seen.press("ctrl+r")
        await seen.until(lambda: len(looks) > before and "1 thing cannot work" in seen.text)


async def test_from_inside_it_looks_at_what_the_monitor_reads_and_asks_no_terminal(tmp_path: Path) -> None:
    runs = samples(tmp_path)
    async with monitor(runs) as seen:
        around = seen_from_monitor(seen.app.options, (80, 24))
        assert (around.runs_dir, around.size, around.answers) == (runs, (80, 24), None)
        assert around.in_monitor
        checks = seen.app.look_around().checks
        assert [check for check in checks if "could not be looked at" in check.found] == []
