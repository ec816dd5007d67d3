"""A small OTLP/HTTP server for tests: it decodes what arrives, and answers as it is told."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

Answer = tuple[int, dict[str, str], bytes]
"""Status, headers and body."""


@dataclass(frozen=True)
class Posted:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes
    """Uncompressed."""


@dataclass(frozen=True)
class SeenSpan:
    """One span, its bytes as hexadecimal text and its values as Python's."""

    name: str
    trace_id: str
    span_id: str
    parent_id: str
    kind: int
    start_ms: float
    end_ms: float
    status: int
    """0 unset, 1 ok, 2 error."""
    attributes: dict[str, Any]
    links: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    resource: dict[str, Any] = field(default_factory=dict)


class Recorder:
    """An HTTP server on a loopback port of its own that keeps every POST; use as a context manager."""

    def __init__(self, answer: Callable[[int], Answer] = lambda _number: (200, {}, b"")) -> None:
        self.posts: list[Posted] = []
        self._arrived = threading.Condition()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self, answer))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def keep(self, posted: Posted) -> int:
        """Remember a request; which one it is, counted from 0."""
        with self._arrived:
            self.posts.append(posted)
            self._arrived.notify_all()
            return len(self.posts) - 1

    def wait_until(self, true: Callable[[], bool], timeout_s: float = 10.0) -> bool:
        """Wait for requests until `true()`; False when it is not in time."""
        with self._arrived:
            return self._arrived.wait_for(true, timeout_s)

    @property
    def everything(self) -> bytes:
        """All bodies, headers and paths, to look for what must not be there."""
        parts = [post.path.encode() + repr(post.headers).encode() + post.body for post in self.posts]
        return b"\n".join(parts)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class OtlpReceiver(Recorder):
    """A `Recorder` that knows spans."""

    @property
    def spans(self) -> list[SeenSpan]:
        """Every span that arrived, in the order in which they were sent."""
        return [span for post in self.posts for span in _spans(post.body)]

    def named(self, name: str) -> SeenSpan:
        """The one span of this name."""
        found = [span for span in self.spans if span.name == name]
        assert len(found) == 1, f"{len(found)} spans named {name!r} among {[s.name for s in self.spans]}"
        return found[0]


def _spans(body: bytes) -> list[SeenSpan]:
    request = ExportTraceServiceRequest.FromString(body)
    return [
        SeenSpan(
            name=span.name,
            trace_id=span.trace_id.hex(),
            span_id=span.span_id.hex(),
            parent_id=span.parent_span_id.hex(),
            kind=span.kind,
            start_ms=round(span.start_time_unix_nano / 1e6, 3),
            end_ms=round(span.end_time_unix_nano / 1e6, 3),
            status=span.status.code,
            attributes=_values(span.attributes),
            links=[(x.trace_id.hex(), x.span_id.hex(), _values(x.attributes)) for x in span.links],
            events=[(x.name, _values(x.attributes)) for x in span.events],
            resource=_values(of_resource.resource.attributes),
        )
        for of_resource in request.resource_spans
        for of_scope in of_resource.scope_spans
        for span in of_scope.spans
    ]


def _values(pairs: Any) -> dict[str, Any]:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(item) for item in value.array_value.values]
    if kind == "kvlist_value":
        return _values(value.kvlist_value.values)
    return None if kind is None else getattr(value, kind)


def _handler(recorder: Recorder, answer: Callable[[int], Answer]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            if headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            status, extra, text = answer(recorder.keep(Posted(self.path, headers, body)))
            self.send_response(status)
            for name, value in {"content-length": str(len(text)), **extra}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, format: str, *args: Any) -> None:
            """Tests are silent."""

    return Handler
