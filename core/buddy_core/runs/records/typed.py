"""Events decoded for counting: the payloads that carry numbers in the same pass as their lines.

A line whose type is known and whose payload has the writer's types becomes a `Line`. Whatever does not is decoded as
a `WireEvent`, as everywhere else, so the two ways of reading accept exactly the same lines.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, TypeAlias, Union, cast

import msgspec

from buddy_core.runs.records.payloads import MetricData, StepData, ToolCallData, ToolResultData
from buddy_core.runs.records.wire import (
    EMPTY_DATA,
    EVENTS,
    FIRST_REAL_MS,
    LAST_REAL_MS,
    Mend,
    Timed,
    WireEvent,
)

Moment: TypeAlias = Annotated[int, msgspec.Meta(ge=FIRST_REAL_MS, le=LAST_REAL_MS)]
"""What `WireEvent` takes as the time of an event."""


class Line(msgspec.Struct, frozen=True, gc=False, tag_field="type"):
    """What every typed line has; its class says its type."""

    ts: Moment
    run_id: str | None = msgspec.field(default=None, name="runId")


class CallData(ToolCallData, rename="camel", frozen=True, gc=False):
    """The payload of a call with its arguments, which are decoded only when somebody looks."""

    args: msgspec.Raw = msgspec.Raw(b"null")


class CallLine(Line, frozen=True, gc=False, tag="tool_call"):
    """A `tool_call`."""

    data: CallData = CallData()


class ResultLine(Line, frozen=True, gc=False, tag="tool_result"):
    """A `tool_result`."""

    data: ToolResultData = ToolResultData()


class MetricLine(Line, frozen=True, gc=False, tag="metric"):
    """A `metric`."""

    data: MetricData = MetricData()


class StepStartLine(Line, frozen=True, gc=False, tag="step_start"):
    """A `step_start`."""

    data: StepData = StepData()


class StepEndLine(Line, frozen=True, gc=False, tag="step_end"):
    """A `step_end`."""

    data: StepData = StepData()


class PlainLine(Line, frozen=True, gc=False):
    """An event of which there are few: its payload stays as it stands on disk."""

    data: msgspec.Raw = EMPTY_DATA


def _plain_line(kind: str) -> type[PlainLine]:
    name = f"PlainLine_{kind}"
    line = msgspec.defstruct(name, [], bases=(PlainLine,), tag=kind, frozen=True, gc=False, module=__name__)
    return cast("type[PlainLine]", line)


_FEW = (
    "run_start",
    "run_end",
    "decision",
    "error",
    "patch_created",
    "patch_applied",
)

PLAIN_LINES = {kind: _plain_line(kind) for kind in _FEW}
"""The class of each type whose payload is not typed; a type that stands nowhere here is a `WireEvent`."""

TypedEvent: TypeAlias = (
    CallLine | ResultLine | MetricLine | StepStartLine | StepEndLine | PlainLine | WireEvent
)
"""Any record of `TypedDialect`; all of them have `ts`, `run_id` and `data`."""

_TYPED = (CallLine, ResultLine, MetricLine, StepStartLine, StepEndLine, *PLAIN_LINES.values())
_typed: Callable[[bytes], TypedEvent] = msgspec.json.Decoder(Union[_TYPED]).decode  # noqa: UP007


class TypedDialect:
    """Lines of `events.jsonl` for whoever counts."""

    shape = EVENTS.shape
    bulk = staticmethod(_typed)

    def strict(self, text: bytes, /) -> TypedEvent:
        """As `EVENTS` does, typed where that can be had."""
        try:
            return _typed(text)
        except (ValueError, RecursionError):
            return EVENTS.strict(text)

    def loose(self, text: bytes, previous: Timed | None, mend: Mend) -> TypedEvent | None:
        """As `EVENTS` does."""
        return EVENTS.loose(text, previous, mend)


TYPED_EVENTS = TypedDialect()
"""The dialect of `events.jsonl` for whoever counts."""
