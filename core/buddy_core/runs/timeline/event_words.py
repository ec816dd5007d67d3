"""What one event says to a person: a detail of one line, how it ended, how long it took.

Everything here is observed text and stays hostile until the screen makes it printable.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

from buddy_core.runs.records.json_values import count_of, number_of, printable_utf8
from buddy_core.runs.toolargs import MAX_ARGUMENT, compact_json, key_argument

State = Literal["ok", "failed", "running", "refused", "info", "error"]
"""How an event stands: a call that has no result yet is running, one that was not allowed is refused."""

MAX_ERROR = 2_000
"""Characters kept of an error text."""

Payload = Mapping[str, Any]


class Words(NamedTuple):
    """What a payload says."""

    detail: str = ""
    state: State = "info"
    duration_ms: float | None = None
    output_bytes: int | None = None
    error: str | None = None


def describe(kind: str, data: Payload) -> Words:
    """Words for an event of any type; of unknown ones, their payload as compact JSON."""
    writer = _WRITERS.get(kind)
    return writer(data) if writer is not None else Words(compact_json(data) if data else "")


def tool_name(data: Payload) -> str:
    """The tool of a call or a result, under any of the names it is found under."""
    return text(data.get("toolName")) or text(data.get("name")) or "(unnamed)"


def call_id(data: Payload) -> str | None:
    """What joins a call with its result; None where the record has nothing of the kind."""
    return next((str(value) for name in _ID_NAMES if (value := data.get(name))), None)


def text(value: object, limit: int = MAX_ARGUMENT) -> str:
    """An observed value as text of at most `limit` characters; nothing is empty text."""
    if value is None:
        return ""
    if not isinstance(value, str):
        return compact_json(value, limit)
    return printable_utf8(value if len(value) <= limit else value[: limit - 1] + "…")


_ID_NAMES = ("toolCallId", "callId", "id")


def _call(data: Payload) -> Words:
    return Words(key_argument(tool_name(data), data.get("args")), "running")


def _result(data: Payload) -> Words:
    blocked = text(data.get("blockedBy"))
    failed = data.get("success") in (False, "false", 0)
    message = text(data.get("error"), MAX_ERROR) if failed or blocked else ""
    return Words(
        detail=f"blocked by {blocked}" if blocked else "",
        state="refused" if blocked else "failed" if failed else "ok",
        duration_ms=number_of(data.get("durationMs")),
        output_bytes=count_of(data.get("outputLength")),
        error=message or None,
    )


def _run_end(data: Payload) -> Words:
    status = text(data.get("status"))
    state: State = "ok" if status == "completed" else "failed" if status == "failed" else "info"
    return Words(_joined(status, text(data.get("finalAnswer"))), state)


def _step_start(data: Payload) -> Words:
    return Words(_joined(text(data.get("step")), text(data.get("objective"))), "running")


def _step_end(data: Payload) -> Words:
    passed = data.get("passed")
    verdict = "" if passed is None else "passed" if passed else "not passed"
    state: State = "info" if passed is None else "ok" if passed else "failed"
    output = count_of(data.get("outputLength"))
    error = text(data.get("error")) or None if state == "failed" else None
    return Words(_joined(text(data.get("step")), verdict), state, output_bytes=output, error=error)


def _decision(data: Payload) -> Words:
    kind = text(data.get("kind"))
    if data.get("description"):
        return Words(text(data.get("description")))
    if kind == "fork":
        return Words(_joined(f"fork of {text(data.get('parentRunId'))}", text(data.get("reason"))))
    if kind == "provider_fallback":
        target = _joined(text(data.get("to")), text(data.get("toModel")), between=" ")
        change = f"fallback from {text(data.get('from'))} to {target}"
        return Words(_joined(change, text(data.get("reason"))))
    fields = {name: value for name, value in data.items() if name != "kind"}
    refused = kind == "tool_filter_block"
    words = _joined(kind.replace("_", " "), compact_json(fields) if fields else "")
    return Words(words, "refused" if refused else "info")


def _error(data: Payload) -> Words:
    message = text(data.get("message") or data.get("error") or dict(data) or None, MAX_ERROR)
    return Words(state="error", error=message or None)


def _patch_applied(data: Payload) -> Words:
    applied = data.get("filesApplied")
    if isinstance(applied, list):
        return Words(_joined(f"{len(applied)} files", text(", ".join(text(name) for name in applied[:9]))))
    count = count_of(applied)
    return Words(text(applied) if count is None else "1 file" if count == 1 else f"{count} files")


def _metric(data: Payload) -> Words:
    if data.get("kind") == "api_request":
        return _request(data)
    if data.get("kind") == "value":
        labels = data.get("labels")
        value = f"{text(data.get('name'))} = {text(data.get('value'))}"
        return Words(_joined(value, compact_json(labels) if labels else ""))
    return Words(compact_json(data))


def _request(data: Payload) -> Words:
    failed = data.get("success") in (False, "false", 0)
    model = _joined(text(data.get("provider")), text(data.get("model")), between="/")
    return Words(
        detail=_joined(model, "failed" if failed else _tokens(data)),
        state="failed" if failed else "ok",
        duration_ms=number_of(data.get("latencyMs")),
    )


def _tokens(data: Payload) -> str:
    """As far as they are stated; nothing of a request that states none."""
    kinds = (count_of(data.get(name)) for name in ("promptTokens", "cacheReadTokens", "cacheWriteTokens"))
    into = [kind for kind in kinds if kind is not None]
    out = count_of(data.get("completionTokens"))
    told = [f"{sum(into):,} tokens in"] if into else []
    if out is not None:
        told.append(f"{out:,} out" if into else f"{out:,} tokens out")
    return ", ".join(told)


def _joined(*parts: str, between: str = ": ") -> str:
    return between.join(part for part in parts if part)


_WRITERS: dict[str, Callable[[Payload], Words]] = {
    "run_start": lambda data: Words(text(data.get("objective"))),
    "run_end": _run_end,
    "step_start": _step_start,
    "step_end": _step_end,
    "tool_call": _call,
    "tool_result": _result,
    "decision": _decision,
    "error": _error,
    "patch_created": lambda data: Words(text(data.get("artifact") or data.get("path"))),
    "patch_applied": _patch_applied,
    "metric": _metric,
}
