"""A run's tool calls, each joined to its result, with what is needed to say that two of them were the same.

Results find their calls as in `runs.fold`: by id, and without one the oldest open call of that tool that has
none either. Arguments and results are compared by a digest, so nothing of them is kept but the arguments of
the last call.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import msgspec

from buddy_core.runs.folding.pairing import MAX_UNANSWERED
from buddy_core.runs.records.json_values import count_of
from buddy_core.runs.records.payloads import (
    MALFORMED,
    MAX_NAME,
    UNNAMED,
    ToolCallData,
    ToolResultData,
    coerced,
    plain_payload,
)
from buddy_core.runs.records.wire import WireEvent

CUT_AT = 500
"""Characters after which the original writer cuts a text among the arguments, and says nothing of it."""


class _Call(ToolCallData, rename="camel", frozen=True):
    """A call with what says whether another one is the same."""

    args: Any = None
    truncated: Any = None


class _Result(ToolResultData, rename="camel", frozen=True):
    """A result with what says whether another one is the same."""

    output_length: Any = None
    output: Any = None
    truncated: Any = None


_call_in = msgspec.json.Decoder(_Call).decode
_result_in = msgspec.json.Decoder(_Result).decode


class Open(NamedTuple):
    """A call whose result has not come."""

    tool: str
    at_ms: int
    args: object
    """The arguments as decoded; None where the record has none, or only part of them."""


class Finished(NamedTuple):
    """A call with its result."""

    tool: str
    at_ms: int
    """When it was called."""
    ended_at: int
    args: object
    sameness: int | None
    """Equal for calls that are the same in tool, arguments and result; None when that cannot be known."""


class CallReader:
    """Joins the calls and results of one run, in the order of its events."""

    def __init__(self) -> None:
        self._open: dict[str | int, Open] = {}
        self._numbered = 0

    @property
    def waiting(self) -> tuple[Open, ...]:
        """Calls without a result, oldest first."""
        return tuple(self._open.values())

    def feed(self, events: Iterable[WireEvent]) -> Iterator[Finished]:
        """Take events; yields a call as soon as its result is read."""
        for event in events:
            if event.type == "tool_call":
                self._call(event)
            elif event.type == "tool_result":
                finished = self._result(event)
                if finished is not None:
                    yield finished

    def _call(self, event: WireEvent) -> None:
        call = _call_of(event.data)
        key: str | int | None = call.tool_call_id or call.call_id or call.id
        if key is None:
            self._numbered += 1
            key = self._numbered
        known = None if call.truncated or _is_cut(call.args) else call.args
        self._open[key] = Open((call.tool_name or call.name or UNNAMED)[:MAX_NAME], event.ts, known)
        if len(self._open) > MAX_UNANSWERED:
            del self._open[next(iter(self._open))]

    def _result(self, event: WireEvent) -> Finished | None:
        result = _result_of(event.data)
        call = self._answered(result)
        if call is None:
            return None
        outcome = _outcome(result)
        known = call.args is not None and outcome is not None
        sameness = _digest((call.tool, call.args, outcome)) if known else None
        return Finished(call.tool, call.at_ms, max(call.at_ms, event.ts), call.args, sameness)

    def _answered(self, result: ToolResultData) -> Open | None:
        key = result.tool_call_id or result.call_id or result.id
        if key is not None and key in self._open:
            return self._open.pop(key)
        tool = (result.tool_name or result.name or UNNAMED)[:MAX_NAME]
        for candidate, call in self._open.items():
            if call.tool == tool and (key is None or isinstance(candidate, int)):
                return self._open.pop(candidate)
        return None


def _call_of(data: msgspec.Raw) -> _Call:
    """A call from a payload of any shape."""
    try:
        return _call_in(data)
    except MALFORMED:
        found = plain_payload(data)
        known = msgspec.structs.asdict(coerced(ToolCallData, found))
        return _Call(**known, args=found.get("args"), truncated=found.get("truncated"))


def _result_of(data: msgspec.Raw) -> _Result:
    """A result from a payload of any shape."""
    try:
        return _result_in(data)
    except MALFORMED:
        found = plain_payload(data)
        known = msgspec.structs.asdict(coerced(ToolResultData, found))
        length, output = found.get("outputLength"), found.get("output")
        return _Result(**known, output_length=length, output=output, truncated=found.get("truncated"))


def _outcome(result: _Result) -> tuple[object, ...] | None:
    """What came of a call; None where the record says so little that two results could differ."""
    length, output = count_of(result.output_length), result.output
    if result.truncated or (length is None and output is None and not result.error):
        return None
    return result.success, result.error, length, output


def _is_cut(value: object) -> bool:
    """True when some text in a JSON value has just the length at which the original writer cuts."""
    inside = [value]
    while inside:  # no recursion: a value may be nested as deep as its writer liked
        one = inside.pop()
        if isinstance(one, str):
            if len(one) == CUT_AT:
                return True
        elif isinstance(one, dict):
            inside += one.values()
        elif isinstance(one, list):
            inside += one
    return False


def _digest(value: object) -> int | None:
    """A number for a JSON value in which the order of an object's members makes no difference, in this process only.

    It is the keyed hash that dicts rely on: `hashlib` would bring half a megabyte of OpenSSL along.
    """
    try:
        return hash(msgspec.json.encode(value, order="deterministic"))
    except MALFORMED:
        return None
