"""The server of `/metrics`, request by request: what it answers, and what it does not. Cases 87 and 88."""

from __future__ import annotations

import gzip
import socket
import threading
from collections.abc import Iterator

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text
from tests.scraping import ask, get, samples_of, value

from buddy_core import BuddyError, PortUnavailable, serve_metrics
from buddy_core.metrics.collector import MetricsCollector
from buddy_core.metrics.looking.totals import Totals
from buddy_core.prometheus.exporter import PrometheusExporter
from buddy_core.prometheus.listening import listen
from buddy_core.prometheus.server import MetricsServer

PROMETHEUS_ACCEPTS = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)


@pytest.fixture
def collector() -> MetricsCollector:
    collector = MetricsCollector()
    collector.record_tool_execution(name="bash", duration_ms=20.0)
    return collector


@pytest.fixture
def server(collector: MetricsCollector) -> Iterator[MetricsServer]:
    with serve_metrics(collector, port=0) as server:
        yield server


def test_a_scrape_gives_the_numbers_as_they_are_at_that_moment(
    server: MetricsServer, collector: MetricsCollector
) -> None:
    for calls in (1, 2):
        status, headers, body = get(server)
        assert (status, headers["content-type"]) == (200, PrometheusExporter.content_type)
        assert int(headers["content-length"]) == len(body)
        samples = samples_of(parse_text(body.decode()))
        assert value(samples, "codebuddy_tool_calls_total", tool="bash", outcome="success") == calls
        collector.record_tool_execution(name="bash")


@pytest.mark.parametrize(
    ("accept", "openmetrics"),
    [
        ("", False),
        ("*/*", False),
        ("text/plain", False),
        ("application/openmetrics-text", True),
        ("application/openmetrics-text; version=1.0.0; charset=utf-8", True),
        ('application/openmetrics-text; version="1.0.0"', True),
        (PROMETHEUS_ACCEPTS, True),
        ("application/openmetrics-text;version=2.0.0,text/plain;q=0.1", False),
        ("application/openmetrics-text;q=0.3,text/plain;q=0.5", False),
        ("application/openmetrics-text;q=0", False),
        ("application/openmetrics-text;q=NaN", False),
        (";;;=,,q=;", False),
    ],
)
def test_the_format_is_the_one_that_is_liked_best(
    server: MetricsServer, accept: str, openmetrics: bool
) -> None:
    status, headers, body = get(server, Accept=accept)
    assert status == 200
    assert headers["content-type"].startswith("application/openmetrics-text") is openmetrics
    families = (parse_openmetrics if openmetrics else parse_text)(body.decode())
    assert value(samples_of(families), "codebuddy_sessions_total") == 0


def test_a_body_is_packed_for_those_who_can_unpack_it(server: MetricsServer) -> None:
    _, plain_headers, plain = get(server, Accept_Encoding="deflate, gzip;q=0")
    assert "content-encoding" not in plain_headers
    _, headers, packed = get(server, Accept_Encoding="gzip, deflate")
    assert headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed).splitlines()[:-1] == plain.splitlines()[:-1]


def test_head_tells_the_length_and_sends_no_body(server: MetricsServer) -> None:
    status, headers, body = ask(server, "HEAD /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert (status, body) == (200, b"")
    assert int(headers["content-length"]) > 1_000


def test_the_root_is_a_page_that_says_where_to_scrape(server: MetricsServer) -> None:
    status, headers, body = get(server, "/")
    assert (status, headers["content-type"]) == (200, "text/plain; charset=utf-8")
    assert f'["127.0.0.1:{server.port}"]' in body.decode()


@pytest.mark.parametrize(
    ("path", "status"),
    [("/metrics?debug=1", 200), ("/../", 404), ("/../../etc/passwd", 404), ("/metrics/", 404), ("/%6detrics", 404),
     ("//metrics", 404), ("/favicon.ico", 404), ("/METRICS", 404)],
)  # fmt: skip
def test_there_is_nothing_but_metrics_and_the_page(server: MetricsServer, path: str, status: int) -> None:
    """Case 87: `GET /../`."""
    assert get(server, path)[0] == status


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PATCH"])
def test_other_methods_are_told_which_are_allowed(server: MetricsServer, method: str) -> None:
    """Case 87: POST."""
    status, headers, _ = ask(server, f"{method} /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert (status, headers["allow"]) == (405, "GET, HEAD")


def test_who_posts_megabytes_still_reads_the_refusal(server: MetricsServer) -> None:
    head = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3000000\r\n\r\n"
    assert ask(server, head + bytes(3_000_000))[0] == 405


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 1_000_000 + b"\r\n\r\n", 431),
        (b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 2_000 + b"\r\n", 431),
        (b"GET /" + b"x" * 1_000_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 414),
        (b"GET /" + b"x" * 5_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 414),
        (b"x" * 100_000, 414),
    ],
)
def test_a_head_without_end_is_refused(server: MetricsServer, request_: bytes, status: int) -> None:
    """Case 87: a header of a megabyte."""
    assert ask(server, request_)[0] == status


@pytest.mark.parametrize(
    "request_",
    [
        b"\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /metrics\r\nHost: localhost\r\n\r\n",
        b"GET /metrics HTTP/2.0\r\nHost: localhost\r\n\r\n",
        b"GET  /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"get /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET http://evil.example/metrics HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /met\xffrics HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /metrics HTTP/1.1\r\n\r\n",
        b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
        b"GET /metrics HTTP/1.1\r\nHost : localhost\r\n\r\n",
        b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n folded: yes\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    ],
)
def test_what_is_no_request_is_refused(server: MetricsServer, request_: bytes) -> None:
    assert ask(server, request_)[0] == 400


def test_a_head_in_pieces_and_one_with_bare_line_feeds_are_understood(server: MetricsServer) -> None:
    with socket.create_connection((server.host, server.port), timeout=10) as client:
        for piece in (b"GET /me", b"trics HTTP/1.0\r", b"\nX: y", b"\r\n\r", b"\n"):
            client.sendall(piece)
        assert client.recv(12) == b"HTTP/1.1 200"
    assert ask(server, b"GET / HTTP/1.0\n\n")[0] == 200


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:9464", "localhost.", "127.0.0.1", "127.0.0.1:80", "[::1]:9464"]
)
def test_names_that_mean_this_machine_are_answered(server: MetricsServer, host: str) -> None:
    assert get(server, Host=host)[0] == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:9464", "localhost.evil.example", "127.0.0.1.evil.example", "0.0.0.0", "10.0.0.1",
     "", "[::1", "a@localhost", "localhost:x", "user:pw@127.0.0.1", "2130706433", "[::ffff:127.0.0.1%25x]"],
)  # fmt: skip
def test_other_names_are_not_answered(server: MetricsServer, host: str) -> None:
    """Case 88: a page whose own name was pointed at this machine reads nothing."""
    status, _, body = get(server, Host=host)
    assert (status, b"codebuddy" in body) == (421, False)


def test_names_of_ones_own_are_answered_when_they_are_given(collector: MetricsCollector) -> None:
    with serve_metrics(collector, port=0, names=("Agent.internal",)) as server:
        assert get(server, Host=f"agent.internal:{server.port}")[0] == 200
        assert get(server, Host="other.internal")[0] == 421


def test_on_every_address_any_address_is_answered_and_still_no_foreign_name(
    collector: MetricsCollector,
) -> None:
    """Case 88: a bind to 0.0.0.0."""
    with serve_metrics(collector, host="0.0.0.0", port=0) as server:
        assert server.url == f"http://127.0.0.1:{server.port}/metrics"
        assert get(server, Host="192.168.7.9")[0] == 200
        assert get(server, Host="[fe80::1]:9464")[0] == 200
        assert get(server, Host="evil.example")[0] == 421


def test_ipv6_is_served_where_it_is_asked_for(collector: MetricsCollector) -> None:
    """Case 88: IPv6."""
    try:
        server = serve_metrics(collector, host="::1", port=0)
    except PortUnavailable as error:
        pytest.skip(f"no IPv6 here: {error}")
    with server:
        assert server.url == f"http://[::1]:{server.port}/metrics"
        assert get(server, Host=f"[::1]:{server.port}")[0] == 200


def test_without_a_word_only_this_machine_can_connect(server: MetricsServer) -> None:
    assert server.host == "127.0.0.1"
    assert server.url == f"http://127.0.0.1:{server.port}/metrics"


def test_a_port_that_is_taken_is_an_error_that_says_so(
    server: MetricsServer, collector: MetricsCollector
) -> None:
    """Case 88: port in use."""
    with pytest.raises(PortUnavailable, match=rf"port {server.port} on 127\.0\.0\.1 is in use"):
        serve_metrics(collector, port=server.port)
    assert issubclass(PortUnavailable, BuddyError)


@pytest.mark.parametrize(
    ("host", "port", "words"),
    [
        ("", 0, "no host"),
        ("127.0.0.1", 70_000, "no port 70000"),
        ("127.0.0.1", -1, "no port -1"),
        ("203.0.113.7", 0, "no address of this machine"),
        ("no.such.host.invalid", 0, "no address of this machine"),
        ("x" * 300, 0, "no address of this machine"),
    ],
)
def test_what_cannot_be_listened_on_is_an_error_that_says_why(
    collector: MetricsCollector, host: str, port: int, words: str
) -> None:
    with pytest.raises(PortUnavailable, match=words):
        serve_metrics(collector, host=host, port=port)


class Broken(MetricsCollector):
    """A collector whose numbers cannot be had."""

    def totals(self) -> Totals:
        raise RuntimeError("secret hunter2")


def test_a_collector_that_raises_is_a_500_that_is_counted_and_says_no_more() -> None:
    """Case 90 for the exporter."""
    with serve_metrics(Broken(), port=0) as server:
        for _ in range(2):
            status, _, body = get(server)
            assert (status, b"hunter2" in body) == (500, False)
        assert get(server, "/")[0] == 200
        assert server.failures == 2


def test_closing_gives_the_port_and_the_thread_back(collector: MetricsCollector) -> None:
    before = threading.active_count()
    server = serve_metrics(collector, port=0)
    assert threading.active_count() == before + 1
    with socket.create_connection((server.host, server.port)):
        server.close()
    server.close()
    assert threading.active_count() == before
    with serve_metrics(collector, port=server.port) as again:
        assert get(again)[0] == 200


def test_closing_ends_even_while_the_numbers_are_stuck() -> None:
    stuck, release = threading.Event(), threading.Event()

    class Stuck(MetricsCollector):
        def totals(self) -> Totals:
            stuck.set()
            release.wait(30)
            return super().totals()

    server = serve_metrics(Stuck(), port=0)
    with socket.create_connection((server.host, server.port)) as client:
        client.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
        assert stuck.wait(10)
        server.close()
        with serve_metrics(MetricsCollector(), port=server.port) as again:
            assert get(again)[0] == 200
        release.set()
    server._thread.join(10)
    assert not server._thread.is_alive()


def test_a_server_whose_descriptors_are_taken_away_ends_instead_of_spinning(
    collector: MetricsCollector,
) -> None:
    server = MetricsServer(PrometheusExporter(collector), listen("127.0.0.1", 0))
    server._selector.close()
    server._bell.send(b".")
    server._thread.join(10)
    assert not server._thread.is_alive()
    server.close()
