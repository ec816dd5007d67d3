"""Servers that misbehave in one way each: silent, slow, closing, redirecting; for tests of what waits for them."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n"


def silent(connection: socket.socket) -> None:
    """Takes everything and answers nothing."""
    while connection.recv(65536):
        pass
    time.sleep(60)


def slow_headers(connection: socket.socket) -> None:
    """One byte of a header every twentieth of a second, for ever."""
    connection.recv(65536)
    connection.sendall(HEAD)
    while True:
        connection.sendall(b"x")
        time.sleep(0.05)


def slow_body(connection: socket.socket) -> None:
    """A body that takes hours, a byte at a time."""
    connection.recv(65536)
    connection.sendall(HEAD + b"content-length: 1000000\r\n\r\n")
    while True:
        connection.sendall(b"x")
        time.sleep(0.05)


def endless_body(connection: socket.socket) -> None:
    """A body as fast as the network takes it, without an end."""
    connection.recv(65536)
    connection.sendall(HEAD + b"\r\n")
    while True:
        connection.sendall(b"x" * 65536)


def hangs_up(connection: socket.socket) -> None:
    """Closes after the first bytes, in the middle of a handshake or a request."""
    connection.recv(64)


def babbles(connection: socket.socket) -> None:
    """Answers with something that is no HTTP."""
    connection.recv(65536)
    connection.sendall(b"SSH-2.0-OpenSSH_9.7\r\n" + bytes(range(256)))


def agrees(connection: socket.socket) -> None:
    """Behaves: takes a whole request and says yes."""
    with connection.makefile("rb") as stream:
        length = 0
        while (line := stream.readline()) not in (b"\r\n", b""):
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        stream.read(length)
    connection.sendall(HEAD + b"content-length: 0\r\n\r\n")


@contextmanager
def server(behave: Callable[[socket.socket], None], context: ssl.SSLContext | None = None) -> Iterator[int]:
    """A server on a loopback port that treats each connection with `behave`; yields the port."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)

    def treat(connection: socket.socket) -> None:
        with suppress(OSError), connection:
            if context is None:
                behave(connection)
            else:
                with context.wrap_socket(connection, server_side=True) as encrypted:
                    behave(encrypted)

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=treat, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        listener.close()


@contextmanager
def full_backlog() -> Iterator[int]:
    """A port whose connections are never accepted nor refused: connecting itself hangs."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    callers = []
    for _ in range(4):
        caller = socket.socket()
        caller.setblocking(False)
        caller.connect_ex(listener.getsockname())
        callers.append(caller)
    try:
        yield int(listener.getsockname()[1])
    finally:
        for caller in (*callers, listener):
            caller.close()


def refused() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def self_signed(directory: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate for 127.0.0.1 that no system trusts, and the server's settings with it; needs `openssl`."""
    key, certificate = directory / "key.pem", directory / "cert.pem"
    words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    names = ("-addext", "subjectAltName=IP:127.0.0.1")
    subprocess.run(
        ["openssl", *words.split(), *names, "-keyout", str(key), "-out", str(certificate)],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return certificate, context
