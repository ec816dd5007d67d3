"""Events in, spans out: which span each event opens, ends or adds to.

A run is `invoke_agent <agent>`; its steps stand inside, in the order of their nesting; requests (`chat <model>`)
and tool calls (`execute_tool <name>`) stand under the innermost step that is open. Everything happens in
one background thread, so nothing here is locked.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import Any

from opentelemetry.context import Context
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    Tracer,
    set_span_in_context,
)

from buddy_core.metrics.model import ApiRequest
from buddy_core.runs.records.json_values import Cleaner, printable_utf8
from buddy_core.safety.redact import redact_value
from buddy_core.telemetry.spans import genai
from buddy_core.telemetry.spans.heard import MOST_CONTENT, Heard
from buddy_core.telemetry.spans.ids import RunIds, context_of
from buddy_core.telemetry.spans.openrun import Attributes, OpenRun, input_tokens, known, nanos

MOST_RUNS = 256
"""Runs whose spans may be open at once; the oldest is closed, marked unfinished, when another one comes."""

MOST_REMEMBERED = 1_024
"""Ended runs whose span is remembered, so that a fork can link to it."""

TOOL_ERROR = "tool_error"
"""`error.type` of a failed tool whose error names no class; the collector's word for the same."""


class SpanBook:
    """The open spans of all runs.

    Args:
        tracer: Starts the spans.
        ids: The id generator of the tracer's provider where it is ours: a run's ids then follow from its name.
        agent: The name of the agent, for `gen_ai.agent.name`.
    """

    def __init__(self, tracer: Tracer, ids: RunIds | None, agent: str) -> None:
        self._tracer = tracer
        self._ids = ids
        self._agent = agent
        self._runs: OrderedDict[str, OpenRun] = OrderedDict()
        self._ended: OrderedDict[str, SpanContext] = OrderedDict()
        self.skipped = 0
        """Events that could not be made into spans: not understood, or of a run that has ended."""
        self._handlers: Mapping[str, Callable[[Heard], None]] = {
            "run_start": self._run_started,
            "run_end": self._run_ended,
            "step_start": self._step_started,
            "step_end": self._step_ended,
            "tool_call": self._tool_called,
            "tool_result": self._tool_answered,
            "error": self._failed,
            "failure": self._failed,
            "request": self._requested,
            "tool": self._tool_executed,
        }

    def take(self, batch: list[Heard], breathe: Callable[[], None]) -> None:
        """Work through a batch in order; one item that cannot be understood does not stop the next.

        `breathe` is called between items.
        """
        for heard in batch:
            breathe()
            try:
                self._handlers[heard.kind](heard)
            except Exception:  # noqa: BLE001 - what was recorded may be anything
                self.skipped += 1

    def close_all(self, at_ms: int) -> None:
        """Close what is open, marked unfinished: the process is about to end, or nobody listens any more."""
        while self._runs:
            run_id, run = self._runs.popitem()
            run.span.set_attribute(genai.UNFINISHED, True)
            self._remember(run_id, run)
            run.close(at_ms)

    def _run_started(self, heard: Heard) -> None:
        what, run_id = heard.what, heard.run_id or ""
        common = known({genai.RUN_ID: run_id, genai.CONVERSATION: what.get("session")})
        attributes: Attributes = {
            **common,
            genai.OPERATION: genai.INVOKE_AGENT,
            genai.AGENT_NAME: self._agent,
            genai.TAGS: what.get("tags") or None,
            genai.PARENT_RUN: what.get("parent"),
            genai.OBJECTIVE: _content(what, "objective"),
        }
        with self._ids.of(run_id) if self._ids else nullcontext():
            span = self._tracer.start_span(
                f"{genai.INVOKE_AGENT} {self._agent}",
                context=Context(),
                kind=SpanKind.INTERNAL,
                attributes=known(attributes),
                links=self._links(what),
                start_time=nanos(heard.at_ms),
            )
        self._runs[run_id] = OpenRun(self._tracer, span, heard.at_ms, common)
        if len(self._runs) > MOST_RUNS:
            oldest, run = self._runs.popitem(last=False)
            run.span.set_attribute(genai.UNFINISHED, True)
            self._remember(oldest, run)
            run.close(heard.at_ms)

    def _links(self, what: Mapping[str, Any]) -> list[Link]:
        links = []
        parent, caller = what.get("parent"), what.get("caller")
        if parent and (context := self._context_of(parent)):
            links.append(Link(context, {genai.LINK: "fork", genai.PARENT_RUN: parent}))
        if caller is not None:
            links.append(Link(caller, {genai.LINK: "caller"}))
        return links

    def _context_of(self, run_id: str) -> SpanContext | None:
        """Where a run's span is, or was; of runs of other processes only where ids follow from names."""
        if (run := self._runs.get(run_id)) is not None:
            return run.span.get_span_context()
        if run_id in self._ended:
            return self._ended[run_id]
        return context_of(run_id) if self._ids else None

    def _run_ended(self, heard: Heard) -> None:
        run = self._run(heard)
        del self._runs[heard.run_id or ""]
        self._remember(heard.run_id or "", run)
        status = heard.what.get("status")
        run.span.set_attributes(known({genai.RUN_STATUS: status}))
        if status == "failed":
            run.span.set_attribute(genai.ERROR_TYPE, run.error_type or genai.OTHER_ERROR)
            run.span.set_status(Status(StatusCode.ERROR))
        run.close(heard.at_ms)

    def _remember(self, run_id: str, run: OpenRun) -> None:
        self._ended[run_id] = run.span.get_span_context()
        if len(self._ended) > MOST_REMEMBERED:
            self._ended.popitem(last=False)

    def _run(self, heard: Heard) -> OpenRun:
        """The run an event belongs to; one that began before anybody listened begins with this event."""
        run_id = heard.run_id or ""
        if run_id in self._ended:
            raise LookupError("the run has ended")
        if run_id not in self._runs:
            self._run_started(heard._replace(what={}))
        return self._runs[run_id]

    def _step_started(self, heard: Heard) -> None:
        step = heard.what["step"]
        attributes = {genai.STEP: step, genai.OBJECTIVE: _content(heard.what, "objective")}
        self._run(heard).open_part(f"step {step}", step, heard.at_ms, attributes, id=None, tool=False)

    def _step_ended(self, heard: Heard) -> None:
        self._run(heard).close_step(heard.what["step"], heard.at_ms, heard.what.get("passed"))

    def _tool_called(self, heard: Heard) -> None:
        name, id_ = heard.what["name"], heard.what["id"]
        attributes = _tool(name) | {
            genai.TOOL_CALL_ID: id_,
            genai.TOOL_ARGUMENTS: _content(heard.what, "args"),
        }
        title = f"{genai.EXECUTE_TOOL} {name}"
        self._run(heard).open_part(title, name, heard.at_ms, attributes, id=id_, tool=True)

    def _tool_answered(self, heard: Heard) -> None:
        run, what = self._run(heard), heard.what
        run.has_tools = True
        call = run.take_call(what["name"], what["id"])
        if call is None:
            began_ms = heard.at_ms - (what["duration_ms"] or 0)
            attributes = _tool(what["name"]) | {genai.TOOL_CALL_ID: what["id"], genai.UNCALLED: True}
            span = run.start(f"{genai.EXECUTE_TOOL} {what['name']}", int(began_ms), attributes)
        else:
            span, began_ms = call.span, call.began_ms
        result = _content(what, "output") or _content(what, "result") or _content(what, "error")
        span.set_attributes(known({genai.TOOL_RESULT: result}))
        if not what["success"]:
            span.set_attribute(
                genai.ERROR_TYPE, what["error"] or ("blocked" if what["blocked"] else TOOL_ERROR)
            )
            span.set_status(Status(StatusCode.ERROR))
        span.end(nanos(max(heard.at_ms, began_ms)))

    def _failed(self, heard: Heard) -> None:
        """An error is an event on the innermost open span; a tool's is told by the tool's own span."""
        run = self._runs.get(heard.run_id or "")
        type_ = heard.what["type"] or genai.OTHER_ERROR
        if run is None or (type_ == TOOL_ERROR and run.has_tools):
            return
        run.error_type = type_ if type_ != genai.OTHER_ERROR else run.error_type
        attributes = {
            genai.EXCEPTION_TYPE: type_,
            genai.EXCEPTION_MESSAGE: _content(heard.what, "message"),
        }
        run.innermost().add_event(genai.EXCEPTION_EVENT, known(attributes), nanos(heard.at_ms))

    def _requested(self, heard: Heard) -> None:
        request: ApiRequest = heard.what
        run = self._runs.get(heard.run_id or "")
        attributes = _request(request)
        title = f"{genai.CHAT} {attributes[genai.MODEL]}"
        began_ms = heard.at_ms - (request.latency_ms or 0)
        if run is not None:
            run.totals.add(request)
            run.span.set_attributes({key: attributes[key] for key in (genai.PROVIDER, genai.MODEL)})
        span = self._start(run, heard.run_id, title, began_ms, attributes, SpanKind.CLIENT)
        if not request.success:
            span.set_attribute(genai.ERROR_TYPE, genai.OTHER_ERROR)
            span.set_status(Status(StatusCode.ERROR))
        span.end(nanos(heard.at_ms))

    def _tool_executed(self, heard: Heard) -> None:
        """What the collector says of a tool, unless the run records its calls itself."""
        run = self._runs.get(heard.run_id or "")
        if run is not None and run.has_tools:
            return
        name, duration_ms, success = heard.what
        title = f"{genai.EXECUTE_TOOL} {name}"
        began_ms = heard.at_ms - (duration_ms or 0)
        span = self._start(run, heard.run_id, title, began_ms, _tool(name), SpanKind.INTERNAL)
        if not success:
            span.set_attribute(genai.ERROR_TYPE, TOOL_ERROR)
            span.set_status(Status(StatusCode.ERROR))
        span.end(nanos(heard.at_ms))

    def _start(
        self,
        run: OpenRun | None,
        run_id: str | None,
        title: str,
        began_ms: float,
        attributes: Attributes,
        kind: SpanKind,
    ) -> Any:  # noqa: ANN401 - a Span, of whichever provider
        """A span in its run; of a run that has ended or is another process's, under where its span is."""
        if run is not None:
            return run.start(title, int(began_ms), attributes, kind)
        above = self._context_of(run_id) if run_id else None
        return self._tracer.start_span(
            title,
            context=set_span_in_context(NonRecordingSpan(above), Context()) if above else Context(),
            kind=kind,
            attributes=known({genai.RUN_ID: run_id, **attributes}),
            start_time=nanos(began_ms),
        )


def _tool(name: str) -> dict[str, Any]:
    return {genai.OPERATION: genai.EXECUTE_TOOL, genai.TOOL_NAME: name}


def _request(request: ApiRequest) -> dict[str, Any]:
    """Token counts are left out where none was stated: a request without a token is one nobody counted."""
    counted = request.total_tokens > 0
    return {
        genai.OPERATION: genai.CHAT,
        genai.PROVIDER: printable_utf8(genai.provider_name(request.provider)),
        genai.MODEL: printable_utf8(request.model),
        genai.INPUT_TOKENS: input_tokens(request) if counted else None,
        genai.OUTPUT_TOKENS: request.completion_tokens if counted else None,
        genai.CACHE_READ_TOKENS: request.cache_read_tokens or None,
        genai.CACHE_WRITE_TOKENS: request.cache_write_tokens or None,
        genai.FIRST_CHUNK: None if request.ttft_ms is None else request.ttft_ms / 1000,
        genai.COST: request.cost,
    }


def _content(what: Mapping[str, Any], name: str) -> str | None:
    """A part of the content the user asked for, masked by the names inside it and cut; None without one."""
    value = what.get("content", {}).get(name)
    if value is None:
        return None
    # What is cut is cut before it is masked, at twice the length: a secret cut in two is past the end.
    masked = redact_value(Cleaner(room=2 * MOST_CONTENT).cleaned(value), name=name)
    text = masked if isinstance(masked, str) else json.dumps(masked, ensure_ascii=False)
    return text[:MOST_CONTENT]
