"""What a command is: a key, what it does, what is said of it, and where and when it does it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, get_args

import msgspec
from textual.binding import Binding

Place = Literal["overview", "providers", "tools", "errors", "runs", "run"]
"""Where a command works: one of the tabs, or the full-screen run."""

Need = Literal["filter", "failures", "numbers", "text", "events", "ways", "now", "travel", "past"]
"""What some commands need on the screen: a filter in force, rows of something that failed, any number at all, a
text that another program could show, the timeline of a run, a view that can be laid out in two ways; the present;
a run to travel through; the past."""

NEEDS: frozenset[Need] = frozenset(get_args(Need))
TABLES: frozenset[Place] = frozenset({"providers", "tools", "errors", "runs"})
LISTS: frozenset[Place] = frozenset({*TABLES, "run"})
FAILING: frozenset[Place] = frozenset({"providers", "tools", "errors", "run"})
TABS: frozenset[Place] = frozenset({*TABLES, "overview"})
ALL: frozenset[Place] = LISTS | TABS


class Command(msgspec.Struct, frozen=True):
    """One thing a key does."""

    id: str
    keys: str
    """Comma-separated key names as Textual spells them."""
    action: str
    word: str
    """One or two words for the footer."""
    help: str
    """A sentence for the help screen and the palette."""
    places: frozenset[Place] = ALL
    footer: int = 0
    """Rank in the footer, 1 first; 0 keeps it out of the footer."""
    shown_key: str | None = None
    """How the key is written for people, where it differs from its name."""
    priority: bool = False
    """Works even while a text field has the focus."""
    palette: bool = True
    needs: Need | None = None
    """What there has to be on the screen for it to do anything; without it neither footer nor help name it."""

    def bindings(self) -> Iterator[Binding]:
        """The same command as bindings of Textual.

        A key that goes before others may come while its place is still being built, and is refused there; it
        then comes round once more like any other, when the place is there.
        """
        priorities = (True, False) if self.priority and self.places != ALL else (self.priority,)
        for priority in priorities:
            yield Binding(
                self.keys,
                self.action,
                self.word,
                show=False,
                id=self.id,
                priority=priority,
                tooltip=self.help,
            )

    @property
    def key_text(self) -> str:
        """The key as people write it."""
        return self.shown_key or self.keys.split(",")[0]


def possible(place: Place, *, past: bool = False) -> frozenset[Need]:
    """What there can be at a place while one looks at the present, or at the past; travelling begins in a run."""
    if past:
        return NEEDS - {"now"}
    return NEEDS - {"past"} if place == "run" else NEEDS - {"past", "travel"}
