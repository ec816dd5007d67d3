"""Secrets planted wherever a program keeps text are found 0 times in what reaches the back ends (case 83, C11).

The same program with the SDKs' defaults is the negative control: it proves that the places are looked at, and that
what arrives can be read. `BUDDY_CANARIES=N` repeats the masked run N times with other secrets.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.core.sending.otlp_receiver import OtlpReceiver
from tests.core.sending.sentry_stub import SentryStub

SHAPED = (
    "span_attribute",
    "span_name",
    "span_event",
    "tool_name",
    "model",
    "provider",
    "step_name",
    "resource",
)
"""Places for names, where only what looks like a secret is one."""

HIDDEN = (
    "message",
    "exception_message",
    "exception_cause",
    "exception_context",
    "argument",
    "local",
    "environment",
    "url",
    "header",
    "breadcrumb",
    "tag",
    "extra",
    "user",
    "context",
    "argv",
    "hostname",
    "source_line",
    "objective",
    "tool_argument",
    "tool_output",
    "tool_error",
    "run_error",
    "step_objective",
    "error_stack",
    "error_context",
    "collector_tool_error",
    "metadata",
    "fork_reason",
    "attachment",
    "thread_local",
)
"""Places for words of people and programs: a secret there need not look like one."""

HOST = r"""
import os, socket, sys, threading

way, directory = sys.argv[1], sys.argv[2]
canary = dict(item.split("=", 1) for item in os.environ.pop("CANARIES").split(";"))
os.environ["SOME_VARIABLE"] = canary["environment"]
os.environ["DATABASE_PASSWORD"] = canary["environment"]
socket.gethostname = lambda: canary["hostname"]
import sentry_sdk
from opentelemetry import trace

import buddy_core
if way == "ours":
    status = buddy_core.init_observability()
    assert (status.tracing, status.sentry) == ("on", "on"), status
    trace.set_tracer_provider(buddy_core.init_tracing())
else:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    sentry_sdk.init()
collector, store = buddy_core.MetricsCollector(), buddy_core.RunStore(directory, durable=False)
buddy_core.instrument(collector, store)

def inner(argument):
    local = {"value": canary["local"]}
    secret_of_thread = threading.local()
    secret_of_thread.value = canary["thread_local"]
    try:
        raise KeyError(canary["exception_cause"])
    except KeyError as cause:
        raise ValueError(canary["exception_message"]) from cause

def outer():
    try:
        inner(canary["argument"])
    except ValueError:
        raise LookupError(canary["exception_context"])

sentry_sdk.add_breadcrumb(category="auth", message=canary["breadcrumb"])
sentry_sdk.add_breadcrumb(category="http", type="http", message="GET", data={
    "url": f"https://ann:{canary['url']}@host/x?key={canary['url']}", "headers": {"Authorization": canary["header"]}})
with sentry_sdk.new_scope() as scope:
    scope.set_tag("note", canary["tag"])
    scope.set_extra("note", canary["extra"])
    scope.set_user({"id": canary["user"], "username": canary["user"]})
    scope.set_context("own", {"note": canary["context"]})
    scope.add_attachment(bytes=canary["attachment"].encode(), filename="x.txt")
    sentry_sdk.capture_message(canary["message"])
    try:
        outer()
    except LookupError:
        sentry_sdk.capture_exception()
    try:
        exec(compile(open(os.environ["SOURCE"]).read(), os.environ["SOURCE"], "exec"))
    except RuntimeError:
        sentry_sdk.capture_exception()
with trace.get_tracer("host").start_as_current_span("call " + canary["span_name"]) as span:
    span.set_attribute("note", canary["span_attribute"])
    span.add_event("said", {"note": canary["span_event"]})
run = store.start_run(canary["objective"], {"cwd": canary["metadata"], "channel": canary["metadata"]})
store.emit(run, "step_start", {"step": canary["step_name"], "objective": canary["step_objective"]})
store.emit(run, "tool_call", {"toolName": canary["tool_name"], "toolCallId": "1",
    "args": {"x": canary["tool_argument"]}})
store.emit(run, "tool_result", {"toolName": canary["tool_name"], "toolCallId": "1", "success": False,
    "output": canary["tool_output"], "error": canary["tool_error"]})
store.emit(run, "error", {"message": canary["run_error"]})
collector.record_api_request(provider=canary["provider"], model=canary["model"], run_id=run)
collector.record_tool_execution(name="t", success=False, error=canary["collector_tool_error"], run_id=run)
collector.record_error("Broken", canary["message"], stack=canary["error_stack"],
    context={"note": canary["error_context"]}, run_id=run)
store.end_run(run, "failed")
fork = store.fork_run(run, canary["fork_reason"])
store.end_run(fork, "completed")
buddy_core.shutdown_observability(10)
sentry_sdk.flush(10)
trace.get_tracer_provider().force_flush()
"""


def shaped(place: str, seed: int) -> str:
    """A GitHub token of its own for each place."""
    return "ghp_" + hashlib.sha256(f"{place} {seed}".encode()).hexdigest()[:36]


def plain(place: str, seed: int) -> str:
    """A word that only its place tells to be private."""
    return f"canary-{hashlib.sha256(f'plain {place} {seed}'.encode()).hexdigest()[:10]}"


def found(way: str, directory: Path, *, seed: int = 0, **env: str) -> tuple[set[str], bytes]:
    """Run the host; the places whose secret arrived anywhere, and everything that arrived."""
    words = {place: shaped(place, seed) for place in SHAPED}
    words |= {place: f"{shaped(place, seed)} {plain(place, seed)}" for place in HIDDEN}
    source = directory / "agent.py"
    source.write_text(f"password = {words['source_line']!r}; raise RuntimeError('no')\n")
    with OtlpReceiver() as otlp, SentryStub() as sentry:
        done = subprocess.run(
            [sys.executable, "-c", HOST, way, str(directory / "runs"), words["argv"]],
            env={
                **os.environ,
                "CANARIES": ";".join(f"{place}={text}" for place, text in words.items()),
                "SOURCE": str(source),
                "OTEL_EXPORTER_OTLP_ENDPOINT": otlp.url,
                "OTEL_RESOURCE_ATTRIBUTES": f"note={words['resource']}",
                "OTEL_EXPERIMENTAL_RESOURCE_DETECTORS": "*",
                "SENTRY_DSN": sentry.dsn,
                "CODEBUDDY_ENV": "dev",
                **env,
            },
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert len(sentry.events) >= 3
        assert otlp.spans
        everything = otlp.everything + sentry.everything
    every = {place: (shaped(place, seed), plain(place, seed)) for place in words}
    return {p for p, secrets in every.items() if any(s.encode() in everything for s in secrets)}, everything


@pytest.mark.parametrize("seed", range(int(os.environ.get("BUDDY_CANARIES", "1"))))
def test_no_secret_leaves_from_any_of_the_places(seed: int, tmp_path: Path) -> None:
    places, everything = found("ours", tmp_path, seed=seed)
    assert places == set()
    assert everything.count("‹masked›".encode()) >= 5


def test_with_content_asked_for_secrets_with_a_shape_stay_behind_all_the_same(tmp_path: Path) -> None:
    _, everything = found("ours", tmp_path, CODEBUDDY_TELEMETRY_CONTENT="1")
    assert [place for place in (*SHAPED, *HIDDEN) if shaped(place, 0).encode() in everything] == []
    assert plain("tool_argument", 0).encode() in everything


def test_the_sdks_defaults_let_secrets_leave_which_shows_that_this_test_can_fail(tmp_path: Path) -> None:
    places, _ = found("defaults", tmp_path)
    assert len(places) >= 6
    assert {"message", "argument", "local", "argv", "breadcrumb", "source_line", "span_attribute"} <= places
