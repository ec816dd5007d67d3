"""A Sentry endpoint for tests: it takes envelopes apart and keeps the events."""

from __future__ import annotations

import json
from typing import Any

from tests.core.sending.otlp_receiver import Recorder


class SentryStub(Recorder):
    """A `Recorder` that reads envelopes (develop.sentry.dev, "Envelopes")."""

    @property
    def dsn(self) -> str:
        """A DSN that leads here."""
        return f"http://publickey@127.0.0.1:{self.port}/42"

    @property
    def items(self) -> list[tuple[str, Any]]:
        """Type and payload of every item that arrived."""
        return [item for post in self.posts for item in _items(post.body)]

    @property
    def events(self) -> list[dict[str, Any]]:
        """Every event that arrived."""
        return [payload for type_, payload in self.items if type_ == "event"]


def _items(body: bytes) -> list[tuple[str, Any]]:
    """An envelope is a line of headers, then for each item a line of headers and a payload of known length."""
    _, _, rest = body.partition(b"\n")
    items: list[tuple[str, Any]] = []
    while rest.strip():
        line, _, rest = rest.partition(b"\n")
        header = json.loads(line)
        length = header.get("length")
        payload, rest = (rest[:length], rest[length + 1 :]) if length is not None else rest.split(b"\n", 1)
        is_json = header["type"] != "attachment"
        items.append((header["type"], json.loads(payload) if is_json else payload))
    return items
