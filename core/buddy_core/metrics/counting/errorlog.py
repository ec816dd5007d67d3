"""The newest errors themselves, whole, in the order they happened."""

from __future__ import annotations

import math
from bisect import insort
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from buddy_core.metrics.model import ErrorRecord

LONGEST_MESSAGE = 8_000
"""Characters of an error message that are kept."""

LONGEST_STACK = 32_000
"""Characters of a stack that are kept."""

MOST_CONTEXT = 32
"""Entries of a context, and of each list or mapping in it, that are kept."""

CONTEXT_ROOM = 16_000
"""Characters of a whole context that are kept, about."""

_DEEPEST = 6
_PLAIN_TYPES = (int, float, bool, type(None))


def error_record(
    at_ms: int,
    type_: str,
    message: object,
    stack: object = None,
    context: object = None,
    run_id: str | None = None,
) -> ErrorRecord:
    """An error as it is kept and sent: texts of a size that can be kept, a context that JSON can say."""
    return ErrorRecord(
        at_ms,
        type_,
        _cut(text_of(message), LONGEST_MESSAGE),
        None if stack is None else _cut(text_of(stack), LONGEST_STACK),
        None if context is None else _context(context),
        run_id,
    )


def trimmed(record: ErrorRecord) -> ErrorRecord:
    """A record made elsewhere, as `error_record` would have made it; an ordinary one is returned as it is."""
    stack, context = record.stack, record.context
    small = len(record.message) <= LONGEST_MESSAGE and (stack is None or len(stack) <= LONGEST_STACK)
    if small and (context is None or _is_small(context)):
        return record
    return error_record(
        record.timestamp, record.type, record.message, record.stack, record.context, record.run_id
    )


def text_of(value: object) -> str:
    """`value` as text; never raises, whatever its `__str__` does."""
    if type(value) is str:
        return value
    try:
        return str.__str__(str(value))
    except Exception:  # noqa: BLE001 - the host's object may do anything
        return f"<{type(value).__name__}>"


class ErrorLog:
    """At most `most` errors: the newest by their own time, whatever order they were recorded in.

    History is read newest run first, so the order of arrival says nothing.
    """

    def __init__(self, most: int) -> None:
        self._most = max(0, most)
        self._records: list[ErrorRecord] = []

    def add(self, record: ErrorRecord) -> None:
        """Keep the record if it is among the newest."""
        records = self._records
        if not records or record.timestamp >= records[-1].timestamp:
            records.append(record)
        elif len(records) >= self._most and record.timestamp < records[0].timestamp:
            return
        else:
            insort(records, record, key=_time_of)
        if len(records) > self._most:
            del records[0]

    def newest(self, limit: int) -> list[ErrorRecord]:
        """The newest `limit`, oldest first."""
        return self._records[-limit:] if limit > 0 else []

    def newest_first(self) -> list[ErrorRecord]:
        """Everything kept."""
        return self._records[::-1]


def _time_of(record: ErrorRecord) -> int:
    return record.timestamp


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _context(context: object) -> dict[str, Any]:
    if not isinstance(context, Mapping):
        context = {"context": context}
    return dict(context) if _is_small(context) else _Fitting().mapping(context, _DEEPEST)


def _is_small(context: Mapping[str, Any]) -> bool:
    """True for the context that a failed tool has, and the like: nothing in it needs to be looked into."""
    if len(context) > 4:
        return False
    for key, value in context.items():
        if type(key) is not str or len(key) > 64:
            return False
        if value is not None and type(value) is not bool and (type(value) is not str or len(value) > 256):
            return False
    return True


class _Fitting:
    """Copies a context into values that JSON can say, and stops when the room is used up."""

    def __init__(self) -> None:
        self._left = CONTEXT_ROOM

    def mapping(self, value: Mapping[Any, Any], depth: int) -> dict[str, object]:
        items: dict[str, object] = {}
        for key, item in value.items():
            if len(items) >= MOST_CONTEXT or self._left <= 0:
                break
            items[self._text(key)] = self._value(item, depth - 1)
        return items

    def _value(self, value: object, depth: int) -> object:
        if type(value) is str:
            return self._text(value)
        if type(value) in _PLAIN_TYPES and _json_number(value):
            self._left -= 8
            return value
        if isinstance(value, bytes | bytearray):
            return self._text(bytes(value[:LONGEST_MESSAGE]))
        try:
            if isinstance(value, Mapping):
                return self.mapping(value, depth) if depth > 0 else self._text("…")
            if isinstance(value, list | tuple | AbstractSet):
                return self._sequence(value, depth) if depth > 0 else self._text("…")
        except Exception:  # noqa: BLE001 - a container that cannot be walked is described like any other object
            return self._text(f"<{type(value).__name__}>")
        return self._text(value)

    def _sequence(self, value: list[Any] | tuple[Any, ...] | AbstractSet[Any], depth: int) -> list[object]:
        items: list[object] = []
        for item in value:
            if len(items) >= MOST_CONTEXT or self._left <= 0:
                break
            items.append(self._value(item, depth - 1))
        return items

    def _text(self, value: object) -> str:
        text = _cut(text_of(value), min(LONGEST_MESSAGE, max(self._left, 1)))
        self._left -= len(text) + 8
        return text


def _json_number(value: object) -> bool:
    """False for the numbers that JSON cannot say, or no reader takes."""
    if type(value) is float:
        return math.isfinite(value)
    return type(value) is not int or value.bit_length() <= 64
