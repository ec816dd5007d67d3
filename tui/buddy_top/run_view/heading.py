"""The two lines above a run: what it is, how it ended, and what it left behind."""

from __future__ import annotations

from buddy_core.runs.model import RunFacts
from buddy_core.safety.text import Plain, plain
from buddy_top import format as fmt
from buddy_top.cells import Cell, Span
from buddy_top.states import status_cell

_GAP = Span(Plain("  ·  "), "dim")


def heading_lines(run: RunFacts, now_ms: int) -> list[Cell]:
    """State, times and place; then counts and artifacts."""
    return [_first(run, now_ms), _second(run)]


def _first(run: RunFacts, now_ms: int) -> Cell:
    spans = [*status_cell(run.status, True), _GAP, Span(fmt.date_time(run.started_at, now_ms), "label")]
    if run.ended_at is not None:
        spans += [Span(Plain(" → "), "dim"), Span(fmt.clock(run.ended_at), "label")]
    spans += [Span(Plain(" ("), "dim"), Span(fmt.duration(run.duration_ms)), Span(Plain(")"), "dim")]
    if run.model:
        spans += [_GAP, Span(plain(run.model, limit=40))]
    if run.tags:
        spans += [_GAP, Span(plain(" ".join(run.tags), limit=40), "label")]
    if run.cwd:
        spans += [_GAP, Span(plain(run.cwd, limit=80), "dim")]
    return tuple(spans)


def _second(run: RunFacts) -> Cell:
    failed = run.tool_failures + run.errors
    spans = [
        Span(Plain(f"{fmt.count(run.event_count)} events"), "label"),
        _GAP,
        Span(Plain(f"{fmt.count(run.tool_calls)} tool calls"), "label"),
        _GAP,
        Span(Plain(f"{fmt.count(failed)} failures"), "bad" if failed else "dim"),
    ]
    if run.parent_run_id:
        spans += [_GAP, Span(Plain("fork of "), "dim"), Span(plain(run.parent_run_id), "label")]
        if run.fork_reason:
            spans += [
                Span(Plain(" ("), "dim"),
                Span(plain(run.fork_reason, limit=40), "label"),
                Span(Plain(")"), "dim"),
            ]
    if not run.integrity.intact:
        lines = run.integrity.skipped_lines
        spans += [
            _GAP,
            Span(Plain(f"damaged: {lines} lines skipped" if lines else "damaged file, nothing lost"), "warn"),
        ]
    if run.artifacts:
        spans += [_GAP, Span(plain(" ".join(run.artifacts), limit=120), "dim")]
    return tuple(spans)
