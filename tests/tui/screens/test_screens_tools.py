"""Pictures of the tools pane with a tool in depth, under `snapshots/test_screens_tools/`."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.tui.monitor import COMFORTABLE, SMALL
from tests.tui.screens.test_screens import LARGE, Shoot, Size, demonstration, home, named, picture

__all__ = ["demonstration", "home", "picture"]

BASH = ("j", "j", "j")
"""From the first tool of the demonstration to the one that fails most."""


@pytest.mark.parametrize("size", [SMALL, COMFORTABLE, LARGE], ids=named)
def test_tool_in_depth(size: Size, demonstration: Path, picture: Shoot) -> None:
    assert picture(demonstration, size, *BASH, tab="tools")


@pytest.mark.parametrize("steps", [1, 2, 3], ids=["slowest", "latest", "texts"])
def test_lists_in_a_small_terminal(steps: int, demonstration: Path, picture: Shoot) -> None:
    assert picture(demonstration, SMALL, *BASH, *["right"] * steps, tab="tools")


def test_list_alone(demonstration: Path, picture: Shoot) -> None:
    assert picture(demonstration, COMFORTABLE, *BASH, "right", "z", tab="tools")
