"""Two keys that leave a dialog are both on their way before either is heeded: it is left once, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.tui.monitor import Monitor, Staying, monitor, samples
from textual.screen import ModalScreen

from buddy_core.alerts.limits import Limits

OPENING = {"menu": "s", "export": "x", "help": "question_mark", "origin": "i", "alerts": "a"}


def left_twice(seen: Monitor) -> None:
    """The first enter is a message on its way when the second key is read."""
    dialog = seen.app.screen
    assert isinstance(dialog, ModalScreen)
    for _ in range(2):
        dialog.call_next(lambda: dialog.dismiss(None) and None)


@pytest.mark.slow
@pytest.mark.parametrize("dialog", OPENING)
async def test_a_dialog_that_is_left_twice_is_left_once(dialog: str, tmp_path: Path) -> None:
    async with monitor(samples(tmp_path), tab="tools", kind=Staying, limits=Limits()) as seen:
        await seen.press(OPENING[dialog])
        left_twice(seen)
        await seen.settle()
        assert len(seen.app.screen_stack) == 1
        assert seen.app.is_running


async def test_a_palette_that_is_left_by_a_click_and_by_a_key_is_left_once(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path), tab="tools", kind=Staying) as seen:
        await seen.press("ctrl+p")
        left_twice(seen)
        await seen.settle()
        assert len(seen.app.screen_stack) == 1
        assert seen.app.is_running


async def test_enter_and_escape_in_one_go_choose_and_leave(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path), tab="tools", kind=Staying) as seen:
        await seen.press("s", "down")
        for key in ("enter", "escape", "enter", "escape"):
            seen.send(key)
        await seen.settle()
        assert seen.app.is_running
        assert seen.app.place == "tools"
