"""JSON values to and from the disk when nobody promises that it is well formed.

Reading: msgspec first, the standard library for what msgspec refuses (lone surrogates from JavaScript
string cutting, a byte order mark, NaN), None for what is no JSON at all. Writing: whatever an agent hands
over becomes JSON; what JSON cannot say becomes a description of it, and the caller is told.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from decimal import Decimal
from typing import Any, TypeAlias, TypeVar

import msgspec

Json: TypeAlias = Any
"""A value that the json module reads and writes."""

MAX_INT = 2**53
"""Largest count that is believed; it is also the largest integer JavaScript counts exactly."""

_MAX_DEPTH = 40
_MAX_DIGITS = 300
_MAX_WORDS = 4096
_MAX_DESCRIBED = 1_000
_ROOM = 16 * 1024 * 1024
_COST = 64
_T = TypeVar("_T")
_decode = msgspec.json.Decoder().decode


def decode_object(data: bytes) -> dict[str, Json] | None:
    """The JSON object in `data`, or None when it holds anything else."""
    try:
        value = _decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        value = _decode_tolerantly(data)
    return value if isinstance(value, dict) else None


def _decode_tolerantly(data: bytes) -> Json:
    try:
        return json.loads(data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None


def text_of(value: object) -> str | None:
    """`value` as text that can be encoded, or None when it is no text; lone surrogates become U+FFFD."""
    if isinstance(value, str):
        return printable_utf8(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value) if abs(value) <= MAX_INT else None
    return None


def printable_utf8(text: str) -> str:
    """`text` with every lone surrogate replaced, so that encoding it cannot fail."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def number_of(value: object) -> float | None:
    """A finite, non-negative number up to 2**53, also when written as text; None otherwise."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value[:32] if isinstance(value, str) else value)
    except (ValueError, OverflowError):
        return None
    exact = value if isinstance(value, int) else number
    return number if math.isfinite(number) and 0 <= exact <= MAX_INT else None


def count_of(value: object) -> int | None:
    """Like `number_of`, whole: fractions are cut off, and integers stay exact."""
    number = number_of(value)
    if number is None:
        return None
    return value if isinstance(value, int) else int(number)


def to_json_value(value: object) -> tuple[Json, bool]:
    """`value` with everything JSON cannot say described in words, and whether anything had to be."""
    cleaner = Cleaner()
    return cleaner.cleaned(value), cleaner.changed


class Cleaner:
    """Makes JSON of any value: what JSON cannot say is described, what is too long is cut. Raises nothing.

    It walks as far as there is `room`, of which each character takes 1 and each value 64, so that something
    endless ends and nothing takes long; it cuts texts and containers longer than `limit`, and what is nested
    deeper than `depth`.
    """

    def __init__(self, *, room: int = _ROOM, limit: int = _ROOM, depth: int = _MAX_DEPTH) -> None:
        self.changed = False
        self.longest: str | None = None
        """The longest text that was cut."""
        self._room = room
        self._limit = limit
        self._depth = depth
        self._described = 0
        self._inside: set[int] = set()  # the containers it is inside, so that a cycle ends

    def cleaned(self, value: object) -> Json:
        """`value` as JSON; `changed` tells whether it says less than it did."""
        return self._clean(value, self._depth)

    def _clean(self, value: object, depth: int) -> Json:
        self._room -= _COST
        try:
            if value is None or value is True or value is False:
                return value
            if isinstance(value, str):
                return self._text(str.__str__(value))
            if isinstance(value, int):
                return self._integer(int.__int__(value))
            if isinstance(value, float):
                return float.__float__(value) if math.isfinite(value) else self._told(None)
            if isinstance(value, bytes | bytearray | memoryview):
                return self._told(bytes(value[:_MAX_WORDS]).decode("utf-8", "replace"))
            return self._container(value, depth)
        except Exception:  # noqa: BLE001  a value whose methods raise is described like any other object
            return self._told(self._description(value))

    def _text(self, value: str) -> str:
        keep = min(self._limit, max(self._room, 0))
        if len(value) > keep:
            if len(value) > len(self.longest or ""):
                self.longest = value
            value = self._told(value[:keep] + "…")
        self._room -= len(value)
        text = printable_utf8(value)
        return text if text is value else str(self._told(text))

    def _integer(self, value: int) -> Json:
        if value.bit_length() <= 64:
            return value
        small = value.bit_length() <= _MAX_DIGITS * 3
        return self._told(str(value) if small else f"an integer of {value.bit_length()} bits")

    def _container(self, value: object, depth: int) -> Json:
        if id(value) in self._inside or depth == 0:
            return self._told("…")
        self._inside.add(id(value))
        try:
            if isinstance(value, Mapping):
                items = self._within(value.items())
                return {self._key(key): self._clean(item, depth - 1) for key, item in items}
            if isinstance(value, Sequence | AbstractSet):
                return [self._clean(item, depth - 1) for item in self._within(value)]
            return self._builtin(value, depth)
        finally:
            self._inside.discard(id(value))

    def _within(self, items: Iterable[_T]) -> Iterator[_T]:
        """The first of `items`, as many as there is room for."""
        for number, item in enumerate(items):
            if number >= self._limit or self._room <= 0:
                self.changed = True
                return
            yield item

    def _builtin(self, value: object, depth: int) -> Json:
        """What the encoder knows how to say: dates, identifiers, enumerations, data classes."""
        if isinstance(value, Decimal):
            return self._told(self._description(value))
        try:
            known = msgspec.to_builtins(value)
        except Exception:  # noqa: BLE001  neither does the encoder know it
            return self._told(self._description(value))
        return self._clean(known, depth - 1)

    def _key(self, key: object) -> str:
        return (
            self._text(str.__str__(key)) if isinstance(key, str) else str(self._told(self._description(key)))
        )

    def _told(self, substitute: Json) -> Json:
        self.changed = True
        return substitute

    def _description(self, value: object) -> str:
        """What an object says of itself, or only its type when even that raises, or too many were asked."""
        self._described += 1
        if self._described > _MAX_DESCRIBED:
            return _type_name(value)
        try:
            words = printable_utf8(str.__str__(str(value)[:_MAX_WORDS]))
        except Exception:  # noqa: BLE001  a hostile __str__ must not reach the host
            return _type_name(value)
        self._room -= len(words)
        return words


def _type_name(value: object) -> str:
    try:
        return printable_utf8(f"<{type(value).__name__}>"[:_MAX_WORDS])
    except Exception:  # noqa: BLE001  a hostile metaclass neither
        return "<object>"
