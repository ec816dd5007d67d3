"""What instrumenting never does: let content out, grow without limit, hurt the host, or follow a fork (C9, C11)."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from tests.core.sending.otlp_receiver import OtlpReceiver
from tests.core.sending.tracing_bench import RUN, Bench, begin

from buddy_core import (
    MetricsCollector,
    RunStore,
    init_tracing,
    instrument,
    shutdown_observability,
    telemetry_losses,
)
from buddy_core.bridge import bridge
from buddy_core.clock import ManualClock
from buddy_core.metrics.recording.provenance import reading_files
from buddy_core.telemetry.spans import book as spans
from buddy_core.telemetry.spans import openrun

Start = Callable[..., Bench]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    with OtlpReceiver() as receiver:
        yield partial(begin, receiver, tmp_path)
        shutdown_observability()


@pytest.fixture
def bench(start: Start) -> Bench:
    return start()


def test_no_content_leaves_unless_asked_for_and_then_masked(start: Start) -> None:
    """Promise C11."""

    def record(bench: Bench) -> None:
        run = bench.store.start_run("objective-words", {"cwd": "/home/ann"})
        bench.store.emit(run, "step_start", {"step": "s", "objective": "step-words"})
        args = {"command": "args-words", "password": "hunter2-hunter2"}
        bench.store.emit(run, "tool_call", {"toolName": "t", "toolCallId": "1", "args": args})
        bench.store.emit(
            run,
            "tool_result",
            {"toolName": "t", "toolCallId": "1", "output": "output-words", "success": True},
        )
        bench.store.emit(run, "error", {"message": "ValueError: error-words"})
        bench.collector.record_error("E", "collector-words", run_id=run)
        bench.store.end_run(run, "completed")

    words = [b"objective-words", b"step-words", b"args-words", b"output-words", b"error-words"]
    silent = start()
    record(silent)
    silent.seen()
    assert silent.receiver.spans
    for word in (*words, b"collector-words", b"/home/ann"):
        assert word not in silent.receiver.everything
    loud = start(CODEBUDDY_TELEMETRY_CONTENT="1")
    record(loud)
    loud.seen()
    for word in (*words, b"collector-words"):
        assert word in loud.receiver.everything
    assert b"hunter2" not in loud.receiver.everything


def test_open_spans_of_one_run_are_limited_and_what_is_left_out_is_counted(bench: Bench) -> None:
    run = bench.store.start_run("x")
    for number in range(openrun.MOST_OPEN + 50):
        bench.store.emit(run, "tool_call", {"toolName": "t", "toolCallId": str(number)})
    bench.store.end_run(run, "completed")
    whole = bench.one(RUN)
    assert whole.attributes["codebuddy.dropped_spans"] == 50
    assert len(bench.receiver.spans) == openrun.MOST_OPEN + 1


def test_open_runs_are_limited_and_the_oldest_is_exported_as_unfinished(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spans, "MOST_RUNS", 3)
    runs = [bench.store.start_run(str(number)) for number in range(5)]
    for run in runs[2:]:
        bench.store.end_run(run, "completed")
    unfinished = [s for s in bench.seen() if s.attributes.get("codebuddy.unfinished")]
    assert sorted(s.attributes["codebuddy.run.id"] for s in unfinished) == sorted(runs[:2])


def test_events_of_any_shape_make_no_span_or_some_and_never_an_error(bench: Bench) -> None:
    """Case 90: what was recorded may be anything."""
    run = bench.store.start_run("x")
    cyclic: dict[str, object] = {}
    cyclic["self"] = cyclic
    for type_ in ("step_start", "step_end", "tool_call", "tool_result", "error", "run_end", "odd"):
        for data in (None, 1, "text", [], cyclic, {"toolName": 7, "step": [], "durationMs": float("nan")}):
            bench.store.emit(run, type_, data)
        bench.store.emit(run, type_, {"toolName": "\ud83c", "step": "\ud83c\n\x1b[2J", "message": "\ud83c"})
    bench.collector.record_api_request(provider="\ud83c", model="\ud83c", run_id=run)
    bench.store.end_run(run, "completed")
    assert bench.seen()
    assert bench.store.listener_failures == 0
    assert bench.collector.listener_failures == 0


def test_unsubscribing_ends_it_and_exports_open_runs_as_unfinished(start: Start, tmp_path: Path) -> None:
    bench = start()
    other, collector = RunStore(tmp_path / "other", clock=bench.clock), MetricsCollector()
    off = instrument(collector, other)
    run = other.start_run("x")
    off()
    off()
    other.emit(run, "tool_call", {"toolName": "never"})
    collector.record_api_request(provider="p", model="never")
    spans_ = bench.seen()
    assert [s.name for s in spans_] == [RUN]
    assert spans_[0].attributes["codebuddy.unfinished"] is True


def test_what_a_collector_reads_in_the_files_of_others_makes_no_spans(bench: Bench) -> None:
    with reading_files():
        bench.collector.record_api_request(provider="p", model="others")
        bench.collector.record_tool_execution(name="others")
    bench.collector.record_api_request(provider="p", model="own")
    assert [s.name for s in bench.seen()] == ["chat own"]


def test_a_bridge_beside_it_doubles_nothing(bench: Bench) -> None:
    off = bridge(bench.collector, bench.store)
    run = bench.store.start_run("x")
    bench.collector.record_api_request(provider="p", model="m", run_id=run)
    bench.store.end_run(run, "completed")
    off()
    assert sorted(s.name for s in bench.seen()) == ["chat m", RUN]


def test_instrumenting_the_same_twice_counts_nothing_twice(bench: Bench) -> None:
    off = instrument(bench.collector, bench.store)
    bench.collector.record_api_request(provider="p", model="m")
    off()
    assert [s.name for s in bench.seen()] == ["chat m"]


def test_a_provider_of_the_host_that_raises_or_blocks_hurts_nobody(tmp_path: Path) -> None:
    """Case 90."""
    from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider

    release = threading.Event()

    class Bad(SpanProcessor):
        def on_end(self, span: ReadableSpan) -> None:
            if span.name == "chat blocks":
                release.wait(30)
            raise RuntimeError("of the host")

    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(Bad())
    clock = ManualClock(1_770_000_000_000)  # by which nothing is slow, however busy the machine
    collector, store = MetricsCollector(clock=clock), RunStore(tmp_path)
    off = instrument(collector, store, provider=provider)
    collector.record_api_request(provider="p", model="raises")
    collector.record_api_request(provider="p", model="blocks")
    began = time.monotonic()
    for _ in range(10_000):
        collector.record_api_request(provider="p", model="m")
    off()
    assert time.monotonic() - began < 10
    assert collector.listener_failures == 0
    release.set()


def test_with_telemetry_off_instrumenting_does_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CODEBUDDY_TELEMETRY", "0")
    before = set(threading.enumerate())  # one of them may end meanwhile
    off = instrument(MetricsCollector(), RunStore(tmp_path))
    off()
    assert set(threading.enumerate()) <= before


def test_spans_go_to_the_provider_of_the_host_where_it_hands_one_over(tmp_path: Path) -> None:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    kept = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(kept))
    store = RunStore(tmp_path)
    off = instrument(MetricsCollector(), store, provider=provider)
    parent = store.start_run("x")
    fork = store.fork_run(parent, "r")
    store.end_run(parent, "completed")
    store.end_run(fork, "completed")
    off()
    by_run = {dict(span.attributes or {})["codebuddy.run.id"]: span for span in kept.get_finished_spans()}
    link = by_run[fork].links[0].context
    context = by_run[parent].context
    assert context is not None
    assert (link.trace_id, link.span_id) == (context.trace_id, context.span_id)


def test_a_host_that_begins_to_use_a_pool_of_threads_later_can_fork() -> None:
    """Case 17: who is told of a fork first depends on what was imported first, and the SDK starts a pool in the child."""
    host = """
        import os
        from buddy_core import init_tracing
        assert init_tracing({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}) is not None
        import concurrent.futures.thread
        child = os.fork()
        if child:
            print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        os._exit(0)
    """
    argv = [sys.executable, "-W", "ignore", "-c", textwrap.dedent(host)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, start_new_session=True) as told:
        try:
            assert told.communicate(timeout=30)[0] == b"0\n"
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(told.pid, signal.SIGKILL)


def test_in_the_child_of_a_fork_the_parents_spans_are_not_exported_and_nothing_hangs(bench: Bench) -> None:
    """Case 17."""
    parents = bench.store.start_run("parent")
    bench.store.emit(parents, "tool_call", {"toolName": "parents", "toolCallId": "1"})
    provider = init_tracing({"OTEL_EXPORTER_OTLP_ENDPOINT": bench.receiver.url})
    assert provider is not None
    assert provider.force_flush(10_000)  # the parent's spans are open now, and nothing waits
    bench.store.emit(parents, "tool_call", {"toolName": "waiting", "toolCallId": "2"})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # later Pythons warn of a fork beside threads
        child = os.fork()
    if child == 0:
        own = bench.store.start_run("child")
        bench.collector.record_api_request(provider="p", model="childs", run_id=own)
        bench.store.end_run(own, "completed")
        shutdown_observability()
        os._exit(0 if telemetry_losses()["spans"] == {} else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert sorted(s.name for s in bench.receiver.spans) == ["chat childs", RUN]
    bench.store.end_run(parents, "completed")
    names = [s.name for s in bench.seen()]
    assert names.count("execute_tool parents") == names.count("execute_tool waiting") == 1
    assert names.count(RUN) == 2
