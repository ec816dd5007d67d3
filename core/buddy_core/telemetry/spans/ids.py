"""Trace and span ids that follow from a run's id, so that a fork recorded by another process finds its parent."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import SpanContext, TraceFlags


def trace_id_of(run_id: str) -> int:
    """The 128-bit trace id of a run: the first 16 bytes of SHA-256 over `codebuddy trace <run id>`."""
    return int.from_bytes(_digest("trace", run_id)[:16], "big") or 1


def span_id_of(run_id: str) -> int:
    """The 64-bit id of a run's own span: the first 8 bytes of SHA-256 over `codebuddy run <run id>`."""
    return int.from_bytes(_digest("run", run_id)[:8], "big") or 1


def context_of(run_id: str) -> SpanContext:
    """What a link to a run's span holds, whichever process recorded it."""
    return SpanContext(
        trace_id_of(run_id), span_id_of(run_id), is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED)
    )


def _digest(purpose: str, run_id: str) -> bytes:
    return hashlib.sha256(f"codebuddy {purpose} {run_id}".encode("utf-8", "surrogatepass")).digest()


class RunIds(RandomIdGenerator):
    """Random ids as usual, but for the span that is started inside `with ids.of(run_id)` in the same thread."""

    def __init__(self) -> None:
        self._here = threading.local()

    @contextmanager
    def of(self, run_id: str) -> Iterator[None]:
        """The next root span of this thread is the run's."""
        self._here.run_id = run_id
        try:
            yield
        finally:
            self._here.run_id = None

    def generate_trace_id(self) -> int:
        """As the SDK asks for each root span."""
        run_id: str | None = getattr(self._here, "run_id", None)
        return trace_id_of(run_id) if run_id else super().generate_trace_id()

    def generate_span_id(self) -> int:
        """As the SDK asks for each span."""
        run_id: str | None = getattr(self._here, "run_id", None)
        return span_id_of(run_id) if run_id else super().generate_span_id()
