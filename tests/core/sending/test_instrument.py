"""Runs, steps, requests and tools become spans with OpenTelemetry's GenAI conventions, read back off the wire."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from tests.core.sending.otlp_receiver import OtlpReceiver
from tests.core.sending.tracing_bench import RUN, T0, Bench, begin

from buddy_core import (
    init_tracing,
    instrument,
    shutdown_observability,
)

Start = Callable[..., Bench]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    with OtlpReceiver() as receiver:
        yield partial(begin, receiver, tmp_path)
        shutdown_observability()


@pytest.fixture
def bench(start: Start) -> Bench:
    return start()


def test_a_run_is_an_invoke_agent_span_from_its_start_to_its_end(bench: Bench) -> None:
    run = bench.store.start_run("say nothing", {"session_id": "s1", "tags": ["headless", "opus"]})
    bench.clock.advance(1500)
    bench.store.end_run(run, "completed")
    span = bench.one(RUN)
    assert (span.start_ms, span.end_ms, span.status, span.parent_id) == (T0, T0 + 1500, 0, "")
    assert span.kind == 1  # internal
    assert span.attributes == {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": "codebuddy",
        "gen_ai.conversation.id": "s1",
        "codebuddy.run.id": run,
        "codebuddy.run.tags": ["headless", "opus"],
        "codebuddy.run.status": "completed",
    }
    assert span.resource["service.name"] == "codebuddy"
    assert "process.command_line" not in span.resource
    assert not any("host" in name for name in span.resource)


def test_a_request_ends_now_and_began_its_latency_earlier(bench: Bench) -> None:
    run = bench.store.start_run("x")
    bench.clock.advance(5000)
    bench.collector.record_api_request(
        provider="anthropic",
        model="opus",
        prompt_tokens=10,
        completion_tokens=7,
        cache_read_tokens=100,
        cache_write_tokens=5,
        cost=0.25,
        latency_ms=1200,
        ttft_ms=300,
        run_id=run,
    )
    bench.store.end_run(run, "completed")
    span, whole = bench.one("chat opus"), bench.receiver.named(RUN)
    assert (span.start_ms, span.end_ms) == (T0 + 3800, T0 + 5000)
    assert (span.parent_id, span.trace_id, span.kind) == (whole.span_id, whole.trace_id, 3)  # client
    expected = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "anthropic",
        "gen_ai.request.model": "opus",
        "gen_ai.usage.input_tokens": 115,  # cached ones too, as the conventions count
        "gen_ai.usage.output_tokens": 7,
        "gen_ai.usage.cache_read.input_tokens": 100,
        "gen_ai.usage.cache_creation.input_tokens": 5,
        "gen_ai.response.time_to_first_chunk": 0.3,
        "codebuddy.usage.cost_usd": 0.25,
        "codebuddy.run.id": run,
    }
    assert span.attributes == expected
    totals = {name: value for name, value in whole.attributes.items() if "usage" in name}
    assert totals == {name: value for name, value in expected.items() if "usage" in name}
    assert "gen_ai.system" not in span.attributes


def test_what_nobody_stated_is_no_attribute_and_never_zero(bench: Bench) -> None:
    bench.collector.record_api_request(provider="grok", model="m")
    span = bench.one("chat m")
    assert span.start_ms == span.end_ms
    assert set(span.attributes) == {"gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.request.model"}
    assert span.attributes["gen_ai.provider.name"] == "x_ai"


def test_a_tool_lasts_from_its_call_to_its_result_under_the_innermost_open_step(bench: Bench) -> None:
    run = bench.store.start_run("x")
    for step in ("plan", "edit"):
        bench.store.emit(run, "step_start", {"step": step})
    bench.tool(run, "bash", 40, id="c1")
    bench.clock.advance(1)
    bench.collector.record_api_request(provider="p", model="inner", run_id=run)
    bench.store.emit(run, "step_end", {"step": "edit"})
    bench.tool(run, "grep", 5)
    bench.store.emit(run, "step_end", {"step": "plan"})
    bench.tool(run, "ls", 1)
    bench.store.end_run(run, "completed")
    tool = bench.one("execute_tool bash")
    named = bench.receiver.named
    assert (tool.start_ms, tool.end_ms, tool.status) == (T0, T0 + 40, 0)
    assert tool.attributes["gen_ai.tool.name"] == "bash"
    assert tool.attributes["gen_ai.tool.call.id"] == "c1"
    assert tool.attributes["gen_ai.operation.name"] == "execute_tool"
    assert tool.parent_id == named("step edit").span_id == named("chat inner").parent_id
    assert named("step edit").parent_id == named("step plan").span_id
    assert named("execute_tool grep").parent_id == named("step plan").span_id
    assert named("execute_tool ls").parent_id == named("step plan").parent_id == named(RUN).span_id
    assert {span.trace_id for span in bench.receiver.spans} == {named(RUN).trace_id}


def test_results_are_paired_by_id_else_first_in_first_out_by_name(bench: Bench) -> None:
    run = bench.store.start_run("x")
    for id_ in ("a", "b", None, None):
        bench.store.emit(run, "tool_call", {"toolName": "t", "toolCallId": id_})
        bench.clock.advance(10)
    for id_ in ("b", "a", None, None):
        bench.store.emit(run, "tool_result", {"toolName": "t", "toolCallId": id_, "success": True})
        bench.clock.advance(10)
    bench.store.end_run(run, "completed")
    tools = sorted((s.start_ms - T0, s.end_ms - T0) for s in bench.seen() if s.name == "execute_tool t")
    assert tools == [(0, 50), (10, 40), (20, 60), (30, 70)]


def test_a_call_without_a_result_ends_with_its_run_and_a_result_without_a_call_is_marked(
    bench: Bench,
) -> None:
    run = bench.store.start_run("x")
    bench.store.emit(run, "step_start", {"step": "s"})
    bench.store.emit(run, "tool_call", {"toolName": "lost", "toolCallId": "1"})
    bench.clock.advance(100)
    bench.store.emit(
        run, "tool_result", {"toolName": "blocked", "success": False, "blockedBy": "hook", "durationMs": 30}
    )
    bench.store.end_run(run, "completed")
    lost, blocked = bench.one("execute_tool lost"), bench.receiver.named("execute_tool blocked")
    step = bench.receiver.named("step s")
    assert (lost.end_ms, lost.status, lost.attributes["codebuddy.unfinished"]) == (T0 + 100, 0, True)
    assert (step.end_ms, step.status, step.attributes["codebuddy.unfinished"]) == (T0 + 100, 0, True)
    assert lost.parent_id == blocked.parent_id == step.span_id
    assert (blocked.start_ms, blocked.end_ms, blocked.status) == (T0 + 70, T0 + 100, 2)
    assert blocked.attributes["codebuddy.tool.result_without_call"] is True
    assert blocked.attributes["error.type"] == "blocked"


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ("FileNotFoundError: /etc/x", "FileNotFoundError"),
        ("no such: file", "tool_error"),
        (None, "tool_error"),
    ],
)
def test_a_failed_tool_has_status_error_and_a_class_but_no_message(
    bench: Bench, error: str | None, expected: str
) -> None:
    run = bench.store.start_run("x")
    bench.store.emit(run, "tool_call", {"toolName": "t", "toolCallId": "1"})
    bench.store.emit(
        run, "tool_result", {"toolName": "t", "toolCallId": "1", "success": False, "error": error}
    )
    bench.store.end_run(run, "completed")
    span = bench.one("execute_tool t")
    assert (span.status, span.attributes["error.type"]) == (2, expected)
    assert b"/etc/x" not in bench.receiver.everything


def test_a_run_that_an_exception_leaves_is_failed_with_the_class_of_the_exception(bench: Bench) -> None:
    with pytest.raises(KeyError), bench.store.run("x"):
        raise KeyError("the message stays")
    span = bench.one(RUN)
    assert (span.status, span.attributes["error.type"]) == (2, "KeyError")
    assert span.attributes["codebuddy.run.status"] == "failed"
    assert span.events == [("exception", {"exception.type": "KeyError"})]
    assert b"the message" not in bench.receiver.everything


def test_a_failed_request_and_a_cancelled_run_say_so(bench: Bench) -> None:
    run = bench.store.start_run("x")
    bench.collector.record_api_request(provider="p", model="m", success=False, run_id=run)
    bench.collector.record_error("RateLimited", "slow down", run_id=run)
    bench.store.end_run(run, "cancelled")
    chat, whole = bench.one("chat m"), bench.receiver.named(RUN)
    assert (chat.status, chat.attributes["error.type"]) == (2, "_OTHER")
    assert (whole.status, whole.attributes["codebuddy.run.status"]) == (0, "cancelled")
    assert whole.events == [("exception", {"exception.type": "RateLimited"})]


def test_a_fork_is_a_trace_of_its_own_with_a_link_to_its_parent(bench: Bench) -> None:
    parent = bench.store.start_run("x")
    bench.store.end_run(parent, "completed")
    fork = bench.store.fork_run(parent, "another try")
    bench.store.end_run(fork, "completed")
    by_run = {span.attributes["codebuddy.run.id"]: span for span in bench.seen() if span.name == RUN}
    old, new = by_run[parent], by_run[fork]
    assert old.trace_id != new.trace_id
    assert new.parent_id == ""
    attributes = {"codebuddy.link": "fork", "codebuddy.run.parent_id": parent}
    assert new.links == [(old.trace_id, old.span_id, attributes)]
    assert b"another try" not in bench.receiver.everything


def test_a_fork_recorded_by_another_process_links_to_the_same_span(start: Start, tmp_path: Path) -> None:
    first = start()
    parent = first.store.start_run("x")
    first.store.end_run(parent, "completed")
    old = first.one(RUN)
    second = start()  # nothing is remembered of the first
    fork = second.store.fork_run(parent, "r")
    second.store.end_run(fork, "completed")
    new = next(span for span in second.seen() if span.attributes.get("codebuddy.run.id") == fork)
    assert [(link[0], link[1]) for link in new.links] == [(old.trace_id, old.span_id)]


def test_a_run_started_inside_a_span_of_the_host_links_to_it(bench: Bench) -> None:
    from opentelemetry.sdk.trace import TracerProvider

    with TracerProvider(shutdown_on_exit=False).get_tracer("host").start_as_current_span("web") as web:
        run = bench.store.start_run("x")
    bench.store.end_run(run, "completed")
    span = bench.one(RUN)
    context = web.get_span_context()
    assert [(link[0], link[1]) for link in span.links] == [
        (f"{context.trace_id:032x}", f"{context.span_id:016x}")
    ]


def test_runs_of_several_threads_at_once_do_not_mix(bench: Bench) -> None:
    def work(number: int) -> None:
        run = bench.store.start_run(f"run {number}")
        for step in range(10):
            bench.store.emit(run, "step_start", {"step": f"s{number}.{step}"})
            bench.store.emit(run, "tool_call", {"toolName": f"t{number}", "toolCallId": f"{number}.{step}"})
            bench.collector.record_api_request(provider="p", model=f"m{number}", run_id=run)
            bench.store.emit(run, "tool_result", {"toolName": f"t{number}", "toolCallId": f"{number}.{step}"})
            bench.store.emit(run, "step_end", {"step": f"s{number}.{step}"})
        bench.store.end_run(run, "completed")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seen = {span.span_id: span for span in bench.seen()}
    assert len(seen) == 6 * 31
    traces = {span.trace_id for span in seen.values()}
    assert len(traces) == 6
    for trace in traces:
        mine = [span for span in seen.values() if span.trace_id == trace]
        assert len({span.attributes["codebuddy.run.id"] for span in mine}) == 1
        assert len({span.name for span in mine if span.name.startswith(("chat", "execute"))}) == 2
        for span in mine:
            if span.name.startswith(("chat", "execute")):
                assert seen[span.parent_id].name.startswith("step ")


def test_the_collectors_word_on_a_tool_counts_only_where_the_run_records_no_calls(bench: Bench) -> None:
    both, alone = bench.store.start_run("both"), bench.store.start_run("alone")
    bench.tool(both, "bash", 10, id="1")
    bench.collector.record_tool_execution(name="bash", duration_ms=10, run_id=both)
    bench.collector.record_tool_execution(
        name="web", duration_ms=10, success=False, error="404: x", run_id=alone
    )
    bench.store.end_run(both, "completed")
    bench.store.end_run(alone, "completed")
    bash, web = bench.one("execute_tool bash"), bench.receiver.named("execute_tool web")
    assert bash.attributes["codebuddy.run.id"] == both
    assert (web.start_ms, web.end_ms, web.status) == (T0, T0 + 10, 2)
    assert web.attributes["error.type"] == "tool_error"


def test_what_belongs_to_the_current_run_need_not_name_it(bench: Bench) -> None:
    run = bench.store.start_run("x")
    bench.collector.record_api_request(provider="p", model="m")
    bench.store.end_run(run, "completed")
    assert bench.one("chat m").parent_id == bench.receiver.named(RUN).span_id


def test_a_request_of_a_run_that_has_ended_still_stands_under_it(bench: Bench) -> None:
    run = bench.store.start_run("x")
    bench.store.end_run(run, "completed")
    bench.collector.record_api_request(provider="p", model="late", run_id=run)
    assert bench.one("chat late").parent_id == bench.receiver.named(RUN).span_id


def test_a_run_that_began_before_anybody_listened_begins_with_its_first_event(
    start: Start, tmp_path: Path
) -> None:
    bench = start()
    shutdown_observability()
    run = bench.store.start_run("early")
    assert init_tracing({"OTEL_EXPORTER_OTLP_ENDPOINT": bench.receiver.url})
    instrument(bench.collector, bench.store)
    bench.clock.advance(100)
    bench.tool(run, "t", 5)
    bench.store.end_run(run, "completed")
    span = bench.one(RUN)
    assert (span.start_ms, span.end_ms) == (T0 + 100, T0 + 105)


def test_a_flush_of_the_provider_makes_spans_of_what_still_waits_too(bench: Bench) -> None:
    provider = init_tracing({"OTEL_EXPORTER_OTLP_ENDPOINT": bench.receiver.url})
    assert provider is not None
    for number in range(3):
        bench.collector.record_api_request(provider="p", model=f"m{number}")
        assert provider.force_flush(10_000)
        assert bench.receiver.named(f"chat m{number}")
    bench.collector.record_api_request(provider="p", model="last")
    provider.shutdown()
    assert bench.receiver.named("chat last")
