"""Contributions as bytes: a few bytes a call, checked on the way back, and without a single known secret.

Times are stored as steps, durations as whole milliseconds where they are, columns beside columns, and all
of it compressed. zlib's checksum finds a flipped bit.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate
from operator import sub
from typing import Any, NamedTuple, cast

import msgspec

from buddy_core.history.contribution import Contribution
from buddy_core.metrics.counting.fingerprint import LOOKED_AT
from buddy_core.metrics.model import ErrorRecord
from buddy_core.metrics.recording.batch import ModelKey, RequestRow, ToolColumn
from buddy_core.runs.folding.harvest import CustomValue
from buddy_core.safety.redact import redact, redact_value

LONGEST_MESSAGE = 2_000
"""Characters of an error's message that are stored; what groups errors looks at fewer."""

LONGEST_STACK = 4_000
"""Characters of an error's stack that are stored."""

MOST_WHOLE = 100
"""Errors of one piece of a run that are stored with their stacks; of the others the message is cut as well."""

LARGEST = 64 * 1024 * 1024
"""Bytes that a stored piece may unpack to; a larger one was not written here."""

_LEVEL = 2


class Damaged(ValueError):
    """What is stored cannot be what was written."""


class _Column(NamedTuple):
    at: list[int]
    took: list[float | None]
    failed: list[int]


class ErrorRow(NamedTuple):
    """An error as it is stored: masked, cut, and without its run."""

    at: int
    type: str
    message: str
    stack: str | None
    context: dict[str, Any] | None


class _Wire(NamedTuple):
    """What is packed; requests are columns in the order of a `RequestRow`."""

    tools: dict[str, _Column]
    requests: list[tuple[str, str, list[int], list[list[Any]]]]
    errors: list[ErrorRow]
    values: list[CustomValue]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Wire).decode


def pack(found: Contribution) -> bytes:
    """A contribution as bytes, its texts masked and cut."""
    wire = _Wire(
        {clean(name): _column(column) for name, column in found.tools.items()},
        [_requests(key, rows) for key, rows in found.rows.items() if rows],
        [error_row(error, whole=number < MOST_WHOLE) for number, error in enumerate(found.errors)],
        [_value(value) for value in found.values.values()],
    )
    return compress(_encode(wire))


def unpack(data: bytes, run_id: str | None) -> Contribution:
    """The contribution again; its errors are said to be of `run_id`. Raises `Damaged`."""
    try:
        wire = _decode(decompress(data))
        found = Contribution(
            {name: _as_column(column) for name, column in wire.tools.items()},
            {(provider, model): _as_rows(at, rest) for provider, model, at, rest in wire.requests},
            [ErrorRecord(*error, run_id) for error in wire.errors],
        )
    except (msgspec.MsgspecError, ValueError, TypeError, OverflowError) as error:
        raise Damaged(str(error)) from None
    found.values = {(v.name, tuple(sorted((v.labels or {}).items()))): v for v in wire.values}
    return found


def compress(data: bytes) -> bytes:
    """Smaller, and with a checksum."""
    return zlib.compress(data, _LEVEL)


def decompress(data: object) -> bytes:
    """What was compressed; raises `Damaged`, also for what would not fit into memory."""
    if not isinstance(data, bytes):
        raise Damaged("no bytes")
    inflating = zlib.decompressobj()
    try:
        whole = inflating.decompress(data, LARGEST)
    except zlib.error as error:
        raise Damaged(str(error)) from None
    if not inflating.eof:
        raise Damaged("cut short, or too large")
    return whole


@lru_cache(maxsize=4096)
def clean(name: str) -> str:
    """A name as it is stored: nothing in it that looks like a secret, nothing that UTF-8 cannot say."""
    return redact(name).encode("utf-8", "replace").decode()


def _text(text: str, limit: int) -> str:
    """As `clean`; errors come again, and short ones are remembered."""
    text = text[:limit]
    return clean(text) if len(text) <= LOOKED_AT else redact(text).encode("utf-8", "replace").decode()


def _column(column: ToolColumn) -> _Column:
    failed = [] if False not in column.ok else [n for n, ok in enumerate(column.ok) if not ok]
    return _Column(_steps(column.at_ms), _whole(column.duration_ms), failed)


def _as_column(column: _Column) -> ToolColumn:
    count = len(column.at)
    if len(column.took) != count or (
        column.failed and not 0 <= min(column.failed) <= max(column.failed) < count
    ):
        raise Damaged("columns of different lengths")
    ok = [True] * count
    for number in column.failed:
        ok[number] = False
    return ToolColumn(list(accumulate(column.at)), _floats(column.took), ok)


def _requests(key: ModelKey, rows: Sequence[RequestRow]) -> tuple[str, str, list[int], list[list[Any]]]:
    at, prompt, completion, read, written, cost, latency, ttft, success = map(list, zip(*rows, strict=True))
    rest = [prompt, completion, read, written, cost, _whole(latency), _whole(ttft), success]
    return clean(key[0]), clean(key[1]), _steps(at), rest


def _as_rows(at: list[int], rest: list[list[Any]]) -> list[RequestRow]:
    prompt, completion, read, written, cost, latency, ttft, success = rest
    columns = (
        accumulate(at),
        prompt,
        completion,
        read,
        written,
        cost,
        _floats(latency),
        _floats(ttft),
        success,
    )
    return list(zip(*columns, strict=True))


def _steps(at_ms: list[int]) -> list[int]:
    """Each time less the one before it."""
    return [at_ms[0], *map(sub, at_ms[1:], at_ms)] if at_ms else []


def _whole(values: list[float | None]) -> list[Any]:
    """The same values as integers, where they are whole: two bytes instead of nine."""
    if None in values:
        return [int(value) if value is not None and value % 1 == 0 else value for value in values]
    integers = list(map(int, cast("list[float]", values)))
    return integers if integers == values else values


def _floats(values: Sequence[float | None]) -> list[float | None]:
    if None in values:
        return [None if value is None else float(value) for value in values]
    return list(map(float, cast("list[float]", values)))


def error_row(error: ErrorRecord, *, whole: bool) -> ErrorRow:
    """An error as it is stored; unless `whole`, without its stack and most of its context."""
    tool = (error.context or {}).get("tool")
    context: object = {"tool": tool} if isinstance(tool, str) else None
    if whole and error.context != context:
        context = redact_value(dict(error.context)) if error.context else None
    return ErrorRow(
        error.timestamp,
        clean(error.type),
        _text(error.message, LONGEST_MESSAGE if whole else LOOKED_AT),
        _text(error.stack, LONGEST_STACK) if error.stack is not None and whole else None,
        _plain(context),
    )


def _plain(context: object) -> dict[str, Any] | None:
    """A context of short texts and numbers; longer ones are cut."""
    if not isinstance(context, dict):
        return None
    return {
        clean(str(key)[:100]): value
        if isinstance(value, int | float | None)
        else _text(str(value), LOOKED_AT)
        for key, value in context.items()
    }


def _value(value: CustomValue) -> CustomValue:
    labels = {clean(key): clean(text) for key, text in (value.labels or {}).items()}
    return value._replace(name=clean(value.name), labels=labels or None)
