"""Every command of the monitor, declared once: its keys, footer word, palette entry and help row.

The footer, the help screen, the palette and the key bindings all read `COMMANDS`; none of them lists a
key of its own. Ids are stable, so that a configuration can remap keys by them.
"""

from __future__ import annotations

from collections.abc import Container, Iterable

import msgspec

from buddy_top.keys.command import ALL, LISTS, TABS, Command, Need, Place, possible
from buddy_top.keys.lists import LISTING
from buddy_top.keys.looking import LOOKING
from buddy_top.keys.runs import ON_RUNS
from buddy_top.metering.commands import ABOUT_ITSELF
from buddy_top.past.commands import TRAVELLING
from buddy_top.state import Tab

__all__ = [
    "COMMANDS",
    "FILTERING",
    "LISTS",
    "MOVING",
    "MOVING_KEYS",
    "Command",
    "LineKey",
    "Need",
    "Place",
    "commands_at",
    "footer_at",
    "possible",
]


def _tab_command(tab: Tab) -> Command:
    name = tab.value
    return Command(f"tab.{name}", str(tab.number), f"open_tab('{name}')", name, f"Go to the {name} tab")


COMMANDS: tuple[Command, ...] = (
    *LISTING,
    *TRAVELLING,
    *ON_RUNS,
    *LOOKING,
    *ABOUT_ITSELF,
    Command("alerts", "a", "alerts", "alerts", "What needs attention, and why", ALL),
    Command("copy", "y", "copy(False)", "copy", "Copy what names the selected row", ALL),
    Command("copy.record", "Y", "copy(True)", "copy all", "Copy everything about the selected row", ALL),
    Command("export", "x", "export", "export", "Write what is shown to a file", ALL),
    Command("reread", "ctrl+r,f5", "reread", "re-read", "Read the files again now", ALL, 0, "ctrl+r"),
    Command("theme", "ctrl+t", "change_theme", "theme", "Choose the colours", ALL),
    Command(
        "palette",
        "ctrl+p",
        "command_palette",
        "palette",
        "Find any command, or any run by name",
        ALL,
        0,
        palette=False,
    ),
    Command(
        "back",
        "escape",
        "back",
        "back",
        "Leave the filter, the selection or this screen",
        ALL,
        0,
        "esc",
        palette=False,
    ),
    Command(
        "demo", "d", "watch_demo", "demonstration", "While there is no run: watch a demonstration agent", TABS
    ),
    Command("help", "question_mark,f1", "help", "help", "Every key of this screen", ALL, 8, "?"),
    Command("quit", "q", "back_or_quit", "quit", "Back from a nested screen; at the root, quit", ALL, 9),
    Command(
        "quit.now",
        "ctrl+q,ctrl+c",
        "quit",
        "quit now",
        "Quit from anywhere",
        ALL,
        0,
        "ctrl+q",
        priority=True,
        palette=False,
    ),
    Command(
        "suspend",
        "ctrl+z",
        "suspend_process",
        "to the shell",
        "Stop for a while and give the terminal to the shell; fg comes back",
        ALL,
        palette=False,
    ),
    *(_tab_command(tab) for tab in Tab),
    Command("tab.next", "tab", "step_tab(1)", "next tab", "The tab to the right", priority=False),
    Command("tab.previous", "shift+tab", "step_tab(-1)", "previous tab", "The tab to the left"),
)
"""All of them, in the order the help screen lists them."""

MOVING: tuple[tuple[str, str], ...] = (
    ("j k ↑ ↓", "Move by one row"),
    ("pgup pgdn", "Move by one page"),
    ("g G home end", "First row, last row"),
)
"""The keys every table understands by itself, for the help screen."""

MOVING_KEYS = frozenset(("j", "k", "up", "down", "pageup", "pagedown", "g", "G", "home", "end", "enter"))
"""The names of those keys, which no command can have without taking them from every table."""


class LineKey(msgspec.Struct, frozen=True):
    """What a key does while a filter is typed, where the letters are text."""

    id: str
    key: str
    """As people write it."""
    word: str
    """For the footer."""
    help: str

    @property
    def action(self) -> str:
        """What a click on it in the footer runs."""
        return f"in_filter({self.id!r})"


FILTERING: tuple[LineKey, ...] = (
    LineKey(
        "complete", "tab", "complete", "Take the way to go on under the bar; → at the end of the text too"
    ),
    LineKey("choose", "↓ ↑", "choose", "Another way to go on"),
    LineKey("earlier", "↑", "earlier", "In an empty line: the filters used before"),
    LineKey("keep", "enter", "keep", "Keep the filter and go to the rows"),
    LineKey("clear", "esc", "clear", "Close what completes, then clear the filter and leave"),
)
"""The keys of the filter line, in the order of the footer."""


def commands_at(
    place: Place, commands: Iterable[Command] = COMMANDS, there: Container[Need] | None = None
) -> Iterable[Command]:
    """The commands that do something at `place`, given what is `there`; else what can be there in the present."""
    there = possible(place) if there is None else there
    return (
        command
        for command in commands
        if place in command.places and (command.needs is None or command.needs in there)
    )


def footer_at(
    place: Place, commands: Iterable[Command] = COMMANDS, there: Container[Need] | None = None
) -> list[Command]:
    """The commands the footer shows at `place`, the most useful first."""
    shown = (command for command in commands_at(place, commands, there) if command.footer)
    return sorted(shown, key=lambda command: command.footer)
