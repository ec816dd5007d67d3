"""The dashboard as lines of plain text: what stands where, and what is left out when there is little room.

A first column names each block, so that no rules and frames are needed, which wide characters would push
out of line. Observed names and messages become printable before they are laid out.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo

from buddy_core import format as fmt
from buddy_core.metrics.dashboard.glance import Glance
from buddy_core.metrics.dashboard.summary import summary
from buddy_core.metrics.dashboard.tables import errors, providers, tools
from buddy_core.safety.columns import cells, cut
from buddy_core.safety.text import Plain

NARROWEST = 40
"""Columns a picture has at least, however narrow the terminal says it is."""

WIDEST = 500
"""Columns a picture has at most."""

_TWO_COLUMNS = 120
_GAP = 4


def picture(glance: Glance, width: int, tz: tzinfo | None = None) -> list[Plain]:
    """The lines of the dashboard, none wider than `width` cells (at least `NARROWEST`)."""
    width = min(max(width, NARROWEST), WIDEST)
    half = (width - _GAP) // 2
    blocks = (summary, errors, providers, tools)
    if width < _TWO_COLUMNS:
        parts = [block(glance, width) for block in (summary, providers, tools, errors)]
    else:
        left, right, below_left, below_right = (block(glance, half) for block in blocks)
        parts = [_beside(left, right, half), _beside(below_left, below_right, half)]
    lines = [_title(glance, width, tz)]
    for part in parts:
        lines += [Plain(""), *part]
    return [Plain(cut(line, width)) for line in lines]


def _title(glance: Glance, width: int, tz: tzinfo | None) -> Plain:
    name = "Agent dashboard"
    told = f"{fmt.clock(glance.now_ms, tz)} · up {fmt.duration(glance.state.uptime_ms)}"
    return Plain(name + told.rjust(width - len(name)))


def _beside(left: Sequence[str], right: Sequence[str], half: int) -> list[Plain]:
    """Two blocks next to each other; the shorter one is followed by nothing."""
    lines = []
    for number in range(max(len(left), len(right))):
        one = left[number] if number < len(left) else ""
        two = right[number] if number < len(right) else ""
        lines.append(Plain((one + " " * (half + _GAP - cells(one)) + two).rstrip()))
    return lines
