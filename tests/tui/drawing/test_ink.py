"""Every ink can be read in every theme, on the background and under the cursor bar."""

from __future__ import annotations

import pytest
from rich.style import Style
from textual.app import App, ComposeResult
from textual.color import Color
from textual.theme import BUILTIN_THEMES, Theme

from buddy_core.safety.text import Plain
from buddy_top.drawing.cells import Span
from buddy_top.drawing.ink import INKS, Palette, contrast, legible, make_palette
from buddy_top.drawing.inkwidget import InkWidget
from buddy_top.drawing.themes import BUDDY_DARK, BUDDY_LIGHT, THEMES

TEXT_INKS = [ink for ink in INKS if ink not in ("rule", "track")]
GROUNDS = ("plain", "cursor", "resting")
ALL_THEMES = {theme.name: theme for theme in (*THEMES, *BUILTIN_THEMES.values())}
TRUE_COLOR = {name: theme for name, theme in ALL_THEMES.items() if not theme.ansi}


def palette_of(theme: Theme, ground: str = "background") -> Palette:
    variables = {**theme.to_color_system().generate(), **theme.variables}
    return make_palette(variables, Color.parse(variables[ground]))


def colors_of(style: Style) -> tuple[Color, Color]:
    assert style.color is not None
    assert style.bgcolor is not None
    return Color.from_rich_color(style.color), Color.from_rich_color(style.bgcolor)


@pytest.mark.parametrize("name", TRUE_COLOR)
@pytest.mark.parametrize("background", ["background", "surface"])
def test_every_ink_has_a_contrast_of_four_and_a_half_to_one(name: str, background: str) -> None:
    palette = palette_of(TRUE_COLOR[name], background)
    for ground in GROUNDS:
        for ink in TEXT_INKS:
            color, behind = colors_of(palette.style(ink, ground))  # type: ignore[arg-type]
            assert contrast(color, behind) >= 4.5, (ink, ground, color.hex, behind.hex)


@pytest.mark.parametrize("name", TRUE_COLOR)
def test_the_cursor_bar_stands_out_from_the_background_and_brighter_with_the_focus(name: str) -> None:
    palette = palette_of(TRUE_COLOR[name])
    plain, resting, cursor = (
        colors_of(palette.style("value", ground))[1] for ground in ("plain", "resting", "cursor")
    )
    assert contrast(cursor, plain) > contrast(resting, plain) > 1.0


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_our_own_themes_need_no_correction_on_their_background(theme: Theme) -> None:
    assert theme.background is not None
    background = Color.parse(theme.background)
    for wanted in (
        theme.success,
        theme.warning,
        theme.error,
        theme.accent,
        theme.secondary,
        theme.foreground,
    ):
        assert wanted is not None
        assert legible(Color.parse(wanted), background) == Color.parse(wanted)


def seen_without_red_or_green(color: Color) -> tuple[float, float, float]:
    """What an eye without the middle (green) cones makes of a colour, after Viénot, Brettel and Mollon 1999."""
    linear = [part**2.2 for part in color.normalized]
    red_green = 0.29275 * linear[0] + 0.70725 * linear[1]
    blue = -0.02234 * linear[0] + 0.02234 * linear[1] + linear[2]
    return red_green, red_green, blue


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_good_and_bad_differ_for_eyes_that_do_not_tell_red_from_green(theme: Theme) -> None:
    palette = palette_of(theme)
    good, bad, accent = (
        seen_without_red_or_green(colors_of(palette.style(ink))[0]) for ink in ("ok", "bad", "accent")
    )
    for one, other in ((good, bad), (accent, bad)):
        assert sum((a - b) ** 2 for a, b in zip(one, other, strict=True)) ** 0.5 > 0.12


def test_legible_leaves_a_good_colour_alone_and_moves_a_bad_one_just_enough() -> None:
    dark = Color.parse("#101010")
    assert legible(Color.parse("#ffcc00"), dark) == Color.parse("#ffcc00")
    moved = legible(Color.parse("#303030"), dark)
    assert 4.5 <= contrast(moved, dark) < 6.5


def test_contrast_is_that_of_the_standard() -> None:
    black, white = Color(0, 0, 0), Color(255, 255, 255)
    assert contrast(black, white) == pytest.approx(21)
    assert contrast(white, Color.parse("#767676")) == pytest.approx(4.54, abs=0.01)


def test_a_terminal_with_its_own_colours_gets_attributes_and_never_colour_on_the_bar() -> None:
    palette = palette_of(BUILTIN_THEMES["ansi-dark"])
    assert palette.style("dim").dim
    assert palette.style("strong").bold
    for ink in INKS:
        assert palette.style(ink).bgcolor is not None
        assert palette.style(ink, "cursor").color is not None
        assert palette.style(ink, "cursor").color.is_default  # type: ignore[union-attr]
    assert palette.style("value", "cursor").reverse
    assert palette.style("value", "resting").bold


def test_any_ink_can_be_had_in_bold() -> None:
    palette = palette_of(BUDDY_DARK)
    bold = palette.style("strong-bad")
    assert bold.bold
    assert bold.color == palette.style("bad").color
    assert palette.style("strong-mauve").color == palette.style("value").color


def test_an_unknown_ink_is_drawn_as_a_value() -> None:
    palette = palette_of(BUDDY_DARK)
    assert palette.style("mauve") == palette.style("value")


class Line(InkWidget):
    def render_line(self, y: int):  # type: ignore[no-untyped-def]  # noqa: ANN201
        return self.strip((Span(Plain("x"), "bad"),), self.size.width)


class LineApp(App[None]):
    def compose(self) -> ComposeResult:
        yield Line()


async def test_a_change_of_theme_changes_the_inks_at_once() -> None:
    app = LineApp()
    for theme in THEMES:
        app.register_theme(theme)
    app.theme = BUDDY_DARK.name
    async with app.run_test() as pilot:
        line = app.query_one(Line)
        before = line.ink("bad")
        app.theme = BUDDY_LIGHT.name
        await pilot.pause()
        await pilot.pause()
        assert line.ink("bad") == palette_of(BUDDY_LIGHT).style("bad")
        assert line.ink("bad") != before


async def test_without_colour_attributes_carry_the_weights_and_the_bar(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = LineApp()
    async with app.run_test():
        line = app.query_one(Line)
        assert line.ink("value", "cursor").reverse
        assert line.ink("dim").dim
