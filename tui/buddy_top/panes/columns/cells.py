"""Cells that several panes share: names, numbers that may be unknown, ages, failure shares."""

from __future__ import annotations

from buddy_core.runs.facts import RunFacts
from buddy_core.safety.shown import shown
from buddy_core.safety.text import Plain
from buddy_top.drawing import format as fmt
from buddy_top.drawing.cells import Cell, Span


def name_cell(text: str, ink: str = "value") -> Cell:
    """Observed text on one line."""
    return (Span(shown(text), ink),)


def number_cell(text: Plain, ink: str = "value") -> Cell:
    """A formatted number; unknown is drawn as context, so that it does not compete with values."""
    return (Span(text, "dim" if text == fmt.UNKNOWN else ink),)


def age_cell(at_ms: int | None, now_ms: int, ink: str = "label") -> Cell:
    """How long ago something happened."""
    return number_cell(fmt.age(None if at_ms is None else now_ms - at_ms), ink)


def failures_cell(count: int, width: int) -> Cell:
    """A count of failures: nothing to see when there are none."""
    return (Span(fmt.count_within(width, count), "bad" if count else "dim"),)


def run_cell(run: RunFacts, ink: str = "value") -> Cell:
    """What a run is for; one of which nobody said it is called by its id. First why it cannot be read, if it cannot."""
    name = name_cell(run.objective, ink) if run.objective.strip() else name_cell(run.run_id, "dim")
    if run.problem is None:
        return name
    return (Span(Plain(f"! {shown(run.problem, limit=60)}"), "warn"), Span(Plain(" · "), "dim"), *name)


def failure_share_cell(failed: int, total: int) -> Cell:
    """Failures as a share of all; quiet at nought, loud from one in ten."""
    if total == 0:
        return number_cell(fmt.UNKNOWN)
    share = 100.0 * failed / total
    ink = "dim" if failed == 0 else "warn" if share < 10 else "bad"
    return (Span(fmt.percent(share), ink),)
