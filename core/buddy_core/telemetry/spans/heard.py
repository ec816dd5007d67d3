"""What the spans need of an event, taken out of it in the thread that recorded it.

Events may carry megabytes; only names, ids and numbers are kept, so the queue behind is bounded in memory too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from buddy_core.metrics.model import ApiRequest, ErrorRecord, ToolExecution
from buddy_core.runs.model import RunEvent
from buddy_core.runs.records.json_values import printable_utf8

MOST_NAME = 200
"""Characters kept of a name."""

MOST_CONTENT = 4_000
"""Characters of content that leave, where the user asked for it; twice as many are looked at."""

Fields = Mapping[str, Any]


class Heard(NamedTuple):
    """One thing that happened."""

    kind: str
    """The event's type; `request`, `tool` and `failure` come from the collector, `caller` tells a host's span."""
    run_id: str | None
    at_ms: int
    what: Any


def heard_event(event: RunEvent, content: bool) -> Heard | None:
    """What a run's event means for spans; None for the many that mean nothing."""
    take = _TAKERS.get(event.type)
    if take is None:
        return None
    what = take(event.data)
    if content:
        what |= _content(event.type, event.data)
    return Heard(event.type, event.run_id, event.ts, what)


def heard_request(request: ApiRequest, run_id: str | None) -> Heard:
    """A recorded model request, under the run it belongs to."""
    return Heard("request", run_id, request.at_ms, request)


def heard_tool(tool: ToolExecution, run_id: str | None) -> Heard:
    """A recorded tool execution; its error text stays behind."""
    return Heard("tool", run_id, tool.at_ms, (tool.name, tool.duration_ms, tool.success))


def heard_failure(error: ErrorRecord, run_id: str | None, content: bool) -> Heard:
    """A recorded error; its message only where content was asked for."""
    what: dict[str, Any] = {"type": _name(error.type)}
    if content:
        what["content"] = {"message": _part(error.message)}
    return Heard("failure", run_id, error.timestamp, what)


def _started(data: Fields) -> dict[str, Any]:
    metadata = data.get("metadata")
    metadata = metadata if isinstance(metadata, Mapping) else {}
    tags = metadata.get("tags")
    return {
        "session": _name(metadata.get("sessionId")),
        "parent": _name(metadata.get("parentRolloutId")),
        "tags": [_name(tag) or "" for tag in tags[:16]] if isinstance(tags, list | tuple) else [],
    }


def _ended(data: Fields) -> dict[str, Any]:
    return {"status": _name(data.get("status"))}


def _step(data: Fields) -> dict[str, Any]:
    return {"step": _name(data.get("step")) or "step"}


def _called(data: Fields) -> dict[str, Any]:
    return {
        "name": _name(data.get("toolName")) or _name(data.get("name")) or "tool",
        "id": _name(data.get("toolCallId")) or _name(data.get("callId")) or _name(data.get("id")),
    }


def _answered(data: Fields) -> dict[str, Any]:
    duration = data.get("durationMs")
    return _called(data) | {
        "success": data.get("success") is not False,
        "error": _class_of(data.get("error")),
        "blocked": bool(data.get("blockedBy")),
        "duration_ms": duration if isinstance(duration, int | float) and 0 <= duration < 1e12 else None,
    }


def _error(data: Fields) -> dict[str, Any]:
    return {"type": _class_of(data.get("message") or data.get("error"))}


_TAKERS: dict[str, Callable[[Fields], dict[str, Any]]] = {
    "run_start": _started,
    "run_end": _ended,
    "step_start": _step,
    "step_end": lambda data: _step(data) | {"passed": data.get("passed")},
    "tool_call": _called,
    "tool_result": _answered,
    "error": _error,
}


def _content(type_: str, data: Fields) -> dict[str, Any]:
    """The parts that leave only when the user asked for content; masked later, in the background."""
    fields = {
        "run_start": ("objective",),
        "tool_call": ("args",),
        "tool_result": ("output", "result", "error"),
        "error": ("message",),
        "step_start": ("objective",),
    }.get(type_, ())
    return {"content": {name: _part(data[name]) for name in fields if name in data}}


def _part(value: object) -> object:
    """Texts are cut at once; anything else is only referred to, and looked at in the background."""
    return value[: 2 * MOST_CONTENT] if isinstance(value, str) else value


def _name(value: object) -> str | None:
    return printable_utf8(value[:MOST_NAME]) if isinstance(value, str) and value else None


def _class_of(message: object) -> str | None:
    """`ValueError` of `ValueError: no such thing`: the class is no content, the rest is."""
    if not isinstance(message, str):
        return None
    word, colon, _ = message[:MOST_NAME].partition(":")
    named = word.replace(".", "").replace("_", "").isalnum() and word.isascii()
    return word if colon and named and word.endswith(_CLASS_ENDS) else None


_CLASS_ENDS = ("Error", "Exception", "Exit", "Interrupt", "Timeout", "Warning", "Expired", "Found", "Closed")
