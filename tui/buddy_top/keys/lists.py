"""The commands on lists, for the registry in `buddy_top.commands`: open, filter, sort, and the ways to lay them out."""

from __future__ import annotations

from buddy_top.keys.command import ALL, LISTS, TABLES, Command

LISTING: tuple[Command, ...] = (
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
)
"""As the help screen lists them, first of all."""
