"""How the height of a pane is shared between a list and what stands below it."""

from __future__ import annotations

from typing import Final

from buddy_top.panes.alone import is_alone
from buddy_top.widgets.panel import Panel

_FRAME = 3
"""Two border lines and the column titles."""

_LEAST = 3
"""Rows a list keeps room for even when it has fewer, so that it does not grow at every first row."""

NO_ROOM: Final = "-no-room"
"""Class of what is left out where there are too few lines or columns; not the widget's own `display`, which
would win over a panel that has the pane to itself."""


def list_height(rows: int, height: int, part: float = 0.5) -> int:
    """Lines for a list of `rows` in a pane of `height` lines: what it needs, at most `part` of them."""
    return max(_FRAME + 1, min(max(rows, _LEAST) + _FRAME, int(height * part)))


def fit_panel(panel: Panel, rows: int, height: int, part: float = 0.5) -> None:
    """Give the panel around a list its height, when the pane has one already."""
    if height > 0 and not is_alone(panel):
        wanted = list_height(rows, height, part)
        if panel.outer_size.height != wanted:
            panel.styles.height = wanted
