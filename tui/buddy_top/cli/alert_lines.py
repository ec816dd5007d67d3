"""Alerts as lines of plain text, for `buddy-top alerts` and `--once`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap

from buddy_core import format as fmt
from buddy_core.alerts.model import Alert
from buddy_core.safety.columns import Column, cells, lay_out
from buddy_core.safety.text import plain

_LEAST = 20
"""Columns a sentence is wrapped to at least, however narrow the terminal."""


def alert_lines(
    alerts: Sequence[Alert], now_ms: int, width: int | None, *, when: str = "when"
) -> Iterator[str]:
    """Since when, which rule, in which run, and why; the sentence below the rest where a line has no room for it.

    `when` heads the first column; without a `width` lines are as long as they are.
    """
    columns = (Column(when), Column("alert"), Column("run"), Column("why", limit=400))
    rows = [
        (
            fmt.date_time(alert.since_ms, now_ms),
            alert.rule.replace("_", " "),
            alert.run_id or fmt.UNKNOWN,
            plain(alert.why),
        )
        for alert in alerts
    ]
    lines = lay_out(columns, rows)
    if width is None or all(cells(line) <= width for line in lines):
        yield from lines
        return
    heads = lay_out(columns[:3], [row[:3] for row in rows], heading=False)
    for head, row in zip(heads, rows, strict=True):
        yield head
        yield from wrap(row[3], max(_LEAST, width - 2), initial_indent="  ", subsequent_indent="  ")
