"""History in bulk: one run's past as columns, so that it can be counted without a call for every item."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from buddy_core.metrics.model import ApiRequest, ErrorRecord

ModelKey: TypeAlias = tuple[str, str]
"""Provider and model."""

RequestRow: TypeAlias = tuple[int, int, int, int, int, float | None, float | None, float | None, bool]
"""One model request: the fields of a `RequestSample`, as a plain tuple, which costs a tenth to make."""


def row_of(one: ApiRequest) -> RequestRow:
    """A request as such a row, without the names it is found under."""
    counts = (one.prompt_tokens, one.completion_tokens, one.cache_read_tokens, one.cache_write_tokens)
    return (one.at_ms, *counts, one.cost, one.latency_ms, one.ttft_ms, one.success)


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens and cost known only as a run's total, not by request (the original's `metrics.json`)."""

    total_tokens: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float | None = None
    run_id: str | None = None
    at_ms: int = 0


ITEMS = 1_000
"""Items that are absorbed at once: a millisecond or so in which nobody else records."""


@dataclass(slots=True)
class ToolColumn:
    """The finished calls of one tool; the three lists are parallel."""

    at_ms: list[int] = field(default_factory=list)
    duration_ms: list[float | None] = field(default_factory=list)
    """None where nobody measured."""
    ok: list[bool] = field(default_factory=list)
    calls: list[object] = field(default_factory=list)
    """What `HistoryBatch.argument_of` can tell the argument of each call from; empty where nothing can."""

    def add(self, at_ms: int, duration_ms: float | None, ok: bool) -> None:
        """Append one call."""
        self.at_ms.append(at_ms)
        self.duration_ms.append(duration_ms)
        self.ok.append(ok)

    def piece(self, first: int, end: int) -> ToolColumn:
        """The calls from `first` up to `end`; the column itself where these are all."""
        if not first and end >= len(self.ok):
            return self
        return ToolColumn(
            self.at_ms[first:end], self.duration_ms[first:end], self.ok[first:end], self.calls[first:end]
        )


@dataclass(slots=True)
class HistoryBatch:
    """What happened in one run, for `MetricsCollector.absorb`.

    A failed tool call that gave a reason appears twice, as `record_tool_execution` would have it: in its
    tool's column, and in `errors` as a `tool_error` with `context={"tool": name}`.
    """

    run_id: str | None = None
    tools: dict[str, ToolColumn] = field(default_factory=dict)
    errors: list[ErrorRecord] = field(default_factory=list)
    requests: list[ApiRequest] = field(default_factory=list)
    usage: list[Usage] = field(default_factory=list)
    rows: dict[ModelKey, list[RequestRow]] = field(default_factory=dict)
    """More requests, by provider and model, without an object for each."""
    argument_of: Callable[[str, object], str] | None = None
    """What a call was about, given the tool and one of its column's `calls`; asked for very few of them."""

    def __bool__(self) -> bool:
        return bool(self.tools or self.errors or self.requests or self.usage or self.rows)

    def __len__(self) -> int:
        columns = sum(len(column.ok) for column in self.tools.values())
        rows = sum(map(len, self.rows.values()))
        return columns + rows + len(self.errors) + len(self.requests) + len(self.usage)


def batches(whole: HistoryBatch, size: int = ITEMS) -> Iterator[HistoryBatch]:
    """`whole` in pieces of at most `size` items, so that who absorbs them keeps nobody waiting; an empty one gives none.

    Many small columns go together: absorbing costs more by the piece than by the item.
    """
    if len(whole) <= size:
        if whole:
            yield whole
        return
    joined, items = HistoryBatch(whole.run_id, argument_of=whole.argument_of), 0
    for kind, key, piece, more in _pieces(whole, size):
        if items + more > size:
            yield joined
            joined, items = HistoryBatch(whole.run_id, argument_of=whole.argument_of), 0
        if key is None:
            getattr(joined, kind).extend(piece)
        else:  # no other piece of it is there yet: whatever comes before the last of a column fills a batch
            getattr(joined, kind)[key] = piece
        items += more
    yield joined


def _pieces(whole: HistoryBatch, size: int) -> Iterator[tuple[str, object, Any, int]]:
    """Each list and column cut at every `size` items: its field, its key if it is a column's, and how many there are."""
    for name, column in whole.tools.items():
        for at in range(0, len(column.ok), size):
            yield "tools", name, column.piece(at, at + size), min(size, len(column.ok) - at)
    for kind in ("errors", "requests", "usage"):
        items = getattr(whole, kind)
        for at in range(0, len(items), size):
            yield kind, None, items[at : at + size], min(size, len(items) - at)
    for key, rows in whole.rows.items():
        for at in range(0, len(rows), size):
            yield "rows", key, rows[at : at + size], min(size, len(rows) - at)
