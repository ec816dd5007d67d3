"""The commands of time travel, for the registry in `buddy_top.commands`."""

from __future__ import annotations

from buddy_top.keys.command import Command

TRAVELLING: tuple[Command, ...] = (
    Command(
        "past.back",
        "left",
        "travel(-1)",
        "past",
        "One event back, into the past of the run; esc returns to now",
        needs="travel",
        footer=3,
        shown_key="←",
        palette=False,
    ),
    Command(
        "past.on",
        "right",
        "travel(1)",
        "on",
        "One event on in the past of the run",
        needs="travel",
        footer=3,
        shown_key="→",
        palette=False,
    ),
    Command(
        "past.back.ten",
        "shift+left",
        "travel(-10)",
        "ten back",
        "Ten events back",
        needs="travel",
        palette=False,
    ),
    Command(
        "past.on.ten", "shift+right", "travel(10)", "ten on", "Ten events on", needs="travel", palette=False
    ),
    Command(
        "past.play",
        "space",
        "travel_play",
        "play",
        "Let the run happen again on the screen, or stop it; esc returns to now",
        needs="travel",
        footer=3,
        priority=True,
    ),
    Command(
        "past.faster",
        "greater_than_sign,full_stop",
        "travel_speed(1)",
        "faster",
        "Play faster: 1, 4, 16, 64 times, then event by event with waits cut short",
        frozenset({"run", "overview"}),
        needs="past",
        footer=4,
        shown_key=">",
        palette=False,
    ),
    Command(
        "past.slower",
        "less_than_sign,comma",
        "travel_speed(-1)",
        "slower",
        "Play slower",
        frozenset({"run", "overview"}),
        needs="past",
        footer=4,
        shown_key="<",
        palette=False,
    ),
)
"""In the order the help screen lists them."""
