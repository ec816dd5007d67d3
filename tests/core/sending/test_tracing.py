"""What an OTLP back end gets, and what becomes of spans when it says no (case 89, promise C9)."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.sdk.trace import TracerProvider
from tests.core.sending import bad_backends
from tests.core.sending.otlp_receiver import OtlpReceiver, Recorder

from buddy_core import init_observability, init_tracing, shutdown_observability, telemetry_losses
from buddy_core.telemetry.sending import export
from buddy_core.telemetry.spans import ids


@pytest.fixture(autouse=True)
def _off_afterwards() -> Iterator[None]:
    yield
    shutdown_observability(0.1)


def provider_for(url: str, **env: str) -> TracerProvider:
    provider = init_tracing(
        {
            "OTEL_EXPORTER_OTLP_ENDPOINT": url,
            "OTEL_BSP_SCHEDULE_DELAY": "10",
            "OTEL_EXPORTER_OTLP_TIMEOUT": "1",
        }
        | env
    )
    assert provider is not None
    return provider


def make_spans(provider: TracerProvider, count: int = 1, **attributes: Any) -> None:
    tracer = provider.get_tracer("test")
    for number in range(count):
        tracer.start_span(f"span {number}", attributes=attributes).end()


def losses(provider: TracerProvider) -> dict[str, int]:
    """Flush, and what was lost."""
    provider.force_flush(5_000)
    return telemetry_losses()["spans"]


def test_spans_of_the_host_go_out_too_with_its_headers_at_the_standard_path() -> None:
    with OtlpReceiver() as receiver:
        provider = provider_for(
            receiver.url,
            OTEL_EXPORTER_OTLP_HEADERS="api-key=abc",
            OTEL_RESOURCE_ATTRIBUTES="team=x",
            CODEBUDDY_VERSION="9.8",
            OTEL_EXPORTER_OTLP_COMPRESSION="gzip",
        )
        make_spans(provider, 3, answer=42)
        assert losses(provider) == {}
        post, spans = receiver.posts[0], receiver.spans
        assert post.path == "/v1/traces"
        assert post.headers["api-key"] == "abc"
        assert post.headers["content-type"] == "application/x-protobuf"
        assert post.headers["content-encoding"] == "gzip"
        assert [s.name for s in spans] == ["span 0", "span 1", "span 2"]
        assert spans[0].attributes == {"answer": 42}
        assert spans[0].resource["team"] == "x"
        assert spans[0].resource["service.version"] == "9.8"


def test_a_batch_is_offered_again_while_the_server_asks_for_patience() -> None:
    def answer(number: int) -> tuple[int, dict[str, str], bytes]:
        return (503, {"retry-after": "0"}, b"") if number < 2 else (200, {}, b"")

    with OtlpReceiver(answer) as receiver:
        provider = provider_for(receiver.url)
        make_spans(provider)
        assert losses(provider) == {}
        assert len(receiver.posts) == 3


@pytest.mark.parametrize("status", [400, 401, 404, 500, 307, 302, 304])
def test_what_a_server_refuses_is_counted_and_not_offered_again(status: int) -> None:
    """A redirect is no success, and is not followed: headers with keys would go where nobody sent them."""
    with (
        OtlpReceiver() as elsewhere,
        OtlpReceiver(lambda _: (status, {"location": elsewhere.url}, b"")) as one,
    ):
        provider = provider_for(one.url)
        make_spans(provider, 4)
        assert losses(provider) == {f"status {status}": 4}
        assert len(one.posts) == 1
        assert elsewhere.posts == []


def test_spans_that_an_accepting_server_refused_are_counted() -> None:
    answer = ExportTraceServiceResponse()
    answer.partial_success.rejected_spans = 2
    answer.partial_success.error_message = "two are bad"
    with OtlpReceiver(lambda _: (200, {}, answer.SerializeToString())) as receiver:
        provider = provider_for(receiver.url)
        make_spans(provider, 5)
        assert losses(provider) == {"refused by the server": 2}


@pytest.mark.parametrize("body", [b"{}", b"\xff" * 100, b"<html>", bytes(range(256)) * 1000])
def test_an_answer_that_is_no_message_is_taken_for_a_plain_yes(body: bytes) -> None:
    with OtlpReceiver(lambda _: (200, {}, body)) as receiver:
        provider = provider_for(receiver.url)
        make_spans(provider)
        assert sum(losses(provider).values()) <= 1
        assert len(receiver.posts) == 1


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        (bad_backends.silent, "timeout"),
        (bad_backends.slow_headers, "timeout"),
        (bad_backends.slow_body, None),
        (bad_backends.endless_body, None),
        (bad_backends.hangs_up, "unreachable"),
        (bad_backends.babbles, "no HTTP"),
    ],
)
def test_no_server_holds_the_sender_for_longer_than_its_timeout(
    behaviour: Any, reason: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "TRIES", 1)
    with bad_backends.server(behaviour) as port:
        provider = provider_for(f"http://127.0.0.1:{port}", OTEL_EXPORTER_OTLP_TIMEOUT="0.4")
        make_spans(provider)
        began = time.monotonic()
        assert losses(provider) == ({reason: 1} if reason else {})
        assert time.monotonic() - began < 3


@pytest.mark.parametrize("behaviour", [bad_backends.silent, bad_backends.hangs_up, bad_backends.babbles])
def test_a_server_that_breaks_the_encrypted_connection_off_is_counted(
    behaviour: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "TRIES", 1)
    with bad_backends.server(behaviour) as port:
        provider = provider_for(f"https://127.0.0.1:{port}", OTEL_EXPORTER_OTLP_TIMEOUT="0.4")
        make_spans(provider)
        assert sum(losses(provider).values()) == 1


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate, and is missing")
def test_a_certificate_nobody_trusts_is_refused_and_one_that_is_named_is_trusted(tmp_path: Path) -> None:
    certificate, context = bad_backends.self_signed(tmp_path)
    with bad_backends.server(bad_backends.agrees, context) as port:
        url = f"https://127.0.0.1:{port}"
        provider = provider_for(url)
        make_spans(provider)
        assert losses(provider) == {"tls": 1}
        shutdown_observability()
        provider = provider_for(url, OTEL_EXPORTER_OTLP_CERTIFICATE=str(certificate))
        make_spans(provider)
        assert losses(provider) == {}
        shutdown_observability()
        shutdown_observability()
        certificate.unlink()
        status = init_observability(
            {"OTEL_EXPORTER_OTLP_ENDPOINT": url, "OTEL_EXPORTER_OTLP_CERTIFICATE": str(certificate)}
        )
        assert status.tracing == "off: OTEL_EXPORTER_OTLP_CERTIFICATE names no file that can be read"


def test_the_queue_is_bounded_and_what_finds_no_room_is_counted() -> None:
    with bad_backends.server(bad_backends.silent) as port:
        provider = provider_for(
            f"http://127.0.0.1:{port}", OTEL_BSP_MAX_QUEUE_SIZE="100", OTEL_BSP_MAX_EXPORT_BATCH_SIZE="10"
        )
        make_spans(provider, 1_000)
        lost = telemetry_losses()["spans"]
        assert lost["queue full"] >= 1_000 - 110
        began = time.monotonic()
        shutdown_observability(0.2)
        assert time.monotonic() - began < 1.5


def test_what_was_not_sent_in_time_is_counted_when_it_is_given_up() -> None:
    with bad_backends.server(bad_backends.silent) as port:
        provider = provider_for(f"http://127.0.0.1:{port}", OTEL_BSP_MAX_EXPORT_BATCH_SIZE="10")
        processor: Any = provider._active_span_processor._span_processors[0]
        make_spans(provider, 25)
        provider.force_flush(50)
        shutdown_observability(0.1)
        assert processor.dropped == {"not sent in time": 25}
        make_spans(provider)
        assert processor.dropped == {"not sent in time": 25, "closed": 1}


def test_spans_that_cannot_be_encoded_or_are_too_large_are_left_out_and_the_others_arrive(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(export, "MOST_BYTES", 20_000)
    with OtlpReceiver() as receiver:
        provider = provider_for(receiver.url, OTEL_BSP_SCHEDULE_DELAY="200")
        tracer = provider.get_tracer("t")
        for number in range(10):
            tracer.start_span(f"good {number}", attributes={"n": "x" * 4_000}).end()
        tracer.start_span("bad \ud83c").end()
        tracer.start_span("large", attributes={str(n): "x" * 5_000 for n in range(5)}).end()
        lost = losses(provider)
        assert lost == {"cannot be encoded": 1, "too large": 1}
        assert len(receiver.spans) == 10
        assert len(receiver.posts) > 1


def test_an_unsampled_span_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")
    with OtlpReceiver() as receiver:
        provider = provider_for(receiver.url)
        make_spans(provider, 5)
        assert losses(provider) == {}
        assert receiver.posts == []


def test_a_secret_on_any_part_of_a_span_is_masked_before_it_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Case 83, promise C11."""
    secret, known = "sk-ant-api03-" + "a1B2" * 12, "plainwords-that-only-the-environment-knows"
    monkeypatch.setenv("MY_SERVICE_PASSWORD", known)
    with OtlpReceiver() as receiver:
        provider = provider_for(receiver.url, OTEL_RESOURCE_ATTRIBUTES=f"api_key={secret}")
        tracer = provider.get_tracer("t")
        span = tracer.start_span(
            f"call {secret}",
            attributes={
                "password": "hunter2hunter2",
                "note": f"with {secret}",
                "list": ["a", known],
                "url": "https://ann:pa55word99@host/x?token=abcdef123456",
                f"key {secret}": 1,
            },
        )
        span.add_event(f"event {known}", {"authorization": "Bearer abcdefghijklmnop"})
        span.record_exception(ValueError(f"cannot use {secret}"))
        span.end()
        assert losses(provider) == {}
        sent = receiver.everything
        for word in (secret, known, "hunter2", "pa55word99", "abcdef123456", "abcdefghijklmnop"):
            assert word.encode() not in sent, word
        assert "‹masked›".encode() in sent


@given(st.text(max_size=60))
def test_ids_of_a_run_follow_from_its_name_and_are_never_zero(run_id: str) -> None:
    context = ids.context_of(run_id)
    assert context.is_valid
    assert (context.trace_id, context.span_id) == (ids.trace_id_of(run_id), ids.span_id_of(run_id))


def test_ids_of_a_run_are_these_for_ever() -> None:
    """Written down, because spans of older versions must be found by links of newer ones."""
    assert f"{ids.trace_id_of('run_mk5f7a1c_0a1b2c'):032x}" == "2a6794532027f7061f3fde91183b80d8"
    assert f"{ids.span_id_of('run_mk5f7a1c_0a1b2c'):016x}" == "26f75a1f08e2590a"


def test_other_spans_of_the_provider_have_random_ids() -> None:
    with Recorder() as receiver:
        tracer = provider_for(receiver.url).get_tracer("t")
        found = {tracer.start_span("x").get_span_context().trace_id for _ in range(100)}
        assert len(found) == 100
