"""How the height of a pane is shared between a list and what stands below it."""

from __future__ import annotations

from buddy_top.panes.alone import is_alone
from buddy_top.widgets.panel import Panel

_FRAME = 3
"""Two border lines and the column titles."""

_LEAST = 3
"""Rows a list keeps room for even when it has fewer, so that it does not grow at every first row."""


def list_height(rows: int, height: int) -> int:
    """Lines for a list of `rows` in a pane of `height` lines: what it needs, at most half."""
    return max(_FRAME + 1, min(max(rows, _LEAST) + _FRAME, height // 2))


def fit_panel(panel: Panel, rows: int, height: int) -> None:
    """Give the panel around a list its height, when the pane has one already."""
    if height > 0 and not is_alone(panel):
        wanted = list_height(rows, height)
        if panel.outer_size.height != wanted:
            panel.styles.height = wanted
