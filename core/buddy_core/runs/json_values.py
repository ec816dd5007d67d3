"""JSON values to and from the disk when nobody promises that it is well formed.

Reading: msgspec first, the standard library for what msgspec refuses (lone surrogates from JavaScript
string cutting, a byte order mark, NaN), None for what is no JSON at all. Writing: whatever an agent hands
over becomes JSON; what JSON cannot say becomes a description of it, and the caller is told.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, TypeAlias

import msgspec

Json: TypeAlias = Any
"""A value that the json module reads and writes."""

MAX_INT = 2**53
"""Largest count that is believed; it is also the largest integer JavaScript counts exactly."""

_MAX_DEPTH = 40
_MAX_DIGITS = 300
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
    cleaner = _Cleaner()
    return cleaner.clean(value, _MAX_DEPTH), cleaner.changed


class _Cleaner:
    """Walks one value; remembers the containers it is inside, so that a cycle ends."""

    def __init__(self) -> None:
        self.changed = False
        self._inside: set[int] = set()

    def clean(self, value: object, depth: int) -> Json:
        if value is None or value is True or value is False:
            return value
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, int):
            return self._integer(value)
        if isinstance(value, float):
            return value if math.isfinite(value) else self._told(None)
        if isinstance(value, bytes | bytearray):
            return self._told(bytes(value[:4096]).decode("utf-8", "replace"))
        return self._container(value, depth)

    def _text(self, value: str) -> str:
        text = printable_utf8(value)
        return text if text is value else self._told(text)

    def _integer(self, value: int) -> Json:
        if value.bit_length() <= 64:
            return int(value)
        small = value.bit_length() <= _MAX_DIGITS * 3
        return self._told(str(value) if small else f"an integer of {value.bit_length()} bits")

    def _container(self, value: object, depth: int) -> Json:
        if id(value) in self._inside or depth == 0:
            return self._told("…")
        self._inside.add(id(value))
        try:
            if isinstance(value, Mapping):
                return {self._key(key): self.clean(item, depth - 1) for key, item in value.items()}
            if isinstance(value, Sequence | AbstractSet):
                return [self.clean(item, depth - 1) for item in value]
        except Exception:  # noqa: BLE001  a container that cannot be walked is described like any other object
            self.changed = True
        finally:
            self._inside.discard(id(value))
        return self._told(_describe(value))

    def _key(self, key: object) -> str:
        return self._text(key) if isinstance(key, str) else str(self._told(_describe(key)))

    def _told(self, substitute: Json) -> Json:
        self.changed = True
        return substitute


def _describe(value: object) -> str:
    """What an object says of itself, or only its type when even that raises."""
    try:
        return printable_utf8(str(value))[:4096]
    except Exception:  # noqa: BLE001  a hostile __str__ must not reach the host
        return f"<{type(value).__name__}>"
