"""Lines of an event file decoded for an index: of each payload only what decides how events belong together.

Everything else in a line is checked and passed over without an object being made of it. A line whose payload
has not the writer's types comes as a `WireEvent`, so that an index and a timeline accept the same lines.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias, Union

import msgspec

from buddy_core.runs.records.typed import Line
from buddy_core.runs.records.wire import EVENTS, Mend, Timed, WireEvent


class CallNames(msgspec.Struct, rename="camel", frozen=True, gc=False):
    """Under which names a call and its result may have their tool and their id."""

    tool_name: str | None = None
    name: str | None = None
    tool_call_id: str | None = None
    call_id: str | None = None
    id: str | None = None


class ResultNames(CallNames, rename="camel", frozen=True, gc=False):
    """How the call went."""

    success: bool = True
    duration_ms: float | None = None
    blocked_by: str | None = None


class RequestHead(msgspec.Struct, rename="camel", frozen=True, gc=False):
    """What a metric is of, and of a request whether it went well and how long it took."""

    kind: str = ""
    success: bool = True
    latency_ms: float | None = None


class StepHead(msgspec.Struct, frozen=True, gc=False):
    """The name of a step and, at its end, the verdict."""

    step: str = ""
    passed: bool | None = None


class RunVerdict(msgspec.Struct, frozen=True, gc=False):
    """How a run ended."""

    status: str | None = None


class DecisionHead(msgspec.Struct, frozen=True, gc=False):
    """What was decided on."""

    kind: str | None = None
    description: str | None = None


class IndexCall(Line, frozen=True, gc=False, tag="tool_call"):
    """A `tool_call`."""

    data: CallNames = CallNames()


class IndexResult(Line, frozen=True, gc=False, tag="tool_result"):
    """A `tool_result`."""

    data: ResultNames = ResultNames()


class IndexMetric(Line, frozen=True, gc=False, tag="metric"):
    """A `metric`."""

    data: RequestHead = RequestHead()


class IndexStepStart(Line, frozen=True, gc=False, tag="step_start"):
    """A `step_start`."""

    data: StepHead = StepHead()


class IndexStepEnd(Line, frozen=True, gc=False, tag="step_end"):
    """A `step_end`."""

    data: StepHead = StepHead()


class IndexRunEnd(Line, frozen=True, gc=False, tag="run_end"):
    """A `run_end`."""

    data: RunVerdict = RunVerdict()


class IndexDecision(Line, frozen=True, gc=False, tag="decision"):
    """A `decision`."""

    data: DecisionHead = DecisionHead()


class IndexFault(Line, frozen=True, gc=False, tag="error"):
    """An `error`."""


class IndexRunStart(Line, frozen=True, gc=False, tag="run_start"):
    """A `run_start`."""


class IndexCreated(Line, frozen=True, gc=False, tag="patch_created"):
    """A `patch_created`."""


class IndexApplied(Line, frozen=True, gc=False, tag="patch_applied"):
    """A `patch_applied`."""


IndexLine: TypeAlias = (
    IndexCall
    | IndexResult
    | IndexMetric
    | IndexStepStart
    | IndexStepEnd
    | IndexRunEnd
    | IndexDecision
    | IndexFault
    | IndexRunStart
    | IndexCreated
    | IndexApplied
    | WireEvent
)
"""Any record of `IndexDialect`: all of them have a time, and a payload where it matters."""

TYPED = (
    IndexCall,
    IndexResult,
    IndexMetric,
    IndexStepStart,
    IndexStepEnd,
    IndexRunEnd,
    IndexDecision,
    IndexFault,
    IndexRunStart,
    IndexCreated,
    IndexApplied,
)
_typed: Callable[[bytes], IndexLine] = msgspec.json.Decoder(Union[TYPED]).decode  # noqa: UP007


class IndexDialect:
    """Lines of `events.jsonl` for an index."""

    shape = EVENTS.shape
    bulk = staticmethod(_typed)

    def strict(self, text: bytes, /) -> IndexLine:
        """As `EVENTS` does, typed where that can be had."""
        try:
            return _typed(text)
        except (ValueError, RecursionError):
            return EVENTS.strict(text)

    def loose(self, text: bytes, previous: Timed | None, mend: Mend) -> IndexLine | None:
        """As `EVENTS` does."""
        return EVENTS.loose(text, previous, mend)


INDEX_LINES = IndexDialect()
"""The dialect of `events.jsonl` for an index."""
