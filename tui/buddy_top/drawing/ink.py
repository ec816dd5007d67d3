"""Inks: what a colour means, turned into one that can be read on the background at hand.

A widget never names a colour. It asks for an ink (`value`, `label`, `bad`, …) and gets a Rich style
made from the theme's own colours, moved towards black or white until it has a contrast of at least
4.5 to 1 on the background it lies on. A theme may name a colour itself with a variable `ink-bad` and so on.

Component classes would do the same through CSS, but every widget would then be styled sixteen times over:
80 ms of the first paint for forty widgets, against one small table for each background here.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Literal

from rich.style import Style
from textual.color import Color

Ground = Literal["plain", "cursor", "resting"]
"""What the text lies on: the widget's background, the cursor bar, or the bar of a table without focus."""

INKS = ("value", "strong", "label", "dim", "accent", "ok", "warn", "bad", "info", "match", "rule", "track")
"""Every ink. `rule` and `track` draw lines and empty bars, the rest is for text."""

CONTRAST = 4.5
"""What text needs to be read with ease (WCAG 2, level AA)."""

TERMINAL = Color.parse("ansi_default")
"""The terminal's own background, of which nothing is known."""

_SOURCES = {
    "accent": ("accent", "primary"),
    "ok": ("success", "primary"),
    "warn": ("warning", "accent"),
    "bad": ("error", "warning"),
    "info": ("secondary", "primary"),
}
_FADED = {"label": 0.80, "dim": 0.56, "rule": 0.24, "track": 0.16}
"""How much of the foreground is left in the weights below `value`."""


def luminance(color: Color) -> float:
    """Relative luminance as WCAG defines it, 0 for black to 1 for white."""

    def linear(part: float) -> float:
        return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(part) for part in color.normalized)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: Color, other: Color) -> float:
    """Contrast of two opaque colours, from 1 (the same) to 21 (black and white)."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def legible(color: Color, background: Color, ratio: float = CONTRAST) -> Color:
    """`color`, moved towards black or white by the least amount that gives `ratio` on `background`."""
    pole = max((Color(0, 0, 0), Color(255, 255, 255)), key=lambda end: contrast(end, background))
    for step in range(21):
        mixed = color.blend(pole, step / 20, alpha=1.0)
        if contrast(mixed, background) >= ratio:
            return mixed
    return pole


_BOLD = Style(bold=True)


class Palette:
    """The styles of all inks on one background, under the cursor bar, and under a bar without focus."""

    def __init__(self, styles: Mapping[tuple[str, str], Style]) -> None:
        self._styles = dict(styles)

    def style(self, ink: str, ground: Ground = "plain") -> Style:
        """The Rich style of `ink`, or of `strong-` and an ink: that ink in bold.

        An unknown name is drawn as `value` rather than not at all.
        """
        found = self._styles.get((ground, ink))
        if found is None:
            base = self._styles.get((ground, ink.removeprefix("strong-")), self._styles[ground, "value"])
            found = base + _BOLD if ink.startswith("strong-") else base
            self._styles[ground, ink] = found
        return found


def make_palette(variables: Mapping[str, str], background: Color) -> Palette:
    """The palette of a theme, given its CSS variables, on `background`; ANSI backgrounds stay ANSI."""
    names = {name for sources in _SOURCES.values() for name in sources}
    names |= {"foreground", "ink-cursor", "ink-resting", *(f"ink-{ink}" for ink in INKS)}
    return _palette(tuple(sorted((name, variables[name]) for name in names & variables.keys())), background)


@lru_cache(maxsize=64)
def _palette(variables: tuple[tuple[str, str], ...], background: Color) -> Palette:
    known = dict(variables)
    if background.ansi is not None:
        return Palette(_ansi_styles(known))
    colors = _base_colors(known, background)
    styles: dict[tuple[str, str], Style] = {}
    for ground, lies_on in _grounds(known, background, colors["accent"]).items():
        for ink in INKS:
            styles[ground, ink] = _style(ink, colors, lies_on)
    return Palette(styles)


def _base_colors(known: Mapping[str, str], background: Color) -> dict[str, Color]:
    """The colour each ink would like to have, before contrast is looked at."""
    foreground = _parse(known.get("foreground"), None) or background.get_contrast_text(1.0)
    colors = {"value": foreground, "strong": foreground, "match": foreground}
    for ink, share in _FADED.items():
        colors[ink] = background.blend(foreground, share, alpha=1.0)
    for ink, sources in _SOURCES.items():
        found = next((known[source] for source in sources if source in known), None)
        colors[ink] = _parse(found, foreground) or foreground
    for ink in INKS:
        colors[ink] = _parse(known.get(f"ink-{ink}"), colors[ink]) or colors[ink]
    return colors


def _grounds(known: Mapping[str, str], background: Color, accent: Color) -> dict[str, Color]:
    cursor = _parse(known.get("ink-cursor"), None) or background.blend(accent, 0.30, alpha=1.0)
    resting = _parse(known.get("ink-resting"), None) or background.blend(accent, 0.13, alpha=1.0)
    return {"plain": background, "cursor": cursor, "resting": resting}


def _style(ink: str, colors: Mapping[str, Color], background: Color) -> Style:
    if ink in ("rule", "track"):
        return Style(color=colors[ink].rich_color, bgcolor=background.rich_color)
    if ink == "match":
        background = background.blend(colors["warn"], 0.35, alpha=1.0)
    color = legible(colors[ink], background).rich_color
    return Style(
        color=color,
        bgcolor=background.rich_color,
        bold=ink == "strong" or None,
        underline=ink == "match" or None,
    )


def _ansi_styles(known: Mapping[str, str]) -> dict[tuple[str, str], Style]:
    """Styles for a terminal that keeps its own colours: nothing is known of them, so attributes do the work."""
    default = Style(color="default", bgcolor="default")
    plain = {
        "strong": Style(bold=True),
        "dim": Style(dim=True),
        "rule": Style(dim=True),
        "track": Style(dim=True),
        "match": Style(reverse=True),
    }
    for ink, sources in _SOURCES.items():
        found = next((known[source] for source in sources if source in known), None)
        color = _parse(found, None)
        plain[ink] = Style(color=color.rich_color) if color is not None else Style()
    styles: dict[tuple[str, str], Style] = {}
    for ink in INKS:
        styles["plain", ink] = default + plain.get(ink, Style())
        # Coloured text on an unknown bar may vanish: under the bar every ink is the terminal's own pair.
        styles["cursor", ink] = default + Style(reverse=ink != "match", bold=ink == "strong")
        styles["resting", ink] = default + plain.get(ink, Style()) + Style(bold=True, dim=False)
    return styles


def _parse(text: str | None, fallback: Color | None) -> Color | None:
    """A colour from a theme variable; variables such as `auto 87%` are no colour and give the fallback."""
    if text is None:
        return fallback
    try:
        color = Color.parse(text)
    except ValueError:
        return fallback
    return fallback if color.is_transparent else color
