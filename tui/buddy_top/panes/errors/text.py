"""Errors as text: the whole story of one, or the short list of many."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from buddy_core.metrics.model import ErrorRecord
from buddy_core.runs.facts import RunFacts
from buddy_core.safety.redact import redact_value
from buddy_core.safety.shown import shown, shown_lines
from buddy_core.safety.text import Plain
from buddy_top.drawing import format as fmt
from buddy_top.drawing.cells import Cell, Span

_LABEL_WIDTH = 10
_MOST_LINES = 400


def error_lines(
    record: ErrorRecord, *, count: int, first_at: int, runs: Sequence[RunFacts], now_ms: int
) -> list[Cell]:
    """Everything known of an error: message, context, stack, when and in which runs."""
    lines: list[Cell] = [(Span(text, "strong"),) for text in shown_lines(record.message)[:_MOST_LINES]]
    lines += [(), _pair(Plain("type"), shown(record.type)), _pair(Plain("count"), fmt.count(count))]
    lines.append(_pair(Plain("first"), fmt.date_time(first_at, now_ms)))
    lines.append(_pair(Plain("last"), fmt.date_time(record.timestamp, now_ms)))
    lines += [
        _pair(shown(key), shown(redact_value(value, name=key))) for key, value in _context(record.context)
    ]
    for index, run in enumerate(runs):
        label = Plain("runs" if index == 0 else "")
        lines.append(
            (*_pair(label, shown(run.run_id)), Span(Plain("  ")), Span(shown(run.objective), "label"))
        )
    if record.stack:
        lines += [(), (Span(Plain("stack"), "label"),)]
        lines += [(Span(text),) for text in shown_lines(record.stack)[:_MOST_LINES]]
    return lines


def _context(context: Mapping[str, Any] | None) -> Iterable[tuple[str, Any]]:
    return () if context is None else context.items()


def _pair(label: Plain, text: Plain) -> Cell:
    return (Span(Plain(f"{label:<{_LABEL_WIDTH}}"), "label"), Span(text))
