"""One event as one line of `events.jsonl`, whatever an agent hands over, within 1 MiB and in bounded time.

Nearly every event is made of plain values and takes the first path: one walk that proves it, one encoder that
runs in C. Anything else is walked by `Cleaner`, which describes in words what JSON cannot say and cuts
what is too long.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from buddy_core.runs.records.json_values import Cleaner, printable_utf8

MAX_EVENT_BYTES = 1024 * 1024
"""Longest line that is written; readers skip longer ones."""

MAX_NESTING = 40
"""Containers within containers that are recorded; deeper ones are described as `…`."""

_LEAST_INT, _MOST_INT = -(2**63), 2**64 - 1  # floats beyond are encoded well, only not at once
_LIMITS = (MAX_EVENT_BYTES, 64 * 1024, 4 * 1024, 256)
_MAX_TYPE = 200
_TYPE_ROOM = 4 * 1024
_NEVER = -1
_encode_lines = msgspec.json.Encoder().encode_lines


class _Line(msgspec.Struct, rename={"run_id": "runId"}, gc=False):
    """A line's fields in their order; encoding one takes less than encoding a dict of them."""

    ts: int
    run_id: str
    type: str
    data: object


def encode_event(ts: int, run_id: str, type_: str, data: object) -> bytes:
    """One line of `events.jsonl`, newline included, at most `MAX_EVENT_BYTES` long. Raises no `Exception`.

    What JSON cannot say is described in words, what is too long is cut; either way `data.truncated` is
    true. Of the longest text that was cut, `data.fullLength` (bytes) and `data.sha256` (of its UTF-8) tell
    what it was; hashing it is the one thing here that takes time in proportion to what was handed in.
    """
    try:
        if (
            type(data) is dict
            and type(type_) is str
            and _room_after(data.values(), MAX_EVENT_BYTES, MAX_NESTING) >= 0
        ):
            line = _encode_lines((_Line(ts, run_id, type_, data),))
            if len(line) <= MAX_EVENT_BYTES:
                return line
    except Exception:  # noqa: BLE001, S110  lone surrogates, odd keys, a dict that another thread changes
        pass
    try:
        return _described(ts, run_id, type_, data)
    except Exception:  # noqa: BLE001  any object may be handed in, and its methods may do anything
        return _line(ts, run_id, "unknown", {"truncated": True})


def _room_after(values: Collection[Any], room: int, depth: int) -> int:
    """What is left of `room` bytes after `values`; negative when they need more, or are not all plain.

    Plain is what the encoder writes down and a reader gets back: it changes NaN, bytes, decimals and endless
    integers without a word.
    """
    room -= 2 * len(values)
    if room < 0 or depth == 0:
        return _NEVER
    for value in values:
        kind = type(value)
        if kind is str:
            room -= len(value)
        elif kind is int or kind is float:
            if not _LEAST_INT <= value <= _MOST_INT:  # NaN and infinity are not between them either
                return _NEVER
        elif kind is dict:
            room = _room_after(value.values(), room, depth - 1)
            if room < 0:
                return _NEVER
        elif kind is list or kind is tuple or kind is set or kind is frozenset:
            room = _room_after(value, room, depth - 1)
            if room < 0:
                return _NEVER
        elif value is not None and kind is not bool:
            return _NEVER
    return room


def _line(ts: int, run_id: str, type_: str, data: Mapping[str, Any]) -> bytes:
    return _encode_lines((_Line(ts, run_id, type_, data),))


def _described(ts: int, run_id: str, type_: object, data: object) -> bytes:
    name = printable_utf8(str(Cleaner(room=_TYPE_ROOM).cleaned(type_)))[:_MAX_TYPE]
    known: list[tuple[str, dict[str, Any]]] = []
    for limit in _LIMITS:
        cleaner = Cleaner(room=MAX_EVENT_BYTES, limit=limit, depth=MAX_NESTING)
        line = _line(ts, run_id, name, _payload(cleaner, data, known))
        if len(line) <= MAX_EVENT_BYTES:
            return line
    return _line(ts, run_id, name, {"truncated": True})


def _payload(cleaner: Cleaner, data: object, known: list[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    """`data` as `cleaner` leaves it, with the facts of its longest text, which are `known` from then on."""
    clean = {} if data is None else cleaner.cleaned(data)
    payload: dict[str, Any] = clean if isinstance(clean, dict) else {"value": clean}
    if cleaner.longest is not None:
        payload |= _facts_once(cleaner.longest, known)
    if cleaner.changed:
        payload["truncated"] = True
    return payload


def _facts_once(text: str, known: list[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    """The facts of `text`, which each limit cuts anew: a copy each time, where it is of a class of its own."""
    for other, facts in known:
        if other == text:
            return facts
    known.append((text, _facts(text)))
    return known[-1][1]


def _facts(text: str) -> dict[str, Any]:
    """Length and digest of the UTF-8 of `text`, made in pieces, so that no second copy of it is needed."""
    import hashlib  # brings OpenSSL, which nearly no event needs

    digest, length = hashlib.sha256(), 0
    for start in range(0, len(text), MAX_EVENT_BYTES):
        piece = text[start : start + MAX_EVENT_BYTES].encode("utf-8", "replace")
        digest.update(piece)
        length += len(piece)
    return {"fullLength": length, "sha256": digest.hexdigest()}
