"""The lines of "running now": what every run that is at work does, since when, and how long it has been silent."""

from __future__ import annotations

from buddy_core.runs.facts import RunFacts
from buddy_core.safety.shown import shown
from buddy_core.safety.text import Plain
from buddy_top.drawing import format as fmt
from buddy_top.drawing.cells import Cell, Span
from buddy_top.drawing.states import status_cell
from buddy_top.panes.columns.cells import age_cell, number_cell, run_cell
from buddy_top.widgets.table.table import Column

RUNNING = (
    Column("status", Plain("state"), 9),
    Column("objective", Plain("objective"), 16, grow=2),
    Column("doing", Plain("doing"), 16, grow=3),
    Column("for", Plain("for"), 7, align="right"),
    Column("tools", Plain("tools"), 5, align="right", priority=2),
    Column("tokens", Plain("tokens"), 7, align="right", priority=1),
    Column("cost", Plain("cost"), 8, align="right", priority=1),
    Column("last", Plain("last"), 5, align="right"),
)


def running_cells(run: RunFacts, now_ms: int, *, told: bool = False) -> tuple[Cell, ...]:
    """One line, for the columns `RUNNING`.

    A run that an alert has `told` of, or that is stalled, stands out by a mark and by its times.
    """
    since, stands_out = _busy_since(run), told or run.status == "stalled"
    doing: Cell = (Span(Plain("▲ "), "warn"), *_doing(run)) if told else _doing(run)
    ink = "warn" if stands_out else "value"
    return (
        status_cell(run.status),
        run_cell(run),
        doing,
        number_cell(fmt.UNKNOWN if since is None else fmt.duration(max(0, now_ms - since)), ink),
        number_cell(fmt.count_within(5, run.tool_calls)),
        number_cell(fmt.tokens(run.total_tokens)),
        number_cell(fmt.cost_of(run)),
        age_cell(run.last_event_at, now_ms, "warn" if stands_out else "label"),
    )


def _doing(run: RunFacts) -> Cell:
    if run.running_tools:
        tool = run.running_tools[-1]
        more = len(run.running_tools) - 1
        spans = (Span(shown(tool.name), "accent"), Span(Plain(" ")), Span(shown(tool.argument), "label"))
        return (*spans, Span(Plain(f"  +{more}"), "dim")) if more else spans
    words = "waiting for the model" if run.step is None else f"waiting for the model, step {run.step}"
    return (Span(shown(words), "dim"),)


def _busy_since(run: RunFacts) -> int | None:
    """When what it does now began: the tool's call, or the last thing that was heard of it."""
    return run.running_tools[-1].since if run.running_tools else run.last_event_at
