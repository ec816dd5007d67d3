"""Tool calls on their way from a run's lines into columns: while they wait for a result, and when it has come."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import msgspec

from buddy_core.metrics.recording.batch import ToolColumn
from buddy_core.runs.records.json_values import MAX_INT
from buddy_core.runs.records.payloads import MAX_NAME, UNNAMED, ToolCallData, plain_payload
from buddy_core.runs.records.typed import CallLine, ResultLine
from buddy_core.runs.toolargs import key_argument

MAX_ARGUMENTS = 65_536
"""Bytes of the arguments of a call that waits; longer ones are not kept."""

NO_ARGUMENTS = msgspec.Raw(b"{}")


class OpenCall(NamedTuple):
    """A tool call whose result has not come."""

    name: str
    at_ms: int
    data: msgspec.Raw
    """The call's payload, for whoever shows its arguments."""


Call: TypeAlias = CallLine | OpenCall
"""A call that waits: as its line while its batch is read, as less than that from then on."""


class GoodResults:
    """Good results of one tool with their calls, on their way into its column."""

    __slots__ = ("calls", "column", "results")

    def __init__(self, column: ToolColumn) -> None:
        self.column = column
        self.results: list[ResultLine] = []
        self.calls: list[Call] = []

    def enter(self) -> None:
        """Append what waits."""
        results, calls = self.results, self.calls
        if not results:
            return
        self.results, self.calls = [], []
        column, at_ms = self.column, [result.ts for result in results]
        took = [result.data.duration_ms for result in results]
        if not _are_durations(took):
            took = [duration_of(*one) for one in zip(took, calls, at_ms, strict=True)]
        column.at_ms += at_ms
        column.duration_ms += took
        column.ok += [True] * len(results)
        column.calls += calls


def called(data: ToolCallData) -> str:
    """The tool of a call's payload."""
    return (data.tool_name or data.name or UNNAMED)[:MAX_NAME]


def name_of(call: Call) -> str:
    """The tool of a call that waits."""
    return called(call.data) if isinstance(call, CallLine) else call.name


def payload_of(args: msgspec.Raw) -> msgspec.Raw:
    """A payload with these arguments and nothing else, in memory of its own."""
    return msgspec.Raw(b'{"args":%b}' % bytes(args)) if len(args) <= MAX_ARGUMENTS else NO_ARGUMENTS


def argument_of(tool: str, call: object) -> str:
    """What a call of a harvest's column was about; empty for a result without a call."""
    if isinstance(call, CallLine):
        payload = payload_of(call.data.args)
    elif isinstance(call, OpenCall):
        payload = call.data
    else:
        return ""
    return key_argument(tool, plain_payload(payload).get("args"))


def _are_durations(values: list[float | None]) -> bool:
    """True when each of these, which were decoded and so are no NaN, is one that is believed."""
    try:
        return min(values) >= 0 and max(values) <= MAX_INT  # type: ignore[type-var,operator]
    except TypeError:
        return False


def duration_of(stated: float | None, call: Call | None, ts: int) -> float | None:
    """What the writer measured, else the time from the call to its result."""
    return stated if stated is not None and 0 <= stated <= MAX_INT else _time_between(call, ts)


def _time_between(call: Call | None, ts: int) -> float | None:
    """Milliseconds from a call to its result, where both times are usable and in order."""
    if call is None:
        return None
    began = call.ts if isinstance(call, CallLine) else call.at_ms
    return float(ts - began) if 0 < began <= ts else None
