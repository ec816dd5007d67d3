"""A theme that there is none of: said with its place and what was meant, or forgotten where nobody asked for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from buddy_core.clock import SystemClock
from buddy_top.config.resolve import Effective, Origin
from buddy_top.config.schema import SETTINGS
from buddy_top.options import Options
from buddy_top.starting.launch import with_known_theme

NAMES = ("buddy-dark", "buddy-light", "nord")
THEME = next(setting for setting in SETTINGS if setting.name == "theme")


def drawn_with(theme: str | None, origin: Origin, place: str = "") -> Options:
    options = Options(runs_dir=Path("/nowhere"), clock=SystemClock(), theme=theme)
    return with_known_theme(options, Effective(THEME, theme or "", origin, place), NAMES)


def test_a_theme_that_there_is_stays() -> None:
    assert drawn_with("nord", "flag", "--theme").theme == "nord"
    assert drawn_with(None, "default").theme is None


def test_one_that_was_left_on_the_screen_and_is_gone_counts_as_none() -> None:
    assert drawn_with("mauve", "remembered").theme is None


@pytest.mark.parametrize(
    ("origin", "place"), [("flag", "--theme"), ("environment", "BUDDY_TOP_THEME"), ("file", "/etc/top.toml")]
)
def test_one_that_somebody_asks_for_is_wrong_usage_and_says_where(
    origin: Origin, place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        drawn_with("buddy-lite", origin, place)
    assert left.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith(
        f"buddy-top: {place}: there is no theme 'buddy-lite'; did you mean 'buddy-light'? "
    )
    assert "There are buddy-dark, buddy-light, nord" in said
