"""What the events that matter for numbers carry in `data`, decoded by the shortest way that is safe.

The typed decoders refuse anything unexpected; only then is the payload read again as plain JSON and taken
field by field: numbers as strings, other spellings, lone surrogates, a text where an object was promised.
Nothing here raises for what a file contains.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeVar

import msgspec

from buddy_core.runs.records.json_values import (
    MAX_INT,
    Json,
    count_of,
    decode_object,
    number_of,
    printable_utf8,
)

MAX_TEXT = 20_000
"""Characters kept of one observed text, such as an error message."""

MAX_NAME = 200
"""Characters kept of a name: of a tool, a provider, a model, a step. The collector takes no longer ones."""

UNNAMED = "(unnamed)"
"""Stands for the name of a tool, provider or model that its record does not state."""

MALFORMED = (ValueError, RecursionError)
"""What decoding may raise: every error of msgspec and of json is a ValueError."""


class ToolCallData(msgspec.Struct, rename="camel", frozen=True, gc=False):
    """`tool_call`: which tool, under which id. The arguments are decoded only when somebody looks."""

    tool_name: str | None = None
    tool_call_id: str | None = None
    name: str | None = None
    call_id: str | None = None
    id: str | None = None


class ToolResultData(msgspec.Struct, rename="camel", frozen=True, gc=False):
    """`tool_result`: how a call went. `success` is true unless the record says false."""

    tool_name: str | None = None
    tool_call_id: str | None = None
    success: bool = True
    duration_ms: float | None = None
    error: str | None = None
    name: str | None = None
    call_id: str | None = None
    id: str | None = None


class StepData(msgspec.Struct, rename="camel", frozen=True, gc=False):
    """`step_start` and `step_end`: the name that pairs them."""

    step: str = ""


class MetricData(msgspec.Struct, rename="camel", frozen=True, gc=False):
    """`metric` of kind `api_request`, or of kind `value` (then `name`, `value` and `labels` count)."""

    kind: str = ""
    provider: str = UNNAMED
    model: str = UNNAMED
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cost: float | None = None
    latency_ms: float | None = None
    ttft_ms: float | None = None
    success: bool = True
    name: str = ""
    value: float | None = None
    labels: dict[str, str] | None = None


def is_sound(metric: MetricData) -> bool:
    """True when every number lies between 0 and 2**53; NaN and infinity do not."""
    counts = (
        metric.prompt_tokens | metric.completion_tokens | metric.cache_read_tokens | metric.cache_write_tokens
    )
    # Counts or-ed together are below a power of two, and not negative, just when each of them is.
    return (
        0 <= counts < MAX_INT
        and (metric.cost is None or 0 <= metric.cost <= MAX_INT)
        and (metric.latency_ms is None or 0 <= metric.latency_ms <= MAX_INT)
        and (metric.ttft_ms is None or 0 <= metric.ttft_ms <= MAX_INT)
    )


def bounded(metric: MetricData) -> MetricData:
    """The metric with counts that cannot be as 0, and other numbers that cannot be as unknown."""
    return msgspec.structs.replace(
        metric,
        prompt_tokens=count_of(metric.prompt_tokens) or 0,
        completion_tokens=count_of(metric.completion_tokens) or 0,
        cache_read_tokens=count_of(metric.cache_read_tokens) or 0,
        cache_write_tokens=count_of(metric.cache_write_tokens) or 0,
        cost=number_of(metric.cost),
        latency_ms=number_of(metric.latency_ms),
        ttft_ms=number_of(metric.ttft_ms),
    )


class TurnLine(msgspec.Struct, rename="camel", frozen=True, gc=False):
    """One line of `turn-metrics.jsonl`: one model request of the original writer, without a run id."""

    at: str | None = None
    provider: str = UNNAMED
    model: str = UNNAMED
    ttft_ms: float | None = None
    total_ms: float | None = None
    input_tokens: int = 0
    output_tokens: int = 0


S = TypeVar("S", bound=msgspec.Struct)


def payload_decoder(shape: type[S]) -> Callable[[bytes | msgspec.Raw], S]:
    """A decoder for payloads of `shape` that takes what it can from payloads of any other shape."""
    strict = msgspec.json.Decoder(shape).decode

    def decode(data: bytes | msgspec.Raw) -> S:
        try:
            return strict(data)
        except MALFORMED:
            return coerced(shape, plain_payload(data))

    return decode


def plain_payload(data: bytes | msgspec.Raw) -> Mapping[str, Json]:
    """The payload as plain values; empty when it is no JSON object."""
    return decode_object(bytes(data)) or {}


def observed_text(value: object, limit: int = MAX_TEXT) -> str | None:
    """An observed value as text that can be encoded, cut to `limit` characters; None stays None."""
    if value is None:
        return None
    if not isinstance(value, str):
        value = _as_json(value)
    return printable_utf8(value[:limit])


def _as_json(value: object) -> str:
    try:
        return json.dumps(value, ensure_ascii=False)
    except (ValueError, TypeError, RecursionError):
        return ""


def _truth(value: object) -> bool | None:
    if isinstance(value, str):
        value = {"false": False, "0": False, "no": False, "true": True}.get(value.strip().lower())
    return bool(value) if isinstance(value, bool | int) else None


def _labels(value: object) -> dict[str, str] | None:
    if not isinstance(value, dict):
        return None
    few = list(value.items())[:16]
    return {printable_utf8(key[:MAX_NAME]): observed_text(item, MAX_NAME) or "" for key, item in few}


def _finite(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


@cache
def _takers(shape: type[msgspec.Struct]) -> tuple[tuple[str, str, Callable[[object], Any]], ...]:
    """Of each field of `shape`: its name here, its name on disk, and what makes a value of its type."""
    by_type: dict[Any, Callable[[object], Any]] = {
        str: observed_text,
        str | None: observed_text,
        int: count_of,
        float | None: _finite,
        bool: _truth,
        dict[str, str] | None: _labels,
    }
    return tuple((f.name, f.encode_name, by_type[f.type]) for f in msgspec.structs.fields(shape))


def coerced(shape: type[S], found: Mapping[str, Any]) -> S:
    """A `shape` from an object of any kind: each field that can be understood is, the others keep defaults."""
    values = ((name, take(found.get(wire))) for name, wire, take in _takers(shape))
    return shape(**{name: value for name, value in values if value is not None})
