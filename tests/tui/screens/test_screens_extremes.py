"""Every pane in every size when there is nothing, one row, two thousand rows, or names that are hard to fit.

Normal use is in `test_screens`. The pictures are under `snapshots/test_screens_extremes/`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.tui.monitor import COMFORTABLE, SMALL
from tests.tui.screens.crowded_runs import many_rows, many_runs, one_row, wide_names
from tests.tui.screens.test_screens import LARGE, TABS, Shoot, Size, home, named, picture

from buddy_top.commands import Place

__all__ = ["home", "picture"]

SIZES = pytest.mark.parametrize("size", [SMALL, COMFORTABLE, LARGE], ids=named)
EVERY_TAB = pytest.mark.parametrize("tab", TABS)
Make = Callable[[Path], Path]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Make], Path]:
    """Makes each runs directory once."""
    known: dict[Make, Path] = {}

    def make(how: Make) -> Path:
        if how not in known:
            known[how] = how(tmp_path_factory.mktemp("home") / ".codebuddy" / "runs")
        return known[how]

    return make


def home_of(runs: Path) -> Path:
    return runs.parent.parent


@SIZES
@EVERY_TAB
def test_one_row(tab: Place, size: Size, made: Callable[[Make], Path], picture: Shoot) -> None:
    runs = made(one_row)
    assert picture(runs, size, tab=tab, home=home_of(runs))


@pytest.mark.parametrize(
    "size",
    [
        pytest.param((80, 24), marks=pytest.mark.slow, id="80x24"),
        pytest.param((120, 40), id="120x40"),
        pytest.param((200, 60), marks=pytest.mark.slow, id="200x60"),
    ],
)
@EVERY_TAB
def test_two_thousand_rows(tab: Place, size: Size, made: Callable[[Make], Path], picture: Shoot) -> None:
    runs = made(many_runs if tab == "runs" else many_rows)
    assert picture(runs, size, tab=tab, home=home_of(runs))


@SIZES
@EVERY_TAB
def test_long_and_wide_names(tab: Place, size: Size, made: Callable[[Make], Path], picture: Shoot) -> None:
    runs = made(wide_names)
    assert picture(runs, size, tab=tab, home=home_of(runs))


@pytest.mark.parametrize("size", [COMFORTABLE, LARGE], ids=named)
@pytest.mark.parametrize("tab", TABS[1:])
def test_no_runs(tab: Place, size: Size, home: Path, picture: Shoot) -> None:
    (home / ".codebuddy" / "runs").mkdir(parents=True)
    assert picture(home / ".codebuddy" / "runs", size, tab=tab)


def test_welcome_with_much_room(picture: Shoot) -> None:
    assert picture(Path("/home/dev/.codebuddy/runs"), LARGE, home=Path("/home/dev"))
