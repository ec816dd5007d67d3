"""The way from a timeline into the past, which is loaded only by whoever looks there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from buddy_top.state import RunDetail, Snapshot

if TYPE_CHECKING:
    from buddy_top.past.rows import RowsThen


def rows_then(snapshot: Snapshot, run_id: str, detail: RunDetail | None) -> RowsThen | None:
    """What the moment of a picture makes of the rows of a run; None in the present."""
    if snapshot.past is None or detail is None:
        return None
    from buddy_top.past.rows import RowsThen

    return RowsThen(snapshot.past, run_id, detail)
