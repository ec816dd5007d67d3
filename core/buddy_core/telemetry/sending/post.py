"""One HTTP POST with one deadline for all of it, as the back ends of telemetry need it.

The usual clients limit the wait for each read, so a server that sends a byte a second holds them for ever; they
follow redirects, which carries headers with keys to hosts nobody named; and they read answers of any size.
Here the look-up of the name is the only part that the deadline cannot end, and it runs in a background thread.
"""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from buddy_core.telemetry.config import Target

MOST_ANSWER = 64 * 1024
"""Bytes read of an answer; OTLP's and Sentry's are a few hundred."""

_PIECE = 16 * 1024
"""Bytes sent at once: one TLS record."""

RETRYABLE = frozenset({429, 502, 503, 504})
"""Answers after which the OTLP specification allows another try."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one POST."""

    status: int | None
    """None: there was no answer."""
    body: bytes = b""
    retry_after_s: float | None = None
    failure: str = ""
    """Why there was no answer, in a word: `refused`, `timeout`, `tls`, …"""

    @property
    def taken(self) -> bool:
        """True for 2xx; a redirect is no success, whatever other exporters think."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def retryable(self) -> bool:
        """True when the same body may be accepted later."""
        return self.status in RETRYABLE or self.failure in ("refused", "unreachable")


def post(target: Target, body: bytes, *, timeout_s: float, extra: Mapping[str, str] | None = None) -> Answer:
    """POST `body` to `target`; never raises for what a network or a server does.

    Follows nothing, and returns after `timeout_s` seconds at the latest, apart from the look-up of the host's name.
    """
    parts = urlsplit(target.url)
    connection = _Connection(target, parts.hostname or "", parts.port, deadline=time.monotonic() + timeout_s)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = {**target.headers, **(extra or {}), "connection": "close", "user-agent": "buddy-top"}
    try:
        connection.request("POST", path, body, headers)
        return _answer(connection.getresponse())
    except (OSError, http.client.HTTPException, ValueError) as error:
        return Answer(None, failure=_word_for(error))
    finally:
        connection.close()


def _answer(response: http.client.HTTPResponse) -> Answer:
    status, retry_after = response.status, _seconds(response.getheader("retry-after"))
    try:
        body = response.read(MOST_ANSWER)
    except (OSError, http.client.HTTPException):
        # The verdict is in the status line; a body that never ends does not change it.
        body = b""
    return Answer(status, body, retry_after)


class _Connection(http.client.HTTPConnection):
    """A connection whose every wait (connecting, TLS, sending, reading) ends at one deadline."""

    def __init__(self, target: Target, host: str, port: int | None, *, deadline: float) -> None:
        self._encrypted = urlsplit(target.url).scheme == "https"
        super().__init__(host, port or (443 if self._encrypted else 80))
        self._target = target
        self._deadline = deadline
        self.response_class = partial(_Response, deadline=deadline)  # type: ignore[assignment]

    def connect(self) -> None:
        """Dial, and shake hands where the address says https."""
        context = self._target.tls() if self._encrypted else None
        sock = _dial((self.host, self.port), self._deadline)
        try:
            self.sock = context.wrap_socket(sock, server_hostname=self.host) if context else sock
        except BaseException:
            sock.close()
            raise

    def send(self, data: Any) -> None:  # noqa: ANN401 - bytes, as `request` above hands over
        """In pieces, because an encrypted socket counts its timeout anew for each."""
        if self.sock is None:
            self.connect()
        sock: Any = self.sock
        for start in range(0, len(data), _PIECE):
            sock.settimeout(_left(self._deadline))
            sock.sendall(data[start : start + _PIECE])


class _Response(http.client.HTTPResponse):
    """An answer whose status line, headers and body share the deadline."""

    def __init__(
        self,
        sock: socket.socket,
        debuglevel: int = 0,
        method: str | None = None,
        url: str | None = None,
        *,
        deadline: float,
    ) -> None:
        super().__init__(sock, debuglevel, method, url)
        self.fp.close()
        self.fp = io.BufferedReader(_Reader(sock, deadline))


class _Reader(io.RawIOBase):
    """Reads a socket; each read may take only what is left until the deadline."""

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)
        self._deadline = deadline

    def readable(self) -> bool:
        """As raw streams are asked."""
        return True

    def readinto(self, buffer: Any) -> int | None:  # noqa: ANN401 - whatever the buffered reader hands over
        """As raw streams are read; raises TimeoutError at the deadline."""
        self._sock.settimeout(_left(self._deadline))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        """Let go of the socket, which lives until its last reader does."""
        self._raw.close()
        super().close()


def _dial(address: tuple[str, int], deadline: float) -> socket.socket:
    """A connection to the first of the host's addresses that answers in time.

    Raises:
        OSError: None does.
    """
    problem = OSError("no address")
    for family, kind, protocol, _, where in socket.getaddrinfo(*address, 0, socket.SOCK_STREAM):
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(_left(deadline))
            sock.connect(where)
            sock.settimeout(_left(deadline))
        except OSError as error:
            sock.close()
            problem = error
        else:
            return sock
    raise problem


def _left(deadline: float) -> float:
    """Seconds until the deadline.

    Raises:
        TimeoutError: It has passed.
    """
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("deadline")
    return left


def _seconds(text: str | None) -> float | None:
    """`Retry-After` in seconds; a date, or anything else, is taken for "nothing said"."""
    return float(text) if text and text.isascii() and text.strip().isdecimal() and len(text) < 8 else None


def _word_for(error: Exception) -> str:
    """A reason that names no address and no header."""
    words: tuple[tuple[type[Exception], str], ...] = (
        (ssl.SSLError, "tls"),
        (TimeoutError, "timeout"),
        (ConnectionRefusedError, "refused"),
        (socket.gaierror, "unknown host"),
        (http.client.HTTPException, "no HTTP"),
        (FileNotFoundError, "certificate file"),
        (PermissionError, "certificate file"),
        (OSError, "unreachable"),
    )
    return next((word for kind, word in words if isinstance(error, kind)), "unusable")
