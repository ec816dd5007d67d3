"""One line of each kind that an event file may hold, and what a reader makes of them."""

from __future__ import annotations

import json

from buddy_core.runs.reading.jsonl import Batch, EventBatch, JsonlReader

TS = 1_767_890_000_000


def line(number: int = 0, **data: object) -> bytes:
    event = {"ts": TS + number, "runId": "run_mk000000_aaaaaa", "type": "tool_call", "data": data}
    return json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def read(*chunks: bytes, max_line: int = 1024 * 1024) -> tuple[EventBatch, JsonlReader]:
    """Feed the chunks to one reader; the account must balance after each of them."""
    reader = JsonlReader(max_line=max_line)
    everything: EventBatch = Batch()
    for chunk in chunks:
        everything.extend(reader.feed(chunk))
        assert reader.accounting().balanced
    return everything, reader


def facts(batch: EventBatch) -> list[tuple[object, ...]]:
    """A batch in a form that can be compared."""
    seen = [(event.ts, event.type, event.run_id, bytes(event.data)) for event in batch.events]
    return [
        (*parts, identity, offset)
        for parts, identity, offset in zip(seen, batch.identities, batch.offsets, strict=True)
    ]


DAMAGE = [
    line(1, a="plain"),
    line(2, text="żółć → 😀"),
    line(3)[:-1] + line(4),
    line(5)[:40] + line(6),
    line(7)[:40] + b"\n",
    b"\0" * 9 + line(8),
    b"\0" * 7 + b"\n",
    b"\0\0  \0" + line(9)[:-1] + b"\0\0\n",
    b"\r\n",
    line(10)[:-1] + b"\r\n",
    b"\n",
    b"[1,2]\n",
    b"null\n",
    b"garbage\n",
    b'{"ts":"1767890000000","type":"tool_call","data":"[REDACTED]"}\n',
    b'{"ts":1e300,"type":"error","data":{"message":12}}\n',
    b'{"ts":1767890000001,"type":"error","data":{"message":"bad \xff\xfe"}}\n',
    b'{"ts":1767890000001,"type":"error","data":{"message":"half \\ud83c"}}\n',
    line(11, text="a" * 300),
    b"x" * 300 + b"\n",
    b"\0" * 50 + b"y" * 300 + b"\n",
]
"""One line of each kind; the last three are too long where `max_line` is 280."""
