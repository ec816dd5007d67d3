"""The two lines above a run: what it is, how it ended, and what it left behind."""

from __future__ import annotations

from buddy_core.runs.facts import Integrity, RunFacts
from buddy_core.safety.shown import shown
from buddy_core.safety.text import Plain
from buddy_top.drawing import format as fmt
from buddy_top.drawing.cells import Cell, Span
from buddy_top.drawing.states import status_cell

_UNCOUNTED: Cell = (Span(Plain("its events are not counted yet"), "dim"),)
_GAP = Span(Plain(" · "), "dim")


def heading_lines(run: RunFacts, now_ms: int, *, counted: bool = True) -> list[Cell]:
    """State, times and place; then counts and artifacts, or that nothing has been `counted` yet."""
    return [_first(run, now_ms), _second(run) if counted else _UNCOUNTED]


def took(run: RunFacts, now_ms: int) -> Plain:
    """How long a run took, or how long one that is at work has been at it."""
    return fmt.duration(took_ms(run, now_ms))


def took_ms(run: RunFacts, now_ms: int) -> int | None:
    """The same in milliseconds."""
    return max(0, now_ms - run.started_at) if run.status == "running" else run.duration_ms


def damage_words(integrity: Integrity) -> Plain:
    """What happened to the event file, in half a sentence."""
    counted = (
        (integrity.skipped_lines, f"{fmt.plural(integrity.skipped_lines, 'line')} unreadable"),
        (integrity.recovered_lines, f"{fmt.plural(integrity.recovered_lines, 'record')} recovered"),
        (integrity.pending_bytes, "last line unfinished"),
    )
    words = [text for number, text in counted if number]
    return Plain(", ".join(words)) if words else shown(integrity.notes[0], limit=60)


def _first(run: RunFacts, now_ms: int) -> Cell:
    spans = [*status_cell(run.status, True), _GAP, Span(fmt.date_time(run.started_at, now_ms), "label")]
    if run.ended_at is not None:
        spans += [Span(Plain(" → "), "dim"), Span(fmt.clock(run.ended_at, seconds=False), "label")]
    spans += [Span(Plain(" ("), "dim"), Span(took(run, now_ms)), Span(Plain(")"), "dim")]
    if run.model:
        spans += [_GAP, Span(shown(run.model, limit=40))]
    if run.tags:
        spans += [_GAP, Span(shown(" ".join(run.tags), limit=40), "label")]
    if run.cwd:
        spans += [_GAP, Span(shown(run.cwd, limit=80), "dim")]
    return tuple(spans)


def _second(run: RunFacts) -> Cell:
    failed = run.tool_failures + run.errors
    spans = [
        Span(fmt.plural(run.event_count, "event"), "label"),
        _GAP,
        Span(fmt.plural(run.tool_calls, "tool call"), "label"),
        _GAP,
        Span(fmt.plural(failed, "failure"), "bad" if failed else "dim"),
    ]
    if run.parent_run_id:
        spans += [_GAP, Span(Plain("fork of "), "dim"), Span(shown(run.parent_run_id), "label")]
        if run.fork_reason:
            spans += [
                Span(Plain(" ("), "dim"),
                Span(shown(run.fork_reason, limit=40), "label"),
                Span(Plain(")"), "dim"),
            ]
    if run.problem is not None:
        spans += [_GAP, Span(Plain(f"! {shown(run.problem, limit=60)}"), "warn")]
    elif not run.integrity.intact:
        spans += [_GAP, Span(damage_words(run.integrity), "warn")]
    if run.artifacts:
        spans += [_GAP, Span(shown(" ".join(run.artifacts), limit=120), "dim")]
    return tuple(spans)
