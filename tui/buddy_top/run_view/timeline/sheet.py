"""What is written down of a timeline: its rows for a file, and one of them for the clipboard."""

from __future__ import annotations

from buddy_core.runs.timeline.timeline import TimelineRow
from buddy_core.runs.viewing.entries import fields_of
from buddy_top.drawing.cells import text_of
from buddy_top.export.sheet import Sheet, one_record
from buddy_top.run_view.timeline.row_cells import COLUMNS, Look, row_cells
from buddy_top.run_view.timeline.shown_rows import ShownRows, Written

MOST_WRITTEN = 20_000
"""Rows that are exported: those from the cursor on, or the last ones."""

_WHOLE_ROOM = 10_000


def sheet_of(rows: ShownRows, cursor: int, look: Look) -> Sheet:
    """The rows as they are shown, details whole; of very many those from the cursor on. They are read when it is
    gone through."""
    whole = look._replace(room=_WHOLE_ROOM)
    first = min(cursor, max(len(rows) - MOST_WRITTEN, 0))
    places = range(first, min(first + MOST_WRITTEN, len(rows)))
    return Sheet(
        title="timeline",
        columns=[column.title or column.key for column in COLUMNS],
        lines=Written(rows, places, lambda row: [text_of(cell) for cell in row_cells(row, whole)]),
        records=Written(rows, places, fields_of),
    )


def copy_of(row: TimelineRow, *, whole: bool) -> str:
    """A row's own words, or all that is known of it as JSON."""
    return one_record(fields_of(row)) if whole else row.detail or row.error or row.title
