"""Finished spans on their way out: gathered, masked, encoded and posted in a thread of their own.

It stands in for the SDK's `BatchSpanProcessor`, whose shutdown takes up to 30 seconds and whose `force_flush`
knows no limit, and for its exporter, which takes a redirect for success and never reads that a server
refused spans of a batch it accepted.
"""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable, Mapping

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor

from buddy_core.telemetry.config import TracingConfig
from buddy_core.telemetry.sending.mailbox import Mailbox
from buddy_core.telemetry.sending.masking import Masker, mask_spans
from buddy_core.telemetry.sending.post import Answer, post

TRIES = 4
"""How often one batch is offered to a back end that cannot take it at the moment."""

LONGEST_PAUSE_S = 30.0
"""Most that a server's `Retry-After` is obeyed."""

PIECE = 8
"""Spans encoded at once: about a millisecond's work."""

MOST_BYTES = 4 * 1024 * 1024
"""Size of a request's body before compression; a larger batch is cut in two."""


class BoundedProcessor(SpanProcessor):
    """Takes finished spans from any thread without waiting, and exports them over OTLP/HTTP.

    `dropped` counts the spans that did not arrive, by reason; `sent` those that a server accepted.
    """

    def __init__(self, config: TracingConfig, masker: Masker) -> None:
        self.sent = 0
        self.feeders: list[Callable[[float], object]] = []
        """Called with a time limit in seconds before a flush: what makes spans of events that still wait."""
        self._config = config
        self._masker = masker
        self._box: Mailbox[ReadableSpan] = Mailbox(
            "codebuddy-spans",
            self._send,
            room=config.max_queue,
            batch=min(config.max_batch, config.max_queue),
            delay_s=config.delay_s,
        )
        self._box.start()

    @property
    def dropped(self) -> Mapping[str, int]:
        """Spans lost so far, by reason."""
        return self._box.dropped

    def on_end(self, span: ReadableSpan) -> None:
        """Queue a finished span that is sampled."""
        if span.context is not None and span.context.trace_flags.sampled:
            self._box.put(span)

    def shutdown(self) -> None:
        """Send what waits, for two seconds at most, and take no more."""
        until = time.monotonic() + 2.0
        self._feed(2.0)
        self.close(max(0.0, until - time.monotonic()))

    def force_flush(self, timeout_millis: int = 2_000) -> bool:
        """Send what waits; True when all of it was dealt with in time."""
        until = time.monotonic() + timeout_millis / 1000
        self._feed(timeout_millis / 1000)
        return self._box.flush(max(0.0, until - time.monotonic()))

    def _feed(self, timeout_s: float) -> None:
        until = time.monotonic() + timeout_s
        for feeder in list(self.feeders):
            feeder(max(0.0, until - time.monotonic()))

    def hasten(self) -> None:
        """Begin to send, without waiting."""
        self._box.hasten()

    def give_up_retrying(self) -> None:
        """Begin to send for the last time."""
        self._box.give_up_retrying()

    def close(self, timeout_s: float) -> bool:
        """As `shutdown`, with a limit of one's own."""
        return self._box.close(timeout_s)

    def _send(self, spans: list[ReadableSpan]) -> None:
        body = self._encoded(spans)
        if body is not None and len(body) <= MOST_BYTES:
            self._count(self._offer(body), len(spans))
        elif len(spans) > 1:
            middle = len(spans) // 2
            self._send(spans[:middle])
            self._send(spans[middle:])
        else:
            self._box.lose("cannot be encoded" if body is None else "too large")

    def _encoded(self, spans: list[ReadableSpan]) -> bytes | None:
        """The masked request; None when a span holds what the wire cannot (a lone surrogate, a huge number).

        Messages of protobuf that are written one after the other are one message with the lists of all, so the
        work can be done in small pieces.
        """
        body = b""
        for start in range(0, len(spans), PIECE):
            self._box.breathe()
            try:
                request = encode_spans(spans[start : start + PIECE])
                mask_spans(request, self._masker)
                body += request.SerializeToString()
            except Exception:  # noqa: BLE001 - the host's own spans may hold anything
                return None
        return body

    def _offer(self, body: bytes) -> Answer:
        """Post a body, again after a pause while the server says that this may help."""
        target, extra = self._config.target, {}
        if target.gzip:
            body, extra = gzip.compress(body, compresslevel=5), {"content-encoding": "gzip"}
        answer = Answer(None)
        for attempt in range(TRIES):
            answer = post(target, body, timeout_s=target.timeout_s, extra=extra)
            if not answer.retryable or self._box.closing or attempt == TRIES - 1:
                break
            self._rest(answer.retry_after_s if answer.retry_after_s is not None else 2.0**attempt)
        return answer

    def _rest(self, seconds: float) -> None:
        until = time.monotonic() + min(seconds, LONGEST_PAUSE_S)
        while not self._box.closing and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, 0.05))

    def _count(self, answer: Answer, spans: int) -> None:
        if not answer.taken:
            word = f"status {answer.status}" if answer.status is not None else answer.failure
            self._box.lose(word, spans)
            return
        refused = min(_refused(answer.body), spans)
        self.sent += spans - refused
        if refused:
            self._box.lose("refused by the server", refused)


def _refused(body: bytes) -> int:
    """Spans of an accepted batch that the server says it refused; 0 for an answer that is no such message."""
    try:
        answer = ExportTraceServiceResponse.FromString(body)
    except Exception:  # noqa: BLE001 - a server may answer with anything
        return 0
    return max(0, int(answer.partial_success.rejected_spans))
