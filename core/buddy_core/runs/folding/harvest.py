"""What a batch of events brought for the collector."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

from buddy_core.metrics.model import ErrorRecord
from buddy_core.metrics.recording.batch import ModelKey, RequestRow, ToolColumn
from buddy_core.runs.records.payloads import MAX_NAME, MAX_TEXT, observed_text

_MESSAGE_FIELDS = ("message", "error")
_STACK_FIELD = "stack"
_TYPE_FIELDS = ("type", "errorType", "code", "name")
_MAX_CONTEXT = 20

ERROR = "error"
"""Type of an error whose event names none."""

TOOL_ERROR = "tool_error"
"""Type of the error of a failed tool."""


ListedAbove: TypeAlias = Callable[[str, int], float]
"""Given a tool and the latest of some moments: the milliseconds above which a call may be listed."""


class CustomValue(NamedTuple):
    """One `metric` event of kind `value`."""

    name: str
    value: float
    labels: dict[str, str] | None
    at_ms: int


@dataclass(slots=True)
class Harvest:
    """What one batch of events brought that had not been recorded before."""

    tools: dict[str, ToolColumn] = field(default_factory=dict)
    tool_errors: list[tuple[str, int, ErrorRecord]] = field(default_factory=list)
    """For each failed call that gave a reason: tool, row in its column, and the error."""
    errors: list[ErrorRecord] = field(default_factory=list)
    """Events of type `error`; the reasons of failed tools are not among them."""
    requests: dict[ModelKey, list[RequestRow]] = field(default_factory=dict)
    """Model requests by provider and model."""
    values: list[CustomValue] = field(default_factory=list)

    _looked: dict[str, int] = field(default_factory=dict)

    def let_go_of_calls(self, listed_above: ListedAbove) -> None:
        """Forget what calls were about that are shown nowhere: nearly all, and their lines are most of what was read."""
        for tool, column in self.tools.items():
            first, end = self._looked.get(tool, 0), len(column.calls)
            if first == end:
                continue
            self._looked[tool] = end
            floor = listed_above(tool, max(column.at_ms[first:]))
            took = column.duration_ms[first:]
            column.calls[first:] = [
                call if (-1.0 if ms is None else ms) > floor else None
                for call, ms in zip(column.calls[first:], took, strict=True)
            ]

    def __bool__(self) -> bool:
        return bool(self.tools or self.errors or self.requests or self.values)


def tool_error_record(tool: str, at_ms: int, reason: str, run_id: str) -> ErrorRecord:
    """The error of a failed tool call, as the collector itself would make it."""
    return ErrorRecord(at_ms, TOOL_ERROR, observed_text(reason) or "", context={"tool": tool}, run_id=run_id)


def error_record(data: Mapping[str, Any], at_ms: int, run_id: str) -> ErrorRecord:
    """An `error` event as a record; whatever stands beside message, type and stack becomes its context."""
    rest = dict(data)
    stack = rest.pop(_STACK_FIELD) if isinstance(rest.get(_STACK_FIELD), str) else None
    return ErrorRecord(
        timestamp=at_ms,
        type=_take(rest, _TYPE_FIELDS, MAX_NAME) or ERROR,
        message=_take(rest, _MESSAGE_FIELDS, MAX_TEXT) or "",
        stack=observed_text(stack),
        context=_context(rest),
        run_id=run_id,
    )


def _take(fields: dict[str, Any], names: Iterable[str], limit: int) -> str | None:
    """The first of `names` that holds something, as text; it is taken out of `fields`."""
    found = next((name for name in names if fields.get(name) not in (None, "")), None)
    return observed_text(fields.pop(found), limit) if found is not None else None


def _context(rest: Mapping[str, Any]) -> dict[str, Any] | None:
    few = list(rest.items())[:_MAX_CONTEXT]
    return {str(observed_text(key, MAX_NAME)): observed_text(value, 2_000) for key, value in few} or None
