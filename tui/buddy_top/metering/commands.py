"""The commands about the monitor itself, for the registry in `buddy_top.commands`."""

from __future__ import annotations

from buddy_top.keys.command import Command

ABOUT_ITSELF: tuple[Command, ...] = (
    Command("meter", "M", "meter", "own use", "In the header: what the monitor itself uses, or no longer"),
    Command(
        "doctor",
        "C",
        "doctor",
        "doctor",
        "What is found in the surroundings: limits, rights, caches, settings",
    ),
)
"""In the order the help screen lists them."""
