"""One line of `events.jsonl` as a value: the strict form that real writers use, and the forgiving one.

The strict form is decoded by one msgspec decoder at full speed and leaves `data` as bytes. What it
refuses is read again with the standard library, field by field, so that a number in quotes or half a
character costs a note and not the event.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, Protocol, TypeVar

import msgspec

from buddy_core.runs.reading.accounting import Repair

FIRST_REAL_MS = 100_000_000_000
"""March 1973: a smaller `ts` counts seconds, or belongs to a clock that starts at zero."""

LAST_REAL_MS = 253_402_300_799_999
"""The last millisecond of the year 9999."""

EMPTY_DATA = msgspec.Raw(b"{}")


class WireEvent(msgspec.Struct, frozen=True, gc=False):
    """One event as it stands on disk."""

    ts: Annotated[int, msgspec.Meta(ge=FIRST_REAL_MS, le=LAST_REAL_MS)]
    """Milliseconds since the epoch; where the line has no usable time, that of the event before it."""
    type: str = ""
    """The event's type; empty where the line has none."""
    data: msgspec.Raw = EMPTY_DATA
    """The payload, undecoded: valid UTF-8, but of any JSON type. Read it with a typed decoder or `payload`."""
    run_id: str | None = msgspec.field(default=None, name="runId")
    """What the line claims; the directory's name is the truth."""


R = TypeVar("R", bound=msgspec.Struct)
Mend = Callable[[Repair], None]
"""Called with the kind of each repair, so that it is counted."""


class Dialect(Protocol[R]):
    """How one kind of line becomes a record."""

    @property
    def shape(self) -> re.Pattern[str]:
        """Matches where a record of the usual writer begins, even in the middle of a damaged line."""
        ...

    @property
    def bulk(self) -> Callable[[bytes], R]:
        """Decodes most lines, without a function around the decoder; `strict` is asked about the others."""
        ...

    def strict(self, text: bytes, /) -> R:
        """Decode a whole line; raises `ValueError` or `RecursionError`."""
        ...

    def loose(self, text: bytes, previous: R | None, mend: Mend) -> R | None:
        """Decode one JSON object of valid UTF-8 as far as possible; None when it cannot be this record."""
        ...


class Timed(Protocol):
    """A record with a time."""

    @property
    def ts(self) -> int:
        """Milliseconds since the epoch."""
        ...


class EventDialect:
    """Lines of `events.jsonl`; any JSON object is an event, however poor."""

    shape = re.compile(r'\{"ts": ?[^,{}\[\]]{1,40}, ?(?:"runId": ?"[^"\\]{0,80}", ?)?"type": ?"')
    bulk = strict = staticmethod(msgspec.json.Decoder(WireEvent).decode)

    def loose(self, text: bytes, previous: Timed | None, mend: Mend) -> WireEvent | None:
        """Take what fits, field by field; None only for JSON nested beyond what can be decoded."""
        fields = loads(text)
        if not isinstance(fields, dict):
            return None
        try:
            data = _object_bytes(fields.get("data", {}))
        except RecursionError:
            return None
        if _misfits(fields):
            mend("fields")
        return WireEvent(
            _time(fields, previous, mend), _text(fields, "type") or "", data, _text(fields, "runId")
        )


class StructDialect(Generic[R]):
    """Lines that hold one msgspec Struct each, `turn-metrics.jsonl` for example.

    `shape` says where a record begins in a damaged line; by default at any `{"`. Numbers in quotes are
    accepted; an object that still does not fit the type is skipped as invalid.
    """

    def __init__(self, record: type[R], shape: re.Pattern[str] | None = None) -> None:
        self.shape = shape or re.compile(r'\{"')
        self.bulk = self.strict = msgspec.json.Decoder(record).decode
        self._lax = msgspec.json.Decoder(record, strict=False).decode

    def loose(self, text: bytes, previous: R | None, mend: Mend) -> R | None:
        """Decode with the coercions msgspec offers; None when it still does not fit."""
        try:
            record = self._lax(text)
        except (ValueError, RecursionError):
            return None
        mend("fields")
        return record


def payload(data: msgspec.Raw | bytes) -> dict[str, Any]:
    """Decode an event's `data` whatever it is: never raises.

    A value that is no object comes back as `{"value": …}`; numbers JSON cannot hold come back as None;
    a payload nested beyond what can be decoded comes back as `{}`.
    """
    try:
        value = msgspec.json.decode(data)
    except (ValueError, RecursionError):
        value = loads(bytes(data))
    if value is UNREADABLE:
        return {}
    return value if isinstance(value, dict) else {"value": value}


class _Unreadable:
    """Stands for "no JSON value at all", which None cannot: null is one."""


UNREADABLE = _Unreadable()


def loads(text: bytes) -> Any:  # noqa: ANN401 (any JSON value)
    """Decode JSON as the standard library does, but safe: numbers out of range become None.

    Returns `UNREADABLE` for what is no JSON, or nested too deep.
    """
    try:
        return LENIENT.decode(text.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return UNREADABLE


def _bounded_int(digits: str) -> int | None:
    return int(digits) if len(digits) <= 19 else None  # within what msgspec can write


def _finite(digits: str) -> float | None:
    number = float(digits)
    return number if math.isfinite(number) else None


def _no_constant(_name: str) -> None:
    return None


LENIENT = json.JSONDecoder(
    parse_int=_bounded_int, parse_float=_finite, parse_constant=_no_constant, strict=False
)
"""Accepts control characters in strings, NaN and integers of any length."""


def _object_bytes(value: object) -> msgspec.Raw:
    held = value if isinstance(value, dict) else {"value": value}
    return msgspec.Raw(msgspec.json.encode(held))


def _text(fields: dict[str, Any], key: str) -> str | None:
    value = fields.get(key)
    return value if isinstance(value, str) else None


def _misfits(fields: dict[str, Any]) -> bool:
    expected = {"ts": int, "type": str, "data": dict, "runId": str}
    return any(not isinstance(fields[name], kind) for name, kind in expected.items() if name in fields)


def _time(fields: dict[str, Any], previous: Timed | None, mend: Mend) -> int:
    before = previous.ts if previous is not None else 0
    moment = moment_ms(fields.get("ts"))
    if moment is None or (moment < FIRST_REAL_MS <= before):
        mend("time")
        return before
    return moment


def moment_ms(value: object) -> int | None:
    """A time in any of the forms found in files, as milliseconds since the epoch; None when it is none.

    Takes numbers and numbers in quotes, in seconds, milliseconds, microseconds or nanoseconds (told
    apart by size), and ISO 8601 text. Small numbers stay as they are: a clock that starts at zero.
    """
    if isinstance(value, str):
        value = _from_text(value.strip()[:40])
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return _to_ms(value)


def _from_text(text: str) -> float | int | None:
    try:
        return int(text) if text.isdecimal() else float(text)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000
    except (ValueError, OverflowError):
        return None


def _to_ms(number: float) -> int | None:
    if not 0 <= number < 1e19:  # also false for NaN
        return None
    for least, below, factor in _UNITS:
        if least <= number < below:
            return int(number * factor)
    return int(number) if number < 1e9 or FIRST_REAL_MS <= number <= LAST_REAL_MS else None


_UNITS = ((1e9, 1e10, 1000), (1e15, 1e16, 1e-3), (1e18, 1e19, 1e-6))
"""Seconds, microseconds and nanoseconds between the years 2001 and 2286, and what makes them milliseconds."""

EVENTS = EventDialect()
"""The dialect of `events.jsonl`."""
