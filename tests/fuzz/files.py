"""What must hold of the line reader, the salvage and the summary loader, whatever bytes they are given.

Each check takes any bytes at all, the first four of which choose how the rest is used, and raises AssertionError
where a promise is broken. What is compared with was written for this: none of it is the code that is checked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import msgspec

from buddy_core.runs.catalog.early import Early
from buddy_core.runs.catalog.filling.summaries import _early, _metrics_of, _summary_of, _tolerantly
from buddy_core.runs.model import RunMetrics, RunSummary
from buddy_core.runs.query.candidate import masked
from buddy_core.runs.reading.accounting import Accounting
from buddy_core.runs.reading.jsonl import Batch, EventBatch, LineReader
from buddy_core.runs.reading.salvage import dissect
from buddy_core.runs.records.smallfiles import dump_metrics, dump_summary, parse_metrics, parse_summary
from buddy_core.runs.records.wire import EVENTS, WireEvent

RUN = "run_mk000000_aaaaaa"
TS = 1_767_890_000_000
_MAX_LINES = (10, 60, 280, 1 << 20)
_LONGEST = 100_000
_BLANK = b" \t\r\v\f"


def check_lines(data: bytes) -> None:
    """The line reader: any cutting gives the same, the account is exact, no whole record is missed or made up."""
    (limit, size, place, hole), text = data[:4].ljust(4, b"\0"), data[4:]
    max_line = _MAX_LINES[limit % 4]
    whole, account = _read([text], max_line)
    step = 1 + size
    parts, other = _read([text[at : at + step] for at in range(0, len(text), step)], max_line)
    assert _facts(parts) == _facts(whole), "chunks change the records"
    assert other == account, "chunks change the account"
    unplaced, third = _read([text], max_line, places=False)
    assert (unplaced.events, unplaced.identities) == (whole.events, whole.identities)
    assert third == account
    _check_holes(text, place % (len(text) + 1), hole, max_line)
    _check_account(text, account, max_line)
    _check_records(text, whole, max_line)


def _read(chunks: list[bytes], max_line: int, *, places: bool = True) -> tuple[EventBatch, Accounting]:
    reader: LineReader[WireEvent] = LineReader(EVENTS, max_line=max_line, places=places)
    batch: EventBatch = Batch()
    for chunk in chunks:
        batch.extend(reader.feed(chunk))
        assert reader.accounting().balanced
        assert reader.pending <= max_line
    return batch, reader.accounting()


def _facts(batch: EventBatch) -> list[tuple[object, ...]]:
    return [
        (event.ts, event.type, event.run_id, bytes(event.data), identity, offset)
        for event, identity, offset in zip(batch.events, batch.identities, batch.offsets, strict=True)
    ]


def _check_holes(text: bytes, at: int, hole: int, max_line: int) -> None:
    """A hole that nobody read counts like the NUL bytes it stands for."""
    reader: LineReader[WireEvent] = LineReader(EVENTS, max_line=max_line)
    batch = reader.feed(text[:at])
    batch.extend(reader.feed_nul(hole))
    batch.extend(reader.feed(text[at:]))
    dense, account = _read([text[:at] + bytes(hole) + text[at:]], max_line)
    assert _facts(batch) == _facts(dense)
    assert reader.accounting() == account


def _check_account(text: bytes, account: Accounting, max_line: int) -> None:
    assert account.seen == len(text)
    assert account.delivered + account.pending + sum(account.skipped.values()) == len(text)
    assert all(size > 0 for size in account.skipped.values())
    unfinished = text[text.rfind(b"\n") + 1 :].lstrip(b"\0")
    assert account.pending == (len(unfinished) if len(unfinished) <= max_line else 0)


def _check_records(text: bytes, batch: EventBatch, max_line: int) -> None:
    assert all(first < second for first, second in pairwise(batch.offsets)), (
        "one place twice, or out of order"
    )
    found = dict(zip(batch.offsets, batch.events, strict=True))
    start = 0
    for line in text[: text.rfind(b"\n") + 1].split(b"\n")[:-1]:
        here = [at for at in found if start <= at < start + len(line)]
        _check_line(line, [(at - start, found.pop(at)) for at in here], first=start == 0, max_line=max_line)
        start += len(line) + 1
    assert not found, "a record that lies on no finished line"


def _check_line(line: bytes, here: list[tuple[int, WireEvent]], *, first: bool, max_line: int) -> None:
    if len(line.lstrip(b"\0")) > max_line:
        assert not here
        return
    for at, event in here:
        assert line.startswith(b"{", at)
        _check_event(event)
    text = line.removeprefix(b"\xef\xbb\xbf") if first else line
    value = _json(text)
    if value is not _NONE:
        assert len(here) == isinstance(value, dict), (
            "a line that is one object is one record, and no other is any"
        )
        assert all(not line[:at].strip(b"\xef\xbb\xbf \t\r") for at, _ in here)
    strict = _strictly(line)
    if strict is not None:
        assert [event for _, event in here] == [strict]


def _check_event(event: WireEvent) -> None:
    assert 0 <= event.ts <= 253_402_300_799_999
    event.type.encode()
    (event.run_id or "").encode()
    bytes(event.data).decode()


def _strictly(line: bytes) -> WireEvent | None:
    try:
        line.decode()
        return EVENTS.strict(line)
    except (ValueError, RecursionError):
        return None


_NONE = object()


def _json(text: bytes) -> object:
    """The value that a line is, with one character for each byte; `_NONE` where it is none, or nested too deep."""
    try:
        return json.loads(text.decode("latin-1"), strict=False) if _nesting(text) < 200 else _NONE
    except ValueError:
        return _NONE


def _nesting(text: bytes) -> int:
    return text.count(b"{") + text.count(b"[")


def check_salvage(data: bytes) -> None:
    """The salvage: pieces cover a line exactly once; what stands whole is found, what is part of another is not."""
    at, older, line = int.from_bytes(data[:2], "big"), sum(data[2:3]), data[4:].replace(b"\n", b"")
    _check_pieces(line, file_start=bool(older & 1))
    harmless = line.translate(None, b"{[")
    record = b'{"ts":%d,"runId":"%s","type":"a","data":{"n":[%d]}}' % (TS + 5, RUN.encode(), older)
    assert _starts(harmless + record)[-1:] == [len(harmless)], "a record behind rubbish is lost"
    holder = _HOLDER[: 1 + at % len(_HOLDER)]
    inside = range(1, len(holder))
    assert not any(start in inside for start in _starts(holder + harmless)), (
        "a record of the inside of a torn one"
    )
    tail = _HOLDER[1 + at % (len(_HOLDER) - 1) :]
    assert not _starts(harmless.translate(None, b'"') + tail), "a record of the end of one"


_COPY = '{"ts":%d,"runId":"run_mk000000_aaaaaa","type":"b","data":{"x":"a\\"b"}}'
_HOLDER = (
    b'{"ts":%d,"runId":"run_mk000000_aaaaaa","type":"c","data":{"deep":%s,"list":[%s,1],"text":"}{ \\"ts\\":"}}'
    % (
        TS + 3,
        (_COPY % (TS + 1)).encode(),
        (_COPY % (TS + 2)).encode(),
    )
)


def _check_pieces(line: bytes, *, file_start: bool) -> None:
    pieces = dissect(line, EVENTS, None, lambda _: None, file_start=file_start)
    edges = [0, *(piece.end for piece in pieces)]
    assert [piece.start for piece in pieces] == edges[:-1] and edges[-1] == len(line), "bytes lost or twice"
    for piece in pieces:
        assert piece.start < piece.end
        assert (piece.record is None) != (piece.reason is None)
        if piece.reason == "nul":
            assert line[piece.end - 1] == 0
        if piece.reason == "blank":
            assert not line[piece.start : piece.end].strip(_BLANK)
        if piece.record is not None and _nesting(line) < 200:
            assert isinstance(_json(line[piece.start : piece.end]), dict), "a record that is no JSON object"


def _starts(line: bytes) -> list[int]:
    """Where the records of a line begin."""
    pieces = dissect(line, EVENTS, None, lambda _: None)
    return [piece.start for piece in pieces if piece.record is not None]


def check_summary(data: bytes) -> None:
    """`summary.json` and `metrics.json`: believable or default, written back the same, and read the same both ways."""
    text = data[:_LONGEST]
    summary, metrics = parse_summary(text, RUN), parse_metrics(text)
    assert (summary is None) == (metrics is None)
    if summary is not None and metrics is not None:
        _check_summary(summary)
        _check_totals(metrics)
    _check_both_ways(*_two_files(text))


def _two_files(text: bytes) -> tuple[bytes, bytes]:
    first, _, second = text.partition(b"\n\n")
    return first, second or text


def _check_summary(summary: RunSummary) -> None:
    assert summary.run_id == RUN, "a file decided what its run is called"
    numbers = (summary.started_at, summary.event_count, summary.artifact_count, summary.ended_at or 0)
    assert all(isinstance(number, int) and 0 <= number <= 2**53 for number in numbers)
    meta = summary.metadata
    texts = (summary.objective, summary.status, meta.channel, meta.user_id, meta.session_id, meta.cwd)
    for text in (*texts, meta.parent_rollout_id, meta.fork_reason, *meta.tags):
        (text or "").encode()
    again = parse_summary(dump_summary(summary), RUN)
    assert again is not None
    assert _known(again) == _known(summary), "what is written back says something else"
    assert parse_summary(dump_summary(again), RUN) == again


def _known(summary: RunSummary) -> tuple[object, ...]:
    meta = summary.metadata
    names = ("channel", "user_id", "session_id", "cwd", "tags", "parent_rollout_id", "fork_reason")
    own = (summary.objective, summary.status, summary.started_at, summary.ended_at, summary.event_count)
    return (*own, summary.artifact_count, *(getattr(meta, name) for name in names))


def _check_totals(metrics: RunMetrics) -> None:
    numbers = _totals(metrics)
    assert all(0 <= number <= 2**53 for number in numbers)
    again = parse_metrics(dump_metrics(metrics))
    assert again is not None
    assert _totals(again) == numbers
    assert parse_metrics(dump_metrics(again)) == again


def _totals(metrics: RunMetrics) -> tuple[float, ...]:
    counts = (metrics.total_tokens, metrics.prompt_tokens, metrics.completion_tokens, metrics.tool_call_count)
    return (*counts, metrics.total_cost, metrics.duration_ms, metrics.failover_count)


def _check_both_ways(summary: bytes, metrics: bytes) -> None:
    """The list's quick way to read these files says nothing that the tolerant one does not."""
    try:
        early = _early(RUN, _summary_of(summary), _metrics_of(metrics))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return
    if isinstance(early, Early):
        assert masked(early.candidate()) == _tolerantly(RUN, summary, metrics)


def seeds_of_lines() -> Iterator[bytes]:
    """Lines of every kind that real files hold."""
    whole = b'{"ts":%d,"runId":"%s","type":"tool_call","data":{"toolName":"bash"}}' % (TS, RUN.encode())
    for text in (
        whole + b"\n",
        whole[:40] + whole + b"\n" + whole[40:] + b"\n",
        whole + whole + b"\n\n",
        b"\0" * 9 + whole + b"\0\n",
        b"\xef\xbb\xbf" + whole + b"\r\n",
        b'{"ts":"1767890000000","type":"tool_call","data":"[REDACTED]"}\n[1,2]\nnull\n',
        b'{"ts":1e300,"type":"error","data":{"message":"\xff \\ud83c"}}\n',
        whole.replace(b"bash", b"b\xff\xc0sh") + b"\n" + whole.replace(b"bash", "żółć".encode()) + b"\n",
        _HOLDER + b"\n" + _HOLDER[:90],
    ):
        for choice in (b"\0\0\0\0", b"\2\6\x30\x05", b"\3\0\x60\xff"):
            yield choice + text


def seeds_of_summaries() -> Iterator[bytes]:
    """Files as writers write them, and some as nobody should."""
    fields: dict[str, Any] = {"runId": "../x", "objective": "Fix", "status": "failed", "startedAt": TS}
    metadata = {"tags": ["headless", "gpt-5.5"], "cwd": "/home/dev", "parentRolloutId": RUN}
    yield json.dumps(fields).encode()
    yield json.dumps({**fields, "endedAt": TS + 5, "metadata": metadata}, indent=2).encode()
    yield (
        json.dumps({**fields, "startedAt": "1e3", "eventCount": -1, "x": [None]}).encode()
        + b'\n\n{"totalTokens":5}'
    )
    yield b'\xef\xbb\xbf{"objective":"\\ud83c","totalCost":1e999,"durationMs":NaN}'
    yield re.sub(rb"\s", b"", json.dumps({**fields, "totalTokens": 5, "totalCost": 0.25}).encode())
