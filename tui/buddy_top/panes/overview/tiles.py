"""The five tiles: which number is big, what stands beside it, and what its sparkline draws."""

from __future__ import annotations

from collections.abc import Callable

from buddy_core.safety.text import Plain
from buddy_top.drawing import format as fmt
from buddy_top.drawing.cells import Cell, Span
from buddy_top.state import Snapshot
from buddy_top.widgets.charts.tile import TileFacts


def _most_events(snapshot: Snapshot) -> float | None:
    """The scale of what counts events: a failure is drawn as high as the call it was."""
    most = max((max(one.tool_calls, one.errors) for one in snapshot.activity.buckets), default=0)
    return float(most) if most else None


def _tokens(snapshot: Snapshot) -> TileFacts:
    view = snapshot.view
    per_minute = fmt.tokens(snapshot.state.tokens_per_minute)
    rate = Plain("not logged") if view.total_tokens is None else Plain(f"{per_minute}/min")
    values = tuple(float(bucket.tokens) for bucket in snapshot.activity.buckets)
    short = fmt.tokens(view.total_tokens)
    return TileFacts(fmt.tokens_full(view.total_tokens), _note(rate), values, short=short)


def _cost_rate(snapshot: Snapshot) -> Plain:
    state = snapshot.state
    return fmt.cost_rate(state.cost_per_hour, estimated=state.estimated_cost_per_hour is not None)


def _cost(snapshot: Snapshot) -> TileFacts:
    unknown = snapshot.view.total_cost is None
    rate = Plain("not logged") if unknown else _cost_rate(snapshot)
    known = fmt.cost_of(snapshot.view)
    values = tuple(bucket.cost for bucket in snapshot.activity.buckets)
    return TileFacts(known, _note(rate), values)


def _tool_calls(snapshot: Snapshot) -> TileFacts:
    view = snapshot.view
    failed = view.failed_tool_calls
    note: Cell = (Span(Plain(f"{fmt.count(failed)} failed"), "bad" if failed else "dim"),)
    values = tuple(float(bucket.tool_calls) for bucket in snapshot.activity.buckets)
    return TileFacts(fmt.count(view.total_tool_calls), note, values, _most_events(snapshot))


def _response(snapshot: Snapshot) -> TileFacts:
    view = snapshot.view
    note = Plain(f"p95 {fmt.duration(view.p95_latency_ms)}") if view.latency_count else Plain("not logged")
    values = tuple(
        bucket.latency_sum_ms / bucket.latency_count if bucket.latency_count else None
        for bucket in snapshot.activity.buckets
    )
    return TileFacts(fmt.duration(view.avg_latency_ms), _note(note), values)


def _errors(snapshot: Snapshot) -> TileFacts:
    view = snapshot.view
    rate = fmt.percent(view.error_rate)
    note = Plain("no requests") if view.error_rate is None else Plain(f"req. {rate}")
    values = tuple(float(bucket.errors) for bucket in snapshot.activity.buckets)
    value_ink = "bad" if view.total_errors else "strong"
    scale = _most_events(snapshot)
    return TileFacts(fmt.count(view.total_errors), _note(note), values, scale, ink="bad", value_ink=value_ink)


def _note(words: Plain) -> Cell:
    return (Span(words, "dim"),)


TILES: dict[str, Callable[[Snapshot], TileFacts]] = {
    "tokens": _tokens,
    "cost": _cost,
    "tool calls": _tool_calls,
    "response": _response,
    "errors": _errors,
}
"""Title to facts, in the order of the row."""
