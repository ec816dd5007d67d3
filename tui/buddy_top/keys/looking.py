"""The commands that choose what is looked at: how far back, which panel, and where the numbers come from."""

from __future__ import annotations

from buddy_top.keys.command import ALL, TABS, Command

LOOKING: tuple[Command, ...] = (
    Command("window.wider", "w", "window(1)", "window", "Look further back in time", TABS, 5),
    Command("window.narrower", "W", "window(-1)", "narrower", "Look less far back in time", TABS),
    Command(
        "follow",
        "f",
        "follow",
        "follow",
        "Stay on the newest row as new ones arrive",
        frozenset({"errors", "runs", "run"}),
        6,
    ),
    Command(
        "pause", "p", "pause", "pause", "Hold the picture still; collecting goes on", ALL, 7, needs="now"
    ),
    Command(
        "maximize",
        "z",
        "maximize_panel",
        "maximise",
        "Give the focused panel the whole pane, or give it back",
        TABS,
    ),
    Command("panel.next", "l", "step_panel(1)", "panel", "To the next list or text", ALL),
    Command("panel.previous", "h", "step_panel(-1)", "panel back", "To the list or text before", ALL),
    Command(
        "panel.right",
        "right",
        "step_panel(1)",
        "panel",
        "To the next list or text",
        TABS,
        6,
        "→",
        palette=False,
        needs="now",
    ),
    Command(
        "panel.left",
        "left",
        "step_panel(-1)",
        "panel back",
        "To the list or text before",
        TABS,
        shown_key="←",
        palette=False,
        needs="now",
    ),
    Command(
        "origin",
        "i",
        "origin",
        "where from",
        "Where the numbers come from: measured, derived or estimated",
        ALL,
        needs="numbers",
    ),
)
"""As the help screen lists them."""
