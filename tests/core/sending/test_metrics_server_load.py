"""The server of `/metrics` under many clients, slow clients, forks and exhausted descriptors. Cases 87 and 88.

BUDDY_CONNECTS=10000 makes the flood of connections as large as the case asks for.
"""

from __future__ import annotations

import contextlib
import os
import resource
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator

import psutil
import pytest
from tests.scraping import answer_of, get

from buddy_core import serve_metrics
from buddy_core.clock import ManualClock
from buddy_core.metrics.collector import MetricsCollector
from buddy_core.prometheus.connection import Phase
from buddy_core.prometheus.exporter import PrometheusExporter
from buddy_core.prometheus.listening import listen
from buddy_core.prometheus.server import MOST_ANSWERS, MOST_CLIENTS, MetricsServer

pytestmark = pytest.mark.sweep

CONNECTS = int(os.environ.get("BUDDY_CONNECTS", "1500"))
SLOW_CLIENTS = 300


@pytest.fixture
def collector() -> MetricsCollector:
    collector = MetricsCollector()
    collector.record_tool_execution(name="bash", duration_ms=20.0)
    return collector


@pytest.fixture
def server(collector: MetricsCollector) -> Iterator[MetricsServer]:
    with serve_metrics(collector, port=0) as server:
        yield server


@pytest.fixture
def clients() -> Iterator[contextlib.ExitStack]:
    with contextlib.ExitStack() as stack:
        yield stack


def connect(server: MetricsServer, clients: contextlib.ExitStack, sending: bytes = b"") -> socket.socket:
    client = clients.enter_context(socket.create_connection((server.host, server.port), timeout=10))
    with contextlib.suppress(OSError):
        client.sendall(sending)
    return client


def is_open(client: socket.socket) -> bool:
    """False once the server has closed its end."""
    try:
        return not select.select([client], [], [], 0)[0] or bool(client.recv(1, socket.MSG_PEEK))
    except OSError:
        return False


def test_a_scrape_is_answered_beside_300_slow_clients(
    server: MetricsServer, clients: contextlib.ExitStack, record_property: Callable[[str, object], None]
) -> None:
    """Case 87: one thread for all of them, and the ones that dawdle longest make room."""
    slowest = 0.0
    threads = psutil.Process().num_threads()
    slow = [connect(server, clients, b"GET /metrics HTTP/1.1\r\nX-a: ") for _ in range(SLOW_CLIENTS)]
    for turn in range(5):
        for client in slow:
            with contextlib.suppress(OSError):
                client.send(b"b")
        began = time.monotonic()
        assert get(server)[0] == 200
        slowest = max(slowest, time.monotonic() - began)
        assert slowest < 5, turn
    assert psutil.Process().num_threads() <= threads  # one of another test may end meanwhile
    words = f"{SLOW_CLIENTS} slow clients: 1 thread, 5 of 5 scrapes answered, the slowest after {slowest * 1000:.0f} ms"
    record_property("figure", words)
    assert len(server._clients) <= MOST_CLIENTS
    assert server.dropped >= SLOW_CLIENTS - MOST_CLIENTS
    assert not any(map(is_open, slow[: SLOW_CLIENTS - MOST_CLIENTS]))


def test_a_client_that_never_finishes_its_request_is_let_go_though_it_goes_on_sending(
    collector: MetricsCollector, clients: contextlib.ExitStack
) -> None:
    """Case 87: the deadline is for the whole request, so a byte now and then does not extend it."""
    exporter, listener = PrometheusExporter(collector), listen("127.0.0.1", 0)
    with MetricsServer(exporter, listener, patience_ms=300) as server:
        client = connect(server, clients, b"GET / HTTP/1.1\r\n")

        def let_go() -> bool:
            with contextlib.suppress(OSError):
                client.send(b"x")
            return not is_open(client)

        until(let_go)
        assert server.dropped == 1


def test_the_patience_of_a_server_is_five_seconds(server: MetricsServer) -> None:
    assert server._patience_ms == 5_000


def test_in_a_flood_nobody_has_to_go_before_he_could_ask(
    collector: MetricsCollector, clients: contextlib.ExitStack
) -> None:
    """Case 87: whoever is new stays; those who come after wait at the door meanwhile."""
    clock = ManualClock()  # on which nobody ever grows old
    with MetricsServer(PrometheusExporter(collector), listen("127.0.0.1", 0), clock=clock) as server:
        first = connect(server, clients)
        for _ in range(MOST_CLIENTS + 40):
            connect(server, clients)
        until(lambda: len(server._clients) == MOST_CLIENTS)
        first.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert first.recv(12) == b"HTTP/1.1 200"
        assert server.dropped == 0
        clock.advance(1_000)
        until(lambda: server.dropped > 0)  # and then those who never asked make room


def until(happened: Callable[[], bool]) -> None:
    """Wait for what another thread does; ten seconds are a failure."""
    last = time.monotonic() + 10
    while not happened():
        assert time.monotonic() < last
        time.sleep(0.01)


class Long(PrometheusExporter):
    """Says more than the buffers between server and client hold."""

    def export(self) -> str:
        return "x" * 5_000_000


def test_clients_that_do_not_read_their_answers_are_few_at_a_time(
    collector: MetricsCollector, clients: contextlib.ExitStack
) -> None:
    with MetricsServer(Long(collector), listen("127.0.0.1", 0), patience_ms=60_000) as server:
        for _ in range(MOST_ANSWERS + 8):
            client = clients.enter_context(socket.socket())
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            client.connect((server.host, server.port))
            client.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
        assert get(server, "/")[0] == 200

        def being_sent() -> int:
            return sum(one.phase is Phase.ANSWERED for one in list(server._clients.values()))

        until(lambda: server.dropped == 8 and being_sent() == MOST_ANSWERS)


def test_a_slow_reader_gets_a_large_answer_whole(clients: contextlib.ExitStack) -> None:
    collector = MetricsCollector()
    for number in range(400):
        collector.record_tool_execution(name=f"tool {number}", duration_ms=1.0)
    with serve_metrics(collector, port=0) as server:
        client = connect(server, clients, b"GET /metrics HTTP/1.0\r\n\r\n")
        received = bytearray()
        while chunk := client.recv(30_000):
            received += chunk
        status, headers, body = answer_of(bytes(received))
        assert (status, len(body)) == (200, int(headers["content-length"]))
        assert len(body) > 500_000


def test_a_flood_of_connections_leaves_the_server_answering(server: MetricsServer) -> None:
    """Case 87: 10,000 connects."""
    before = psutil.Process().num_fds()
    for number in range(CONNECTS):
        with (
            contextlib.suppress(OSError),
            socket.create_connection((server.host, server.port), timeout=10) as client,
        ):
            if number % 3:
                client.sendall(b"GET /met"[: number % 9])
    assert get(server)[0] == 200
    assert psutil.Process().num_fds() <= before + MOST_CLIENTS


def test_many_scrapers_at_once_are_all_answered(server: MetricsServer) -> None:
    answered: list[int] = []
    scrapers = [threading.Thread(target=lambda: answered.append(get(server)[0])) for _ in range(40)]
    for scraper in scrapers:
        scraper.start()
    for scraper in scrapers:
        scraper.join(30)
    assert answered == [200] * 40


def test_without_free_descriptors_the_slowest_clients_go_and_nothing_spins(
    server: MetricsServer, clients: contextlib.ExitStack
) -> None:
    """Case 37 for the server."""
    slow = [connect(server, clients, b"GET") for _ in range(10)]
    assert get(server)[0] == 200  # and so all that came before have been accepted
    waiting = [clients.enter_context(socket.socket()) for _ in range(3)]
    process = psutil.Process()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken: list[int] = []
    resource.setrlimit(resource.RLIMIT_NOFILE, (process.num_fds() + 20, hard))
    try:
        with contextlib.suppress(OSError):
            while True:
                taken.append(os.dup(0))
        for client in waiting:
            client.settimeout(10)
            client.connect((server.host, server.port))
            client.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert all(client.recv(12) == b"HTTP/1.1 200" for client in waiting)
    finally:
        for descriptor in taken:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert not all(map(is_open, slow))
    assert get(server)[0] == 200


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_neither_answers_nor_holds_the_port(
    server: MetricsServer, collector: MetricsCollector
) -> None:
    """Case 88: fork with port."""
    told, tell = os.pipe()
    done, finish = os.pipe()
    child = os.fork()
    if child == 0:
        closed = server._listener.fileno() == server._ear.fileno() == -1
        server.close()
        os.write(tell, b"ok" if closed else b"no")
        os.read(done, 1)
        os._exit(0)
    try:
        assert os.read(told, 2) == b"ok"
        assert get(server)[0] == 200  # the parent's own server was not touched
        server.close()
        with serve_metrics(collector, port=server.port) as again:
            assert get(again)[0] == 200
    finally:
        os.write(finish, b".")
        os.waitpid(child, 0)
        for descriptor in (told, tell, done, finish):
            os.close(descriptor)


def test_recording_goes_on_while_everything_is_scraped(
    server: MetricsServer, collector: MetricsCollector
) -> None:
    scraping = threading.Event()

    def scrape() -> None:
        for _ in range(20):
            get(server)
        scraping.set()

    scraper = threading.Thread(target=scrape)
    scraper.start()
    recorded = 0
    while not scraping.is_set():
        collector.record_tool_execution(name="grep", duration_ms=1.0)
        recorded += 1
    scraper.join()
    text = get(server)[2].decode()
    assert (
        f'codebuddy_tool_calls_total{{outcome="success",tool="grep"}} {float(recorded)}'.split(".")[0] in text
    )
