"""The monitor's own two themes. Every other Textual theme works as well; these are the ones tuned for it.

Good and bad differ in lightness and along blue to orange, which people who cannot tell red from green
still see. `ink-…` variables are read by `buddy_top.drawing.ink`, the rest by Textual's own widgets.
"""

from __future__ import annotations

from textual.theme import Theme

BUDDY_DARK = Theme(
    name="buddy-dark",
    dark=True,
    background="#10141b",
    surface="#171c25",
    panel="#1e2530",
    foreground="#d5dbe6",
    primary="#58a6d6",
    secondary="#9aa7d8",
    accent="#5fb0e6",
    success="#4fc1a6",
    warning="#e3b341",
    error="#f4845f",
    variables={
        "block-cursor-foreground": "#f2f5fa",
        "block-cursor-background": "#26435a",
        "block-cursor-text-style": "none",
        "input-selection-background": "#5fb0e6 35%",
        "footer-key-foreground": "#5fb0e6",
        "border": "#5fb0e6",
        "border-blurred": "#3a4350",
        "scrollbar": "#39424f",
        "scrollbar-hover": "#4d5867",
        "scrollbar-background": "#10141b",
        "scrollbar-background-hover": "#10141b",
        "scrollbar-background-active": "#10141b",
        "scrollbar-corner-color": "#10141b",
        "ink-rule": "#3a4350",
        "ink-track": "#252c37",
        "ink-cursor": "#24415a",
        "ink-resting": "#1d2733",
    },
)

BUDDY_LIGHT = Theme(
    name="buddy-light",
    dark=False,
    background="#fbfaf7",
    surface="#f3f1ec",
    panel="#e9e6df",
    foreground="#22272e",
    primary="#1668a0",
    secondary="#545fa0",
    accent="#1668a0",
    success="#0b7261",
    warning="#8a5a00",
    error="#b23c12",
    variables={
        "block-cursor-foreground": "#12171d",
        "block-cursor-background": "#c9dfee",
        "block-cursor-text-style": "none",
        "input-selection-background": "#1668a0 25%",
        "footer-key-foreground": "#1668a0",
        "border": "#1668a0",
        "border-blurred": "#c9c5bb",
        "scrollbar": "#c9c5bb",
        "scrollbar-hover": "#aaa69c",
        "scrollbar-background": "#fbfaf7",
        "scrollbar-background-hover": "#fbfaf7",
        "scrollbar-background-active": "#fbfaf7",
        "scrollbar-corner-color": "#fbfaf7",
        "ink-rule": "#c9c5bb",
        "ink-track": "#e6e2d9",
        "ink-cursor": "#c9dfee",
        "ink-resting": "#eae9e4",
    },
)

THEMES: tuple[Theme, ...] = (BUDDY_DARK, BUDDY_LIGHT)
"""Both, the default first."""
