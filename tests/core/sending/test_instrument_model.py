"""Whatever the order of events, the spans are a forest that adds up (hypothesis; no network)."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from buddy_core import ApiRequest, RunEvent
from buddy_core.telemetry.spans.book import SpanBook
from buddy_core.telemetry.spans.heard import Heard, heard_event, heard_request, heard_tool
from buddy_core.telemetry.spans.ids import RunIds, context_of

RUNS = ("run_a", "run_b", "run_c")
NAMES = st.sampled_from(["x", "y", "z"])
CALL_IDS = st.sampled_from([None, "1", "2", "3"])

EVENTS = st.one_of(
    st.tuples(st.just("step_start"), st.fixed_dictionaries({"step": NAMES})),
    st.tuples(st.just("step_end"), st.fixed_dictionaries({"step": NAMES})),
    st.tuples(st.just("tool_call"), st.fixed_dictionaries({"toolName": NAMES, "toolCallId": CALL_IDS})),
    st.tuples(
        st.just("tool_result"),
        st.fixed_dictionaries({"toolName": NAMES, "toolCallId": CALL_IDS, "success": st.booleans()}),
    ),
    st.tuples(st.just("error"), st.just({"message": "OSError: x"})),
    st.tuples(st.just("request"), st.just({})),
    st.tuples(
        st.just("run_end"), st.fixed_dictionaries({"status": st.sampled_from(["completed", "failed"])})
    ),
)


def told(type_: str, run_id: str, at_ms: int, data: dict[str, Any]) -> Heard:
    """What the hooks would hand to the book."""
    if type_ == "request":
        return heard_request(ApiRequest("p", "m", 5, latency_ms=3, run_id=run_id, at_ms=at_ms), run_id)
    heard = heard_event(RunEvent(at_ms, type_, run_id, data), content=False)
    assert heard is not None
    return heard


@settings(deadline=None, max_examples=150)
@given(st.lists(st.tuples(st.sampled_from(RUNS), EVENTS, st.integers(-5, 50)), max_size=60))
def test_every_span_ends_after_it_began_under_a_span_of_its_own_run(steps: list[Any]) -> None:
    kept, ids = InMemorySpanExporter(), RunIds()
    provider = TracerProvider(id_generator=ids, shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(kept))
    book = SpanBook(provider.get_tracer("t"), ids, "agent")
    now, asked, ended = 1_000_000, Counter[str](), set[str]()
    for run_id in RUNS:
        book.take([told("run_start", run_id, now, {})], lambda: None)
    for run_id, (type_, data), passed_ms in steps:
        now += passed_ms  # the clock may step back
        book.take([told(type_, run_id, now, data)], lambda: None)
        if type_ == "request" or run_id not in ended:
            asked[type_] += 1
        if type_ == "run_end":
            ended.add(run_id)
    book.close_all(now)
    _adds_up(kept.get_finished_spans(), asked)


def _adds_up(spans: tuple[ReadableSpan, ...], asked: Counter[str]) -> None:
    by_id = {span.context.span_id: span for span in spans if span.context}
    assert len(by_id) == len(spans)
    for span in spans:
        assert span.context is not None
        assert span.start_time is not None
        assert span.end_time is not None
        assert span.start_time <= span.end_time
        run_id = str((span.attributes or {})["codebuddy.run.id"])
        assert span.context.trace_id == context_of(run_id).trace_id
        if span.parent is None:
            assert span.context.span_id == context_of(run_id).span_id
        else:
            parent = by_id[span.parent.span_id]
            assert (parent.attributes or {})["codebuddy.run.id"] == run_id
    names = Counter(span.name.split()[0] for span in spans)
    assert names["invoke_agent"] == len(RUNS)
    assert names["chat"] == asked["request"]
    assert names["step"] == asked["step_start"]
    assert asked["tool_call"] <= names["execute_tool"] <= asked["tool_call"] + asked["tool_result"]


def test_a_tool_that_the_collector_tells_of_needs_no_run() -> None:
    from buddy_core import ToolExecution

    kept = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(kept))
    book = SpanBook(provider.get_tracer("t"), None, "agent")
    book.take([heard_tool(ToolExecution("t", 5.0, at_ms=1_000), None)], lambda: None)
    (span,) = kept.get_finished_spans()
    assert (span.parent, span.start_time, span.end_time) == (None, 995_000_000, 1_000_000_000)
