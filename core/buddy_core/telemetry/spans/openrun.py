"""One run whose spans are open: its own, its steps, and its tool calls that wait for a result."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer, set_span_in_context
from opentelemetry.util.types import AttributeValue

from buddy_core.metrics.model import ApiRequest
from buddy_core.telemetry.spans import genai

MOST_OPEN = 256
"""Spans of one run that may be open at once; what comes on top is counted on the run's span."""

Attributes = Mapping[str, AttributeValue | None]


@dataclass(slots=True)
class OpenSpan:
    """A span that has begun, under the name and id by which its end will be known."""

    span: Span
    name: str
    began_ms: int
    id: str | None = None
    is_tool: bool = False


@dataclass(slots=True)
class Totals:
    """What a run's requests came to."""

    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read: int = 0
    cache_write: int = 0
    cost: float | None = None

    def add(self, request: ApiRequest) -> None:
        """Count one request; a cost nobody stated stays unknown."""
        self.requests += 1
        self.input_tokens += input_tokens(request)
        self.output_tokens += request.completion_tokens
        self.cache_read += request.cache_read_tokens
        self.cache_write += request.cache_write_tokens
        if request.cost is not None:
            self.cost = (self.cost or 0.0) + request.cost

    def attributes(self) -> Attributes:
        """None of them where no request was recorded: unknown is not zero."""
        if not self.requests:
            return {}
        return {
            genai.INPUT_TOKENS: self.input_tokens,
            genai.OUTPUT_TOKENS: self.output_tokens,
            genai.CACHE_READ_TOKENS: self.cache_read or None,
            genai.CACHE_WRITE_TOKENS: self.cache_write or None,
            genai.COST: self.cost,
        }


@dataclass(slots=True)
class OpenRun:
    """The spans of one run between its first event and its end."""

    tracer: Tracer
    span: Span
    began_ms: int
    common: Attributes
    """Attributes of the run that its parts carry too: ids of run and conversation."""
    totals: Totals = field(default_factory=Totals)
    parts: list[OpenSpan] = field(default_factory=list)
    """Steps and calls, in the order in which they began."""
    has_tools: bool = False
    """True once the run itself recorded a call: the collector's word on tools would count them twice."""
    dropped: int = 0
    error_type: str | None = None

    def innermost(self) -> Span:
        """The step that began last and has not ended, else the run."""
        return next((part.span for part in reversed(self.parts) if not part.is_tool), self.span)

    def start(
        self, name: str, at_ms: int, attributes: Attributes, kind: SpanKind = SpanKind.INTERNAL
    ) -> Span:
        """A span under the innermost open step."""
        return self.tracer.start_span(
            name,
            context=set_span_in_context(self.innermost()),
            kind=kind,
            attributes=known({**self.common, **attributes}),
            start_time=nanos(at_ms),
        )

    def open_part(
        self, title: str, part_name: str, at_ms: int, attributes: Attributes, *, id: str | None, tool: bool
    ) -> None:
        """Begin a step or a call, unless too many are open."""
        self.has_tools |= tool
        if len(self.parts) >= MOST_OPEN:
            self.dropped += 1
            return
        span = self.start(title, at_ms, attributes)
        self.parts.append(OpenSpan(span, part_name, at_ms, id, tool))

    def close_step(self, name: str, at_ms: int, passed: object) -> None:
        """End the step of this name that began last, and those inside it whose end never came."""
        steps = [part for part in self.parts if not part.is_tool]
        found = next((step for step in reversed(steps) if step.name == name), None)
        if found is None:
            return
        inner = steps[steps.index(found) + 1 :]
        for part in inner:
            self._close_unfinished(part, at_ms)
        if passed is False:
            found.span.set_status(Status(StatusCode.ERROR))
            found.span.set_attribute(genai.ERROR_TYPE, genai.OTHER_ERROR)
        self._close(found, at_ms)

    def take_call(self, name: str, id: str | None) -> OpenSpan | None:
        """The open call that a result answers: by id, else the first of that name without one."""
        calls = [part for part in self.parts if part.is_tool]
        matching = (call for call in calls if call.id == id) if id else None
        found = next(matching, None) if matching else None
        if found is None:
            found = next((call for call in calls if call.name == name and not (id and call.id)), None)
        if found is not None:
            self.parts.remove(found)
        return found

    def close(self, at_ms: int) -> None:
        """End the run's span, and everything in it that is still open."""
        for part in reversed(list(self.parts)):
            self._close_unfinished(part, at_ms)
        totals = {**self.totals.attributes(), genai.DROPPED: self.dropped or None}
        self.span.set_attributes(known(totals))
        self.span.end(nanos(max(at_ms, self.began_ms)))

    def _close_unfinished(self, part: OpenSpan, at_ms: int) -> None:
        part.span.set_attribute(genai.UNFINISHED, True)
        self._close(part, at_ms)

    def _close(self, part: OpenSpan, at_ms: int) -> None:
        self.parts.remove(part)
        part.span.end(nanos(max(at_ms, part.began_ms)))


def input_tokens(request: ApiRequest) -> int:
    """All input, cached or not, as the conventions count it."""
    return request.prompt_tokens + request.cache_read_tokens + request.cache_write_tokens


def known(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Only what is known: None is left out."""
    return {name: value for name, value in _items(attributes) if value is not None}


def _items(attributes: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    yield from attributes.items()


def nanos(at_ms: float) -> int:
    """Wall milliseconds in the nanoseconds of spans, exact to the microsecond; never before the epoch nor past what the wire holds."""
    return min(max(0, round(at_ms * 1_000) * 1_000), 2**63 - 1)
