"""Every command of the monitor, declared once: its keys, footer word, palette entry and help row.

The footer, the help screen, the palette and the key bindings all read `COMMANDS`; none of them lists a
key of its own. Ids are stable, so that a configuration can remap keys by them.
"""

from __future__ import annotations

from collections.abc import Container, Iterable

import msgspec

from buddy_top.keys.command import ALL, FAILING, LISTS, TABLES, TABS, Command, Need, Place, possible
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
    Command("open", "enter", "open", "open", "Open what the cursor is on", ALL, footer=2, palette=False),
    Command(
        "filter", "slash", "filter", "filter", "Show only the rows that contain a text", LISTS, 1, "/", True
    ),
    Command("sort", "s", "sort", "sort", "Choose the column to sort by", TABLES, 3),
    Command(
        "sort.left",
        "less_than_sign,comma",
        "sort_column(-1)",
        "sort left",
        "Sort by the column to the left",
        TABLES,
        0,
        "<",
    ),
    Command(
        "sort.right",
        "greater_than_sign,full_stop",
        "sort_column(1)",
        "sort right",
        "Sort by the column to the right",
        TABLES,
        0,
        ">",
    ),
    Command("sort.reverse", "r", "sort_reverse", "reverse", "Reverse the order", TABLES),
    Command(
        "group",
        "t",
        "toggle_grouping",
        "group",
        "Like errors as one group, or every error by itself",
        frozenset({"errors"}),
        4,
    ),
    Command(
        "tree",
        "t",
        "toggle_grouping",
        "tree",
        "Forks under their parent, or all runs in one list",
        frozenset({"runs"}),
        4,
    ),
    Command(
        "times",
        "t",
        "toggle_grouping",
        "times",
        "Times since the start of the run or of the day; the next raw file",
        frozenset({"run"}),
        4,
        needs="ways",
    ),
    *TRAVELLING,
    Command(
        "mark", "space", "mark", "mark", "Mark a run, or take its mark away", frozenset({"runs"}), needs="now"
    ),
    Command(
        "archive",
        "A",
        "toggle_archive",
        "archive",
        "The kept runs, or those that are recorded",
        frozenset({"runs"}),
    ),
    Command(
        "keep",
        "K",
        "keep",
        "keep",
        "Copy the run, or those that are marked, to where no agent removes it",
        frozenset({"runs", "run"}),
    ),
    Command(
        "compare",
        "D",
        "compare",
        "compare",
        "The two marked runs side by side, or a fork beside its parent",
        frozenset({"runs", "run"}),
    ),
    Command(
        "view.next",
        "v",
        "run_view(1)",
        "view",
        "Timeline, metrics, artifacts, family or raw files of the run",
        frozenset({"runs", "run"}),
        2,
    ),
    Command(
        "view.previous",
        "V",
        "run_view(-1)",
        "view back",
        "The previous view of the run",
        frozenset({"runs", "run"}),
    ),
    Command(
        "error.next",
        "e",
        "jump_error(1)",
        "next error",
        "Jump to the next row that failed",
        FAILING,
        3,
        needs="failures",
    ),
    Command(
        "error.previous",
        "E",
        "jump_error(-1)",
        "previous error",
        "Jump to the previous row that failed",
        FAILING,
        needs="failures",
    ),
    Command(
        "match.next",
        "n",
        "jump_match(1)",
        "next match",
        "Jump to the next match of the filter",
        LISTS,
        2,
        needs="filter",
    ),
    Command(
        "match.previous",
        "N",
        "jump_match(-1)",
        "previous match",
        "Jump to the previous match of the filter",
        LISTS,
        needs="filter",
    ),
    Command(
        "fold",
        "minus",
        "fold(True)",
        "fold",
        "Fold the step the cursor is in; again, the step around it",
        frozenset({"run"}),
        0,
        "-",
        needs="events",
    ),
    Command(
        "unfold",
        "plus,equals_sign",
        "fold(False)",
        "unfold",
        "Unfold the step the cursor is on",
        frozenset({"run"}),
        0,
        "+",
        needs="events",
    ),
    Command(
        "fold.all",
        "underscore",
        "fold_all",
        "fold all",
        "Fold every step, or unfold all of them",
        frozenset({"run"}),
        0,
        "_",
        needs="events",
    ),
    Command(
        "moment",
        "T,colon",
        "go_to_moment",
        "go to time",
        "Go to a time of the run: 14:05, +3m20s, 50%",
        frozenset({"run"}),
        5,
        needs="events",
    ),
    Command(
        "raw",
        "J",
        "raw",
        "raw",
        "The selected event or artifact as it stands in its file",
        frozenset({"run"}),
    ),
    Command(
        "replay",
        "R",
        "replay",
        "replay",
        "The test commands of the run: read them, and run one again after typing its word",
        frozenset({"runs", "run"}),
    ),
    Command(
        "pager",
        "o",
        "open_outside('pager')",
        "pager",
        "The text in $PAGER: a copy, secrets masked, nothing in it that a terminal obeys",
        frozenset({"run"}),
        3,
        needs="text",
    ),
    Command(
        "editor",
        "O",
        "open_outside('editor')",
        "editor",
        "Such a copy in $VISUAL or $EDITOR, read-only; the artifact itself is never handed out",
        frozenset({"run"}),
        needs="text",
    ),
    Command(
        "run.next",
        "right_square_bracket",
        "step_run(1)",
        "next run",
        "The run below this one in the list",
        frozenset({"run"}),
        4,
        "]",
    ),
    Command(
        "run.previous",
        "left_square_bracket",
        "step_run(-1)",
        "previous run",
        "The run above this one in the list",
        frozenset({"run"}),
        0,
        "[",
    ),
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
