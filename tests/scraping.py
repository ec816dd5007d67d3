"""Reading expositions with every parser there is, and talking to a server by hand."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterable

import pytest
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from buddy_core.prometheus.exporter import PrometheusExporter
from buddy_core.prometheus.server import MetricsServer

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]

promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool (Debian package prometheus) is not installed"
)


def samples_of(families: Iterable[Metric]) -> Samples:
    """Every sample by name and labels; no series may be there twice."""
    found: Samples = {}
    for family in families:
        for sample in family.samples:
            key = (sample.name, frozenset(sample.labels.items()))
            assert key not in found, f"twice: {key}"
            found[key] = sample.value
    return found


def both_ways(exporter: PrometheusExporter) -> Samples:
    """The samples of both formats, which must be the same."""
    text = samples_of(parse_text(exporter.export()))
    uptime = ("codebuddy_uptime_seconds", frozenset[tuple[str, str]]())
    openmetrics = samples_of(parse_openmetrics(exporter.export_openmetrics()))
    assert {**text, uptime: 0} == {**openmetrics, uptime: 0}
    return text


def value(samples: Samples, name: str, /, **labels: str) -> float | None:
    """One sample; None where there is none."""
    return samples.get((name, frozenset(labels.items())))


def total(samples: Samples, name: str, /, **labels: str) -> float:
    """The sum of every series of a name that has these labels."""
    wanted = labels.items()
    return sum(number for (known, pairs), number in samples.items() if known == name and pairs >= wanted)


def check_with_promtool(exposition: str) -> tuple[int, str]:
    """Exit code (0: fine, 1: no exposition, 3: against the habits) and complaints."""
    done = subprocess.run(
        ["promtool", "check", "metrics"],
        input=exposition.encode(),
        capture_output=True,
        timeout=30,
        check=False,
    )
    return done.returncode, (done.stdout + done.stderr).decode()


def ask(
    server: MetricsServer, request: str | bytes, *, timeout: float = 10.0
) -> tuple[int, dict[str, str], bytes]:
    """Send bytes as they are; gives status, headers by lower-case name, and body."""
    raw = request.encode() if isinstance(request, str) else request
    with socket.create_connection((server.host, server.port), timeout=timeout) as client:
        client.sendall(raw)
        received = b""
        while chunk := client.recv(65_536):
            received += chunk
    return answer_of(received)


def answer_of(received: bytes) -> tuple[int, dict[str, str], bytes]:
    """Status, headers by lower-case name, and body of a whole answer."""
    head, _, body = received.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): text for name, _, text in (line.partition(": ") for line in lines)}
    return int(first.split()[1]), headers, body


def get(server: MetricsServer, path: str = "/metrics", **headers: str) -> tuple[int, dict[str, str], bytes]:
    """A well-formed GET; underscores in header names stand for hyphens."""
    told = {
        "Host": f"127.0.0.1:{server.port}",
        **{name.replace("_", "-"): text for name, text in headers.items()},
    }
    lines = "".join(f"{name}: {text}\r\n" for name, text in told.items())
    return ask(server, f"GET {path} HTTP/1.1\r\n{lines}\r\n")
