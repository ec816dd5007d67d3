"""Words in the events of one run, searched as they were meant: with their JSON read, so `é` is found however it is written.

Of most events their bytes show already that they cannot fit, and then no JSON is read. What is shown of a find is
masked by the name it stands under.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from buddy_core.runs.names import EVENTS_NAME
from buddy_core.runs.reading.tail import FileTail
from buddy_core.runs.records.wire import payload
from buddy_core.runs.searching.hit import MAX_CONTEXT, SearchHit, Skip, excerpt, line_around
from buddy_core.runs.searching.needle import LineTooHard, Needle
from buddy_core.runs.timeline.event_words import tool_name
from buddy_core.safety.paths import open_beneath
from buddy_core.safety.redact import redact_value

BLOCK = 1024 * 1024
"""Bytes of a file of events that are looked at together."""

_MAX_LEAVES = 20_000


class _Piece(NamedTuple):
    """A text of an event, with the name it stands under."""

    name: str
    text: str


def events_may_have(needle: Needle, root: Path, run_id: str) -> bool:
    """False when the bytes of the event file show that no event can fit: reading no JSON is ten times faster.

    A file with holes is left to the reader that knows how to pass over them, one that cannot be read too.
    """
    try:
        fd = open_beneath(root, run_id, EVENTS_NAME)
    except OSError:
        return True
    with os.fdopen(fd, "rb", buffering=0) as file:
        status = os.fstat(fd)
        if status.st_blocks * 512 < status.st_size:
            return True
        rest = b""
        while chunk := file.read(BLOCK):
            cut = chunk.rfind(b"\n") + 1
            if needle.may_be_in(rest + chunk[:cut], escaped=True) or len(rest) > BLOCK:
                return True
            rest = chunk[cut:] if cut else rest + chunk
    return needle.may_be_in(rest, escaped=True)


def in_events(needle: Needle, root: Path, run_id: str, skip: Skip) -> Iterator[SearchHit]:
    """The events of a run that fit, in the order of its file."""
    tail = FileTail(root, run_id, EVENTS_NAME)
    try:
        while True:
            change = tail.poll()
            for event, offset in zip(change.batch.events, change.batch.offsets, strict=True):
                raw = bytes(event.data)
                if needle.may_be_in(raw + event.type.encode("utf-8", "replace"), escaped=True):
                    hit = _event_hit(needle, run_id, event.type, event.ts, offset, payload(event.data), skip)
                    if hit is not None:
                        yield hit
            if change.problem is not None:
                skip(f"{run_id}: its events cannot be read: {change.problem}")
            if not change.more:
                return
    finally:
        tail.close()


def _event_hit(
    needle: Needle, run_id: str, kind: str, at_ms: int, offset: int, data: Mapping[str, object], skip: Skip
) -> SearchHit | None:
    named = kind in ("tool_call", "tool_result")
    pieces = [_Piece("", f"{kind} {tool_name(data)}" if named else kind), *_pieces(data)]
    try:
        if not needle.fits("\n".join(f"{piece.name}: {piece.text}" for piece in pieces)):
            return None
        text, marks = _told(needle, pieces)
    except LineTooHard:
        skip(f"{run_id}: an event takes too long with this expression and is left out")
        return None
    name = tool_name(data) if named else kind
    return SearchHit(run_id, "event", name, at_ms, None, offset, text, marks)


def _pieces(data: Mapping[str, object]) -> Iterator[_Piece]:
    """Every text and number in a payload with the name it stands under; nothing is recursive here."""
    todo: list[tuple[str, object]] = [("", data)]
    for _ in range(_MAX_LEAVES):
        if not todo:
            return
        name, value = todo.pop()
        if isinstance(value, Mapping):
            todo.extend((str(key), item) for key, item in reversed(list(value.items())))
        elif isinstance(value, list):
            todo.extend((name, item) for item in reversed(value))
        elif value is not None:
            yield _Piece(name, str(value))


def _told(needle: Needle, pieces: Sequence[_Piece]) -> tuple[str, tuple[tuple[int, int], ...]]:
    """The line of the first piece with a find; where only a name fits, the piece under that name."""
    for piece in pieces:
        found = needle.first_in(piece.text)
        if found is not None:
            line, begin = line_around(piece.text, found[0])
            masked = redact_value(line, name=piece.name or None)
            return excerpt(needle, str(masked), found[0] - begin)
    named = next((piece for piece in pieces if needle.first_in(piece.name) is not None), pieces[0])
    return excerpt(needle, f"{named.name}: {redact_value(named.text[:MAX_CONTEXT], name=named.name)}", 0)
