"""`with run.tool(...)` and `with run.step(...)`: the events of a call or a step, timed, whatever its body does."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from buddy_core.runs.store.describe import describe

if TYPE_CHECKING:
    from buddy_core.runs.store.run_context import Run


class ToolCall:
    """A tool call while it is made: say what came back, and its result is recorded when the body ends."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.call_id = f"call_{os.urandom(8).hex()}"
        self.error: str | None = None
        """Why it failed; None while it has not."""
        self.output_length: int | None = None
        """Characters of the output (bytes, where it is bytes)."""

    def returned(self, output: str | bytes | None = None, *, error: str | None = None) -> None:
        """Note the output's length, and an `error` where the call failed without raising; the output is not kept."""
        self.output_length = None if output is None else len(output)
        self.error = error


@contextmanager
def recorded_call(run: Run, name: str, args: Mapping[str, Any] | None) -> Iterator[ToolCall]:
    """What `Run.tool` returns. An exception is recorded as the failure of the call, and goes on its way."""
    call = ToolCall(name)
    known = {"toolName": name, "toolCallId": call.call_id}
    run.emit("tool_call", {**known, "args": dict(args or {})})
    began_ms = run.store.clock.monotonic_ms()
    try:
        yield call
    except BaseException as error:
        call.error = describe(error)
        raise
    finally:
        took_ms = run.store.clock.monotonic_ms() - began_ms
        run.emit("tool_result", {**known, "success": call.error is None, **_outcome(call, took_ms)})


@contextmanager
def recorded_step(run: Run, name: str, objective: str | None) -> Iterator[None]:
    """What `Run.step` returns. A step that an exception leaves has not passed, and its end says why."""
    run.emit("step_start", {"step": name, **({} if objective is None else {"objective": objective})})
    outcome: dict[str, Any] = {"passed": True}
    try:
        yield
    except BaseException as error:
        outcome = {"passed": False, "error": describe(error)}
        raise
    finally:
        run.emit("step_end", {"step": name, **outcome})


def _outcome(call: ToolCall, took_ms: float) -> dict[str, Any]:
    told: dict[str, Any] = {"durationMs": round(took_ms)}
    if call.output_length is not None:
        told["outputLength"] = call.output_length
    if call.error is not None:
        told["error"] = call.error
    return told
