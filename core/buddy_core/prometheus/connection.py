"""One client of the server: its request is read, answered and the connection closed, each within its time.

Nothing here blocks. Each step says what the connection waits for next, or that it is over.
"""

from __future__ import annotations

import enum
import socket
from collections.abc import Callable
from http import HTTPStatus

from buddy_core.prometheus.answers import Answer, refusal
from buddy_core.prometheus.request import Request, read_head

_CHUNK = 64 * 1024


class Phase(enum.Enum):
    """What a connection is doing."""

    ASKING = "asking"
    ANSWERED = "answered"
    """The answer is being sent."""
    LEAVING = "leaving"
    """Everything is sent; what the client still sends is thrown away, so that it reads the answer to its end."""
    OVER = "over"


class Connection:
    """A client, from accepting it to closing it.

    `deadline_ms` is set by the server. A connection is closed when it passes, whatever the client does.
    """

    def __init__(self, client: socket.socket, respond: Callable[[Request], Answer]) -> None:
        client.setblocking(False)
        self.socket = client
        self.phase = Phase.ASKING
        self.deadline_ms = 0.0
        self._respond = respond
        self._received = bytearray()
        self._unsent = memoryview(b"")

    def step(self) -> Phase:
        """Do what can be done now; gives the phase after it. Never raises for what the client or network does."""
        try:
            if self.phase is Phase.ASKING:
                self._read()
            if self.phase is Phase.ANSWERED:
                self._write()
            if self.phase is Phase.LEAVING:
                self._drain()
        except (BlockingIOError, InterruptedError):
            pass
        except OSError:
            self.phase = Phase.OVER
        return self.phase

    def close(self) -> None:
        """Let go of the client."""
        self.phase = Phase.OVER
        self.socket.close()

    def _read(self) -> None:
        data = self.socket.recv(_CHUNK)
        if not data:
            self.phase = Phase.OVER
            return
        self._received += data
        head = read_head(self._received)
        if head is None:
            return
        answer = refusal(head) if isinstance(head, HTTPStatus) else self._respond(head)
        self._received.clear()
        self._unsent = memoryview(answer.encoded())
        self.phase = Phase.ANSWERED

    def _write(self) -> None:
        while self._unsent:
            sent = self.socket.send(self._unsent[: 4 * _CHUNK])
            self._unsent = self._unsent[sent:]
        self.socket.shutdown(socket.SHUT_WR)
        self.phase = Phase.LEAVING

    def _drain(self) -> None:
        # At most a few chunks a turn: others wait too.
        for _ in range(4):
            if not self.socket.recv(_CHUNK):
                self.phase = Phase.OVER
                return
