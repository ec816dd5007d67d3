"""Sentences several panes say."""

from __future__ import annotations

from buddy_core.metrics.window import Window
from buddy_core.safety.text import Plain, plain
from buddy_top.drawing import format as fmt
from buddy_top.state import Snapshot

WINDOW_WORDS = {
    Window.M15: "in the last 15 minutes",
    Window.H1: "in the last hour",
    Window.H24: "in the last 24 hours",
    Window.D7: "in the last 7 days",
    Window.ALL: "in any run",
}


def within(snapshot: Snapshot) -> str:
    """Of which time the numbers are, and of which runs where that is not all of them."""
    window, part = snapshot.view.window, snapshot.sources.part_of(snapshot.view.since_ms)
    if part is None:
        return WINDOW_WORDS[window]
    return f"in {part}" if window is Window.ALL else f"{WINDOW_WORDS[window]} in {part}"


def in_part(snapshot: Snapshot) -> str:
    """` in the newest 5,000 of 100,000 runs`, behind a number that is not of all; else nothing."""
    part = snapshot.sources.part_of(snapshot.view.since_ms)
    return "" if part is None else f" in {part}"


def nothing_in(snapshot: Snapshot, what: str) -> Plain:
    """`what` with the window it was looked for in, and where to look instead."""
    sources = snapshot.sources
    if sources.loaded < sources.total:
        return Plain(f"reading runs, {sources.loaded:,} of {sources.total:,} …")
    sentence = f"{what} {within(snapshot)}"
    newest = sources.latest_at
    if snapshot.view.window is not Window.ALL and newest is not None:
        sentence += (
            f" · the newest event is {fmt.age(max(0, snapshot.taken_at - newest))} old · w looks further back"
        )
    return Plain(sentence)


EVERY_OTHER = "other"
"""Key of the group that holds every kind of error past the collector's limit of kinds."""


def kind_words(key: str, message: str) -> str:
    """What a group of errors says, by its key and its latest message."""
    return f"more kinds than are told apart, the latest: {message}" if key == EVERY_OTHER else message


def no_match(text: str) -> Plain:
    """What stands in place of rows that a filter hides; the filter may have been pasted, so it is cleaned."""
    return plain(f"nothing matches “{text}”", limit=80)
