"""What the server of `/metrics` answers: the numbers in the format asked for, a page of help, or a refusal."""

from __future__ import annotations

import gzip
import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from buddy_core.prometheus.exporter import PrometheusExporter
from buddy_core.prometheus.hosts import HostNames
from buddy_core.prometheus.request import Request

_PLAIN = "text/plain; charset=utf-8"

_HELP = """buddy-top: numbers of a coding agent for Prometheus

  /metrics   everything that was counted, as text; OpenMetrics where Accept asks for it

Scrape it with:

  scrape_configs:
    - job_name: buddy-top
      static_configs:
        - targets: ["{target}"]

A Grafana dashboard: buddy-top metrics --dashboard
Alert rules: buddy-top metrics --alerts
"""

_WORTH_PACKING = 1024
"""Bytes below which compressing gains nothing."""

_OPENMETRICS_VERSIONS = ("", "0.0.1", "1.0.0")
_QUALITY = re.compile(r"[01](?:\.\d{0,3})?")


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, a body and its headers."""

    status: HTTPStatus
    body: bytes
    headers: Mapping[str, str]
    bodiless: bool = False
    """Only the head is sent, as for HEAD."""

    def encoded(self) -> bytes:
        """The whole answer; the connection is closed after it."""
        lines = [
            f"HTTP/1.1 {self.status.value} {self.status.phrase}",
            f"Content-Length: {len(self.body)}",
            "Connection: close",
            "Cache-Control: no-store",
            "X-Content-Type-Options: nosniff",
            *(f"{name}: {value}" for name, value in self.headers.items()),
        ]
        head = "\r\n".join([*lines, "", ""]).encode("latin-1")
        return head if self.bodiless else head + self.body


def refusal(status: HTTPStatus, **headers: str) -> Answer:
    """A status with its name as the body."""
    return Answer(status, f"{status.value} {status.phrase}\n".encode(), {"Content-Type": _PLAIN, **headers})


class Responder:
    """Turns requests into answers; an exporter that raises is answered with 500, and counted."""

    def __init__(self, exporter: PrometheusExporter, names: HostNames, target: str) -> None:
        self._exporter = exporter
        self._names = names
        self._help = _HELP.format(target=target).encode()
        self.failures = 0
        """Scrapes that failed because collecting raised."""

    def answer(self, request: Request) -> Answer:
        """The answer to a request; never raises."""
        try:
            answer = self._answer(request)
        except Exception:  # noqa: BLE001 - whatever broke, the host goes on and the scraper is told
            self.failures += 1
            answer = refusal(HTTPStatus.INTERNAL_SERVER_ERROR)
        if request.method == "HEAD":
            answer = Answer(answer.status, answer.body, answer.headers, bodiless=True)
        return answer

    def _answer(self, request: Request) -> Answer:
        if not self._names.include(request.headers.get("host")):
            return refusal(HTTPStatus.MISDIRECTED_REQUEST)
        if request.method not in ("GET", "HEAD"):
            return refusal(HTTPStatus.METHOD_NOT_ALLOWED, Allow="GET, HEAD")
        if request.path == "/":
            return Answer(HTTPStatus.OK, self._help, {"Content-Type": _PLAIN})
        if request.path == "/metrics":
            return self._metrics(request.headers)
        return refusal(HTTPStatus.NOT_FOUND)

    def _metrics(self, asked: Mapping[str, str]) -> Answer:
        exporter = self._exporter
        if prefers_openmetrics(asked.get("accept", "")):
            text, kind = exporter.export_openmetrics(), exporter.openmetrics_content_type
        else:
            text, kind = exporter.export(), exporter.content_type
        headers = {"Content-Type": kind, "Vary": "Accept, Accept-Encoding"}
        body = text.encode()
        if len(body) >= _WORTH_PACKING and _qualities(asked.get("accept-encoding", "")).get("gzip", 0):
            return Answer(
                HTTPStatus.OK, gzip.compress(body, 1, mtime=0), {**headers, "Content-Encoding": "gzip"}
            )
        return Answer(HTTPStatus.OK, body, headers)


def prefers_openmetrics(accept: str) -> bool:
    """True when an `Accept` header likes OpenMetrics 1.0 at least as much as the text format."""
    openmetrics = text = 0.0
    for part in accept.split(","):
        kind, quality, version = _media(part)
        if kind == "application/openmetrics-text" and version in _OPENMETRICS_VERSIONS:
            openmetrics = max(openmetrics, quality)
        elif kind == "text/plain":
            text = max(text, quality)
    return openmetrics > 0 and openmetrics >= text


def _media(part: str) -> tuple[str, float, str]:
    """One entry of an `Accept` header: what, how much it is liked, and the version asked for."""
    kind, *parameters = (piece.strip().lower() for piece in part.split(";"))
    told = {
        name.strip(): value.strip().strip('"')
        for name, _, value in (one.partition("=") for one in parameters)
    }
    quality = told.get("q", "1")
    return kind, float(quality) if _QUALITY.fullmatch(quality) else 0.0, told.get("version", "")


def _qualities(header: str) -> dict[str, float]:
    return {kind: quality for kind, quality, _ in map(_media, header.split(","))}
