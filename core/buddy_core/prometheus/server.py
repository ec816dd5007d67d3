"""The server of `/metrics`: one thread for all clients, however many there are and however slow.

A client that says nothing costs a socket, not a thread, and no more than `MOST_CLIENTS` of them: the one that
has dawdled longest makes room for the next. Nothing that happens here is raised into the host.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import threading
import time
import weakref
from collections.abc import Iterable
from types import TracebackType
from typing import Self

from buddy_core.clock import Clock, SystemClock
from buddy_core.metrics.collector import MetricsCollector
from buddy_core.prometheus.answers import Responder
from buddy_core.prometheus.connection import Connection, Phase
from buddy_core.prometheus.exporter import PrometheusExporter
from buddy_core.prometheus.hosts import HostNames
from buddy_core.prometheus.listening import listen

DEFAULT_PORT = 9464
"""The port that OpenTelemetry's Prometheus exporters use too."""

MOST_CLIENTS = 128
"""Open connections."""

YOUNG_MS = 100.0
"""Nobody has to make room before this age: a flood of clients is let in no faster than this allows, so that one
among them that has something to ask gets to ask it."""

MOST_ANSWERS = 16
"""Answers being sent at once; each may hold megabytes."""

PATIENCE_MS = 5_000.0
"""From accepting a client to the end of its request, and once more to the end of the answer."""

_LEAVING_MS = 1_000.0
_ACCEPTED_A_TURN = 32
_PAUSE_MS = 100.0
"""How long nobody is accepted after the process ran out of descriptors."""

_JOIN_S = 2.0

_MOST_FAILURES = 20
"""Turns in a row that may fail; after that somebody took the server's descriptors away."""

_BREATH_S = 0.05
"""After a turn that failed, so that a lasting trouble does not take a whole processor."""

_servers: weakref.WeakSet[MetricsServer] = weakref.WeakSet()


def serve_metrics(
    collector: MetricsCollector,
    *,
    host: str = "127.0.0.1",
    port: int = DEFAULT_PORT,
    names: Iterable[str] = (),
    exemplars: bool = False,
) -> MetricsServer:
    """Serve the collector's numbers at `/metrics` until the server is closed.

    Only this machine can reach it unless `host` says otherwise. Port 0 takes any that is free. `names` are
    further host names that requests may be addressed to, such as that of a container. `exemplars` names runs in
    OpenMetrics, see `PrometheusExporter`. Raises `PortUnavailable`; the error says why.
    """
    listener = listen(host, port)
    return MetricsServer(PrometheusExporter(collector, exemplars=exemplars), listener, names=(host, *names))


class MetricsServer:
    """Answers scrapes in a thread of its own. Made by `serve_metrics`; also a context manager.

    After `os.fork` the child neither answers nor holds the port.
    """

    def __init__(
        self,
        exporter: PrometheusExporter,
        listener: socket.socket,
        *,
        names: Iterable[str] = (),
        patience_ms: float = PATIENCE_MS,
        clock: Clock | None = None,
    ) -> None:
        address = listener.getsockname()
        self.host: str = address[0]
        """The address it is bound to."""
        self.port: int = address[1]
        self.dropped = 0
        """Clients that had to go before they were answered: too slow, or too many."""
        self._exporter = exporter
        self._responder = Responder(exporter, HostNames((self.host,), names), self._target)
        self._listener = listener
        self._patience_ms = patience_ms
        self._clock = clock or SystemClock()
        self._clients: dict[int, Connection] = {}  # by descriptor, longest open first
        self._paused_until: float | None = None
        self._closing = False
        self._selector = selectors.DefaultSelector()
        self._bell, self._ear = socket.socketpair()
        self._ear.setblocking(False)
        self._selector.register(self._ear, selectors.EVENT_READ)
        self._selector.register(listener, selectors.EVENT_READ)
        _servers.add(self)
        self._thread = threading.Thread(target=self._run, name="buddy-metrics", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Where to scrape."""
        return f"http://{self._target}/metrics"

    @property
    def _target(self) -> str:
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)
        return f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"

    @property
    def failures(self) -> int:
        """Scrapes answered with 500, because collecting the numbers raised."""
        return self._responder.failures

    def close(self) -> None:
        """Stop answering and give the port back, within two seconds; calling it again does nothing."""
        if self._closing:
            return
        self._closing = True
        with contextlib.suppress(OSError):
            self._bell.send(b".")
        if threading.current_thread() is not self._thread:
            self._thread.join(_JOIN_S)
        self._exporter.close()
        self._let_go()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _run(self) -> None:
        failures = 0
        while not self._closing and failures < _MOST_FAILURES:
            try:
                self._turn()
                failures = 0
            except Exception:  # noqa: BLE001 - a server that stops answering is worse than a few lost clients
                failures += 1
                self._drop_everybody()
                time.sleep(_BREATH_S)
        self._let_go()

    def _turn(self) -> None:
        """Wait until somebody can go on or somebody's time is over, and see to it."""
        ready = self._selector.select(self._time_left_s())
        for key, _ in ready:
            connection = self._clients.get(key.fd)
            if connection is not None:
                self._advance(connection)
        if any(key.fileobj is self._listener for key, _ in ready):
            self._accept()
        self._end_what_took_too_long()

    def _time_left_s(self) -> float | None:
        deadlines = [connection.deadline_ms for connection in self._clients.values()]
        if self._paused_until is not None:
            deadlines.append(self._paused_until)
        if not deadlines:
            return None
        return max(0.0, min(deadlines) - self._clock.monotonic_ms()) / 1000

    def _accept(self) -> None:
        for _ in range(_ACCEPTED_A_TURN):
            if len(self._clients) >= MOST_CLIENTS and not self._make_room():
                return
            try:
                client, _ = self._listener.accept()
            except BlockingIOError:
                return
            except OSError:  # out of descriptors, or the client is gone already
                self._drop_the_slowest(Phase.ASKING)
                self._pause(_PAUSE_MS)
                return
            connection = Connection(client, self._responder.answer)
            connection.deadline_ms = self._clock.monotonic_ms() + self._patience_ms
            self._clients[client.fileno()] = connection
            self._selector.register(client, selectors.EVENT_READ)
            self._advance(connection)  # its request is often here already

    def _advance(self, connection: Connection) -> None:
        before, phase = connection.phase, connection.step()
        if phase is before:
            return
        if phase is Phase.OVER:
            self._end(connection)
            return
        patience = _LEAVING_MS if phase is Phase.LEAVING else self._patience_ms
        connection.deadline_ms = self._clock.monotonic_ms() + patience
        events = selectors.EVENT_READ if phase is Phase.LEAVING else selectors.EVENT_WRITE
        self._selector.modify(connection.socket, events)
        answers = sum(one.phase is Phase.ANSWERED for one in self._clients.values())
        if answers > MOST_ANSWERS:
            self._drop_the_slowest(Phase.ANSWERED)

    def _end_what_took_too_long(self) -> None:
        now = self._clock.monotonic_ms()
        for connection in [one for one in self._clients.values() if one.deadline_ms <= now]:
            self.dropped += connection.phase is not Phase.LEAVING
            self._end(connection)
        if self._paused_until is not None and self._paused_until <= now:
            self._paused_until = None
            self._selector.register(self._listener, selectors.EVENT_READ)

    def _pause(self, ms: float) -> None:
        self._selector.unregister(self._listener)
        self._paused_until = self._clock.monotonic_ms() + ms

    def _make_room(self) -> bool:
        """End the client that dawdles longest; False, and a pause, while even that one is young."""
        slowest = self._slowest(Phase.ASKING)
        age = self._patience_ms - (slowest.deadline_ms - self._clock.monotonic_ms())
        if slowest.phase is Phase.ASKING and age < YOUNG_MS:
            self._pause(YOUNG_MS - age)
            return False
        self._drop_the_slowest(Phase.ASKING)
        return True

    def _slowest(self, phase: Phase) -> Connection:
        """Who has been here longest, of those in this phase or else of all."""
        those = (one for one in self._clients.values() if one.phase is phase)
        return next(those, None) or next(iter(self._clients.values()))

    def _drop_the_slowest(self, phase: Phase) -> None:
        if self._clients:
            self._end(self._slowest(phase))
            self.dropped += 1

    def _drop_everybody(self) -> None:
        for connection in list(self._clients.values()):
            self.dropped += 1
            self._end(connection)

    def _end(self, connection: Connection) -> None:
        with contextlib.suppress(OSError, KeyError, ValueError):
            self._clients.pop(connection.socket.fileno(), None)
            self._selector.unregister(connection.socket)
        connection.close()

    def _let_go(self) -> None:
        """Close everything; also what a forked child does with its copies, which the parent does not notice."""
        for connection in list(self._clients.values()):
            connection.close()
        self._clients.clear()
        for held in (self._listener, self._selector, self._bell, self._ear):
            with contextlib.suppress(OSError, RuntimeError):
                held.close()

    def _abandon(self) -> None:
        self._closing = True
        self._let_go()


def _abandon_servers() -> None:
    for server in list(_servers):
        server._abandon()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_abandon_servers)
