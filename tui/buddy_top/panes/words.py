"""Sentences several panes say."""

from __future__ import annotations

from buddy_core.metrics.window import Window
from buddy_core.safety.text import Plain, plain
from buddy_top import format as fmt
from buddy_top.state import Snapshot

WINDOW_WORDS = {
    Window.M15: "in the last 15 minutes",
    Window.H1: "in the last hour",
    Window.H24: "in the last 24 hours",
    Window.D7: "in the last 7 days",
    Window.ALL: "in any run",
}


def nothing_in(snapshot: Snapshot, what: str) -> Plain:
    """`what` with the window it was looked for in, and where to look instead."""
    sources = snapshot.sources
    if sources.loaded < sources.total:
        return Plain(f"reading runs, {sources.loaded} of {sources.total} …")
    sentence = f"{what} {WINDOW_WORDS[snapshot.view.window]}"
    newest = max((run.last_event_at or run.started_at for run in snapshot.runs), default=None)
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
